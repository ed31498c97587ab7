package preflight

import (
	"crypto/sha256"
	"encoding/binary"
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
	values  int64
	// unlabeled is true when a label is the word none, which newer ingestors take for no label in a typed column.
	unlabeled bool
	// truths are the values of a boolean column that occur: false, true.
	truths [2]bool
	// buckets are those that the classes fall into, under the policy that hashes them.
	buckets map[uint64]struct{}
	// booleans counts the labels that pandas reads as true or false of its own accord.
	booleans int64
	// finite counts the labels that are numbers, infinities aside.
	finite int64
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
		seed: maphash.MakeSeed(), classes: map[uint64]struct{}{}, numbers: map[numberClass]struct{}{}, buckets: map[uint64]struct{}{},
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
	n := parseNumber(cell)
	l.class(cell, n)
	if n.numeric() {
		l.numeric++
		if n.kind != infinite {
			l.finite++
		}
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

// class tells classes apart as newer ingestors do, which strip blanks.
func (l *labels) class(cell []byte, n number) {
	trimmed := trimBlanks(cell)
	l.unlabeled = l.unlabeled || string(trimmed) == "none"
	if pandasBool(cell) {
		l.booleans++
	}
	if truth, ok := truthOf(cell, n); ok {
		l.truths[truth] = true
	}
	key := maphash.Bytes(l.seed, trimmed)
	if _, known := l.classes[key]; known {
		return
	}
	if len(l.classes) == maxClasses {
		return
	}
	l.classes[key] = struct{}{}
	if l.bucket() {
		l.buckets[bucketOf(trimmed)] = struct{}{}
	}
}

// bucketOf is the bucket that the policy of that name puts a label into: the first 8 bytes of its sha256, big-endian,
// modulo 64.
func bucketOf(label []byte) uint64 {
	sum := sha256.Sum256(label)
	return binary.BigEndian.Uint64(sum[:]) % 64
}

// truthOf is what a boolean column makes of a value: 0 or 1.
func truthOf(cell []byte, n number) (truth int, ok bool) {
	switch {
	case booleanWord(cell):
		c := cell[0] | 0x20
		if c == 't' || c == 'y' {
			truth = 1
		}
		return truth, true
	case n.kind != notNumber && (n.float() == 0 || n.float() == 1):
		return int(n.float()), true
	}
	return 0, false
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
	switch text := l.typed && l.sqlType.Kind == dataset.SQLText; {
	case l.values > 0 && l.numeric == l.values && !text:
		return len(l.numbers)
	case l.typed && l.sqlType.Kind == dataset.SQLBoolean, !text && l.values > 0 && l.booleans == l.values:
		n := 0
		for _, there := range l.truths {
			if there {
				n++
			}
		}
		return n
	}
	return len(l.classes)
}

// labeled is the number of classes that every version of the ingestor takes for one.
func (l *labels) labeled() int {
	if l.typed && l.unlabeled {
		return l.count() - 1
	}
	return l.count()
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
	if words := l.values - l.finite; words > 0 && t.checker.Task.LabelForm == dataset.LabelObject {
		t.report.addMany("label-not-numeric", int(words), Finding{File: t.file, Column: l.name,
			Message: fmt.Sprintf("column %s holds labels that are no numbers, or not finite", quoted(l.name))})
	}
	if shared := len(l.classes) - len(l.buckets); l.bucket() && t.checker.Task.Classes && shared > 0 {
		t.report.add("label-bucket-shared", Finding{File: t.file, Column: l.name,
			Message: fmt.Sprintf("the %d labels of column %s fall into fewer buckets: %d", len(l.classes), quoted(l.name), len(l.buckets))})
	}
	if t.rows == 0 || l.labeled() >= 2 {
		return
	}
	switch task := t.checker.Task; {
	case task.Classes:
		t.report.add("label-single-class", Finding{File: t.file, Column: l.name, Message: l.single()})
	case task.LabelOptional && l.values > 0:
		t.report.add("label-one-value", Finding{File: t.file, Column: l.name,
			Message: fmt.Sprintf("column %s holds one label in all %d rows", quoted(l.name), l.values)})
	}
}

// single says how a column comes to hold one class.
func (l *labels) single() string {
	column := quoted(l.name)
	switch {
	case l.values == 0:
		return fmt.Sprintf("column %s holds no label at all", column)
	case l.typed && l.unlabeled:
		return fmt.Sprintf("column %s holds one class beside none, which is no label to ingestor 0.7 and later", column)
	case len(l.classes) > 1:
		return fmt.Sprintf("column %s holds one class, written in %d ways: they are one value to the ingestor", column, len(l.classes))
	}
	message := fmt.Sprintf("column %s holds one class in %d rows", column, l.values)
	if l.blank > 0 {
		message += fmt.Sprintf(", and no label in %d", l.blank)
	}
	return message
}
