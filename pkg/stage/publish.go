package stage

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// publish asks in one of the sessions, or in a new one when that fails: if it was done, asking again gives the same answer.
func (t *transfer) publish(ctx context.Context, sessions []*session) error {
	frame := "P " + t.plan.totalsLine() + " " + sortedSums(t.plan.Manifest)
	return t.patience.persist(ctx, func() error {
		i := slices.IndexFunc(sessions, (*session).lives)
		var s *session
		if i >= 0 {
			s, sessions = sessions[i], nil // when it fails, so will the others
		} else {
			var err error
			if s, err = t.join(ctx); err != nil {
				return err
			}
			defer s.quit()
		}
		err := s.tell(t.plan, frame, ansPublished)
		var refused *VolumeError
		if errors.As(err, &refused) {
			return &decidedError{err}
		}
		return err
	})
}

// quit lets sessions end by themselves.
func quit(sessions []*session) {
	var all sync.WaitGroup
	for _, s := range sessions {
		all.Go(s.quit)
	}
	all.Wait()
}

// join opens one more session.
func (t *transfer) join(ctx context.Context) (*session, error) {
	s := t.volume.open(ctx, t.plan, call{reads: true, words: append([]string{"join"}, t.volume.replaced()...)})
	held := false
	err := s.read(t.plan, func(a answer) (bool, error) {
		held = held || a.verb == ansHeld
		return a.verb == ansReady, nil
	})
	if err == nil && held {
		err = errTaken
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// errTaken says that another push has the lock now.
var errTaken = errors.New("another push of the same data has taken over")

// sweep removes what other pushes of the table have left, as far as nobody works in it any more.
func (t *transfer) sweep(ctx context.Context, leftovers []Leftover) {
	if names := t.volume.dead(ctx, leftovers); len(names) > 0 {
		_ = t.volume.clean(ctx, t.plan, names) // worth a try, but no reason to fail
	}
}
