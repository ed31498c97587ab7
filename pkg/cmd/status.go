package cmd

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

var (
	statusLong = templates.LongDesc(`
		Show where one ingestion run stands, or how it ended: the reason first, then the ingestor's counts, what the
		run is, each attempt at it, and the next step.

		RUN is the id that push printed, an unambiguous prefix of it, the name of the run's Job, or job/NAME.

		The exit code says whether the question could be answered, not how the run ended: it is 0 for a failed run too.
		kubectl tracebloc wait has the exit code of the run.`)

	statusExample = templates.Examples(`
		# How far is the run, or what became of it?
		kubectl tracebloc status 5a3907a66777

		# The same by the name of its Job
		kubectl tracebloc status job/ingest-job-5a3907a66777 -n ml

		# For a script
		kubectl tracebloc status 5a39 -o jsonpath={.status.phase}`)
)

type statusOptions struct {
	runRef
	printFlags *genericclioptions.PrintFlags

	printer printers.ResourcePrinter // of -o; nil for a report
	result  *run.IngestionRun

	genericiooptions.IOStreams
}

// newStatusCommand shows one run.
func newStatusCommand(getter genericclioptions.RESTClientGetter, streams genericiooptions.IOStreams) *cobra.Command {
	o := newStatusOptions(streams)
	c := &cobra.Command{
		Use:                   "status RUN",
		DisableFlagsInUseLine: true,
		Short:                 "Show where a run stands, or how it ended",
		Long:                  statusLong + "\n\n" + exitCodes(exitSpec, exitRelease, exitAuth, exitInterrupted),
		Example:               statusExample,
		ValidArgsFunction:     completeRun(getter, anyRun),
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			if o.printer, err = objectPrinter(o.printFlags); err != nil {
				return fail(exitSpec, err)
			}
			err = fail(exitSpec, errors.Join(refuseEmpty(c), o.nameRun(c, args)))
			if err == nil {
				err = o.connect(getter)
			}
			if err == nil {
				err = o.run(c.Context())
			}
			return concludeRun(o.printer, o.result, err, o.Out)
		},
	}
	o.printFlags.AddFlags(c)
	completeFlag(c, "output", completeFormats(objectFormats()...))
	return c
}

func newStatusOptions(streams genericiooptions.IOStreams) *statusOptions {
	return &statusOptions{
		runRef: runRef{role: release.RoleWatch}, printFlags: genericclioptions.NewPrintFlags(""),
		result: run.NewIngestionRun(""), IOStreams: streams,
	}
}

// objectFormats are the formats of -o that a shell offers.
func objectFormats() []string { return []string{"json", "yaml", "name", "jsonpath="} }

func (o *statusOptions) run(ctx context.Context) error {
	o.result.Namespace = o.namespace
	found, err := o.find(ctx)
	if err != nil {
		return err
	}
	o.result = found
	evidence, outcome, err := o.look(ctx, found)
	if err != nil {
		return err
	}
	if o.printer != nil {
		warnOf(o.ErrOut, outcome)
		return nil
	}
	_, err = io.WriteString(o.Out, statusReport(found, outcome, evidence.Attempts))
	return err
}
