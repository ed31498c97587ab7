package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// MaxRecord is the number of bytes that the parser keeps of one record. No column of a table holds nearly as much;
// the bound is what an unclosed quote in a big file is stopped by.
const MaxRecord = 16 << 20

// MaxFields is the number of fields that the parser keeps of one record. No table has nearly as many; the bound is for
// files of delimiters alone, each of which would take more memory than it takes in the file.
const MaxFields = 100_000

// CSVOptions say how a CSV is written. Quote and Escape may be 0 for none.
type CSVOptions struct {
	Delimiter, Quote, Escape byte
}

// DefaultCSV is how the ingestor's validators read a CSV: comma, double quote, no escape character
// (contract/ingestor.md 2.0, "Two different CSV readings").
func DefaultCSV() CSVOptions { return CSVOptions{Delimiter: ',', Quote: '"'} }

// Record is one record of a CSV. Its bytes are valid until the next record.
type Record struct {
	// Line is the physical line, from 1, on which the record starts.
	Line int64
	// Cut is true when the record was longer than MaxRecord, or had more than MaxFields fields, and the rest of it was
	// dropped.
	Cut bool

	data []byte
	// starts are where the fields start in data; empty when each starts where the one before ends.
	starts, ends []int
}

// Len is the number of fields.
func (r *Record) Len() int { return len(r.ends) }

// Field returns the i-th field, unquoted; nil beyond the last one, which is how a short row is read.
func (r *Record) Field(i int) []byte {
	if i < 0 || i >= len(r.ends) {
		return nil
	}
	from := 0
	switch {
	case len(r.starts) > 0:
		from = r.starts[i]
	case i > 0:
		from = r.ends[i-1]
	}
	return r.data[from:r.ends[i]:r.ends[i]]
}

// Contains reports whether a byte stands in any field.
func (r *Record) Contains(c byte) bool {
	if bytes.IndexByte(r.data, c) < 0 {
		return false
	}
	for i := range r.ends {
		if bytes.IndexByte(r.Field(i), c) >= 0 {
			return true
		}
	}
	return false
}

// CopyFrom makes r a copy of other that shares no memory with it.
func (r *Record) CopyFrom(other *Record) {
	r.Line, r.Cut = other.Line, other.Cut
	r.data = append(r.data[:0], other.data...)
	r.starts = append(r.starts[:0], other.starts...)
	r.ends = append(r.ends[:0], other.ends...)
}

// Strings copies the fields.
func (r *Record) Strings() []string {
	out := make([]string, r.Len())
	for i := range out {
		out[i] = string(r.Field(i))
	}
	return out
}

// LineEnds counts how the records of a CSV end.
type LineEnds struct {
	LF, CRLF, CR int64
}

// ErrStop ends a parse without being an error: a handler returns it when it has seen enough.
var ErrStop = errors.New("stop")

// UnclosedError says that a CSV ends inside a quoted field, or right behind an escape character.
type UnclosedError struct {
	// Line is where the field's record starts.
	Line int64
	// Escape is true when the file ends behind an escape character outside quotes.
	Escape bool
}

func (e *UnclosedError) Error() string {
	if e.Escape {
		return fmt.Sprintf("line %d: the file ends behind an escape character", e.Line)
	}
	return fmt.Sprintf("line %d: a quoted field is never closed", e.Line)
}

// Parser reads a CSV as pandas' C parser does (contract/ingestor.md 2.0): quotes count only where a field starts, a
// doubled quote is one quote, text behind a closing quote is taken on, blank lines are skipped, and LF, CRLF and a lone
// CR all end a record. Unlike encoding/csv it accepts any number of fields, which is for the caller to judge.
//
// It is fed blocks of any size with Write, and hands out each record once. It keeps one record in memory.
type Parser struct {
	handle func(*Record) error
	opts   CSVOptions
	plain  [256]bool // bytes that need no look inside an unquoted field
	whole  scanner
	state  state
	record Record
	head   []byte // the first bytes, until it is known whether they are a byte order mark
	begun  bool
	line   int64
	lastCR bool // the byte before was a CR: an LF now belongs to it
	ends   LineEnds
	bom    bool
}

// NewParser makes a parser that calls handle for every record, the header among them.
func NewParser(opts CSVOptions, handle func(*Record) error) *Parser {
	p := &Parser{handle: handle, line: 1}
	p.setOptions(opts)
	return p
}

func (p *Parser) setOptions(opts CSVOptions) {
	p.opts = opts
	p.whole = newScanner(opts)
	for i := range p.plain {
		p.plain[i] = true
	}
	p.plain['\n'], p.plain['\r'], p.plain[opts.Delimiter] = false, false, false
	if opts.Escape != 0 {
		p.plain[opts.Escape] = false
	}
}

// Fork returns a parser that goes on from where p stands, with other options and another handler. The two agree as
// long as nothing that the options differ in has been fed to p.
func (p *Parser) Fork(opts CSVOptions, handle func(*Record) error) *Parser {
	f := *p
	f.handle = handle
	f.head = slices.Clone(p.head)
	f.record = Record{}
	f.record.CopyFrom(&p.record)
	f.setOptions(opts)
	return &f
}

// BOM reports whether the file starts with a UTF-8 byte order mark, which is skipped.
func (p *Parser) BOM() bool { return p.bom }

// LineEnds returns how the records so far ended.
func (p *Parser) LineEnds() LineEnds { return p.ends }

// Write parses the next block. It returns the error of the handler.
func (p *Parser) Write(block []byte) (int, error) {
	n := len(block)
	if !p.begun {
		p.head = append(p.head, block...)
		if len(p.head) < len(bom) && bytes.HasPrefix(bom, p.head) {
			return n, nil
		}
		block = p.begin()
	}
	if err := p.parse(block); err != nil {
		return 0, err
	}
	return n, nil
}

var bom = []byte("\xef\xbb\xbf")

func (p *Parser) begin() []byte {
	p.begun = true
	block := p.head
	p.head = nil
	p.bom = bytes.HasPrefix(block, bom)
	return bytes.TrimPrefix(block, bom)
}

// Close ends the last record. It gives an *UnclosedError when the file ends inside a quoted field.
func (p *Parser) Close() error {
	if !p.begun {
		if err := p.parse(p.begin()); err != nil {
			return err
		}
	}
	switch p.state {
	case startRecord, blankLine, skipLF:
		return nil
	case inQuotes, escapedInQuotes:
		return &UnclosedError{Line: p.record.Line}
	case escaped:
		return &UnclosedError{Line: p.record.Line, Escape: true}
	case startField, inField, quoteInQuotes:
		p.endField()
	case afterCR:
		p.ends.CR++
	}
	return p.endRecord()
}
