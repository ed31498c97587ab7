package preflight

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// sequenceColumn is the name that newer ingestors know sequences by.
const sequenceColumn = "sequence_id"

// Flags of a sequence, beside holdsTime.
const (
	labelReported = 2
	orderReported = 4
)

// sequenceCheck holds the rules of time_series_classification, which newer ingestors have (contract/ingestor.md 6): one label
// for each sequence, and its rows in order of time. Rows of different sequences may stand in any order.
type sequenceCheck struct {
	checker  *checker
	table    *table
	times    *timeReader
	features *numericColumns
	index    int // of the sequence, -1 for none
	label    int // -1 for none
	ledger   *ledger
	seed     maphash.Seed
	lastID   []byte // of the row before
	lastKey  uint64
	// stored is true where the schema makes dates of the timestamps, so that numbers lose their meaning.
	stored bool
}

func (s *sequenceCheck) begin(t *table) bool {
	c := s.checker
	s.table, s.seed = t, maphash.MakeSeed()
	if s.index = t.exact(sequenceColumn); s.index < 0 {
		t.lacksExact("sequence-column", sequenceColumn)
	}
	at := t.exact(timestampColumn)
	if at < 0 {
		t.lacksExact("time-column", timestampColumn)
	} else {
		s.beginTimes(t, at)
	}
	if c.Schema != nil {
		for _, name := range []string{sequenceColumn, timestampColumn} {
			if t.exact(name) >= 0 && !hasColumn(c.Schema, name) {
				t.report.add("sequence-schema", Finding{Column: name, Message: "the schema has no column " + quoted(name)})
			}
		}
	}
	if strings.EqualFold(strings.TrimSpace(c.IDColumn), sequenceColumn) {
		t.report.add("sequence-as-id", Finding{Column: sequenceColumn, Message: "data_id names column " + quoted(sequenceColumn)})
	}
	s.label = t.labelAt
	s.features = newNumericColumns(t, sequenceColumn, timestampColumn)
	s.ledger = newLedger(&c.scratch, s.judge)
	return true
}

func (s *sequenceCheck) beginTimes(t *table, at int) {
	s.times = newTimeReader(s.checker, t, at)
	typ, ok := s.checker.declaredType(timestampColumn)
	s.times.typed, s.stored = ok && typ.Numeric(), ok && typ.Kind == dataset.SQLDate
}

// own takes the dates of the timestamp column from the rules of all columns: they need not be written in one way.
func (s *sequenceCheck) own(t *table) {
	if i := t.exact(timestampColumn); i >= 0 && t.columns[i] != nil {
		t.columns[i].byTask = true
	}
}

func hasColumn(columns []dataset.Column, name string) bool {
	for _, c := range columns {
		if c.Name == name {
			return true
		}
	}
	return false
}

func (s *sequenceCheck) row(at place, r *dataset.Record) {
	s.features.row(at, r)
	c := claim{row: at.row, line: at.line}
	if s.times != nil {
		var now instant
		now, c.timed = s.times.at(at, r.Field(s.times.index))
		c.time = int64(now)
	}
	if s.index < 0 {
		return
	}
	id := r.Field(s.index)
	if missingTabular(id) || len(bytes.TrimSpace(id)) == 0 {
		s.table.report.add("sequence-blank", s.table.finding(at, sequenceColumn, id, "the row belongs to no sequence"))
		return
	}
	if !bytes.Equal(id, s.lastID) || s.lastKey == 0 {
		s.lastID = append(s.lastID[:0], id...)
		s.lastKey = hashValue(s.seed, id)
	}
	c.key = s.lastKey
	if s.label >= 0 {
		c.label = s.labelKey(r.Field(s.label))
	}
	s.ledger.add(c)
}

// labelKey is 0 for a missing label, which is a label of its own here.
func (s *sequenceCheck) labelKey(cell []byte) uint64 {
	if missingTabular(cell) {
		return 0
	}
	return max(1, hashValue(s.seed, cell))
}

// hashValue hashes a cell by what it stands for: numbers by their value, whatever their spelling.
func hashValue(seed maphash.Seed, cell []byte) uint64 {
	n := parseNumber(cell)
	if n.kind != integer && n.kind != decimal {
		return maphash.Bytes(seed, cell)
	}
	class := classOf(n)
	b := binary.LittleEndian.AppendUint64([]byte{0}, uint64(class.i))
	return maphash.Bytes(seed, binary.LittleEndian.AppendUint64(b, math.Float64bits(class.f)))
}

// judge compares a row with what its sequence had before. Each sequence is reported once for each rule.
func (s *sequenceCheck) judge(h *holding, c claim) {
	if c.label != h.label && h.flags&labelReported == 0 {
		h.flags |= labelReported
		s.add("sequence-label", c, fmt.Sprintf("the row has another label than the sequence's first row, row %d", h.row))
	}
	if !c.timed {
		return
	}
	if h.flags&holdsTime != 0 && c.time < h.time && h.flags&orderReported == 0 {
		h.flags |= orderReported
		s.add("sequence-order", c, fmt.Sprintf("the row's timestamp is before that of the sequence's row above; the sequence begins at row %d", h.row))
	}
	h.time = c.time
	h.flags |= holdsTime
}

func (s *sequenceCheck) add(rule string, c claim, message string) {
	s.table.report.add(rule, s.table.finding(place{row: c.row, line: c.line}, sequenceColumn, nil, message))
}

func (s *sequenceCheck) finish() {
	s.features.finish()
	s.ledger.finish()
	if s.times != nil && s.stored {
		s.times.finish()
	}
}
