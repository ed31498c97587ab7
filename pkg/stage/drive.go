package stage

import (
	"context"
	"sync"
)

// drive works off the queue in several sessions. It returns those that are still whole, for the publishing; also with an error.
func (t *transfer) drive(ctx context.Context, lead *session) ([]*session, error) {
	defer func() {
		for _, b := range t.big {
			b.mu.Lock()
			b.close()
			b.mu.Unlock()
		}
	}()
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	done := make(chan struct{})
	defer close(done)
	go t.patience.watch(done, stop)

	var mu sync.Mutex
	var sessions []*session
	var lanes sync.WaitGroup
	for n := range max(1, min(t.options.Parallel, t.queue.size())) {
		first := lead
		if n > 0 {
			first = nil
		}
		lanes.Go(func() {
			s, err := t.lane(ctx, work, first)
			if err != nil {
				stop(err)
				return
			}
			if s != nil {
				mu.Lock()
				sessions = append(sessions, s)
				mu.Unlock()
			}
		})
	}
	lanes.Wait()
	if ctx.Err() != nil {
		return sessions, context.Cause(ctx)
	}
	return sessions, context.Cause(work)
}

// lane keeps one worker going, in one session after the other, until all jobs are done or work ends. The sessions live as long as ctx,
// for one that is whole is used again.
func (t *transfer) lane(ctx, work context.Context, s *session) (*session, error) {
	err := t.patience.persist(work, func() error {
		if s == nil {
			if t.queue.finished() {
				return nil
			}
			var err error
			if s, err = t.join(ctx); err != nil {
				s = nil
				return err
			}
		}
		if err := newWorker(t, s).work(work); err != nil {
			s = nil
			return err
		}
		return nil
	})
	if err != nil && s != nil {
		s.close()
		s = nil
	}
	return s, err
}
