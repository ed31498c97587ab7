package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/tracebloc/kubectl-tracebloc/pkg/ingest"
	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
	"github.com/tracebloc/kubectl-tracebloc/pkg/stage"
)

var (
	cleanupLong = templates.LongDesc(`
		Find what pushes have left in the cluster, and remove it.

		That is stage Pods that have ended or that no push uses any more, staged copies of data that no run reads, and what
		killed pushes left half done on the shared volume. Each is listed with what it is and, where it stays, why: because
		a run that is not over reads it, a push is at work in it, it is younger than --older-than, or this tool has not made it.
		Rows and files that a run has ingested are no business of this command.

		Nothing is removed without --yes, or a yes on a terminal. Right before something is removed it is looked at again.
		To look at the volume a stage Pod is started, and deleted in the end. What belongs to another user is removed
		through another Pod, which runs as that user, where the cluster allows it.

		SIZE is that of the files; trees that share files free less.`)

	cleanupExample = templates.Examples(`
		# What is there, and what would go
		kubectl tracebloc cleanup --dry-run=client -n ml

		# Remove what nothing has happened to for a day
		kubectl tracebloc cleanup --yes

		# Remove the staged copies of one table at once, as far as no run reads them
		kubectl tracebloc cleanup --table=chest_xrays --older-than=0s --yes

		# For a script
		kubectl tracebloc cleanup --yes -o json`)
)

// cleanupPodDeadline ends a stage Pod whatever happens; another one takes its place if it was needed.
const cleanupPodDeadline = time.Hour

type cleanupOptions struct {
	release    string
	table      string
	olderThan  time.Duration
	stageImage string
	dryRun     string
	output     string
	yes        bool

	namespace     string
	client        kubernetes.Interface
	exec, plainer stage.Execer
	canAsk        func(genericiooptions.IOStreams) bool
	ask           func(ctx context.Context, streams genericiooptions.IOStreams, question string) (bool, error)

	report *cleanupReport

	genericiooptions.IOStreams
}

func newCleanupOptions(streams genericiooptions.IOStreams) *cleanupOptions {
	return &cleanupOptions{olderThan: 24 * time.Hour, dryRun: dryRunNone, canAsk: canAsk, ask: askYes, IOStreams: streams}
}

