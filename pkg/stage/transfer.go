package stage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// tidyTimeout bounds what is done after ctx has ended.
const tidyTimeout = 15 * time.Second

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
	t := &transfer{volume: v, patience: patience{volume: v}, plan: plan, src: src, onBytes: onBytes, sums: digest(plan.sums())}
	t.report.Files, t.report.Bytes = int64(len(plan.Manifest)), plan.Manifest.Bytes()
	err := t.run(ctx)
	t.report.Retries = min(t.patience.failures, maxFailures-1)
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

	patience patience
	report   Report
	remains  []string // what failed attempts may have left on the volume
	acked    int64    // file bytes of the current attempt
}

func (t *transfer) run(ctx context.Context) error {
	var probe Probe
	err := t.patience.persist(ctx, func() (err error) {
		probe, err = t.prepare(ctx)
		return err
	})
	if err != nil || probe.Published {
		t.report.AlreadyPublished = err == nil
		return err
	}
	var received attempt // that has to be published
	return t.patience.persist(ctx, func() error {
		if received == (attempt{}) {
			next := t.volume.newAttempt()
			if err := t.send(ctx, next); err != nil {
				return err
			}
			received = next
		}
		// When the answer to this is lost it may have been done, so only this is asked again. A refusal means that what was received is
		// of no use.
		err := t.volume.publish(ctx, t.plan, received, t.sums)
		var refused *VolumeError
		if errors.As(err, &refused) {
			received = attempt{}
		}
		return err
	})
}

// prepare looks, removes what dead pushes left, and makes sure that there is room.
func (t *transfer) prepare(ctx context.Context) (Probe, error) {
	probe, err := t.volume.look(ctx, t.plan)
	if err != nil {
		return probe, err
	}
	// Leftovers are worth removing, but no reason to fail.
	dead, _ := t.volume.dead(ctx, probe.Leftovers)
	if len(dead) > 0 && t.volume.clean(ctx, t.plan, dead) == nil && probe.Check(t.plan) != nil {
		if probe, err = t.volume.look(ctx, t.plan); err != nil {
			return probe, err
		}
	}
	return probe, probe.Check(t.plan)
}

// send makes one attempt to bring everything into a work directory.
func (t *transfer) send(ctx context.Context, attempt attempt) error {
	t.forget(ctx)
	t.remains = append(t.remains, attempt.remains(t.plan)...)
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
	if len(t.remains) > 0 && t.volume.clean(ctx, t.plan, t.remains) == nil {
		t.remains = nil
	}
}

// tidy removes what the attempts left. ctx may have ended; the Pod may be gone, and then the next push does it.
func (t *transfer) tidy(ctx context.Context) {
	if len(t.remains) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTimeout)
	defer cancel()
	if t.volume.gone(ctx) == nil {
		_ = t.volume.clean(ctx, t.plan, t.remains)
	}
}
