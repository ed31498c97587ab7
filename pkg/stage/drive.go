package stage

import (
	"context"
	"sync"
	"time"
)

// driver works off the queue of a transfer in several sessions.
type driver struct {
	t        *transfer
	sessions context.Context // what sessions live as long as: one that is whole is used again
	work     context.Context // ends with the first error
	stop     context.CancelCauseFunc
	lanes    sync.WaitGroup

	mu    sync.Mutex
	whole []*session
}

// drive works off the queue. It returns the sessions that are still whole, for the publishing; also with an error.
func (t *transfer) drive(ctx context.Context, lead *session) ([]*session, error) {
	d := &driver{t: t, sessions: ctx}
	d.work, d.stop = context.WithCancelCause(ctx)
	defer d.stop(nil)
	defer t.closeFiles()
	done := make(chan struct{})
	defer close(done)
	go t.patience.watch(done, d.stop)

	t.pace.start()
	lanes := t.options.Parallel
	if lanes == 0 {
		lanes = DefaultParallel
	}
	lanes = max(1, min(lanes, t.queue.size()))
	for n := range lanes {
		if n > 0 {
			lead = nil
		}
		d.lane(lead)
	}
	if t.options.Parallel == 0 {
		d.lanes.Go(func() { d.widen(lanes) })
	}
	d.lanes.Wait()
	if ctx.Err() != nil {
		return d.whole, context.Cause(ctx)
	}
	return d.whole, context.Cause(d.work)
}

// widen doubles the sessions where the volume is slow.
func (d *driver) widen(lanes int) {
	tick := time.NewTicker(slowAfter / 2)
	defer tick.Stop()
	for {
		_, finished, changed := d.t.queue.state()
		if finished {
			return
		}
		select {
		case <-d.work.Done():
			return
		case <-changed:
		case <-tick.C:
			if d.t.ways() > 1 {
				for range min(lanes, d.t.queue.size()) {
					d.lane(nil)
				}
				return
			}
		}
	}
}

// lane starts a lane, in a session that is there or in a new one.
func (d *driver) lane(s *session) {
	d.lanes.Go(func() {
		s, err := d.run(s)
		if err != nil {
			d.stop(err)
			return
		}
		if s != nil {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.whole = append(d.whole, s)
		}
	})
}

// run keeps one worker going, in one session after the other, until all jobs are done or work ends.
func (d *driver) run(s *session) (*session, error) {
	t := d.t
	var lost []*job
	var before string // the nonce of the session that lost them
	err := t.patience.persist(d.work, func() (err error) {
		if s == nil {
			if t.queue.finished() {
				return nil
			}
			if s, err = t.join(d.sessions); err == nil {
				err = t.recover(s, lost, before)
			} else {
				t.queue.putBack(lost...)
			}
			lost = nil
			if err != nil {
				s = nil
				return err
			}
		}
		on := s
		if lost, err = newWorker(t, s).work(d.work); err != nil {
			before, s = on.nonce, nil
		}
		return err
	})
	if err != nil {
		t.queue.putBack(lost...)
		if s != nil {
			s.close()
		}
		return nil, err
	}
	return s, nil
}

func (t *transfer) closeFiles() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range t.big {
		b.mu.Lock()
		b.close()
		b.mu.Unlock()
	}
}
