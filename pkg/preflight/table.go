package preflight

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// table reads the records of the CSV in one of the ingestor's two readings (contract/ingestor.md 2.0, "Two different CSV
// readings"). Both are one until an escape character comes; from there on a second table follows the validators.
type table struct {
	file    string
	checker *checker
	report  *report
	missing missingFunc

	// validators is true for the second reading: it judges the shape of rows and the values that the escape character
	// changes, and leaves files and labels to the first.
	validators bool
	// judges is true for the reading that the ingestor's validators follow: the task's checks follow it too.
	judges bool
	// shapeOnly is true when the validators read other columns than the ingestion does, because of a custom delimiter.
	shapeOnly bool
	// escape is the ingestion's escape character, which the validators read as plain text.
	escape byte
	// nul is true once the file was seen to hold a NUL byte.
	nul bool

	header   []string // stripped; nil before the first record
	raw      []string // as they stand in the file
	expected int      // the number of fields that a row may have
	rows     int64
	columns  []*column // by position; nil for a column that is not stored
	skipped  []string  // reserved columns left out of an inferred schema
	names    *filenames
	labels   *labels
	labelAt  int // of the label column, -1 for none
	ids      *ids
	// absentLabel is the label column that the spec names though the CSV has none; "" where it has one.
	absentLabel string
	stored      []storedColumn
	checks      []rowCheck // of the task, where judges is set
	batches     *batches   // of what is summed up by column; nil before the header
	// second is the validators' reading, once both are read; nil if there is none.
	second *table
	// first is the ingestion's reading; set where shapeOnly is.
	first *table
}

// storedColumn is a column that the ingestor stores in a framework column of its own, whatever the schema says.
type storedColumn struct {
	index int
	name  string
	rule  string
	limit int // characters
}

// fork makes the table of the validators' reading, which goes on from here.
func (t *table) fork() *table {
	t.settle()
	v := *t
	v.validators = true
	v.names, v.labels, v.ids, v.stored = nil, nil, nil, nil
	t.checks, t.judges = nil, false
	v.columns = make([]*column, len(t.columns))
	for i, c := range t.columns {
		if c != nil {
			clone := *c
			v.columns[i] = &clone
		}
	}
	v.startBatches()
	return &v
}

// record takes the header, then the rows.
func (t *table) record(r *dataset.Record) error {
	if t.header == nil {
		t.start(r)
		if t.judges {
			t.startChecks()
		}
		t.startBatches()
		return nil
	}
	t.rows++
	at := place{row: t.rows, line: r.Line}
	t.shape(r, at)
	if t.validators {
		t.backslash(r, at)
	}
	for _, check := range t.checks {
		check.row(at, r)
	}
	if t.shapeOnly {
		return nil
	}
	if t.nul && !t.validators {
		t.findNUL(r, at)
	}
	t.gather(r)
	if t.validators {
		return nil
	}
	for _, s := range t.stored {
		t.checkStored(s, at, r.Field(s.index))
	}
	if t.names != nil {
		t.names.observe(at, r.Field(t.names.index))
	}
	if t.ids != nil {
		t.ids.observe(at, r.Field(t.ids.index))
	}
	return nil
}

// shape judges the number of fields as pandas' C parser does: the first row may have more fields than the header, and
// then its first columns become an index; every other row may have at most as many as that one.
func (t *table) shape(r *dataset.Record, at place) {
	n := r.Len()
	judge := t.judgesShape(r)
	if r.Cut && !t.validators {
		message := fmt.Sprintf("the row is longer than %d MiB", dataset.MaxRecord>>20)
		if n == dataset.MaxFields {
			message = fmt.Sprintf("the row has more than %d fields", n)
		}
		t.report.add("csv-record-too-long", t.finding(at, "", nil, message))
	}
	if t.rows == 1 {
		t.expected = max(len(t.header), n)
		if n > len(t.header) && judge && t.seesSchema() {
			f := t.finding(at, "", nil,
				fmt.Sprintf("the first row has %d fields, the header %d: the ingestor takes the first column for an index, and all columns shift%s", n, len(t.header), t.reading()))
			if n > len(t.header)+1 || len(r.Field(n-1)) > 0 {
				f.Remedy = "put the header with all its names on the first line, and quote fields that hold a delimiter"
			}
			t.report.add("csv-index-shift", f)
		}
	}
	switch {
	case n > t.expected && judge:
		f := t.finding(at, "", nil, fmt.Sprintf("expected %d fields, saw %d%s", t.expected, n, t.reading()))
		if t.validators {
			f.Remedy = "save the file with commas and double quotes, and without backslashes"
		}
		t.report.add("csv-ragged-row", f)
	case n < len(t.header) && !t.validators:
		t.report.add("csv-short-row", t.finding(at, "", nil, fmt.Sprintf("the row has %d of %d fields", n, len(t.header))))
	}
}

