package cmd

import (
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

// runColumns are the columns of runs; those with a priority are for -o wide.
func runColumns() []metav1.TableColumnDefinition {
	return []metav1.TableColumnDefinition{
		{Name: "Run", Type: "string", Format: "name"},
		{Name: "Table", Type: "string"},
		{Name: "Task", Type: "string"},
		{Name: "Intent", Type: "string"},
		{Name: "Phase", Type: "string"},
		{Name: "Rows", Type: "string"},
		{Name: "Age", Type: "string"},
		{Name: "Job", Type: "string", Priority: 1},
		{Name: "Duration", Type: "string", Priority: 1},
		{Name: "Message", Type: "string", Priority: 1},
	}
}

// runsTable is the form that kubectl's own table printer takes.
func runsTable(changes []run.Change, now time.Time) *metav1.Table {
	table := &metav1.Table{ColumnDefinitions: runColumns()}
	for _, change := range changes {
		r := change.Run
		phase := string(r.Status.Phase)
		if change.Deleted {
			phase = "Deleted"
		}
		table.Rows = append(table.Rows, metav1.TableRow{
			Cells: []any{
				cell(r.Name), cell(r.Spec.Table), cell(r.Spec.Task), cell(r.Spec.Intent), cell(phase), rows(r), age(r.CreationTimestamp, now),
				cell(r.Status.Job), lasted(r.Status.Started, r.Status.Finished, now), cell(r.Status.Message),
			},
			Object: runtime.RawExtension{Object: r}, // the printer takes the namespace from it
		})
	}
	return table
}

// cell makes foreign text fit into a table: a line break or a tab would tear it.
func cell(text string) string {
	text = strings.Join(strings.Fields(progress.Escape(text)), " ")
	if text == "" {
		return "-"
	}
	return text
}

// rows is how many records a run has inserted, "-" when that is not known.
func rows(r *run.IngestionRun) string {
	records := r.Status.Records
	if records == nil || records.Inserted == nil {
		return "-"
	}
	return strconv.FormatInt(*records.Inserted, 10)
}

func age(created metav1.Time, now time.Time) string {
	if created.IsZero() {
		return "<unknown>"
	}
	return duration.HumanDuration(now.Sub(created.Time))
}

// lasted is how long something took, or has taken so far; "-" when it has not begun.
func lasted(started, finished *metav1.Time, now time.Time) string {
	if started.IsZero() {
		return "-"
	}
	if !finished.IsZero() {
		now = finished.Time
	}
	return duration.HumanDuration(now.Sub(started.Time))
}
