package stage

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
)

// maxFailures is how often something is tried. Every attempt starts from the beginning, so none of them makes progress for the next.
const maxFailures = 3

// patience counts the failures of what belongs together.
type patience struct {
	volume   *Volume
	failures int
}

// persist repeats do until it succeeds, fails for good, or has failed too often.
func (p *patience) persist(ctx context.Context, do func() error) error {
	backoff := wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: maxFailures}
	for {
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
		if gone := p.volume.gone(ctx); gone != nil {
			return gone
		}
		p.failures++
		if p.failures >= maxFailures {
			return fmt.Errorf("gave up after %d failures: %w", p.failures, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(backoff.Step()):
		}
	}
}

// gone returns a *GoneError when the Pod has ended, which no retry survives.
func (v *Volume) gone(ctx context.Context) error {
	if v.Check == nil {
		return nil
	}
	var gone *GoneError
	if err := v.Check(ctx); errors.As(err, &gone) {
		return gone
	}
	return nil
}

// isFinal reports whether trying again cannot help.
func isFinal(err error) bool {
	var space *SpaceError
	var refused *VolumeError
	var taken *RecordError
	switch {
	case isLocal(err), errors.As(err, &space), errors.As(err, &taken):
		return true
	case errors.As(err, &refused):
		return refused.Reason != Mismatch && refused.Reason != Lost && refused.Reason != OtherFail
	}
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)
}
