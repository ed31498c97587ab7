package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// numericColumns holds the features of a task to numbers. Blank cells are allowed (contract/ingestor.md 2.2,
// "NumericColumnsValidator").
type numericColumns struct {
	table   *table
	columns []*numericColumn
}

// numericColumn is one feature.
type numericColumn struct {
	index  int
	name   string
	values int64
	// booleans are true and false, which are numbers to pandas if the column has nothing else.
	booleans tally
}

// newNumericColumns takes the columns of the schema but the label, the ids and the named ones. Columns of a declared numeric type are
// left out: their values are held to it at any rate.
func newNumericColumns(t *table, except ...string) *numericColumns {
	n := &numericColumns{table: t}
	except = append(except, strings.TrimSpace(t.checker.IDColumn))
	for i, c := range t.columns {
		if c == nil || c.label || slices.Contains(except, c.name) || (c.declared != nil && c.declared.Numeric()) {
			continue
		}
		n.columns = append(n.columns, &numericColumn{index: i, name: c.name})
	}
	return n
}

func (n *numericColumns) row(at place, r *dataset.Record) {
	for _, c := range n.columns {
		cell := r.Field(c.index)
		if n.table.missing(cell) {
			continue
		}
		c.values++
		switch kind := parseNumber(cell).kind; {
		case kind == infinite || kind == overflow:
			n.table.report.add("feature-not-numeric", n.table.finding(at, c.name, cell, fmt.Sprintf("value \"%s\" is not finite", clip(cell))))
		case kind != notNumber:
		case pandasBool(cell):
			c.booleans.add(at, cell)
		default:
			n.table.report.add("feature-not-numeric", n.table.finding(at, c.name, cell, fmt.Sprintf("value \"%s\" is no number", clip(cell))))
		}
	}
}

func (n *numericColumns) finish() {
	for _, c := range n.columns {
		if of := c.booleans; of.n > 0 && of.n < c.values {
			n.table.report.addMany("feature-not-numeric", int(of.n), Finding{File: n.table.file, Row: of.first.row, Line: of.first.line, Column: c.name, Value: of.first.value,
				Message: fmt.Sprintf("value \"%s\" stands in a column with others than true and false", of.first.value)})
		}
	}
}
