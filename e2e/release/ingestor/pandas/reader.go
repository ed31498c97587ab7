// Package pandas reads CSV files as pandas.read_csv does, as far as the ingestor depends on it: the tokenizer of its C
// engine, its missing values, and the types that it infers for a column (contract/ingestor.md §2.0).
package pandas

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Dialect is how a file is cut into fields. The zero value is comma, double quote and no escape character.
type Dialect struct {
	Delimiter, Quote, Escape byte
	SkipLong                 bool // leave out rows with too many fields, as on_bad_lines="warn" does, instead of failing
}

// Cell is one field. Absent means that the row was too short and the field was made up.
type Cell struct {
	Text   string
	Absent bool
}

// Reader yields the rows below the header.
type Reader struct {
	in      *bufio.Reader
	dialect Dialect
	line    int // of the last row, 1-based, blank lines counted
	header  []string
	lead    int // index columns: the first data row has so many fields more than the header
	width   int
	pending []string
	done    bool
}

// ParserError is a file that pandas refuses to tokenize.
type ParserError struct{ Text string }

func (e *ParserError) Error() string { return "Error tokenizing data. C error: " + e.Text }

// EmptyError is a file without a header.
type EmptyError struct{}

func (EmptyError) Error() string { return "No columns to parse from file" }

// NewReader reads the header of r. A UTF-8 byte order mark is dropped.
func NewReader(r io.Reader, d Dialect) (*Reader, error) {
	if d.Delimiter == 0 {
		d.Delimiter = ','
	}
	if d.Quote == 0 {
		d.Quote = '"'
	}
	p := &Reader{in: bufio.NewReaderSize(r, 1<<16), dialect: d}
	if bom, err := p.in.Peek(3); err == nil && string(bom) == "\xef\xbb\xbf" {
		_, _ = p.in.Discard(3)
	}
	header, err := p.fields()
	if errors.Is(err, io.EOF) {
		return nil, EmptyError{}
	}
	if err != nil {
		return nil, err
	}
	p.header = header
	first, err := p.fields()
	switch {
	case errors.Is(err, io.EOF):
		p.done = true
	case err != nil:
		return nil, err
	}
	p.pending = first
	p.width = max(len(header), len(first))
	p.lead = p.width - len(header)
	return p, nil
}

// Header is the names as they stand in the file, with pandas' names for blank ones.
func (p *Reader) Header() []string {
	names := make([]string, len(p.header))
	for i, n := range p.header {
		names[i] = n
		if n == "" {
			names[i] = fmt.Sprintf("Unnamed: %d", i)
		}
	}
	return names
}

// Next is the next row in the order of the header, io.EOF after the last one.
func (p *Reader) Next() ([]Cell, error) {
	if p.done {
		return nil, io.EOF
	}
	fields := p.pending
	p.pending = nil
	for fields == nil || len(fields) > p.width && p.dialect.SkipLong {
		var err error
		if fields, err = p.fields(); err != nil {
			p.done = true
			return nil, err
		}
	}
	if len(fields) > p.width {
		p.done = true
		return nil, &ParserError{Text: fmt.Sprintf("Expected %d fields in line %d, saw %d", p.width, p.line, len(fields))}
	}
	row := make([]Cell, len(p.header))
	for i := range row {
		if at := i + p.lead; at < len(fields) {
			row[i].Text = fields[at]
		} else {
			row[i].Absent = true
		}
	}
	return row, nil
}

type state int

const (
	startField state = iota
	inField
	inQuotes
	quoteInQuotes
)

// fields reads one logical line, skipping blank ones. It returns io.EOF when there is none left.
func (p *Reader) fields() ([]string, error) {
	var (
		fields []string
		field  strings.Builder
		st     = startField
		some   bool // something other than a line end was read
		start  = p.line
	)
	for {
		c, err := p.in.ReadByte()
		if errors.Is(err, io.EOF) {
			if st == inQuotes {
				return nil, &ParserError{Text: fmt.Sprintf("EOF inside string starting at row %d", start)}
			}
			if !some {
				return nil, io.EOF
			}
			p.line++
			return append(fields, field.String()), nil
		}
		if err != nil {
			return nil, err
		}
		if st != inQuotes && (c == '\n' || c == '\r') {
			p.lineEnd(c)
			if !some {
				continue
			}
			return append(fields, field.String()), nil
		}
		some = true
		if p.dialect.Escape != 0 && c == p.dialect.Escape && st != quoteInQuotes {
			if next, err := p.in.ReadByte(); err == nil {
				field.WriteByte(next)
			}
			if st == startField {
				st = inField
			}
			continue
		}
		var ended bool
		if st, ended = p.step(st, c, &field); ended {
			fields = append(fields, field.String())
			field.Reset()
		}
	}
}

// step handles one ordinary character and says whether it ended the field.
func (p *Reader) step(st state, c byte, field *strings.Builder) (next state, ended bool) {
	quote, delimiter := c == p.dialect.Quote, c == p.dialect.Delimiter
	switch st {
	case startField:
		if quote {
			return inQuotes, false
		}
	case inQuotes:
		if quote {
			return quoteInQuotes, false
		}
		field.WriteByte(c)
		return inQuotes, false
	case quoteInQuotes:
		if quote {
			field.WriteByte(c)
			return inQuotes, false
		}
	}
	if delimiter {
		return startField, true
	}
	field.WriteByte(c)
	return inField, false
}

// lineEnd counts a line and swallows the second byte of a CRLF.
func (p *Reader) lineEnd(c byte) {
	p.line++
	if c != '\r' {
		return
	}
	if next, err := p.in.Peek(1); err == nil && next[0] == '\n' {
		_, _ = p.in.Discard(1)
	}
}
