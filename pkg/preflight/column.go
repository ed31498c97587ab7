package preflight

import (
	"bytes"
	"unicode/utf8"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// spot is a place in a CSV, and what stands there.
type spot struct {
	row, line int64
	value     string
}

// tally counts something and remembers where it was first.
type tally struct {
	n     int64
	first spot
}

func (t *tally) add(at place, cell []byte) {
	if t.n == 0 {
		t.first = spot{row: at.row, line: at.line, value: clip(cell)}
	}
	t.n++
}

// place is where a record stands in the CSV.
type place struct {
	row, line int64
}

// column sums up one column of the CSV, in constant memory: enough to choose a type for it, and to say where a declared
// type does not fit.
type column struct {
	name string // stripped
	// declared is the type in the schema that the user gave; nil to infer.
	declared *dataset.SQLType
	label    bool
	// besideFiles is true in tasks with files, where 0.3.9 takes only the empty cell for a missing value.
	besideFiles bool

	values, missing int64

	integers, unsigned, huge, decimals, infinite int64
	booleans                                     int64 // words that mean true or false
	isoDates                                     int64 // in the form of the first
	dateForm                                     dateForm

	min, max int64 // of the integers
	length   int   // the longest value, in characters
	measured int   // the longest value as the ingestor's validator measures it
	chunk    measure

	codes       tally // leading zeros
	imprecise   tally // changed by single precision
	big         tally // integers beyond 2^53
	lapsed      tally // missing to 0.3.9, texts to 0.7 and later
	skewed      tally // texts to 0.3.9, missing to 0.7 and later
	missingText tally // texts that mean missing
	wordNumbers tally // true and false in a declared column of numbers
	oversized   tally // longer than TEXT holds
	oversize    int   // bytes of the first oversized value
	fractions   tally // times with a part of a second, where the type is inferred

	dates dateColumn // of a declared date column: what its first value has bound it to
	// fixed is the type that a check of the task demands; the zero type for none.
	fixed dataset.SQLType
	// byTask is set where a check of the task judges the values.
	byTask bool
}

// chunkRows is how many rows the ingestor's validator reads at a time, and infers types for.
const chunkRows = 50_000

// maxExact is the largest integer up to which double precision holds every one.
const maxExact = 1 << 53

// observe takes one cell into account, and reads it into n, which must be zero. absent is true for a missing value.
func (c *column) observe(at place, cell []byte, missing missingFunc, n *number) (absent bool) {
	if missing(cell) {
		c.missing++
		c.chunk.missing = true
		if len(cell) > 0 {
			c.missingText.add(at, cell)
			if missingSkew(cell) != "" {
				c.lapsed.add(at, cell)
			}
		}
		return true
	}
	c.values++
	if len(cell) > c.chunk.raw { // else it has no more characters either
		length := utf8.RuneCount(cell)
		c.chunk.raw = max(c.chunk.raw, length)
		c.length = max(c.length, length)
	}
	if len(cell) > maxText {
		if c.oversized.n == 0 {
			c.oversize = len(cell)
		}
		c.oversized.add(at, cell)
	}
	n.read(cell)
	c.chunk.observe(n, c.declared != nil && c.declared.Length() > 0)
	if n.kind == notNumber {
		c.observeWord(at, cell)
	} else {
		c.observeNumber(at, cell, n)
	}
	return false
}

func (c *column) observeNumber(at place, cell []byte, n *number) {
	switch n.kind {
	case integer:
		if c.integers == 0 {
			c.min, c.max = n.i, n.i
		}
		c.integers++
		c.min, c.max = min(c.min, n.i), max(c.max, n.i)
		if n.i > maxExact || n.i < -maxExact {
			c.big.add(at, cell)
		}
	case unsigned:
		c.unsigned++
		c.big.add(at, cell)
	case huge:
		c.huge++
	case decimal:
		c.decimals++
	case infinite, overflow:
		c.infinite++
	case notNumber:
	}
	if n.code {
		c.codes.add(at, cell)
	}
	// An inferred type is not FLOAT any more after the first such value, and then no one asks how many there are.
	if c.countsImprecise() && n.kind != infinite && n.kind != overflow && !n.single() {
		c.imprecise.add(at, cell)
	}
}

func (c *column) countsImprecise() bool {
	if c.declared != nil {
		return c.declared.Kind == dataset.SQLFloat && c.declared.Base != "DOUBLE"
	}
	return c.imprecise.n == 0 || c.fixed.Base != ""
}

func (c *column) observeWord(at place, cell []byte) {
	if string(cell) == "none" || (c.besideFiles && missingNewer(cell)) {
		c.skewed.add(at, cell)
	}
	if booleanWord(cell) {
		c.booleans++
		if c.declared != nil && c.declared.Numeric() && pandasBool(cell) {
			c.wordNumbers.add(at, cell)
		}
		return
	}
	if c.isoDates != c.values-1 || c.declared != nil {
		return // no column of dates any more, or none whose type is asked for
	}
	f, ok := plainDate(cell)
	if !ok {
		f, ok = isoForm(cell)
	}
	if ok && f.time == timeFraction && cell[len(bytes.TrimRight(cell, "0"))-1] != '.' {
		c.fractions.add(at, cell)
	}
	switch {
	case !ok:
	case c.isoDates == 0:
		c.dateForm, c.isoDates = f, 1
	case c.dateForm == f:
		c.isoDates++
	}
}

// endChunk closes the validator's chunk: see measure.
func (c *column) endChunk() {
	c.measured = max(c.measured, c.chunk.length())
	c.chunk = measure{}
}

// infer chooses the type (contract/spec.md, "Column types the plugin infers").
func (c *column) infer() dataset.SQLType {
	numbers := c.integers + c.decimals
	switch {
	case c.fixed.Base != "":
		return c.fixed
	case c.values == 0:
		return dataset.Varchar(1)
	case c.codes.n > 0, c.booleans == c.values:
	case c.integers == c.values:
		if c.min >= -1<<31 && c.max < 1<<31 {
			return dataset.SQLType{Base: "INT", Kind: dataset.SQLInteger}
		}
		return dataset.SQLType{Base: "BIGINT", Kind: dataset.SQLInteger}
	case numbers == c.values && c.imprecise.n == 0:
		return dataset.SQLType{Base: "FLOAT", Kind: dataset.SQLFloat}
	case numbers == c.values:
		return dataset.SQLType{Base: "DOUBLE", Kind: dataset.SQLFloat}
	case c.isoDates == c.values && c.dateForm.time == timeNone:
		return dataset.SQLType{Base: "DATE", Kind: dataset.SQLDate}
	case c.isoDates == c.values:
		return dataset.SQLType{Base: "DATETIME", Kind: dataset.SQLDate}
	}
	return dataset.Varchar(max(c.length, c.measured))
}

// join is the type that holds what both of two readings of a column found.
func join(a, b dataset.SQLType, length int) dataset.SQLType {
	if a.Base == b.Base && len(a.Args) == 0 {
		return a
	}
	return dataset.Varchar(max(length, a.Length(), b.Length()))
}

// measure is the length that the ingestor's validator finds in one of its chunks. It measures what pandas made of the
// cells: where all are numbers, 01234 is 1234, and 1234.0 if a cell is empty (contract/ingestor.md 2.0, "VARCHAR(n)").
type measure struct {
	values, integers, numbers int64
	missing                   bool
	raw, asInteger, asFloat   int
}

// observe measures a number, or what is none; exact asks for the length of a float to the digit, which is slow.
func (m *measure) observe(n *number, exact bool) {
	m.values++
	switch n.kind {
	case integer, unsigned:
		m.integers++
		m.numbers++
		if m.integers == m.values {
			m.asInteger = max(m.asInteger, n.pythonIntLength())
		}
	case decimal, infinite:
		m.numbers++
	case notNumber, huge, overflow:
		return
	}
	if m.numbers < m.values {
		return // no column of numbers any more
	}
	switch {
	case n.kind == integer && n.i > -1e15 && n.i < 1e15:
		m.asFloat = max(m.asFloat, n.pythonIntLength()+len(".0"))
	case exact:
		m.asFloat = max(m.asFloat, len(n.pythonFloat()))
	default:
		m.asFloat = max(m.asFloat, maxFloatLength)
	}
}

// maxFloatLength is the longest way in which Python writes a float: -1.7976931348623157e+308.
const maxFloatLength = 24

func (m *measure) length() int {
	switch {
	case m.values == 0:
		return 0
	case m.integers == m.values && !m.missing:
		return m.asInteger
	case m.numbers == m.values:
		return m.asFloat
	}
	return m.raw
}
