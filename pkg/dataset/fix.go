package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// FixOptions say how a CSV is written, and which repairs have one safe meaning for it.
type FixOptions struct {
	// CSV is the ingestion's dialect. The validators' reading is always DefaultCSV.
	CSV CSVOptions
	// Filename is the column whose padded cells are trimmed; "" for none.
	Filename string
	// Known reports whether a cell of that column names a file as it stands. It must give the same answer for the same
	// name every time, and must not keep the name. Without it no cell is trimmed.
	Known func(name []byte) bool
}

// Fixer passes a CSV on with the repairs that have one safe meaning (contract/ingestor.md 2.0):
//
//   - A byte order mark at the start is dropped.
//   - Record ends become one kind: that of the first record, LF where it is a lone CR.
//   - Blanks around column names are trimmed, unless two names would be equal then.
//   - A last column without a name is dropped from the header when the first row has nothing in it.
//   - An empty last field is dropped from rows that have one field more than the header, if the first row has it too.
//   - Blanks around file names are trimmed, where only the trimmed name is one of a file.
//
// A row that holds something in the column that was dropped stays as it is: it has a field too many then, which the
// preflight of the repaired CSV refuses. Nothing is dropped silently.
//
// Every byte that is not part of a repair passes through unchanged. A field is rewritten only where both readings of the
// ingestor, with the escape character and without, see the same before and after but for the repair; so records longer
// than 1 MiB, open quotes and escaped delimiters stay as they are. Physical lines keep their numbers.
//
// It is fed blocks of any size with Write; what comes out does not depend on how the CSV was cut. It keeps one record in
// memory, or the start of a longer one.
type Fixer struct {
	opts    FixOptions
	out     *bufio.Writer
	err     error // of out
	repairs Repairs

	head  []byte // the first bytes, until it is known whether they are a byte order mark
	begun bool
	raw   bool // the dialect cannot be followed: all passes through

	boundaries boundaries
	carry      []byte // of the record that the blocks before began
	long       bool   // the record is longer than maxFixed, and its start is written already
	plain      bool   // the record was found to be a plain line already
	odd        bool   // the record starts with a byte that a reading takes for a part of the line end before it
	behindCR   bool   // the record stands behind a lone CR in out
	end        ending // what records end in; noEnd until the first one did
	line       lineCounter

	fields fieldFixer
	hold   *heldHeader // nil when nothing is held back
}

// maxFixed is the number of bytes of a record up to which its fields are repaired. A row of a table is far shorter, and
// the readings of a record take several times its size.
const maxFixed = 1 << 20

// NewFixer makes a Fixer that writes the repaired CSV to out. Close ends it.
func NewFixer(opts FixOptions, out io.Writer) *Fixer {
	f := &Fixer{opts: opts, out: bufio.NewWriterSize(out, 64<<10), raw: !followable(opts.CSV), line: lineCounter{line: 1}}
	if !f.raw {
		f.boundaries = newBoundaries(opts.CSV)
		f.fields = newFieldFixer(opts, &f.boundaries)
	}
	return f
}

// followable reports whether the characters of a dialect are told from each other, and from line ends.
func followable(o CSVOptions) bool {
	lineEnd := func(c byte) bool { return c == '\n' || c == '\r' }
	if o.Delimiter == 0 || lineEnd(o.Delimiter) || lineEnd(o.Quote) || lineEnd(o.Escape) {
		return false
	}
	return o.Delimiter != o.Quote && o.Delimiter != o.Escape && (o.Quote != o.Escape || o.Quote == 0)
}

// Repairs tells what was changed so far.
func (f *Fixer) Repairs() Repairs { return f.repairs }

// Write repairs the next block. It returns the error of the writer below.
func (f *Fixer) Write(block []byte) (int, error) {
	n := len(block)
	if !f.begun {
		f.head = append(f.head, block...)
		if twice := append(bytes.Clone(bom), bom...); len(f.head) < len(twice) && bytes.HasPrefix(twice, f.head) {
			return n, nil
		}
		block = f.begin()
	}
	f.feed(block)
	if f.err != nil {
		return 0, f.err
	}
	return n, nil
}

