package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

var (
	runsLong = templates.LongDesc(`
		List the ingestion runs of a namespace, oldest first, whoever submitted them and from where.

		A run is listed as long as its Job or its ConfigMap is there. PHASE is Pending, Running, Failed, or how the
		run ended. ROWS is how many records it inserted: only the ingestor's summary tells, so the logs of the newest
		runs whose Job ended well are read for it (--summaries). Without its summary such a run is Complete, which does
		not say that no record was lost, and ROWS is -. Unknown is a run whose Job is gone.

		With --watch a row is printed again each time that a run changes, until you interrupt it. -o wide adds the Job,
		how long it ran, and what is known of its ending; kubectl tracebloc status RUN has the whole reason.`)

	runsExample = templates.Examples(`
		# The runs of the namespace
		kubectl tracebloc runs -n ml

		# Those of all namespaces, with their Jobs and messages
		kubectl tracebloc runs -A -o wide

		# Keep an eye on them
		kubectl tracebloc runs --watch

		# Tables and phases, for a script
		kubectl tracebloc runs -o jsonpath='{range .items[*]}{.spec.table}{"\t"}{.status.phase}{"\n"}{end}'

		# Look closely at the newest 500 runs
		kubectl tracebloc runs --summaries=500`)
)

const (
	// defaultSummaries keeps a listing fast: each summary is a request to a node.
	defaultSummaries = 20
	// summariesWithin bounds what a node that does not answer costs.
	summariesWithin = 10 * time.Second
)

type runsOptions struct {
	allNamespaces bool
	selector      string
	watch         bool
	noHeaders     bool
	summaries     int
	printFlags    *genericclioptions.PrintFlags

	namespace string // "" for all
	client    kubernetes.Interface
	printer   printers.ResourcePrinter // of -o; nil for the table

	genericiooptions.IOStreams
}

// newRunsCommand lists ingestion runs, like kubectl get.
func newRunsCommand(getter genericclioptions.RESTClientGetter, streams genericiooptions.IOStreams) *cobra.Command {
	o := &runsOptions{summaries: defaultSummaries, printFlags: genericclioptions.NewPrintFlags(""), IOStreams: streams}
	c := &cobra.Command{
		Use:                   "runs [-A] [-l SELECTOR] [-w] [-o FORMAT]",
		DisableFlagsInUseLine: true,
		Short:                 "List ingestion runs",
		Long:                  runsLong + "\n\n" + exitCodes(exitSpec, exitRelease, exitAuth, exitInterrupted),
		Example:               runsExample,
		Args:                  noRuns,
		ValidArgsFunction:     cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := errors.Join(refuseEmpty(c), o.validate()); err != nil {
				return fail(exitSpec, err)
			}
			if err := o.complete(getter); err != nil {
				return err
			}
			return o.run(c.Context())
		},
	}
	f := c.Flags()
	f.BoolVarP(&o.allNamespaces, "all-namespaces", "A", o.allNamespaces, "List the runs of all namespaces")
	f.StringVarP(&o.selector, "selector", "l", o.selector, "Selector (label query) over the labels of the runs' Jobs and ConfigMaps, as kubectl get takes it")
	f.BoolVarP(&o.watch, "watch", "w", o.watch, "After listing the runs, watch for changes")
	f.BoolVar(&o.noHeaders, "no-headers", o.noHeaders, "Print the table without its header")
	f.IntVar(&o.summaries, "summaries", o.summaries, "Number of runs whose Job ended well, newest first, whose summary is read from the log of their Pod; 0 reads none")
	o.printFlags.AddFlags(c)
	f.Lookup("output").Usage = "Output format. One of: (wide, " + strings.Join(o.printFlags.AllowedFormats(), ", ") + ")."
	completeFlag(c, "output", completeFormats(append(objectFormats(), "wide")...))
	return c
}

// noRuns refuses arguments: kubectl get takes names, and this would be the wrong
// place to look for one run.
func noRuns(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return failf(exitSpec, "%s takes no arguments, got %q (one run: kubectl tracebloc status RUN)", c.CommandPath(), args)
	}
	return nil
}

func (o *runsOptions) validate() error {
	if o.summaries < 0 {
		return fmt.Errorf("--summaries=%d: must not be negative; 0 reads none", o.summaries)
	}
	if _, err := labels.Parse(o.selector); err != nil {
		return fmt.Errorf("--selector=%q: %w", o.selector, err)
	}
	if o.isTable() {
		return nil
	}
	var err error
	o.printer, err = objectPrinter(o.printFlags)
	if genericclioptions.IsNoCompatiblePrinterError(err) {
		return fmt.Errorf("%w,wide", err) // the list of formats is at the end of its text
	}
	return err
}

