package preflight

import (
	"cmp"
	"fmt"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// timeToEventCheck holds the rules of time_to_event_prediction about its time column (contract/ingestor.md 2.2,
// "TimeToEventValidator").
type timeToEventCheck struct {
	checker *checker
	table   *table
	index   int
	name    string
	typed   bool // declared with a numeric type, which the values are held to at any rate
}

func (e *timeToEventCheck) begin(t *table) bool {
	e.table, e.name = t, cmp.Or(e.checker.TimeColumn, e.checker.Task.DefaultTimeColumn)
	if e.index = t.exact(e.name); e.index < 0 {
		t.lacksExact("duration-column", e.name)
		return false
	}
	typ, ok := e.checker.declaredType(e.name)
	e.typed = ok && typ.Numeric()
	return true
}

func (e *timeToEventCheck) row(at place, r *dataset.Record) {
	cell := r.Field(e.index)
	if missingTabular(cell) {
		e.table.report.add("duration-blank", e.table.finding(at, e.name, nil, "the row has no time"))
		return
	}
	n := parseNumber(cell)
	switch {
	case n.kind == notNumber && !e.typed:
		e.table.report.add("duration-not-numeric", e.table.finding(at, e.name, cell, fmt.Sprintf("time \"%s\" is no number", clip(cell))))
	case n.kind != notNumber && n.float() < 0:
		e.table.report.add("duration-negative", e.table.finding(at, e.name, cell, fmt.Sprintf("time \"%s\" is negative", clip(cell))))
	}
}

func (e *timeToEventCheck) finish() {}
