package preflight

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"strings"
	"unicode/utf8"
)

// maxID is how many characters the data_id column of the database holds.
const maxID = 255

// ids holds the column that data_id names to what makes ids: there, and different in every row.
type ids struct {
	table  *table
	index  int
	name   string
	seed   maphash.Seed
	ledger *ledger
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
	t.ids = &ids{table: t, index: i, name: name, seed: maphash.MakeSeed()}
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
	if n := utf8.RuneCount(id); n > maxID {
		d.table.report.add("id-too-long", d.table.finding(at, d.name, cell, fmt.Sprintf("the id has %d characters; the database holds %d", n, maxID)))
	}
	d.ledger.add(claim{key: maphash.Bytes(d.seed, id), row: at.row, line: at.line})
}

func (d *ids) finish() { d.ledger.finish() }

// isID reports whether a column makes the ids.
func (t *table) isID(i int) bool { return t.ids != nil && t.ids.index == i }
