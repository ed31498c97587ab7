package stage

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

const (
	// giveUpAfter is how long nothing may get through before a transfer ends: the API server of a managed cluster may be away for some
	// minutes while it is upgraded.
	giveUpAfter = 10 * time.Minute
	// The time between tries doubles from shortWait to longWait.
	shortWait = 500 * time.Millisecond
	longWait  = 20 * time.Second
	// maxConfused bounds the answers in a row that were refusals, or made no sense.
	maxConfused = 5
	// deniedAfter is how long the API server may say that something is not allowed: one that has just started knows of no permissions for
	// a moment.
	deniedAfter = 5 * time.Second
	// maxRenewed bounds the Pods in a row in which nothing got done.
	maxRenewed = 4
)

// patience is what the parts of a transfer have in common about failures: they are overcome as long as something gets through between
// them.
type patience struct {
	volume *Volume
	notify func(string)
	failed func(err error, renewed bool)

	mu       sync.Mutex
	last     time.Time // something got through
	confused int
	denied   time.Time // the first of the denials since; zero without one
	renewed  int
	told     string
}

func newPatience(v *Volume, notify func(string), failed func(err error, renewed bool)) *patience {
	return &patience{volume: v, notify: notify, failed: failed, last: time.Now()}
}

// progress notes that something got through.
func (p *patience) progress() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last, p.confused, p.denied, p.renewed, p.told = time.Now(), 0, time.Time{}, 0, ""
}

// persist repeats do until it succeeds, fails for good, or nothing has got through for too long.
func (p *patience) persist(ctx context.Context, do func() error) error {
	wait := shortWait
	for {
		began := time.Now()
		on := p.volume.now()
		err := do()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if isFinal(err) {
			return err
		}
		if p.since(began) {
			wait = shortWait
		}
		renewed, gone := p.renew(ctx, on)
		if gone != nil {
			return gone
		}
		if err := p.count(err, renewed, wait); err != nil {
			return err
		}
		if renewed {
			continue
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait/2 + rand.N(wait/2)): //nolint:gosec // spreads the tries of several clients
		}
		wait = min(2*wait, longWait)
	}
}

// since tells whether something got through after a moment.
func (p *patience) since(moment time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last.After(moment)
}

func (p *patience) renew(ctx context.Context, failed *Volume) (bool, error) {
	renewed, err := p.volume.renew(ctx, failed)
	if err != nil || !renewed {
		return false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.renewed++
	if p.renewed > maxRenewed {
		return false, failed.gone(ctx)
	}
	return true, nil
}

// count judges one failure: an error ends the transfer.
func (p *patience) count(err error, renewed bool, wait time.Duration) error {
	p.failed(err, renewed)
	if errors.Is(err, errStalled) || errors.Is(err, errBlocked) {
		p.volume.stalled()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var refused *VolumeError
	if errors.Is(err, errProtocol) || errors.As(err, &refused) {
		p.confused++
	}
	if isDenied(err) && p.denied.IsZero() {
		p.denied = time.Now()
	}
	switch {
	case isDenied(err) && time.Since(p.denied) >= deniedAfter:
		return err
	case p.confused >= maxConfused:
		return fmt.Errorf("gave up after %d refusals in a row: %w", p.confused, err)
	case time.Since(p.last) >= giveUpAfter:
		return fmt.Errorf("gave up after %s in which nothing got through: %w", giveUpAfter, err)
	case renewed:
		p.notify("the stage pod is gone; going on in a new one")
	case wait >= 4*shortWait && p.told != err.Error():
		p.told = err.Error()
		p.notify(fmt.Sprintf("trying again: %v", err))
	}
	return nil
}

// errStuck says that the sessions are there and nothing gets done.
var errStuck = errors.New("the volume has not taken anything for " + giveUpAfter.String())

// watch ends a transfer in which sessions live and nothing gets done.
func (p *patience) watch(done <-chan struct{}, stop context.CancelCauseFunc) {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			p.mu.Lock()
			stuck := time.Since(p.last) >= giveUpAfter+time.Minute
			p.mu.Unlock()
			if stuck {
				stop(&SessionError{Err: errStuck})
				return
			}
		}
	}
}

// persist is for what is not part of a transfer.
func (v *Volume) persist(ctx context.Context, do func() error) error {
	return newPatience(v, func(string) {}, func(error, bool) {}).persist(ctx, do)
}

// isFinal reports whether trying again cannot help.
func isFinal(err error) bool {
	var space *SpaceError
	var refused *VolumeError
	var taken *RecordError
	var decided *decidedError
	switch {
	case isLocal(err), errors.As(err, &space), errors.As(err, &taken), errors.As(err, &decided), errors.Is(err, errTaken):
		return true
	case errors.As(err, &refused):
		return refused.Reason != Mismatch && refused.Reason != Lost && refused.Reason != NoLink && refused.Reason != OtherFail
	}
	return false
}

// isDenied reports whether the API server said that something is not allowed.
func isDenied(err error) bool { return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) }
