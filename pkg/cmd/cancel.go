package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

var (
	cancelLong = templates.LongDesc(`
		End an ingestion run that is pending or running: its Job is deleted, with its Pods.

		RUN is the id that push printed, an unambiguous prefix of it, the name of the run's Job, or job/NAME. On a terminal
		it asks first; --yes answers, and is needed without a terminal. It returns when the Pods are gone.

		What the run had done by then stays: rows that it inserted, files that it copied, and the staged files that it read.
		A run that has ended already is told and left alone, with exit code 0: there is nothing to end.`)

	cancelExample = templates.Examples(`
		# End a run, after a question
		kubectl tracebloc cancel 5a3907a66777

		# End it without one
		kubectl tracebloc cancel 5a3907a66777 --yes`)
)

type cancelOptions struct {
	runRef
	yes        bool
	printFlags *genericclioptions.PrintFlags

	printer printers.ResourcePrinter // of -o; nil for words
	result  *run.IngestionRun
	canAsk  func(genericiooptions.IOStreams) bool
	ask     func(ctx context.Context, streams genericiooptions.IOStreams, question string) (bool, error)

	genericiooptions.IOStreams
}

// newCancelCommand ends one run.
func newCancelCommand(getter genericclioptions.RESTClientGetter, streams genericiooptions.IOStreams) *cobra.Command {
	o := newCancelOptions(streams)
	c := &cobra.Command{
		Use:                   "cancel RUN [--yes]",
		DisableFlagsInUseLine: true,
		Short:                 "End a run that is pending or running",
		Long:                  cancelLong + "\n\n" + exitCodes(exitSpec, exitRelease, exitAuth, exitInterrupted),
		Example:               cancelExample,
		ValidArgsFunction:     completeRun(getter, (*run.IngestionRun).Active),
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
	c.Flags().BoolVarP(&o.yes, "yes", "y", o.yes, "Do not ask")
	o.printFlags.AddFlags(c)
	completeFlag(c, "output", completeFormats(objectFormats()...))
	return c
}

func newCancelOptions(streams genericiooptions.IOStreams) *cancelOptions {
	return &cancelOptions{
		runRef: runRef{role: release.RoleCancel}, printFlags: genericclioptions.NewPrintFlags(""),
		result: run.NewIngestionRun(""), canAsk: canAsk, ask: askYes, IOStreams: streams,
	}
}

func (o *cancelOptions) run(ctx context.Context) error {
	o.result.Namespace = o.namespace
	found, err := o.find(ctx)
	if err != nil {
		return err
	}
	o.result = found
	if !found.Active() {
		return o.endedAlready(found.Status.Phase)
	}
	// Whoever is asked and says yes must not be told then that it is not allowed.
	if err := release.Allowed(ctx, o.client, o.role, o.namespace); err != nil {
		return fail(exitRelease, interrupted(err, "looking whether run %q may be canceled; nothing was deleted", found.Name))
	}
	if err := o.confirm(ctx, found); err != nil {
		return err
	}
	o.tell("Deleting job %s in namespace %s with its Pods", found.Status.Job, found.Namespace)
	err = run.Cancel(ctx, o.client, found.Namespace, found.Status.Job)
	var finished *run.FinishedError
	switch {
	case errors.As(err, &finished):
		found.Status.Phase = finished.Phase
		return o.endedAlready(finished.Phase)
	case err != nil && !apierrors.IsNotFound(err):
		err = interrupted(err, "canceling run %q; look what became of it: kubectl tracebloc status %s -n %s", found.Name, found.Name, found.Namespace)
		return fail(exitRelease, o.explain(ctx, err))
	}
	found.Status.Phase, found.Status.Message = run.PhaseCanceled, fmt.Sprintf("job %q was deleted before it finished", found.Status.Job)
	o.tell("%s", whatStays(found))
	return o.answer("run %s canceled\n", found.Name)
}

// endedAlready answers for a run that cannot be ended any more: what was asked
// for is the case.
func (o *cancelOptions) endedAlready(phase run.Phase) error {
	o.tell("Run %s is over (%s); nothing was deleted", o.result.Name, phase)
	return o.answer("run %s had ended already\n", o.result.Name)
}

// confirm asks the user. Without a terminal nobody could answer.
func (o *cancelOptions) confirm(ctx context.Context, found *run.IngestionRun) error {
	if o.yes {
		return nil
	}
	if !o.canAsk(o.IOStreams) {
		return failf(exitSpec, "run %q is %s; cancel asks before it deletes a Job, and there is no terminal to ask on (add --yes)",
			found.Name, strings.ToLower(string(found.Status.Phase)))
	}
	question := fmt.Sprintf("Cancel run %s (%s) into %s in namespace %s? Rows that it has inserted stay",
		cell(found.Name), strings.ToLower(string(found.Status.Phase)), tableOf(found), cell(found.Namespace))
	yes, err := o.ask(ctx, o.IOStreams, question)
	switch {
	case err != nil:
		return interrupted(err, "asking; nothing was deleted, and run %q goes on", found.Name)
	case !yes:
		return fmt.Errorf("run %q was not canceled, it goes on: the answer was not yes", found.Name)
	}
	return nil
}

// whatStays says what a canceled run leaves, and what to do about it.
func whatStays(r *run.IngestionRun) string {
	return fmt.Sprintf("What it had done stays: rows in the database and files of %s, and the staged files (kubectl tracebloc cleanup -n %s). "+
		"To push into the same table again, %s", tableOf(r), r.Namespace, removeRest(r))
}

// tableOf names the table of a run, which is not known without its ConfigMap.
func tableOf(r *run.IngestionRun) string {
	if r.Spec.Table == "" {
		return "its table"
	}
	return "table " + cell(r.Spec.Table)
}

// tell says something on the way.
func (o *cancelOptions) tell(format string, args ...any) {
	_, _ = fmt.Fprintf(escapeWriter{o.ErrOut}, format+"\n", args...)
}

// answer is the result for people; with -o the object is.
func (o *cancelOptions) answer(format string, args ...any) error {
	if o.printer != nil {
		return nil
	}
	_, err := fmt.Fprintf(escapeWriter{o.Out}, format, args...)
	return err
}
