package stage

import (
	"context"
	"fmt"
	"time"
)

// lookAgain is how often a lock that another push holds is looked at.
const lookAgain = 2 * time.Second

// await waits until nobody else is at work on the same tree.
func (t *transfer) await(ctx context.Context, s *session, p *Probe) error {
	told, removed := "", ""
	for !p.Published && p.holder != "" {
		name, alive := t.holderName(ctx, p.holder)
		frame := "W " + t.plan.totalsLine()
		switch {
		case !alive && removed != p.holder:
			frame, removed = "K "+p.holder, p.holder
		case told != name:
			told = name
			t.options.Notify(fmt.Sprintf("another push of the same data is at work in pod %q; waiting for it", name))
			fallthrough
		default:
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(lookAgain):
			}
		}
		if err := s.head(frame); err != nil {
			return &SessionError{Err: err}
		}
		err := s.read(t.plan, func(a answer) (bool, error) {
			p.note(a)
			return a.verb == ansTree || a.verb == ansHeld || a.verb == ansLocked, nil
		})
		if err != nil {
			return err
		}
		t.patience.progress()
	}
	return nil
}

// holderName tells whose the lock is. Without knowledge of the Pods the holder counts as alive.
func (t *transfer) holderName(ctx context.Context, owner string) (name string, alive bool) {
	n := t.volume.now()
	if n.Owners == nil {
		return owner, true
	}
	alivePods, err := n.Owners(ctx)
	if err != nil {
		return owner, true
	}
	name, alive = alivePods[owner]
	return name, alive
}