func (o *runsOptions) complete(getter genericclioptions.RESTClientGetter) error {
	c, err := connect(getter)
	if err != nil {
		return fail(exitRelease, err)
	}
	o.namespace, o.client = c.namespace, c.client
	if o.allNamespaces {
		o.namespace = ""
	}
	return nil
}

func (o *runsOptions) run(ctx context.Context) error {
	if o.watch {
		return o.follow(ctx)
	}
	runs, err := run.List(ctx, o.client, o.namespace, o.selector)
	if err == nil {
		o.readSummaries(ctx, runs)
		err = ctx.Err()
	}
	if err != nil {
		return o.failed(ctx, interrupted(err, "listing the runs"))
	}
	return o.print(runs)
}

// readSummaries learns the outcome and the counts of the newest runs that ended.
func (o *runsOptions) readSummaries(ctx context.Context, runs []*run.IngestionRun) {
	if o.summaries == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, summariesWithin)
	defer cancel()
	run.ReadSummaries(ctx, o.client, runs, o.summaries)
}

// follow lists the runs and then prints each change. Whoever has seen enough
// interrupts it, which needs no message.
func (o *runsOptions) follow(ctx context.Context) error {
	table := o.tablePrinter()
	writer := printers.GetNewTabWriter(o.Out)
	err := run.Watch(ctx, o.client, o.namespace, o.selector, func(changes []run.Change) error {
		changes = o.withSummaries(ctx, changes)
		if o.printer == nil {
			if err := table.PrintObj(runsTable(changes, time.Now()), writer); err != nil {
				return err
			}
			return writer.Flush()
		}
		for _, change := range changes {
			if err := o.printer.PrintObj(change.Run, o.Out); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, context.Canceled) {
		return silentError{err}
	}
	return o.failed(ctx, err)
}

// withSummaries reads the summaries into copies: the watch compares its own with
// what comes next.
func (o *runsOptions) withSummaries(ctx context.Context, changes []run.Change) []run.Change {
	copies := make([]run.Change, 0, len(changes))
	var present []*run.IngestionRun
	for _, change := range changes {
		change.Run = change.Run.DeepCopy()
		copies = append(copies, change)
		if !change.Deleted {
			present = append(present, change.Run)
		}
	}
	o.readSummaries(ctx, present)
	return copies
}

func (o *runsOptions) failed(ctx context.Context, err error) error {
	return fail(exitRelease, release.Explain(ctx, o.client, release.RoleWatch, o.namespace, err))
}

// isTable reports whether the answer is a table, and not a format of -o.
func (o *runsOptions) isTable() bool {
	template := o.printFlags.TemplatePrinterFlags.TemplateArgument
	format := *o.printFlags.OutputFormat
	return format == "wide" || format == "" && (template == nil || *template == "")
}

func (o *runsOptions) tablePrinter() printers.ResourcePrinter {
	return printers.NewTablePrinter(printers.PrintOptions{
		WithNamespace: o.allNamespaces, NoHeaders: o.noHeaders, Wide: *o.printFlags.OutputFormat == "wide",
	})
}

func (o *runsOptions) print(runs []*run.IngestionRun) error {
	if o.printer != nil {
		return o.printObjects(runs)
	}
	if len(runs) == 0 {
		where := " in " + o.namespace + " namespace."
		if o.allNamespaces {
			where = ""
		}
		_, err := io.WriteString(escapeWriter{o.ErrOut}, "No resources found"+where+"\n")
		return err
	}
	changes := make([]run.Change, 0, len(runs))
	for _, r := range runs {
		changes = append(changes, run.Change{Run: r})
	}
	return o.tablePrinter().PrintObj(runsTable(changes, time.Now()), o.Out)
}

// printObjects prints one list. The printer of names takes no lists.
func (o *runsOptions) printObjects(runs []*run.IngestionRun) error {
	if *o.printFlags.OutputFormat == "name" {
		for _, r := range runs {
			if err := o.printer.PrintObj(r, o.Out); err != nil {
				return err
			}
		}
		return nil
	}
	return o.printer.PrintObj(run.NewIngestionRunList(runs), o.Out)
}