// judgesShape reports whether a wrong number of fields in this reading fails the dataset, and is not reported already.
// In a file-bearing task no validator minds it; in a tabular one, both readings agree but for escape characters.
func (t *table) judgesShape(r *dataset.Record) bool {
	switch {
	case !t.validators:
		return true
	case t.checker.Task.HasFiles():
		return false
	}
	return t.shapeOnly || r.Contains(t.escape)
}

// seesSchema reports whether this reading finds a column of the schema. Validators that find none, because of a custom
// delimiter, check no values, so that columns may shift as they like.
func (t *table) seesSchema() bool {
	if !t.shapeOnly {
		return true
	}
	return slices.ContainsFunc(t.first.storedNames(), func(name string) bool { return slices.Contains(t.header, name) })
}

// reading says in which reading a finding was made, where that is not plain.
func (t *table) reading() string {
	switch {
	case t.shapeOnly:
		return " (read with commas, as the ingestor's validators do)"
	case t.validators:
		return " (a backslash is plain text to the ingestor's validators)"
	}
	return ""
}

// backslash reports what only the validators' reading still shows.
func (t *table) backslash(r *dataset.Record, at place) {
	if t.escape == 0 {
		return
	}
	for i := range r.Len() {
		cell := r.Field(i)
		if pairless := bytes.ReplaceAll(cell, []byte{t.escape, t.escape}, nil); bytes.IndexByte(pairless, t.escape) >= 0 {
			f := t.finding(at, t.columnName(i), cell, fmt.Sprintf("%c is an escape character to the ingestor, which drops it", t.escape))
			if f.Column == filenameColumn && t.checker.Task.HasFiles() {
				f.Remedy = "write the name without a path"
			}
			t.report.add("csv-backslash", f)
			return
		}
	}
}

// cell sums up one cell, and checks it where the column has a declared type.
func (t *table) cell(c *column, at place, cell []byte) {
	var n number
	absent := c.observe(at, cell, t.missing, &n)
	if c.declared == nil || absent || c.plainlyFits(cell, &n) || (t.validators && bytes.IndexByte(cell, t.escape) < 0) {
		return
	}
	if b := c.check(cell); b != nil && !t.report.onlyCount(b.rule, t.file, at.row) {
		t.report.add(b.rule, t.finding(at, c.name, cell, fmt.Sprintf("value \"%s\" %s", clip(cell), b.message)))
	}
}

func (t *table) checkStored(s storedColumn, at place, cell []byte) {
	if t.missing(cell) {
		t.report.add("value-stored-blank", t.finding(at, s.name, cell, fmt.Sprintf("the ingestor stores column %q in one of its own, and the record fails where it is empty", s.name)))
	}
	if n := len([]rune(string(cell))); n > s.limit {
		t.report.add(s.rule, t.finding(at, s.name, cell, fmt.Sprintf("the value has %d characters; the ingestor stores column %q in %d", n, s.name, s.limit)))
	}
}

func (t *table) findNUL(r *dataset.Record, at place) {
	for i := range r.Len() {
		if cell := r.Field(i); bytes.IndexByte(cell, 0) >= 0 {
			t.report.add("csv-nul", t.finding(at, t.columnName(i), cell, "the value holds a NUL byte"))
		}
	}
}

// finish ends what is summed up in chunks. cut says that the last record was lost, and reported.
func (t *table) finish(cut bool) {
	t.settle()
	for _, c := range t.columns {
		if c != nil {
			c.endChunk()
		}
	}
	if t.names != nil {
		t.names.finish()
	}
	if t.labels != nil {
		t.labels.endChunk()
	}
	if t.ids != nil {
		t.ids.finish()
	}
	for _, check := range t.checks {
		check.finish()
	}
	if t.rows == 0 && !t.validators && !cut {
		message := "the CSV has a header and no data row"
		if t.header == nil {
			message = "the CSV is empty"
		}
		t.report.add("csv-empty", Finding{File: t.file, Message: message})
	}
}

func (t *table) columnName(i int) string {
	if i < len(t.header) {
		return t.header[i]
	}
	return ""
}

// position is the column of that exact name, -1 for none.
func (t *table) position(name string) int { return slices.Index(t.header, name) }

func (t *table) finding(at place, column string, value []byte, message string) Finding {
	return Finding{File: t.file, Row: at.row, Line: at.line, Column: column, Value: clip(value), Message: message}
}
