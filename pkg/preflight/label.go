package preflight

import (
	"fmt"
	"hash/maphash"
	"math"
	"unicode/utf8"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

const (
	// maxLabel is how many characters the label column of the database holds.
	maxLabel = 255
	// maxClasses is how many different labels are told apart; beyond it they are only known to be many.
	maxClasses = 1 << 16
	// ingestRows is how many rows the ingestor reads at a time, and infers types for.
	ingestRows = 1000
)

// labels sums up the label column.
type labels struct {
	table *table
	index int
	name  string
	// typed is true when the schema types the column, so that the ingestor does not guess its type by chunk.
	typed bool
	// sqlType is its type then, known when the whole column is read.
	sqlType dataset.SQLType

	seed    maphash.Seed
	classes map[uint64]struct{}
	many    bool
	values  int64
	// numbers are the classes if all labels are numbers, of which the ingestor tells no spellings apart.
	numbers map[numberClass]struct{}
	numeric int64
	blanks  []spot
	blank   int64
	chunk   labelChunk
}

// labelChunk is what pandas would make of the labels of one chunk, and the first that it would rewrite.
type labelChunk struct {
	last                              int64 // row
	rows, integers, numbers, booleans int64
	asInteger, asFloat, asBoolean     *spot
}

// numberClass is a label by its value: an exact integer, or a float.
type numberClass struct {
	i int64
	f float64
}

func classOf(n number) numberClass {
	f := n.float()
	switch {
	case n.kind == integer:
		return numberClass{i: n.i}
	case n.whole() && math.Abs(f) <= maxExact:
		return numberClass{i: int64(f)}
	}
	return numberClass{f: f}
}

func newLabels(t *table, index int) *labels {
	return &labels{
		table: t, index: index, name: t.header[index],
		seed: maphash.MakeSeed(), classes: map[uint64]struct{}{}, numbers: map[numberClass]struct{}{},
	}
}

func (l *labels) bucket() bool { return l.table.checker.labelPolicy() == dataset.PolicyBucket }

func (l *labels) observe(at place, cell []byte) {
	if l.table.missing(cell) {
		l.blank++
		if len(l.blanks) < maxFindings {
			l.blanks = append(l.blanks, spot{row: at.row, line: at.line})
		}
	} else {
		l.value(at, cell)
	}
	l.chunk.last = at.row
	l.chunk.rows++
	if l.chunk.rows == ingestRows {
		l.endChunk()
	}
}

func (l *labels) value(at place, cell []byte) {
	l.values++
	if len(l.classes) < maxClasses {
		l.classes[maphash.Bytes(l.seed, cell)] = struct{}{}
	} else {
		l.many = true
	}
	n := parseNumber(cell)
	if n.numeric() {
		l.numeric++
		if l.numeric == l.values && len(l.numbers) < maxClasses {
			l.numbers[classOf(n)] = struct{}{}
		}
	}
	t := l.table
	if len(cell) > maxLabel && !l.bucket() {
		if length := utf8.RuneCount(cell); length > maxLabel {
			t.report.add("label-too-long", t.finding(at, l.name, cell, fmt.Sprintf("the label has %d characters; the database holds %d", length, maxLabel)))
		}
	}
	if trimmed := trimBlanks(cell); len(trimmed) != len(cell) && n.kind == notNumber {
		t.report.add("label-padded", t.finding(at, l.name, cell, fmt.Sprintf("label \"%s\" has blanks around it", clip(cell))))
	}
	if !l.typed {
		l.chunk.observe(at, cell)
	}
}

// observe keeps the first label that would change if pandas made numbers or booleans of the chunk.
func (c *labelChunk) observe(at place, cell []byte) {
	n := parseNumber(cell)
	switch {
	case n.kind == integer:
		c.integers++
		c.numbers++
		c.asInteger = keepFirst(c.asInteger, at, cell, n.pythonInt())
		c.asFloat = keepFirst(c.asFloat, at, cell, n.pythonFloat())
	case n.kind == decimal || n.kind == infinite:
		c.numbers++
		c.asFloat = keepFirst(c.asFloat, at, cell, n.pythonFloat())
	case len(cell) > 1 && booleanWord(cell):
		c.booleans++
		c.asBoolean = keepFirst(c.asBoolean, at, cell, "")
	}
}

// keepFirst remembers the first label that is not written as it would be stored.
func keepFirst(first *spot, at place, cell []byte, stored string) *spot {
	if first != nil || string(cell) == stored {
		return first
	}
	return &spot{row: at.row, line: at.line, value: clip(cell)}
}

// endChunk reports labels that pandas would rewrite: it does so only where it can do so for every row of a chunk.
func (l *labels) endChunk() {
	c := l.chunk
	l.chunk = labelChunk{}
	var first *spot
	what := "numbers"
	switch c.rows {
	case 0:
	case c.integers:
		first = c.asInteger
	case c.numbers:
		first = c.asFloat
	case c.booleans:
		first, what = c.asBoolean, "booleans"
	}
	if first == nil {
		return
	}
	t := l.table
	t.report.add("label-rewritten", Finding{File: t.file, Row: first.row, Line: first.line, Column: l.name, Value: first.value,
		Message: fmt.Sprintf("all labels of rows %d to %d are %s to the ingestor; %q is not stored as it stands", c.last-c.rows+1, c.last, what, first.value)})
}

// count is the number of classes as the ingestor tells them apart, once the type is known.
func (l *labels) count() int {
	text := l.typed && l.sqlType.Kind == dataset.SQLText
	if l.values > 0 && l.numeric == l.values && !text {
		return len(l.numbers)
	}
	return len(l.classes)
}

// judge applies the rules about the column as a whole.
func (l *labels) judge() {
	t := l.table
	rule, what := "label-blank", "the row has no label"
	switch {
	case l.bucket():
		rule, what = "label-null", "the row has no label, and is counted in bucket -1"
	case l.typed && l.sqlType.Kind == dataset.SQLText:
		rule, what = "label-null", "the row has no label; NULL is stored"
	}
	for i, s := range l.blanks {
		f := Finding{File: t.file, Row: s.row, Line: s.line, Column: l.name, Message: what}
		if i == len(l.blanks)-1 {
			t.report.addMany(rule, int(l.blank)-i, f)
			continue
		}
		t.report.add(rule, f)
	}
	if words := l.values - l.numeric; words > 0 && t.checker.Task.LabelForm == dataset.LabelObject {
		t.report.addMany("label-not-numeric", int(words), Finding{File: t.file, Column: l.name,
			Message: fmt.Sprintf("column %s holds labels that are no numbers", quoted(l.name))})
	}
	if t.rows == 0 || l.count() >= 2 {
		return
	}
	switch task := t.checker.Task; {
	case task.Classes:
		message := fmt.Sprintf("column %s holds one class in all %d rows", quoted(l.name), l.values)
		if l.values == 0 {
			message = fmt.Sprintf("column %s holds no label at all", quoted(l.name))
		}
		t.report.add("label-single-class", Finding{File: t.file, Column: l.name, Message: message})
	case task.LabelOptional && l.values > 0:
		t.report.add("label-one-value", Finding{File: t.file, Column: l.name,
			Message: fmt.Sprintf("column %s holds one label in all %d rows", quoted(l.name), l.values)})
	}
}
