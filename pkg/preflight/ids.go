package preflight

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"strings"
	"unicode/utf8"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// maxID is how many characters the data_id column of the database holds.
const maxID = 255

// ids holds the column that data_id names to what makes ids: there, and different in every row.
type ids struct {
	table *table
	index int
	name  string
	// pinned is true when the schema makes the column text; else pandas may make numbers of the ids.
	pinned bool
	length int // the longest, in characters
	// values and numeric count all ids and those that are numbers; codes are numbers that lose their leading zeros.
	values, numeric int64
	codes           tally
	seed            maphash.Seed
	ledger          *ledger
}

// startIDs finds the column.
func (t *table) startIDs() {
	name := strings.TrimSpace(t.checker.IDColumn)
	if name == "" {
		return
	}
	i := t.position(name)
	if i < 0 {
		t.lacks("id-column", name, "the CSV has no column "+quoted(name))
		return
	}
	t.ids = &ids{table: t, index: i, name: name, pinned: t.checker.pinsID(name), seed: maphash.MakeSeed()}
	t.ids.ledger = newLedger(&t.checker.scratch, func(h *holding, c claim) {
		t.report.add("id-duplicate", t.finding(place{row: c.row, line: c.line}, name, nil, fmt.Sprintf("the row has the id of row %d, which it overwrites", h.row)))
	})
}

func (d *ids) observe(at place, cell []byte) {
	id := bytes.TrimSpace(cell)
	if d.table.missing(cell) || len(id) == 0 {
		d.table.report.add("id-blank", d.table.finding(at, d.name, cell, "the row has no id, and is skipped"))
		return
	}
	n := utf8.RuneCount(id)
	d.length = max(d.length, n)
	if n > maxID {
		d.table.report.add("id-too-long", d.table.finding(at, d.name, cell, fmt.Sprintf("the id has %d characters; the database holds %d", n, maxID)))
	}
	key := maphash.Bytes(d.seed, id)
	if !d.pinned {
		key = d.number(at, id)
	}
	d.ledger.add(claim{key: key, row: at.row, line: at.line})
}

// number takes an id as pandas does where the schema does not make it text: numbers by their value.
func (d *ids) number(at place, id []byte) uint64 {
	d.values++
	if n := parseNumber(id); n.numeric() {
		d.numeric++
		if n.code {
			d.codes.add(at, id)
		}
	}
	return hashValue(d.seed, id)
}

func (d *ids) finish() {
	d.ledger.finish()
	if of := d.codes; of.n > 0 && d.numeric == d.values {
		d.table.report.addMany("id-rewritten", int(of.n), Finding{File: d.table.file, Row: of.first.row, Line: of.first.line, Column: d.name, Value: of.first.value,
			Message: fmt.Sprintf("all ids are numbers to the ingestor; %q is not stored as it stands", of.first.value)})
	}
}

// pinsID reports whether the id column is text in the schema: an inferred schema says so, unless the column has a name that
// no schema may hold.
func (c *checker) pinsID(name string) bool {
	if c.Schema == nil {
		return !c.Task.HasFiles() && !dataset.ReservedColumn(name)
	}
	typ, ok := c.declaredType(name)
	return ok && typ.Kind == dataset.SQLText
}

// isID reports whether a column makes the ids.
func (t *table) isID(i int) bool { return t.ids != nil && t.ids.index == i }
