package cmd

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

// tokenLifetime is what is asked for; a push that takes longer mints another.
const tokenLifetime = time.Hour

// findRelease finds the release and settles who submits to it.
func (p *push) findRelease(ctx context.Context) error {
	c, err := connect(p.getter)
	if err != nil {
		return err
	}
	p.cluster, p.result.Namespace = c, c.namespace
	r, err := release.Discover(ctx, c.client, c.namespace, p.releaseName)
	if err != nil {
		return err
	}
	p.release, p.result.Spec.Release = r, r.Name
	if p.stageImage == "" {
		p.stageImage = r.StageImage
	}
	if p.serviceAccount, err = r.ServiceAccount(p.chosen.table, p.submitAs); err != nil {
		return fail(exitAuth, err)
	}
	p.say("Release:    %s in namespace %s, chart %s, submitting as service account %s", r.Name, r.Namespace, r.ChartVersion, p.serviceAccount)
	return nil
}

// askAccess asks for every later call, and makes the token: what is forbidden
// must not come out after the upload.
func (p *push) askAccess(ctx context.Context) error {
	results, err := release.Access(ctx, p.cluster.client, p.release.PushChecks(p.serviceAccount))
	if err != nil {
		return fail(exitRelease, err)
	}
	if err := release.Missing(results); err != nil {
		return err
	}
	p.token = release.NewTokenSource(p.cluster.client, p.release.Namespace, p.serviceAccount, tokenLifetime)
	_, err = p.token.Token(ctx)
	return err
}

// reachServer makes sure that jobs-manager answers before anything is sent.
func (p *push) reachServer(ctx context.Context) error {
	p.server = &server{streams: p.cluster.streams, release: p.release}
	return p.server.ping(ctx)
}

// checkDestination refuses a table that a run fills or has filled. The very
// same push, still at work, is not refused but joined.
func (p *push) checkDestination(ctx context.Context) error {
	earlier, err := run.CheckDestination(ctx, p.cluster.client, p.release.Namespace, p.chosen.table)
	if err != nil {
		return fail(exitRelease, err)
	}
	switch {
	case earlier == nil, earlier.Status.Phase == run.PhaseFailed && earlier.Name != p.key:
		return nil
	case p.isSame(earlier) && earlier.Status.Job != "":
		p.say("This very push was submitted as run %s before: following it, nothing is sent again", earlier.Name)
		p.runKey, p.result.Name = earlier.Name, earlier.Name
		p.accepted = run.Accepted{Job: earlier.Status.Job, Namespace: p.release.Namespace, Replay: true}
		p.result.Status.Staging.Reused = true // or it would not have been submitted
		return nil
	}
	return &run.ExistsError{Table: p.chosen.table, Run: earlier}
}

// isSame tells whether an earlier run is this push: the same spec, whose paths
// name the content of the data, and either the key that was asked for or a run
// that is not over.
func (p *push) isSame(earlier *run.IngestionRun) bool {
	return strings.TrimSpace(earlier.Spec.IngestConfig) == strings.TrimSpace(p.spec) &&
		(earlier.Name == p.key || p.key == "" && earlier.Active())
}

// connectAgain is the Connect of a Submitter: the forward of the check before
// the upload while it lives, else a new one, after looking for the Pod again.
func (p *push) connectAgain(ctx context.Context) (string, func(), error) {
	drop := p.server.close
	if p.server.alive() {
		return "http://" + p.server.forward.Addr, drop, nil
	}
	r, err := release.Discover(ctx, p.cluster.client, p.release.Namespace, p.release.Name)
	if err != nil {
		return "", nil, err
	}
	p.server.release = r
	url, err := p.server.open(ctx)
	if err != nil {
		return "", nil, err
	}
	return url, drop, nil
}

// freshToken is the Token of a Submitter: it is asked again only when the last
// token was not accepted.
func (p *push) freshToken(ctx context.Context) (string, error) {
	if p.tokenUsed {
		p.token.Forget()
	}
	p.tokenUsed = true
	token, err := p.token.Token(ctx)
	if err != nil && !errors.Is(err, context.Canceled) {
		return "", fail(exitAuth, err)
	}
	return token, err
}
