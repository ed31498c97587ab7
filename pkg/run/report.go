package run

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
)

// verdict returns the words that people read for a state.
func verdict(state Phase) string {
	switch state {
	case PhaseSucceededWithLosses:
		return "succeeded with losses"
	case PhaseUnknown:
		return "outcome unknown"
	}
	return strings.ToLower(string(state))
}

// Lines returns the report on a run, ready for a terminal: the verdict with its
// reason, the ingestor's own words, its counts as a small table, and warnings.
func (o Outcome) Lines() []string {
	reason := o.Reason
	if o.State == PhaseSucceeded && o.Banner != nil && o.Banner.Inserted != nil {
		reason = fmt.Sprintf("%d records inserted and registered", *o.Banner.Inserted)
	}
	lines := []string{"run " + verdict(o.State) + colon(reason)}
	for _, text := range o.Details {
		lines = append(lines, "  | "+text)
	}
	if o.Banner != nil {
		lines = append(lines, o.Banner.table()...)
	}
	for _, text := range o.Warnings {
		lines = append(lines, "warning: "+text)
	}
	return lines
}

// table returns two lines, like "kubectl get" without its borders.
func (b *Banner) table() []string {
	columns := []struct {
		title string
		value *int64
	}{
		{"RECORDS", b.Total},
		{"INSERTED", b.Inserted},
		{"SENT", b.Sent},
		{"SKIPPED", b.Skipped},
		{"WITHOUT FILE", b.FileFailures},
		{"NOT INSERTED", b.DBFailures},
		{"NOT SENT", b.SendFailures},
	}
	titles, values := make([]string, 0, len(columns)+1), make([]string, 0, len(columns)+1)
	if b.Table != "" {
		titles, values = append(titles, "TABLE"), append(values, oneLine(b.Table))
	}
	for _, c := range columns {
		titles = append(titles, c.title)
		if c.value == nil {
			values = append(values, "-")
			continue
		}
		values = append(values, strconv.FormatInt(*c.value, 10))
	}
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 8, 3, ' ', 0)
	// Writing into a strings.Builder cannot fail.
	_, _ = fmt.Fprintf(w, "%s\n%s\n", strings.Join(titles, "\t"), strings.Join(values, "\t"))
	_ = w.Flush()
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}
