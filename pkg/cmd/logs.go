package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

var (
	logsLong = templates.LongDesc(`
		Print the ingestor's log of a run, or its summary.

		RUN is the id that push printed, an unambiguous prefix of it, the name of the run's Job, or job/NAME. The log is
		that of the newest attempt that has one, and with --previous of the one before, in the same Pod or in the Pod
		that it replaced. With --follow the log is printed as it comes, over restarts, new Pods and broken connections,
		until the run is over.

		With --summary the log is read and not printed: what became of the records, and why it failed if it did. That
		works on a saved log too, with --filename and no cluster.

		The exit code says whether the log could be read, not how the run ended: kubectl tracebloc wait has that of the run.`)

	logsExample = templates.Examples(`
		# What the ingestor printed
		kubectl tracebloc logs 5a3907a66777

		# Follow a run to its end
		kubectl tracebloc logs 5a39 -f

		# What the attempt before the last one said
		kubectl tracebloc logs 5a39 --previous

		# Only what became of the records
		kubectl tracebloc logs 5a39 --summary

		# The same of a log that was saved, or that another program writes
		kubectl tracebloc logs --summary --filename ingest.log
		kubectl logs job/ingest-job-5a3907a66777 | kubectl tracebloc logs --summary --filename -`)
)

type logsOptions struct {
	runRef
	filename string
	follow   bool
	summary  bool
	previous bool

	genericiooptions.IOStreams
}

// newLogsCommand prints the log of one run.
func newLogsCommand(getter genericclioptions.RESTClientGetter, streams genericiooptions.IOStreams) *cobra.Command {
	o := &logsOptions{runRef: runRef{role: release.RoleWatch}, IOStreams: streams}
	c := &cobra.Command{
		Use:                   "logs (RUN [-f | --summary] [--previous] | --summary --filename=FILE)",
		DisableFlagsInUseLine: true,
		Short:                 "Print the ingestor's log of a run, or its summary",
		Long:                  logsLong + "\n\n" + exitCodes(exitSpec, exitDataset, exitRelease, exitAuth, exitInterrupted),
		Example:               logsExample,
		ValidArgsFunction:     completeRun(getter, func(r *run.IngestionRun) bool { return r.Status.Job != "" }),
		RunE: func(c *cobra.Command, args []string) error {
			if err := errors.Join(refuseEmpty(c), o.validate(c, args)); err != nil {
				return fail(exitSpec, err)
			}
			if o.filename != "" {
				return o.summarizeFile(c.Context())
			}
			if err := o.connect(getter); err != nil {
				return err
			}
			return o.run(c.Context())
		},
	}
	f := c.Flags()
	f.BoolVarP(&o.follow, "follow", "f", o.follow, "Print the log as it comes, until the run is over")
	f.BoolVar(&o.summary, "summary", o.summary, "Print what became of the records instead of the log")
	f.BoolVarP(&o.previous, "previous", "p", o.previous, "Print the log of the attempt before the newest one")
	f.StringVar(&o.filename, "filename", o.filename, "File with a saved log to summarize, or - for standard input; no cluster is asked")
	return c
}

func (o *logsOptions) validate(c *cobra.Command, args []string) error {
	switch {
	case o.filename != "" && len(args) > 0:
		return fmt.Errorf("--filename is a saved log, and goes without RUN, got %q", args)
	case o.filename != "" && !o.summary:
		return errors.New("--filename goes with --summary: the log itself is in the file")
	case o.filename != "" && (o.follow || o.previous):
		return errors.New("--filename goes without --follow and --previous: a saved log has an end, and only what was saved")
	case o.follow && o.previous:
		return errors.New("--previous goes without --follow: what went before has ended")
	case o.follow && o.summary:
		return errors.New("--summary goes without --follow: kubectl tracebloc wait RUN follows a run and reports at its end")
	case o.previous && o.summary:
		return errors.New("--summary goes without --previous: it is of the attempt that decided; kubectl tracebloc status RUN lists all attempts")
	case o.filename != "":
		return nil
	}
	return o.nameRun(c, args)
}

func (o *logsOptions) run(ctx context.Context) error {
	found, err := o.find(ctx)
	if err != nil {
		return err
	}
	switch {
	case o.summary:
		return o.summarize(ctx, found)
	case found.Status.Job == "":
		return fmt.Errorf("run %q has no log any more: %s (kubectl tracebloc status %s -n %s)", found.Name, found.Status.Message, found.Name, found.Namespace)
	case o.follow:
		return o.followLog(ctx, found)
	}
	return o.printLog(ctx, found)
}

