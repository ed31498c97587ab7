package cmd

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

// statusReport is what a person reads of one run, ready for a terminal: the
// verdict with its reason and the counts, the run, its attempts, the next step.
func statusReport(r *run.IngestionRun, outcome run.Outcome, attempts []run.Attempt) string {
	var b strings.Builder
	b.WriteString(strings.Join(outcome.Lines(), "\n") + "\n\n")
	writeFacts(&b, r)
	if len(attempts) > 0 {
		b.WriteString("\n")
		writeAttempts(&b, attempts)
	}
	if next := nextStep(r, len(attempts) > 0); next != "" {
		b.WriteString("\nNext: " + next + "\n")
	}
	return progress.Escape(b.String())
}

// writeFacts writes one "Name:  value" line for each fact that is known.
func writeFacts(out io.Writer, r *run.IngestionRun) {
	status := &r.Status
	facts := []struct{ name, value string }{
		{"Run", r.Name},
		{"Namespace", r.Namespace},
		{"Table", r.Spec.Table},
		{"Stored as", status.DestinationTable},
		{"Task", r.Spec.Task},
		{"Intent", r.Spec.Intent},
		{"Phase", string(status.Phase)},
		{"Job", status.Job},
		{"Created", moment(&r.CreationTimestamp)},
		{"Started", moment(status.Started)},
		{"Finished", moment(status.Finished)},
	}
	if !status.Started.IsZero() && !status.Finished.IsZero() {
		facts = append(facts, struct{ name, value string }{"Duration", lasted(status.Started, status.Finished, time.Time{})})
	}
	table := printers.GetNewTabWriter(out)
	for _, fact := range facts {
		if fact.value != "" {
			_, _ = fmt.Fprintf(table, "%s:\t%s\n", fact.name, cell(fact.value))
		}
	}
	_ = table.Flush() // into memory
}

// writeAttempts writes a table of the container lives, oldest first.
func writeAttempts(out io.Writer, attempts []run.Attempt) {
	table := printers.GetNewTabWriter(out)
	_, _ = fmt.Fprintln(table, "ATTEMPT\tPOD\tNODE\tSTARTED\tDURATION\tEXIT\tREASON")
	for i := range attempts {
		a := &attempts[i]
		exit, took := "-", "-"
		if a.ExitCode != nil {
			exit = strconv.Itoa(int(*a.ExitCode))
		}
		started, finished := metav1.NewTime(a.Started), metav1.NewTime(a.Finished)
		if !a.Finished.IsZero() {
			took = lasted(&started, &finished, time.Time{})
		}
		reason := cmp.Or(a.PodReason, a.Reason)
		if reason == "" && a.Running {
			reason = "Running"
		}
		_, _ = fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n",
			i+1, cell(a.Pod), cell(a.Node), cell(moment(&started)), took, exit, cell(reason))
	}
	_ = table.Flush() // into memory
}

// moment renders a time as kubectl's own objects have it; "" for none.
func moment(t *metav1.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// nextStep is what the user can do now; "" where nothing is left to do.
func nextStep(r *run.IngestionRun, hasLog bool) string {
	on := func(verb string) string {
		return fmt.Sprintf("kubectl tracebloc %s %s -n %s", verb, r.Name, r.Namespace)
	}
	switch r.Status.Phase {
	case run.PhasePending, run.PhaseRunning:
		return fmt.Sprintf("follow it to its end (%s), or end it (%s)", on("wait"), on("cancel"))
	case run.PhaseFailed:
		if !hasLog {
			return "push again when the cause is gone"
		}
		return fmt.Sprintf("read all that the ingestor said (%s), and push again when the cause is gone", on("logs"))
	case run.PhaseSucceededWithLosses:
		return fmt.Sprintf("see which records were lost (%s)", on("logs"))
	case run.PhaseCanceled:
		return removeRest(r)
	case run.PhaseUnknown:
		if !hasLog {
			return "compare the rows of the table with the dataset"
		}
		return fmt.Sprintf("compare the rows of the table with the dataset; what is left of the log may help (%s)", on("logs"))
	}
	return ""
}

// removeRest says how to get rid of what a run leaves without its Job. A push
// takes it for the sign that the table is not free, so the rows have to go first.
func removeRest(r *run.IngestionRun) string {
	return fmt.Sprintf("delete the dataset in tracebloc if it has rows, then remove what is left of the run in the cluster (kubectl delete configmap,secret -l %s=%s -n %s)",
		run.Label, r.Name, r.Namespace)
}
