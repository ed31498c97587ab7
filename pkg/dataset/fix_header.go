package dataset

import (
	"bytes"
	"slices"
)

// heldHeader is a header whose last column has no name. It waits for the first row, which tells whether there is such a
// column.
type heldHeader struct {
	whole, dropped []byte
	behind         []byte // what follows it: its end, and blank lines
	line           int64
}

// fix repairs the fields of the header or of a row, and returns what is to be written now.
func (f *Fixer) fix(body []byte) []byte {
	x := &f.fields
	if !x.started {
		return f.fixHeader(body)
	}
	if x.off {
		return body
	}
	plain := f.plain || f.boundaries.plain(body)
	if f.hold != nil {
		fit, _ := x.trailing(body, x.want-1, plain)
		f.release(fit == fitWell || fit == fitExtra)
	}
	if f.repairs.Column || x.extra || (!x.begun && x.endsEmpty(body)) {
		switch fit, rest := x.trailing(body, x.want, plain); {
		case fit == fitExtra:
			x.extra = true
			f.repairs.Trailing.add(f.line.line)
			body = rest
		case fit == fitOver && f.repairs.Column:
			f.repairs.Kept.add(f.line.line)
		}
	}
	x.begun = true
	if trimmed, ok := x.trimName(body); ok {
		f.repairs.Filenames.add(f.line.line)
		body = trimmed
	}
	return body
}

// fixHeader trims the names, and holds the header back when its last one is blank.
func (f *Fixer) fixHeader(body []byte) []byte {
	x := &f.fields
	x.started = true
	readings, ok := x.read(body, &x.before)
	if !ok {
		x.off = true
		return body
	}
	x.want = x.before[0].Len()
	if readings == 2 && x.sameColumns && x.before[1].Len() != x.want {
		x.off = true
		return body
	}
	names := strippedNames(&x.before[0])
	if f.opts.Filename != "" && f.opts.Known != nil {
		x.nameAt = slices.Index(names, f.opts.Filename)
	}
	if trimmed, n := x.trimNames(body, names); n > 0 && x.allows(readings, trimmed, edit{to: x.want}) {
		f.repairs.Headers = Repair{Count: int64(n), Line: f.line.line}
		body = trimmed
	}
	last := len(names) - 1
	if last < 1 || names[last] != "" {
		return body
	}
	dropped := body[:spans(body, x.opts.CSV)[last].from-1]
	if !x.allows(readings, dropped, edit{drop: true, to: x.want}) {
		return body
	}
	f.hold = &heldHeader{whole: bytes.Clone(body), dropped: bytes.Clone(dropped), line: f.line.line}
	return nil
}

// trimNames trims the blanks around column names, and counts the names that had some. Where a trimmed name is also that
// of another column, or a trimmed header would start with a byte order mark, no name is.
func (x *fieldFixer) trimNames(body []byte, names []string) ([]byte, int) {
	out := body
	count := 0
	for i, at := range slices.Backward(spans(body, x.opts.CSV)) { // from the last on, so that the places of the others stay true
		field := trimField(body[at.from:at.to], x.opts.CSV)
		if field == nil {
			continue
		}
		if slices.Index(names, names[i]) != i || slices.Contains(names[i+1:], names[i]) {
			return body, 0
		}
		out = replaceSpan(out, at, field)
		count++
	}
	if bytes.HasPrefix(out, bom) && !bytes.HasPrefix(body, bom) {
		return body, 0
	}
	return out, count
}

// release writes the header that is held back, without its last column or with it.
func (f *Fixer) release(drop bool) {
	if f.hold == nil {
		return
	}
	h := f.hold
	f.hold = nil
	header := h.whole
	if drop {
		header = h.dropped
		f.repairs.Column, f.repairs.ColumnLine = true, h.line
		f.fields.want--
	}
	f.emit(header)
	f.emit(h.behind)
}
