package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

// submit posts the spec under the key that is printed and stored by now. The
// upload may have taken hours, so the destination is looked at once more.
func (p *push) submit(ctx context.Context) error {
	if !p.joined() {
		if err := p.checkDestination(ctx); err != nil {
			return fail(exitExists, err)
		}
	}
	if !p.joined() {
		if err := p.post(ctx); err != nil {
			return err
		}
	}
	p.server.close()
	p.result.Status.Job, p.result.Status.Replay = p.accepted.Job, p.accepted.Replay
	p.say("Submitted:  run %s is job %s in namespace %s", p.runKey, p.accepted.Job, p.accepted.Namespace)
	if p.detach {
		p.result.Status.Phase = run.PhaseDetached
		p.say("%s", p.comeBack())
	}
	return nil
}

func (p *push) post(ctx context.Context) error {
	submitter := &run.Submitter{
		Connect:   p.connectAgain,
		Token:     p.freshToken,
		Namespace: p.release.Namespace,
		Notify:    func(message string) { p.say("%s", message) },
	}
	accepted, err := submitter.Submit(ctx, run.Submission{Key: p.runKey, Config: p.spec, ImageDigest: p.imageDigest})
	var refused *run.RefusedError
	var ambiguous *run.AmbiguousError
	switch {
	case errors.As(err, &ambiguous), errors.As(err, &refused) && refused.Ambiguous:
		p.result.Status.Phase = run.PhaseUnknown // a run may exist
		return err
	case errors.As(err, &refused) && refused.Auth():
		return fail(exitAuth, err)
	case err != nil:
		return err
	}
	p.accepted = accepted
	return p.checkReplay(ctx)
}

// checkReplay meets a server that remembers the key that was found on the
// volume, when the run's Job has been deleted since: nothing would ever run.
func (p *push) checkReplay(ctx context.Context) error {
	if !p.resumed || !p.accepted.Replay {
		return nil
	}
	known, err := release.HasJob(ctx, p.cluster.client, p.accepted.Namespace, p.runKey)
	if err != nil || known {
		return err
	}
	return failf(exitExists, "run %s was submitted before, and its job is gone (push again with a key of your own to start a new run: --idempotency-key=%s)", p.runKey, run.NewKey())
}

// follow watches the run to its end and judges it. A user who interrupts it
// leaves a run behind that goes on.
func (p *push) follow(ctx context.Context) error {
	following, cancel := ctx, context.CancelFunc(func() {})
	if p.timeout > 0 {
		following, cancel = context.WithTimeout(ctx, p.timeout)
	}
	defer cancel()
	follower := &run.Follower{
		Client: p.cluster.client, Namespace: p.accepted.Namespace, Job: p.accepted.Job, Logs: p.logWriter(),
		Colors: progress.IsTerminal(p.ErrOut) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		Notify: func(state string) { p.say("Job %s: %s", p.accepted.Job, state) },
	}
	evidence, err := follower.Follow(following)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		p.result.Status.Phase = run.PhaseDetached
		p.result.Status.Message = p.comeBack()
		p.say("\nDetached. %s", p.comeBack())
		return nil
	case following.Err() != nil:
		p.result.Status.Phase = run.PhaseUnknown
		return fmt.Errorf("the run is not over after --timeout=%s; its outcome is unknown. %s", p.timeout, p.comeBack())
	default:
		p.result.Status.Phase = run.PhaseUnknown
		return fmt.Errorf("follow job %q: %w; its outcome is unknown. %s", p.accepted.Job, err, p.comeBack())
	}
	p.outcome = run.Judge(evidence)
	p.noteOutcome()
	if p.outcome.State != run.PhaseSucceeded {
		return fmt.Errorf("run %s did not succeed: %s (the staged files are kept in %s)", p.runKey, p.outcome.Reason, p.plan.Dir())
	}
	return nil
}

// logWriter takes the ingestor's log, which the follower has made printable.
func (p *push) logWriter() io.Writer {
	if p.quiet {
		return io.Discard
	}
	return p.ErrOut
}

// comeBack says how to find the run again.
func (p *push) comeBack() string {
	return fmt.Sprintf("The run goes on in the cluster: kubectl logs -n %s -l %s=%s -f --tail=-1", p.accepted.Namespace, run.Label, p.runKey)
}

func (p *push) noteOutcome() {
	status := &p.result.Status
	status.Phase, status.Message = p.outcome.State, p.outcome.Reason
	banner := p.outcome.Banner
	if banner == nil {
		return
	}
	status.DestinationTable = banner.Table
	status.Records = banner.Records()
}
