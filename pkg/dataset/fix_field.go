package dataset

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// recordReader reads one record at a time, in one reading.
type recordReader struct {
	parser *Parser
	record *Record // where the record goes
	seen   int
}

func newRecordReader(opts CSVOptions) *recordReader {
	r := &recordReader{}
	r.parser = NewParser(opts, func(got *Record) error {
		r.seen++
		r.record.CopyFrom(got)
		return nil
	})
	return r
}

// read reads a record without its end into to, and counts the records that the reading sees there. It is false when
// the reading sees an open quote, or a line end, or keeps only a part of the record.
func (r *recordReader) read(body []byte, to *Record) (seen int, closed bool) {
	// The parser starts where a record starts that is not the first, so that it knows no byte order mark.
	p := r.parser
	p.begun, p.state, p.lastCR, p.ends = true, startRecord, false, LineEnds{}
	to.CopyFrom(&Record{})
	r.record, r.seen = to, 0
	// The handler never fails, and neither does the parser then.
	_, _ = p.Write(body)
	closed = p.Close() == nil && p.LineEnds() == LineEnds{} && !to.Cut
	return r.seen, closed && r.seen <= 1
}

// span is a part of a record: from the first byte to the one behind the last.
type span struct{ from, to int }

// spans are the places of the fields of a record as they are written, quotes and all. The record must be one that the
// reading sees as one.
func spans(body []byte, opts CSVOptions) []span {
	l := newLexer(opts)
	var all []span
	start := 0
	for i, c := range body {
		if l.step(c); l.state == startField {
			all = append(all, span{start, i})
			start = i + 1
		}
	}
	return append(all, span{start, len(body)})
}

// edit is what a repair of a record changes.
type edit struct {
	// drop is true when the last field goes.
	drop bool
	// from and to bound the fields that lose the blanks around them.
	from, to int
}

// becomes reports whether the records of one reading, before and after, differ in nothing but the edit.
func (e edit) becomes(before, after *Record) bool {
	n := before.Len()
	if e.drop {
		n--
		if last := before.Field(n); len(last) > 0 && (!e.trims(n) || len(trimmedName(last)) > 0) {
			return false
		}
	}
	if n < 1 || after.Len() != n {
		return false
	}
	for i := range n {
		had, has := before.Field(i), after.Field(i)
		if !bytes.Equal(had, has) && (!e.trims(i) || !bytes.Equal(trimmedName(had), has)) {
			return false
		}
	}
	return true
}

func (e edit) trims(i int) bool { return e.from <= i && i < e.to }

// trimmedName trims what the ingestor strips from a name, but for line ends: a repair keeps the lines.
func trimmedName(b []byte) []byte {
	return bytes.TrimFunc(b, func(r rune) bool { return unicode.IsSpace(r) && r != '\n' && r != '\r' })
}

// mayTrim is a cheap test for fields that trimmedName cannot change.
func mayTrim(b []byte) bool {
	edge := func(c byte) bool { return c <= ' ' || c >= utf8.RuneSelf }
	return len(b) > 0 && (edge(b[0]) || edge(b[len(b)-1]))
}

// trimField is a field without the blanks around it, as it is written; nil when there are none, when nothing else is in
// it, or when it is not plain or quoted as a whole.
func trimField(field []byte, opts CSVOptions) []byte {
	if opts.Escape != 0 && bytes.IndexByte(field, opts.Escape) >= 0 {
		return nil
	}
	text := field
	last := len(field) - 1
	quoted := opts.Quote != 0 && last > 0 && field[0] == opts.Quote && field[last] == opts.Quote
	switch {
	case quoted:
		text = field[1:last]
	case bytes.IndexByte(field, opts.Quote) >= 0 && opts.Quote != 0, bytes.IndexByte(field, DefaultCSV().Quote) >= 0:
		return nil
	}
	trimmed := trimmedName(text)
	if len(trimmed) == len(text) || len(trimmed) == 0 {
		return nil
	}
	if !quoted {
		return trimmed
	}
	return append(append([]byte{opts.Quote}, trimmed...), opts.Quote)
}

// replaceSpan is a record with another text in the place of a field.
func replaceSpan(body []byte, s span, with []byte) []byte {
	out := make([]byte, 0, len(body)-(s.to-s.from)+len(with))
	out = append(out, body[:s.from]...)
	out = append(out, with...)
	return append(out, body[s.to:]...)
}

// strippedNames are the names of a header as the ingestor knows them.
func strippedNames(header *Record) []string {
	names := header.Strings()
	for i, name := range names {
		names[i] = strings.TrimSpace(name)
	}
	return names
}
