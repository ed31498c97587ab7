package stage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

const (
	// DefaultParallel is the number of sessions that share a transfer.
	DefaultParallel = 4
	// MaxParallel is what a cluster is asked for at most.
	MaxParallel = 16
)

// Options are what a caller wants of a transfer. The zero value is good.
type Options struct {
	// Parallel is the number of sessions; 0 is DefaultParallel, and twice that where the volume is slow.
	Parallel int
	// Compress is CompressAuto when empty.
	Compress Compress
	// Admit is asked after the volume was looked at and before anything is sent; its error ends the transfer.
	Admit func(Probe) error
	// Progress is called after each change; calls do not overlap.
	Progress func(Progress)
	// Notify is called with a line for the user about what goes wrong on the way, or is waited for.
	Notify func(string)
}

// Progress is the state of a transfer, cumulative.
type Progress struct {
	// Files and Bytes are acknowledged; TotalFiles and TotalBytes are to be sent. What was taken over is in neither.
	Files, TotalFiles int64
	Bytes, TotalBytes int64
	// Sent is the number of bytes that traveled: of archives and ranges, compressed where they are, retries included.
	Sent int64
	// InFlight is how many bytes of files are on the way, or about to be.
	InFlight int64
	// TakenOverFiles and TakenOverBytes were on the volume already: linked from older trees, or verified there by an earlier attempt.
	TakenOverFiles, TakenOverBytes int64
	// Compressed is how many bytes of files traveled compressed.
	Compressed int64
	// Retries is the number of sessions and pieces of work that failed and were repeated.
	Retries int
	// Step is what is being done when nothing is being sent.
	Step string
}

// Report is what a transfer did.
type Report struct {
	Progress
	// TreeFiles and TreeBytes are what the published tree holds.
	TreeFiles, TreeBytes int64
	// Pods is the number of Pods that were needed after the first.
	Pods int
	// Took is the time from the first session to the last answer.
	Took time.Duration
	// AlreadyPublished says that nothing had to be sent.
	AlreadyPublished bool
}

// Transfer brings the plan's files to the volume, has them verified there, and publishes them as plan.Dir(). When it returns nil, the
// remote side has said so itself. What the volume has already, of an earlier attempt or in an older tree of the table, is not sent.
//
// Errors: *SpaceError and *VolumeError from the volume, *dataset.ChangedError and *FileError from the dataset, *GoneError when the Pod
// ended and there is no other, *SessionError when nothing got through for too long, else the cause of ctx or a refusal of the API server.
// In every case nothing half-done was published, and what arrived stays in the work directory, for the next attempt to go on from.
func (v *Volume) Transfer(ctx context.Context, plan Plan, src *dataset.Dataset, o Options) (Report, error) {
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if o.Notify == nil {
		o.Notify = func(string) {}
	}
	started := time.Now()
	t := &transfer{volume: v, plan: plan, src: src, options: o, compression: &compression{mode: o.Compress}}
	t.patience = newPatience(v, o.Notify, t.retried)
	t.report.TreeFiles, t.report.TreeBytes = int64(len(plan.Manifest)), plan.Manifest.Bytes()
	err := t.run(ctx)
	t.report.Took = time.Since(started)
	if err != nil {
		return t.report, fmt.Errorf("stage table %q: %w", plan.Table, err)
	}
	return t.report, nil
}

// transfer is one call of Transfer.
type transfer struct {
	volume      *Volume
	plan        Plan
	src         *dataset.Dataset
	options     Options
	compression *compression
	patience    *patience
	pace        pace

	queue *queue
	big   []*bigFile
	fresh bool // nothing on the volume is to be trusted

	mu     sync.Mutex // of report
	report Report
}

func (t *transfer) run(ctx context.Context) error {
	for {
		lead, probe, err := t.begin(ctx)
		if err != nil || probe.Published {
			if err == nil {
				t.foundPublished()
				t.sweep(ctx, probe.Leftovers)
			}
			return err
		}
		sessions, err := t.drive(ctx, lead)
		sent := err == nil
		if sent {
			t.patience.progress()
			t.step("publishing")
			err = t.publish(ctx, sessions)
		}
		quit(sessions)
		if errors.Is(err, errTaken) {
			continue
		}
		var refused *VolumeError
		if sent && errors.As(err, &refused) && !t.fresh && (refused.Reason == Mismatch || refused.Reason == Lost) {
			// What was taken over is not what its receipts say, or somebody removed it.
			t.options.Notify("what the volume had from before is not what it should be: sending everything again")
			t.fresh = true
			continue
		}
		if err == nil {
			t.sweep(ctx, probe.Leftovers)
		}
		return err
	}
}

// foundPublished is the end of a push that has nothing left to do: another one was faster, or an earlier one.
func (t *transfer) foundPublished() {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &t.report
	r.AlreadyPublished = r.Sent == 0
	if !r.AlreadyPublished {
		r.TakenOverFiles, r.TakenOverBytes = r.TreeFiles-r.Files, r.TreeBytes-r.Bytes
		r.TotalFiles, r.TotalBytes = r.Files, r.Bytes
	}
}

// begin looks, waits for the lock, and makes the jobs of what is missing.
func (t *transfer) begin(ctx context.Context) (lead *session, probe Probe, err error) {
	err = t.patience.persist(ctx, func() error {
		began := time.Now()
		s, p, err := t.volume.lead(ctx, t.plan)
		if err != nil {
			return err
		}
		t.compression.opened(time.Since(began))
		if err := t.prepare(ctx, s, &p); err != nil || p.Published {
			s.quit()
			probe = p
			return err
		}
		lead, probe = s, p
		return nil
	})
	return lead, probe, err
}

func (t *transfer) prepare(ctx context.Context, s *session, p *Probe) error {
	if t.options.Admit != nil {
		if err := t.options.Admit(*p); err != nil {
			return &decidedError{err}
		}
	}
	if err := t.await(ctx, s, p); err != nil || p.Published {
		return err
	}
	if t.fresh {
		if err := s.tell(t.plan, "X", ansLocked); err != nil {
			return err
		}
	}
	y, err := t.look(ctx, s, *p)
	if err != nil {
		return err
	}
	missing := y.missing()
	if err := p.Check(t.plan.needs(missing)); err != nil {
		return err
	}
	t.fill(y, missing)
	return nil
}

// decidedError is an error that is not to be tried again.
type decidedError struct{ err error }

func (e *decidedError) Error() string { return e.err.Error() }
func (e *decidedError) Unwrap() error { return e.err }

// fill makes the queue.
func (t *transfer) fill(y *survey, missing []int32) {
	jobs := y.jobs
	t.big = nil
	for _, i := range missing {
		if t.plan.Manifest[i].Size <= t.plan.limits.rangeAbove {
			continue
		}
		b := newBigFile(t.src, t.plan, i)
		if have := y.ranges[b.id]; have != nil {
			b.have = have
		}
		t.big = append(t.big, b)
		jobs = append(jobs, b.jobs(i)...)
	}
	jobs = append(jobs, t.plan.shards(missing)...)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = newQueue(jobs)
	r := &t.report
	r.Step = ""
	r.TakenOverFiles, r.TakenOverBytes = y.files, y.bytes
	r.Files, r.Bytes = 0, 0
	r.TotalFiles, r.TotalBytes = int64(len(missing)), sizeOf(t.plan.Manifest, missing)
	t.options.Progress(r.Progress)
}