// newCleanupCommand removes what no run needs.
func newCleanupCommand(getter genericclioptions.RESTClientGetter, streams genericiooptions.IOStreams) *cobra.Command {
	o := newCleanupOptions(streams)
	c := &cobra.Command{
		Use:                   "cleanup [--table=TABLE] [--older-than=DURATION] [--yes]",
		DisableFlagsInUseLine: true,
		Short:                 "List, and remove, stage Pods and staged data that no run needs",
		Long:                  cleanupLong + "\n\n" + exitCodes(exitSpec, exitRelease, exitAuth, exitStage, exitInterrupted),
		Example:               cleanupExample,
		Args:                  noArgs,
		ValidArgsFunction:     cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.validate(c); err != nil {
				return fail(exitSpec, err)
			}
			o.report = newCleanupReport(o)
			err := o.complete(getter)
			if err == nil {
				err = o.run(c.Context())
			}
			return o.conclude(err)
		},
	}
	f := c.Flags()
	f.StringVar(&o.release, "release", o.release, "Helm release of the tracebloc client, where a namespace has several")
	f.StringVar(&o.table, "table", o.table, "Look at what belongs to this table only")
	f.DurationVar(&o.olderThan, "older-than", o.olderThan, "How long nothing must have happened to what is removed")
	f.BoolVarP(&o.yes, "yes", "y", o.yes, "Remove what may go, without asking")
	f.StringVar(&o.dryRun, "dry-run", o.dryRun, "Must be none, or client (list only, and do not ask)")
	f.StringVar(&o.stageImage, "stage-image", o.stageImage, "Image of the stage Pod with a POSIX shell and the usual tools; one that the release uses by default")
	f.StringVarP(&o.output, "output", "o", o.output, "Output format: json, yaml or name; a table without it")
	completeFlag(c, "output", cobra.FixedCompletions([]string{"json", "yaml", "name"}, cobra.ShellCompDirectiveNoFileComp))
	completeFlag(c, "dry-run", cobra.FixedCompletions([]string{dryRunNone, dryRunClient}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (o *cleanupOptions) validate(c *cobra.Command) error {
	if err := refuseEmpty(c); err != nil {
		return err
	}
	switch {
	case !slices.Contains([]string{"", "json", "yaml", "name"}, o.output):
		return fmt.Errorf("output format %q is not known (use -o json, -o yaml or -o name)", o.output)
	case !slices.Contains([]string{dryRunNone, dryRunClient}, o.dryRun):
		return fmt.Errorf("--dry-run=%q: must be none or client; a listing removes nothing", o.dryRun)
	case o.yes && o.dryRun != dryRunNone:
		return errors.New("--yes removes what --dry-run=client only lists; give one of them")
	case o.olderThan < 0:
		return fmt.Errorf("--older-than=%s: must not be negative", o.olderThan)
	case o.table != "":
		return ingest.CheckTable(o.table)
	}
	return nil
}

func (o *cleanupOptions) complete(getter genericclioptions.RESTClientGetter) error {
	c, err := connect(getter)
	if err != nil {
		return fail(exitRelease, err)
	}
	o.namespace, o.client, o.exec, o.plainer = c.namespace, c.client, c.streams, c.streams.SPDY()
	return nil
}

// run lists, decides, and removes. The stage Pods are gone when it returns.
func (o *cleanupOptions) run(ctx context.Context) error {
	o.report.Metadata.Namespace = o.namespace
	found, err := o.findRelease(ctx)
	if err != nil {
		return fail(exitRelease, interrupted(err, "asking the cluster for the release; nothing was removed"))
	}
	o.report.Spec.Release = found.Name
	cleaner := o.cleaner(found)
	defer o.close(ctx, cleaner)
	items, truncated, err := cleaner.Look(ctx)
	if err != nil {
		return fail(exitStage, interrupted(o.explain(ctx, err), "looking for what pushes have left; nothing was removed"))
	}
	o.report.take(items, truncated)
	if o.output == "" {
		if err := o.report.printTable(o.Out); err != nil {
			return fmt.Errorf("print the list: %w", err)
		}
	}
	if truncated {
		o.tell("There is more than was listed; what follows is for another cleanup")
	}
	sure, err := o.confirm(ctx, cleaner)
	if err != nil || !sure {
		return err
	}
	return o.remove(ctx, cleaner, items)
}

// close deletes the stage Pods; what it cannot delete ends by itself.
func (o *cleanupOptions) close(ctx context.Context, cleaner *stage.Cleaner) {
	if err := cleaner.Close(ctx); err != nil {
		o.tell("warning: the stage pod ends by itself after a while: %v", err)
	}
}

// confirm tells whether anything is to be removed.
func (o *cleanupOptions) confirm(ctx context.Context, cleaner *stage.Cleaner) (bool, error) {
	count, bytes := o.report.removable()
	switch {
	case count == 0:
		o.tell("Nothing is to be removed")
		return false, nil
	case o.yes:
		return true, nil
	case o.dryRun == dryRunNone && o.output == "" && o.canAsk(o.IOStreams):
		// Nobody knows when the answer comes.
		o.close(ctx, cleaner)
		yes, err := o.ask(ctx, o.IOStreams, fmt.Sprintf("Remove %s, %s?", plural(int64(count), "item"), progress.Bytes(bytes)))
		if err != nil {
			return false, interrupted(err, "asking; nothing was removed")
		}
		if yes {
			return true, nil
		}
	}
	o.tell("Nothing was removed; --yes removes %s, %s", plural(int64(count), "item"), progress.Bytes(bytes))
	return false, nil
}

// remove removes what may go, one item after the other.
func (o *cleanupOptions) remove(ctx context.Context, cleaner *stage.Cleaner, items []stage.Item) error {
	for i, item := range items {
		if item.Kept != "" {
			continue
		}
		kept, err := cleaner.Remove(ctx, item)
		if err == nil && kept == "" {
			o.report.removed(i)
			if o.output == "" {
				_, _ = fmt.Fprintf(escapeWriter{o.Out}, "%s removed\n", nameOf(item))
			}
			continue
		}
		if err == nil {
			o.report.spared(i, kept)
			o.tell("%s stays: %s", nameOf(item), kept)
			continue
		}
		if stops(ctx, err) {
			return fail(exitStage, interrupted(o.explain(ctx, err), "removing; %s so far, and the same command goes on from there", o.report.progress()))
		}
		o.report.failed(i, err)
		o.tell("warning: %s could not be removed: %v", nameOf(item), err)
	}
	o.tell("Removed %s", o.report.progress())
	if failed := o.report.Status.Failed; failed > 0 {
		return failf(exitStage, "%s could not be removed", plural(int64(failed), "item"))
	}
	return nil
}

// stops tells whether an error is not about one item alone.
func stops(ctx context.Context, err error) bool {
	var blind *stage.BlindError
	var gone *stage.GoneError
	var lost *stage.SessionError
	return ctx.Err() != nil || errors.As(err, &blind) || errors.As(err, &gone) || errors.As(err, &lost)
}

// conclude prints the report of -o on every ending, early failures too.
func (o *cleanupOptions) conclude(err error) error {
	o.report.Status.ExitCode = ExitCode(err)
	if err != nil {
		o.report.Status.Message = err.Error()
	}
	if printErr := o.report.print(o.Out, o.output); printErr != nil {
		return errors.Join(err, fmt.Errorf("print the report: %w", printErr))
	}
	return err
}

// tell says something on the way.
func (o *cleanupOptions) tell(format string, args ...any) {
	_, _ = fmt.Fprintf(escapeWriter{o.ErrOut}, format+"\n", args...)
}
