package stage

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// window is how many jobs a session may have on the way: one that is checked while the next one arrives.
	window = 2
	// What is on the way when the connection breaks was sent for nothing. A session that has something on the way waits while all of
	// them together have more than a part of the transfer, aheadPart, but at least aheadBytes.
	aheadPart  = 32
	aheadBytes = 8 << 20
	// pulseEvery is how often a session that has nothing to send says that the client is there.
	pulseEvery = 10 * time.Second
)

// worker keeps one session busy: it takes jobs, sends them, and reads what became of them.
type worker struct {
	t       *transfer
	session *session
	slots   chan struct{} // one for each job on the way

	landed   chan struct{} // has something when a job may have landed since it was read
	mu       sync.Mutex
	inFlight map[string]*job

	small  []byte // pieces of files
	buffer []byte // a range
	packed bytes.Buffer
}

func newWorker(t *transfer, s *session) *worker {
	return &worker{t: t, session: s, slots: make(chan struct{}, window), landed: make(chan struct{}, 1), inFlight: map[string]*job{}}
}

// work returns no error when all jobs of the queue are done; the session is whole then. Else the session is over, and lost is what was on
// the way.
func (w *worker) work(ctx context.Context) (lost []*job, err error) {
	failed := make(chan error, 2)
	stop := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		if err := w.receive(stop); err != nil {
			failed <- err
			_ = w.session.stdin.Close() // a Write that is under way returns; the other side may tidy up
		}
	})
	err = w.feed(ctx, failed)
	if err != nil {
		w.session.close() // which ends the reading as well, after what was said last
	} else {
		close(stop)
	}
	reading.Wait()
	return w.remaining(), w.cause(err, failed)
}

// cause prefers what the dataset or the volume said to what that did to the connection.
func (w *worker) cause(err error, failed <-chan error) error {
	if err == nil || isLocal(err) {
		return err
	}
	select {
	case first := <-failed:
		return first
	default:
		return err
	}
}

// feed sends jobs as long as there are any.
func (w *worker) feed(ctx context.Context, failed chan error) error {
	pulse := time.NewTicker(pulseEvery)
	defer pulse.Stop()
	for {
		next, finished, changed := w.t.queue.take()
		switch {
		case next != nil:
			if err := w.admit(ctx, next, failed); err != nil {
				return err
			}
			continue
		case finished:
			return nil
		}
		select {
		case <-changed:
		case <-pulse.C:
			if err := w.session.head("H"); err != nil {
				return &SessionError{Err: err}
			}
		case err := <-failed:
			failed <- err
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// admit waits for a place on the way, and sends the job.
func (w *worker) admit(ctx context.Context, j *job, failed chan error) error {
	for placed := false; !placed || w.tooFarAhead(j); {
		slots := w.slots
		if placed {
			slots = nil
		}
		select {
		case slots <- struct{}{}:
			placed = true
		case <-w.landed:
		case err := <-failed:
			failed <- err
			w.t.queue.putBack(j)
			return err
		case <-ctx.Done():
			w.t.queue.putBack(j)
			return context.Cause(ctx)
		}
	}
	w.mu.Lock()
	w.inFlight[j.key()] = j
	w.mu.Unlock()
	w.t.flying(j.flight())
	err := w.send(ctx, j)
	if err != nil && !isLocal(err) && ctx.Err() == nil {
		err = &SessionError{Err: err}
	}
	return err
}

// tooFarAhead tells whether a job should wait until the session has nothing on the way.
func (w *worker) tooFarAhead(j *job) bool {
	w.mu.Lock()
	busy := len(w.inFlight) > 0
	w.mu.Unlock()
	return busy && !w.t.mayFly(j.flight())
}

func (w *worker) remaining() []*job {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []*job
	for _, j := range w.inFlight {
		w.t.flying(-j.flight())
		all = append(all, j)
	}
	clear(w.inFlight)
	return all
}

// receive reads the answers until stop is closed.
func (w *worker) receive(stop <-chan struct{}) error {
	for {
		a, err := w.session.next(stop)
		switch {
		case errors.Is(err, errSettled):
			return nil
		case err != nil:
			return err
		}
		switch a.verb {
		case ansOK:
			j := w.land(a.field(0))
			if j == nil {
				return &SessionError{Err: errProtocol}
			}
			w.t.arrived(j)
		case ansError:
			refused := newVolumeError(w.t.plan, a)
			j := w.land(a.field(0))
			if j == nil {
				return refused
			}
			if err := w.t.refused(j, refused); err != nil {
				return err
			}
		}
	}
}

// land takes a job off the way; nil for one that was never sent.
func (w *worker) land(key string) *job {
	w.mu.Lock()
	defer w.mu.Unlock()
	j := w.inFlight[key]
	if j == nil {
		return nil
	}
	delete(w.inFlight, key)
	w.t.flying(-j.flight())
	<-w.slots
	select {
	case w.landed <- struct{}{}:
	default:
	}
	return j
}
