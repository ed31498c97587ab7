package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/client-go/kubernetes"

	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

// runRef is the RUN argument of a command and the cluster to look it up in.
type runRef struct {
	name string

	namespace string
	client    kubernetes.Interface
	openLog   run.LogOpener // nil opens the logs of client
	role      release.Role  // what the user must be allowed
}

// nameRun takes the one RUN of a command line.
func (r *runRef) nameRun(c *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%s takes one RUN, got %d arguments (kubectl tracebloc runs lists them)", c.Name(), len(args))
	}
	if r.name = args[0]; strings.TrimSpace(r.name) == "" {
		return errors.New("RUN is empty: name a run, an unambiguous prefix of one, or its Job (kubectl tracebloc runs lists them)")
	}
	return nil
}

// connect reads the kubeconfig; it makes no request.
func (r *runRef) connect(getter genericclioptions.RESTClientGetter) error {
	c, err := connect(getter)
	if err != nil {
		return fail(exitRelease, err)
	}
	r.namespace, r.client = c.namespace, c.client
	return nil
}

// find looks the run up. A name that fits several runs is the command line's
// mistake; one that fits none is an answer that has no exit code of its own.
func (r *runRef) find(ctx context.Context) (*run.IngestionRun, error) {
	found, err := run.Find(ctx, r.client, r.namespace, r.name)
	var ambiguous *run.AmbiguousNameError
	var missing *run.NotFoundError
	switch {
	case err == nil:
		return found, nil
	case errors.As(err, &ambiguous):
		return nil, fail(exitSpec, err)
	case errors.As(err, &missing):
		return nil, fail(exitError, err)
	}
	err = interrupted(err, "looking for run %q", r.name)
	return nil, fail(exitRelease, r.explain(ctx, err))
}

// explain adds what the user is not allowed to an error of the API server.
func (r *runRef) explain(ctx context.Context, err error) error {
	return release.Explain(ctx, r.client, r.role, r.namespace, err)
}

func (r *runRef) follower(found *run.IngestionRun) *run.Follower {
	return &run.Follower{Client: r.client, Namespace: found.Namespace, Job: found.Status.Job, OpenLog: r.openLog}
}

// look judges the state that a run is in now, and writes it into found. A run
// whose Job is gone has no evidence left to look at.
func (r *runRef) look(ctx context.Context, found *run.IngestionRun) (run.Evidence, run.Outcome, error) {
	if found.Status.Job == "" {
		return run.Evidence{Namespace: found.Namespace}, run.Outcome{State: found.Status.Phase, Reason: found.Status.Message}, nil
	}
	evidence, err := r.follower(found).Snapshot(ctx)
	if err != nil {
		err = interrupted(err, "looking at run %q", found.Name)
		return evidence, run.Outcome{}, fail(exitRelease, r.explain(ctx, err))
	}
	outcome := run.Judge(evidence)
	found.SetOutcome(outcome)
	return evidence, outcome, nil
}

// warnOf tells of what may be wrong with a run besides its outcome: beside an
// object too, a success is not doubted in silence.
func warnOf(errOut io.Writer, outcome run.Outcome) {
	for _, text := range outcome.Warnings {
		_, _ = fmt.Fprintf(escapeWriter{errOut}, "warning: %s\n", text)
	}
}

// concludeRun prints the run in the format of -o on every ending, early failures
// too. The exit code in it and that of the process come from the same function.
func concludeRun(printer printers.ResourcePrinter, result *run.IngestionRun, err error, out io.Writer) error {
	if printer == nil {
		return err
	}
	result.SetExitCode(ExitCode(err))
	status := &result.Status
	if err != nil && status.Message == "" {
		status.Message = err.Error()
	}
	if status.Phase == "" {
		status.Phase = run.PhaseUnknown
	}
	if printErr := printer.PrintObj(result, out); printErr != nil {
		return errors.Join(err, fmt.Errorf("print the run: %w", printErr))
	}
	return err
}
