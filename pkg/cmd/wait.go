package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

var (
	waitLong = templates.LongDesc(`
		Wait until an ingestion run is over, and report what became of every record.

		RUN is the id that push printed, an unambiguous prefix of it, the name of the run's Job, or job/NAME. A run that
		has ended already is reported at once.

		What the run waits for and the ingestor's log go to standard error as they come, the report to standard output.
		Broken connections are made again. Exit code 0 means that the ingestor said that every record was inserted and
		registered; 9 that the run failed, lost rows, cannot start, was not over after --timeout, or that nobody can
		tell any more. Ctrl-C ends the waiting with 130, and the run goes on.`)

	waitExample = templates.Examples(`
		# Wait for a run, and fail if it fails
		kubectl tracebloc wait 5a3907a66777

		# Submit in one step of a pipeline, wait in another
		kubectl tracebloc push ./cats-and-dogs --detach -o jsonpath={.metadata.name} > run
		kubectl tracebloc wait "$(cat run)" --for=complete --timeout=1h

		# Nothing but the outcome, as JSON
		kubectl tracebloc wait 5a39 --quiet -o json`)
)

// forComplete is the one thing that a run can be waited for.
const forComplete = "complete"

type waitOptions struct {
	runRef
	condition  string
	timeout    time.Duration
	quiet      bool
	printFlags *genericclioptions.PrintFlags

	printer printers.ResourcePrinter // of -o; nil for a report
	result  *run.IngestionRun

	genericiooptions.IOStreams
}

// newWaitCommand follows one run to its end, and ends as it did.
func newWaitCommand(getter genericclioptions.RESTClientGetter, streams genericiooptions.IOStreams) *cobra.Command {
	o := newWaitOptions(streams)
	c := &cobra.Command{
		Use:                   "wait RUN [--for=complete] [--timeout=DURATION]",
		DisableFlagsInUseLine: true,
		Short:                 "Wait for the end of a run, and fail if it failed",
		Long:                  waitLong + "\n\n" + exitCodes(exitSpec, exitRelease, exitAuth, exitRun, exitInterrupted),
		Example:               waitExample,
		ValidArgsFunction:     completeRun(getter, anyRun),
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			if o.printer, err = objectPrinter(o.printFlags); err != nil {
				return fail(exitSpec, err)
			}
			err = fail(exitSpec, errors.Join(refuseEmpty(c), o.nameRun(c, args), o.validate()))
			if err == nil {
				err = o.connect(getter)
			}
			if err == nil {
				err = o.run(c.Context())
			}
			return concludeRun(o.printer, o.result, err, o.Out)
		},
	}
	f := c.Flags()
	f.StringVar(&o.condition, "for", o.condition, "What to wait for; must be complete: the run is over, and its outcome is known")
	f.DurationVar(&o.timeout, "timeout", o.timeout, "Longest time to wait, 0 for no limit; the run itself goes on")
	f.BoolVar(&o.quiet, "quiet", o.quiet, "Print nothing but the result and errors")
	o.printFlags.AddFlags(c)
	completeFlag(c, "for", cobra.FixedCompletions([]string{forComplete}, cobra.ShellCompDirectiveNoFileComp))
	completeFlag(c, "timeout", cobra.NoFileCompletions)
	completeFlag(c, "output", completeFormats(objectFormats()...))
	return c
}

func newWaitOptions(streams genericiooptions.IOStreams) *waitOptions {
	return &waitOptions{
		runRef: runRef{role: release.RoleWatch}, condition: forComplete,
		printFlags: genericclioptions.NewPrintFlags(""), result: run.NewIngestionRun(""), IOStreams: streams,
	}
}

func (o *waitOptions) validate() error {
	switch {
	case o.condition != forComplete:
		return fmt.Errorf("--for=%q: must be complete", o.condition)
	case o.timeout < 0:
		return fmt.Errorf("--timeout=%s: must not be negative; 0 means no limit", o.timeout)
	}
	return nil
}

func (o *waitOptions) run(ctx context.Context) error {
	o.result.Namespace = o.namespace
	found, err := o.find(ctx)
	if err != nil {
		return err
	}
	o.result = found
	outcome := run.Outcome{State: found.Status.Phase, Reason: found.Status.Message}
	if found.Status.Job != "" {
		if outcome, err = o.follow(ctx, found); err != nil {
			return err
		}
		found.SetOutcome(outcome)
	}
	if err := o.report(outcome); err != nil {
		return err
	}
	return fail(exitRun, runError(found.Name, outcome))
}

// follow watches the run to its end. Without an end the outcome is unknown,
// however likely a success is.
func (o *waitOptions) follow(ctx context.Context, found *run.IngestionRun) (run.Outcome, error) {
	following, cancel := ctx, context.CancelFunc(func() {})
	if o.timeout > 0 {
		following, cancel = context.WithTimeout(ctx, o.timeout)
	}
	defer cancel()
	follower := o.follower(found)
	if !o.quiet {
		follower.Logs, follower.Colors = o.ErrOut, logColors(o.ErrOut)
		follower.Notify = func(state string) { o.say("Job %s: %s", found.Status.Job, state) }
	}
	evidence, err := follower.Follow(following)
	if err == nil {
		return run.Judge(evidence), nil
	}
	found.Status.Phase, found.Status.Message = run.PhaseUnknown, ""
	switch {
	case ctx.Err() != nil:
		return run.Outcome{}, interrupted(ctx.Err(), "waiting for run %q. %s", found.Name, comeBack(found.Namespace, found.Name))
	case following.Err() != nil:
		now := ""
		if outcome := run.Judge(evidence); outcome.Reason != "" {
			now = ": " + outcome.Reason
		}
		return run.Outcome{}, failf(exitRun, "run %s is not over after --timeout=%s%s; its outcome is unknown. %s",
			found.Name, o.timeout, now, comeBack(found.Namespace, found.Name))
	}
	return run.Outcome{}, failf(exitRun, "follow job %q: %w; the outcome of run %s is unknown. %s",
		found.Status.Job, o.explain(ctx, err), found.Name, comeBack(found.Namespace, found.Name))
}

// report prints the outcome for people. Beside an object the report of a failure
// is worth reading, and of a success what may be wrong all the same.
func (o *waitOptions) report(outcome run.Outcome) error {
	out := o.Out
	switch {
	case o.printer == nil:
	case outcome.Clean() || o.quiet:
		warnOf(o.ErrOut, outcome)
		return nil
	default:
		out = o.ErrOut
	}
	_, err := io.WriteString(out, progress.Escape(strings.Join(outcome.Lines(), "\n"))+"\n")
	return err
}

// say tells something on the way.
func (o *waitOptions) say(format string, args ...any) {
	_, _ = fmt.Fprintf(escapeWriter{o.ErrOut}, format+"\n", args...)
}
