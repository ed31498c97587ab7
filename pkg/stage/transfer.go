package stage

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

const (
	// maxFailures ends a transfer. Every attempt starts from the beginning, so none of them makes progress for the next.
	maxFailures = 3
	// tidyTimeout bounds what is done after ctx has ended.
	tidyTimeout = 15 * time.Second
)

// Report is what a transfer did.
type Report struct {
	// Files and Bytes are what the published tree holds.
	Files int64
	Bytes int64
	// Sent is how many bytes of archive and manifest the Pod took, those of failed attempts included; 0 when the tree was there already.
	Sent int64
	// Retries is the number of sessions that failed and were repeated.
	Retries int
	// AlreadyPublished says that nothing had to be sent.
	AlreadyPublished bool
}

// Transfer brings the plan's files to the volume, has them verified there, and publishes them as plan.Dir(). When it returns nil, the
// remote side has said so itself. onBytes is called with the number of file bytes that the Pod acknowledged since the last call; it is
// negative when an attempt failed and its bytes have to be sent again; nil is allowed.
//
// Errors: *SpaceError and *VolumeError from the volume, *dataset.ChangedError and *FileError from the dataset, *GoneError when the Pod
// ended, *SessionError when the connection broke too often, else the cause of ctx or a refusal of the API server. In every case nothing
// half-done was published; what the attempts left is removed as far as the Pod can still be reached.
func (v *Volume) Transfer(ctx context.Context, plan Plan, src *dataset.Dataset, onBytes func(n int64)) (Report, error) {
	if onBytes == nil {
		onBytes = func(int64) {}
	}
	t := &transfer{volume: v, plan: plan, src: src, onBytes: onBytes, sums: digest(plan.sums())}
	t.report.Files, t.report.Bytes = int64(len(plan.Manifest)), plan.Manifest.Bytes()
	err := t.run(ctx)
	if err != nil {
		t.tidy(ctx)
		return t.report, fmt.Errorf("stage table %q: %w", plan.Table, err)
	}
	return t.report, nil
}

// transfer is one call of Transfer.
type transfer struct {
	volume  *Volume
	plan    Plan
	src     *dataset.Dataset
	onBytes func(int64)
	sums    string // digest of the manifest as it is sent

	report   Report
	failures int
	attempts []string // work directories that may lie on the volume
	acked    int64    // file bytes of the current attempt
}

func (t *transfer) run(ctx context.Context) error {
	var probe Probe
	err := t.persist(ctx, func() (err error) {
		probe, err = t.prepare(ctx)
		return err
	})
	if err != nil || probe.Published {
		t.report.AlreadyPublished = err == nil
		return err
	}
	attempt := "" // that was received, and has to be published
	return t.persist(ctx, func() error {
		if attempt == "" {
			next := t.volume.newAttempt()
			if err := t.send(ctx, next); err != nil {
				return err
			}
			attempt = next
		}
		// When the answer to this is lost it may have been done, so only this is asked again. A refusal means that what was received is
		// of no use.
		err := t.volume.publish(ctx, t.plan, attempt, t.sums)
		var refused *VolumeError
		if errors.As(err, &refused) {
			attempt = ""
		}
		return err
	})
}

// prepare looks, removes what dead pushes left, and makes sure that there is room.
func (t *transfer) prepare(ctx context.Context) (Probe, error) {
	probe, err := t.volume.Probe(ctx, t.plan)
	if err != nil {
		return probe, err
	}
	// Leftovers are worth removing, but no reason to fail.
	dead, _ := t.volume.dead(ctx, probe.Leftovers)
	if len(dead) > 0 && t.volume.clean(ctx, t.plan, dead) == nil && probe.Check(t.plan) != nil {
		if probe, err = t.volume.Probe(ctx, t.plan); err != nil {
			return probe, err
		}
	}
	return probe, probe.Check(t.plan)
}

// send makes one attempt to bring everything into a work directory.
func (t *transfer) send(ctx context.Context, attempt string) error {
	t.forget(ctx)
	t.attempts = append(t.attempts, workDirectory(t.plan, attempt))
	return t.volume.send(ctx, t.plan, t.src, attempt, func(f frame) {
		t.acked += f.payload
		t.report.Sent += f.wire
		if f.payload > 0 {
			t.onBytes(f.payload)
		}
	})
}

// forget takes back what a failed attempt counted, and removes what it left.
func (t *transfer) forget(ctx context.Context) {
	if t.acked > 0 {
		t.onBytes(-t.acked)
		t.acked = 0
	}
	if len(t.attempts) > 0 && t.volume.clean(ctx, t.plan, t.attempts) == nil {
		t.attempts = nil
	}
}

// persist repeats do until it succeeds, fails for good, or has failed too often.
func (t *transfer) persist(ctx context.Context, do func() error) error {
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
		if gone := t.gone(ctx); gone != nil {
			return gone
		}
		t.failures++
		if t.failures >= maxFailures {
			return fmt.Errorf("gave up after %d failures: %w", t.failures, err)
		}
		t.report.Retries++
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(backoff.Step()):
		}
	}
}

// gone returns a *GoneError when the Pod has ended, which no retry survives.
func (t *transfer) gone(ctx context.Context) error {
	if t.volume.Check == nil {
		return nil
	}
	var gone *GoneError
	if err := t.volume.Check(ctx); errors.As(err, &gone) {
		return gone
	}
	return nil
}

// isFinal reports whether trying again cannot help.
func isFinal(err error) bool {
	if isLocal(err) {
		return true
	}
	var space *SpaceError
	var refused *VolumeError
	switch {
	case errors.As(err, &space):
		return true
	case errors.As(err, &refused):
		return refused.Reason != Mismatch && refused.Reason != Lost && refused.Reason != OtherFail
	}
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)
}

// tidy removes what the attempts left. ctx may have ended; the Pod may be gone, and then the next push does it.
func (t *transfer) tidy(ctx context.Context) {
	if len(t.attempts) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTimeout)
	defer cancel()
	if t.gone(ctx) == nil {
		_ = t.volume.clean(ctx, t.plan, t.attempts)
	}
}
