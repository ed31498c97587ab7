package ingest

import (
	"fmt"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// timestampColumn has a meaning of its own in time tasks (contract, the sixteen
// tasks).
const timestampColumn = "timestamp"

// checkTime looks at the columns of the tasks with a time axis.
func (c *Config) checkTime(task dataset.Task) []finding {
	var findings []finding
	if len(c.Schema) == 0 {
		return nil
	}
	if task.Takes("time-column") {
		findings = append(findings, c.checkDuration(first(c.TimeColumn, task.DefaultTimeColumn))...)
	}
	if task.Has(dataset.CheckSequences) {
		findings = append(findings, c.checkIndex(task)...)
	}
	if !task.Has(dataset.CheckForecasting) {
		return findings
	}
	if _, ok := c.Schema.Lookup(timestampColumn); !ok {
		findings = append(findings, errorAt(fmt.Sprintf("the column is missing; the task %q needs it, of type TIMESTAMP", task.Name), "schema", timestampColumn))
	}
	for _, column := range c.Schema {
		t, err := dataset.ParseSQLType(column.Type)
		switch {
		case err != nil: // checkColumns reports it
		case column.Name == timestampColumn && t.Base != "TIMESTAMP":
			findings = append(findings, errorAt(fmt.Sprintf("must be of type TIMESTAMP, not %s", t), "schema", column.Name))
		case column.Name == timestampColumn, c.Label != nil && column.Name == c.Label.Column:
		case !t.Numeric():
			findings = append(findings, warningAt(fmt.Sprintf("the task %q takes numeric columns only; values of type %s are refused unless they are all numbers",
				task.Name, t), "schema", column.Name))
		}
	}
	return findings
}

// checkDuration looks at the column with the time to the event.
func (c *Config) checkDuration(name string) []finding {
	column, ok := c.Schema.Lookup(name)
	if !ok {
		return []finding{warningAt(fmt.Sprintf("the time column %q is not in the schema, so it is checked but not stored", name), "schema")}
	}
	if t, err := dataset.ParseSQLType(column.Type); err == nil && !t.Numeric() {
		return []finding{warningAt(fmt.Sprintf("the time to the event is a number; values of type %s are refused unless they are all numbers", t), "schema", name)}
	}
	return nil
}

// maxIndexKey is how many bytes the columns of an InnoDB index have at most.
const maxIndexKey = 3072

// checkIndex looks at the columns that newer ingestors put an index on, which
// takes no TEXT and no long VARCHAR.
func (c *Config) checkIndex(task dataset.Task) []finding {
	var findings []finding
	key, longest := 0, ""
	for _, name := range task.Columns {
		column, _ := c.Schema.Lookup(name)
		t, err := dataset.ParseSQLType(column.Type)
		switch {
		case err != nil: // checkColumns reports it
		case t.Base == "TEXT":
			findings = append(findings, errorAt("newer ingestors put an index on the column, which the database cannot do with TEXT; use VARCHAR(n)", "schema", name))
		default:
			key += indexBytes(t)
			if t.Length() > 0 {
				longest = name
			}
		}
	}
	if key > maxIndexKey && longest != "" {
		findings = append(findings, errorAt(fmt.Sprintf("newer ingestors put an index on %s, which takes %d bytes; the database takes at most %d, so make it shorter",
			list(task.Columns, "and"), key, maxIndexKey), "schema", longest))
	}
	return findings
}

// indexBytes is what a column takes of an index.
func indexBytes(t dataset.SQLType) int {
	switch n := t.Length(); {
	case n > 0:
		return n * 4
	case t.Base == "DATETIME" || t.Base == "TIMESTAMP":
		return 5
	}
	return t.RowBytes()
}