// begin drops the mark. Of two marks none is dropped: readers skip the first and take the second for text, so that it
// would be skipped without the first.
func (f *Fixer) begin() []byte {
	f.begun = true
	block := f.head
	f.head = nil
	rest, marked := bytes.CutPrefix(block, bom)
	switch {
	case !marked:
		return block
	case bytes.HasPrefix(rest, bom):
		f.emit(bom)
	default:
		f.repairs.BOM = true
	}
	return rest
}

func (f *Fixer) feed(block []byte) {
	if f.raw {
		f.emit(block)
		return
	}
	for len(block) > 0 && f.err == nil {
		if f.boundaries.cr {
			f.plain = false
			end := f.boundaries.afterCR(block[0])
			f.record(nil, end)
			if end == endCRLF {
				block = block[1:]
			}
			continue
		}
		n, end := 0, noEnd
		if f.boundaries.fresh() && len(f.carry) == 0 && !f.long {
			n, end = f.boundaries.line(block)
		}
		f.plain = end != noEnd
		if end == noEnd {
			n, end = f.boundaries.scan(block)
		}
		if end == noEnd {
			f.keep(block[:n])
			return
		}
		f.record(block[:n], end)
		block = block[n+len(end.String()):]
	}
}

// keep carries a part of a record over to the next block.
func (f *Fixer) keep(part []byte) {
	if !f.long && len(f.carry)+len(part) > maxFixed {
		f.long = true
		f.release(false)
		f.emit(f.carry)
		f.line.count(f.carry)
		f.carry = nil
	}
	if f.long {
		f.emit(part)
		f.line.count(part)
		return
	}
	f.carry = append(f.carry, part...)
}

// record takes the last part of a record, and how it ends.
func (f *Fixer) record(part []byte, end ending) {
	body := part
	if len(f.carry) > 0 || f.long || len(part) > maxFixed {
		f.keep(part)
		body = f.carry
	}
	blank := !f.long && blankLineOf(body, f.opts.CSV)
	start, odd := f.line.line, end == keepCR
	fixed := body
	switch {
	case f.long || blank:
	case f.odd:
		f.fields.skip()
		f.release(false)
	default:
		fixed = f.fix(body)
	}
	f.emit(fixed)
	f.line.count(body)
	// Behind a CR that stayed what it is, an LF would become a part of that line end.
	if !f.line.lastCR && (len(body) > 0 || f.long || !f.behindCR) {
		end = f.endOf(end, blank, start)
	}
	f.emitEnd(end)
	f.behindCR = end == endCR || end == keepCR
	f.line.end(end)
	f.carry, f.odd = f.carry[:0], odd
	if f.long {
		f.fields.skip()
	}
	f.long = false
}

// emit writes to out, or behind the header that is held back.
func (f *Fixer) emit(b []byte) {
	if f.hold != nil {
		f.hold.behind = append(f.hold.behind, b...)
		if len(f.hold.behind) > maxFixed {
			f.release(false)
		}
		return
	}
	if f.err == nil {
		_, f.err = f.out.Write(b)
	}
}

func (f *Fixer) emitEnd(end ending) {
	if f.hold != nil {
		f.emit([]byte(end.String()))
	} else if f.err == nil {
		_, f.err = f.out.WriteString(end.String())
	}
}

// Close ends the last record, and writes what is left. It does not close the writer below.
func (f *Fixer) Close() error {
	if !f.begun {
		f.feed(f.begin())
	}
	f.plain = false
	switch {
	case f.raw:
	case f.boundaries.cr:
		f.boundaries.cr = false
		f.record(nil, endCR)
	case len(f.carry) > 0 || f.long:
		f.record(nil, noEnd)
	}
	f.release(true)
	if f.err == nil {
		f.err = f.out.Flush()
	}
	if f.err != nil {
		return f.err
	}
	f.err = errClosed
	return nil
}

var errClosed = errors.New("the repair has ended")