// printLog prints what there is now.
func (o *logsOptions) printLog(ctx context.Context, found *run.IngestionRun) error {
	out, follower := o.printer(ctx, found)
	defer out.close()
	lives := run.LivesNewest
	if o.previous {
		lives = run.LivesPrevious
	}
	err := follower.PrintLogs(out.ctx, lives)
	var none *run.NoLogError
	switch cut, cause := out.wasCut(); {
	case cut:
		return cause
	case err == nil, errors.As(err, &none):
		return err
	}
	// The cluster answered when the run was looked up: this is about the log.
	return fail(exitError, o.explain(ctx, interrupted(err, "reading the log of run %q", found.Name)))
}

// followLog prints the log to the end of the run. Like kubectl logs, it fails
// when there was no log or it broke off, and not because the run failed.
func (o *logsOptions) followLog(ctx context.Context, found *run.IngestionRun) error {
	out, follower := o.printer(ctx, found)
	defer out.close()
	follower.Notify = func(state string) {
		_, _ = fmt.Fprintf(escapeWriter{o.ErrOut}, "Job %s: %s\n", found.Status.Job, state)
	}
	evidence, err := follower.Follow(out.ctx)
	switch cut, cause := out.wasCut(); {
	case cut:
		return cause
	case errors.Is(err, context.Canceled):
		return interrupted(err, "following run %q. %s", found.Name, comeBack(found.Namespace, found.Name))
	case err != nil:
		return fail(exitError, o.explain(ctx, err))
	case evidence.Stuck != "":
		return fmt.Errorf("run %q has no log: %s", found.Name, evidence.Stuck)
	}
	last := evidence.Last()
	switch {
	case last == nil:
		return fmt.Errorf("run %q has no log: %s", found.Name, run.Judge(evidence).Reason)
	case !last.LogComplete:
		return fmt.Errorf("the log of pod %q could not be read to its end: %s", last.Pod, last.LogError)
	}
	return nil
}

func (o *logsOptions) printer(ctx context.Context, found *run.IngestionRun) (*logPrinter, *run.Follower) {
	out := &logPrinter{out: o.Out}
	out.ctx, out.stop = context.WithCancelCause(ctx)
	follower := o.follower(found)
	follower.Logs, follower.Colors = out, logColors(o.Out)
	return out, follower
}

// logPrinter prints a log and ends the work when nobody reads it any more.
type logPrinter struct {
	out  io.Writer
	ctx  context.Context
	stop context.CancelCauseFunc
}

// cutError is why a log cannot be printed any further.
type cutError struct{ err error }

func (e *cutError) Error() string { return "print the log: " + e.err.Error() }
func (e *cutError) Unwrap() error { return e.err }

func (p *logPrinter) Write(text []byte) (int, error) {
	n, err := p.out.Write(text)
	if err != nil {
		p.stop(&cutError{err})
	}
	return n, err
}

// wasCut reports whether the printing ended early, and whether that is an error:
// a reader who has seen enough (| head) is none.
func (p *logPrinter) wasCut() (bool, error) {
	var cut *cutError
	if !errors.As(context.Cause(p.ctx), &cut) {
		return false, nil
	}
	if errors.Is(cut, syscall.EPIPE) {
		return true, nil
	}
	return true, cut
}

func (p *logPrinter) close() { p.stop(nil) }

// summarize prints the verdict on a run of the cluster.
func (o *logsOptions) summarize(ctx context.Context, found *run.IngestionRun) error {
	_, outcome, err := o.look(ctx, found)
	if err != nil {
		return err
	}
	return o.printSummary(outcome)
}

// summarizeFile prints the verdict on a saved log.
func (o *logsOptions) summarizeFile(ctx context.Context) error {
	log, name := io.NopCloser(o.In), "standard input"
	if o.filename != "-" {
		file, err := openRegular(o.filename)
		if err != nil {
			return failf(exitDataset, "read the log: %w", err)
		}
		log, name = file, o.filename
	}
	defer func() { _ = log.Close() }()
	report, err := readReport(ctx, log)
	switch {
	case errors.Is(err, context.Canceled):
		return interrupted(err, "reading the log in %q", name)
	case err != nil:
		return failf(exitDataset, "%q: %w", name, err)
	}
	return o.printSummary(run.JudgeLog(report))
}

// readReport reads a log that may never end, so that ctx ends the waiting.
func readReport(ctx context.Context, log io.Reader) (run.Report, error) {
	type answer struct {
		report run.Report
		err    error
	}
	read := make(chan answer, 1)
	go func() {
		report, err := run.ReadReport(log)
		read <- answer{report, err}
	}()
	select {
	case <-ctx.Done():
		return run.Report{}, ctx.Err()
	case a := <-read:
		return a.report, a.err
	}
}

func (o *logsOptions) printSummary(outcome run.Outcome) error {
	_, err := io.WriteString(o.Out, progress.Escape(strings.Join(outcome.Lines(), "\n"))+"\n")
	return err
}
