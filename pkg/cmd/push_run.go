package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
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
		p.leave()
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
	case refused != nil:
		return fmt.Errorf("%w; the staged files stay in %s for the next push", err, p.plan.Dir())
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
	known, err := run.HasJob(ctx, p.cluster.client, p.accepted.Namespace, p.runKey)
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
		Client: p.cluster.client, Namespace: p.accepted.Namespace, Job: p.accepted.Job, Logs: p.logWriter(), Colors: logColors(p.ErrOut),
		Notify: func(state string) { p.say("Job %s: %s", p.accepted.Job, state) },
	}
	evidence, err := follower.Follow(following)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		p.leave()
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
	p.result.SetOutcome(p.outcome)
	if err := runError(p.runKey, p.outcome); err != nil {
		return fmt.Errorf("%w (the staged files are kept in %s)", err, p.plan.Dir())
	}
	return nil
}

// runError is the error of what became of a run, with its exit code: nil for a
// clean success, and for a run that is still at work or only not followed.
func runError(key string, o run.Outcome) error {
	if o.Clean() || o.Active() || o.State == run.PhaseDetached {
		return nil
	}
	return failf(exitRun, "run %s did not succeed: %s", key, o.Reason)
}

// logWriter takes the ingestor's log, which the follower has made printable.
func (p *push) logWriter() io.Writer {
	if p.quiet {
		return io.Discard
	}
	return p.ErrOut
}

// logColors reports whether the colors of the ingestor's log may reach out.
func logColors(out io.Writer) bool {
	if result, ok := out.(*resultWriter); ok {
		out = result.out
	}
	return progress.HasColors(out)
}

// leave ends the following of a run that goes on.
func (p *push) leave() {
	p.outcome = run.Outcome{State: run.PhaseDetached, Job: p.accepted.Job, Reason: p.comeBack()}
	p.result.SetOutcome(p.outcome)
}

func (p *push) comeBack() string { return comeBack(p.accepted.Namespace, p.runKey) }

// comeBack says how to find a run again.
func comeBack(namespace, key string) string {
	return asStarted(fmt.Sprintf("The run goes on in the cluster: kubectl tracebloc logs %s -n %s -f, or kubectl tracebloc status %s -n %s", key, namespace, key, namespace))
}
