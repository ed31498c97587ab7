package dataset

import (
	"bytes"
	"slices"
)

// fieldFixer repairs the fields of one record after the other. The first one is the header.
type fieldFixer struct {
	opts       FixOptions
	boundaries *boundaries
	// readings are the ingestion's and the validators'. The second has columns of its own when its delimiter differs.
	readings    [2]*recordReader
	sameColumns bool
	empty       [][]byte // the ways in which an empty last field is written, with the delimiter before it

	started bool
	off     bool // the readings see different headers: fields stay as they are
	want    int  // the number of columns
	nameAt  int  // the filename column, -1 for none
	begun   bool // the first row was seen
	// extra is true when the first row has an empty field too many, so that rows are meant to end in a delimiter. In a later
	// row alone it may as well be a delimiter that was never quoted beside a value that is missing.
	extra bool

	before, after [2]Record // room for what the readings see
}

func newFieldFixer(opts FixOptions, b *boundaries) fieldFixer {
	return fieldFixer{
		opts: opts, boundaries: b, nameAt: -1,
		readings:    [2]*recordReader{newRecordReader(opts.CSV), newRecordReader(DefaultCSV())},
		sameColumns: opts.CSV.Delimiter == DefaultCSV().Delimiter,
		empty:       emptyEnds(opts.CSV),
	}
}

// skip passes over a record that cannot be looked into. Without a header nothing is known of the rows.
func (x *fieldFixer) skip() {
	if !x.started {
		x.started, x.off = true, true
	}
}

// sees is the number of readings that may see different things in a record.
func (x *fieldFixer) sees(body []byte) int {
	escape := x.opts.CSV.Escape
	if x.boundaries.always || (escape != 0 && bytes.IndexByte(body, escape) >= 0) {
		return 2
	}
	return 1
}

// read reads a record in the readings that may differ. It is false unless each sees one record there; the validators'
// may see none where it has other columns.
func (x *fieldFixer) read(body []byte, to *[2]Record) (readings int, ok bool) {
	readings = x.sees(body)
	for i := range readings {
		seen, closed := x.readings[i].read(body, &to[i])
		if !closed || (seen != 1 && (i == 0 || x.sameColumns)) {
			return 0, false
		}
	}
	return readings, true
}

// allows reports whether a repair changes nothing but the edit in either reading. before must hold the record.
func (x *fieldFixer) allows(readings int, after []byte, e edit) bool {
	for i := range readings {
		seen, closed := x.readings[i].read(after, &x.after[i])
		switch {
		case !closed:
			return false
		case i == 0 || x.sameColumns:
			if seen != 1 || !e.becomes(&x.before[i], &x.after[i]) {
				return false
			}
		case x.before[i].Len() != x.after[i].Len():
			return false
		}
	}
	return true
}

// fit says how a row fits the header.
type fit uint8

const (
	fitOther fit = iota
	fitWell      // no field too many
	fitExtra     // one field too many, which is empty and can be dropped
	fitOver      // one field too many, which must stay
)

// trailing tells how a row fits a number of columns, and gives the row without its last field if that is to be dropped.
func (x *fieldFixer) trailing(body []byte, want int, plain bool) (fit, []byte) {
	if plain {
		return x.plainTrailing(body, want)
	}
	readings, ok := x.read(body, &x.before)
	if !ok {
		return fitOther, nil
	}
	n := x.before[0].Len()
	agree := readings == 1 || !x.sameColumns || x.before[1].Len() == n
	switch {
	case n <= want && agree:
		return fitWell, nil
	case n != want+1:
		return fitOther, nil
	case !agree:
		return fitOver, nil
	}
	for _, end := range x.empty {
		rest, cut := bytes.CutSuffix(body, end)
		if !cut {
			continue
		}
		if rest, ok = x.row(rest); ok && x.allows(readings, rest, edit{drop: true}) {
			return fitExtra, rest
		}
	}
	return fitOver, nil
}

// plainTrailing is trailing for a row in which no byte has a meaning but the delimiter.
func (x *fieldFixer) plainTrailing(body []byte, want int) (fit, []byte) {
	n := bytes.Count(body, []byte{x.opts.CSV.Delimiter}) + 1
	last := len(body) - 1
	switch {
	case n <= want:
		return fitWell, nil
	case n > want+1:
		return fitOther, nil
	case body[last] == x.opts.CSV.Delimiter:
		if rest, ok := x.row(body[:last]); ok {
			return fitExtra, rest
		}
	}
	return fitOver, nil
}

func emptyEnds(o CSVOptions) [][]byte {
	ends := [][]byte{{o.Delimiter}}
	if o.Quote != 0 {
		ends = append(ends, []byte{o.Delimiter, o.Quote, o.Quote})
	}
	return ends
}

// endsEmpty is a cheap test for rows whose last field is not empty.
func (x *fieldFixer) endsEmpty(body []byte) bool {
	return slices.ContainsFunc(x.empty, func(end []byte) bool { return bytes.HasSuffix(body, end) })
}

// row keeps what is left of a row from being read as a blank line: a blank only field is quoted.
func (x *fieldFixer) row(rest []byte) ([]byte, bool) {
	if !blankLineOf(rest, x.opts.CSV) {
		return rest, true
	}
	if !x.sameColumns || x.opts.CSV.Quote != DefaultCSV().Quote {
		return nil, false
	}
	quote := []byte{x.opts.CSV.Quote}
	return bytes.Join([][]byte{quote, rest, quote}, nil), true
}

// trimName trims the cell of the filename column where only the trimmed name is known.
func (x *fieldFixer) trimName(body []byte) ([]byte, bool) {
	if x.nameAt < 0 {
		return nil, false
	}
	cell, plain := x.plainField(body, x.nameAt)
	if plain && !mayTrim(cell) {
		return nil, false
	}
	readings, ok := x.read(body, &x.before)
	if !ok || x.nameAt >= x.before[0].Len() {
		return nil, false
	}
	name := x.before[0].Field(x.nameAt)
	if readings == 2 && x.sameColumns && !bytes.Equal(name, x.before[1].Field(x.nameAt)) {
		return nil, false
	}
	trimmed := trimmedName(name)
	if len(trimmed) == len(name) || len(trimmed) == 0 || x.opts.Known(name) || !x.opts.Known(trimmed) {
		return nil, false
	}
	at := spans(body, x.opts.CSV)[x.nameAt]
	field := trimField(body[at.from:at.to], x.opts.CSV)
	if field == nil {
		return nil, false
	}
	after := replaceSpan(body, at, field)
	return after, x.allows(readings, after, edit{from: x.nameAt, to: x.nameAt + 1})
}

// plainField is a field of a record in which no byte has a meaning but the delimiter; false for any other record.
func (x *fieldFixer) plainField(body []byte, i int) ([]byte, bool) {
	if !x.boundaries.plain(body) {
		return nil, false
	}
	for ; i >= 0; i-- {
		d := bytes.IndexByte(body, x.opts.CSV.Delimiter)
		switch {
		case i > 0 && d < 0:
			return nil, true
		case i > 0:
			body = body[d+1:]
		case d >= 0:
			return body[:d], true
		}
	}
	return body, true
}
