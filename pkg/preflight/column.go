package preflight

import "unicode/utf8"

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
	declared *sqlType
	label    bool

	values, missing int64

	integers, unsigned, huge, decimals, infinite int64
	booleans                                     int64 // words that mean true or false
	dates                                        int64 // ISO dates in the form of the first
	dateForm                                     dateForm

	min, max int64 // of the integers
	length   int   // the longest value, in characters
	measured int   // the longest value as the ingestor's validator measures it
	chunk    measure

	codes       tally // leading zeros
	imprecise   tally // changed by single precision
	big         tally // integers beyond 2^53
	skewed      tally // missing to some ingestors only
	missingText tally // texts that mean missing
	oversized   tally // longer than TEXT holds
	oversize    int   // bytes of the first oversized value

	bound    *dateForm // what the first value of a declared date column has bound it to
	freeform bool      // the first value of a declared date column is in no known form
}

// chunkRows is how many rows the ingestor's validator reads at a time, and infers types for.
const chunkRows = 50_000

// maxExact is the largest integer up to which double precision holds every one.
const maxExact = 1 << 53

// observe takes one cell into account.
func (c *column) observe(at place, cell []byte, missing missingFunc) {
	if missing(cell) {
		c.missing++
		c.chunk.missing = true
		if len(cell) > 0 {
			c.missingText.add(at, cell)
			if missingSkew(cell) != "" {
				c.skewed.add(at, cell)
			}
		}
		return
	}
	c.values++
	length := utf8.RuneCount(cell)
	c.length = max(c.length, length)
	if len(cell) > maxText {
		if c.oversized.n == 0 {
			c.oversize = len(cell)
		}
		c.oversized.add(at, cell)
	}
	n := parseNumber(cell)
	c.chunk.observe(cell, length, n, c.declared != nil && c.declared.length() > 0)
	if n.kind == notNumber {
		c.observeWord(at, cell)
		return
	}
	c.observeNumber(at, cell, n)
}

func (c *column) observeNumber(at place, cell []byte, n number) {
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
	if n.kind != infinite && n.kind != overflow && !n.single() {
		c.imprecise.add(at, cell)
	}
}

func (c *column) observeWord(at place, cell []byte) {
	if missingSkew(cell) != "" {
		c.skewed.add(at, cell)
	}
	if booleanWord(cell) {
		c.booleans++
		return
	}
	f, ok := isoForm(cell)
	switch {
	case !ok:
	case c.dates == 0:
		c.dateForm, c.dates = f, 1
	case c.dateForm == f:
		c.dates++
	}
}

// endChunk closes the validator's chunk: see measure.
func (c *column) endChunk() {
	c.measured = max(c.measured, c.chunk.length())
	c.chunk = measure{}
}

// infer chooses the type (contract/spec.md, "Column types the plugin infers").
func (c *column) infer() sqlType {
	numbers := c.integers + c.decimals
	switch {
	case c.values == 0:
		return varchar(1)
	case c.codes.n > 0, c.booleans == c.values:
	case c.integers == c.values:
		if c.min >= -1<<31 && c.max < 1<<31 {
			return sqlType{base: "INT", kind: kindInteger}
		}
		return sqlType{base: "BIGINT", kind: kindInteger}
	case numbers == c.values && c.imprecise.n == 0:
		return sqlType{base: "FLOAT", kind: kindFloat}
	case numbers == c.values:
		return sqlType{base: "DOUBLE", kind: kindFloat}
	case c.dates == c.values && c.dateForm.time == timeNone:
		return sqlType{base: "DATE", kind: kindDate}
	case c.dates == c.values:
		return sqlType{base: "DATETIME", kind: kindDate}
	}
	return varchar(max(c.length, c.measured))
}

// join is the type that holds what both of two readings of a column found.
func join(a, b sqlType, length int) sqlType {
	if a.base == b.base && len(a.args) == 0 {
		return a
	}
	return varchar(max(length, a.length(), b.length()))
}

func varchar(n int) sqlType {
	if n > maxVarchar {
		return sqlType{base: "TEXT", kind: kindText}
	}
	return sqlType{base: "VARCHAR", kind: kindText, args: []int{max(n, 1)}}
}

// measure is the length that the ingestor's validator finds in one of its chunks. It measures what pandas made of the
// cells: where all are numbers, 01234 is 1234, and 1234.0 if a cell is empty (contract/ingestor.md 2.0, "VARCHAR(n)").
type measure struct {
	values, integers, numbers, booleans int64
	missing                             bool
	raw, asInteger, asFloat             int
}

// observe measures a cell of length characters; exact asks for the length of a float to the digit, which is slow.
func (m *measure) observe(cell []byte, length int, n number, exact bool) {
	m.values++
	m.raw = max(m.raw, length)
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
		if pandasBool(cell) {
			m.booleans++
		}
		return
	}
	if m.numbers < m.values {
		return // no column of numbers any more
	}
	switch {
	case exact:
		m.asFloat = max(m.asFloat, len(n.pythonFloat()))
	case n.kind == integer && n.i > -1e15 && n.i < 1e15:
		m.asFloat = max(m.asFloat, n.pythonIntLength()+len(".0"))
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
