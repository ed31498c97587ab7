package preflight

import (
	"bytes"
	"io"
	"unicode/utf8"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// textFacts is what rules need to know of a text. It is small, because there may be very many.
type textFacts struct {
	badAt, nulAt int64 // the first byte that is not UTF-8, and the first NUL, from 1; 0 for none
	words        int   // as Python's split() finds them; not counted in plain texts
	fields       int   // between tabs
	blank        uint8 // a bit for each of the first fields that is empty or blank
	read         bool
	bom          bool
	solid        bool // a character is no blank
	lines        bool // a line break stands between other characters
}

// textReader finds the facts of a text, block by block. Line ends may be of any kind: Python reads them all alike.
type textReader struct {
	facts   textFacts
	utf8    dataset.UTF8Checker
	offset  int64
	rest    []byte // a character that the end of a block cut
	record  bool   // fields are wanted
	plain   bool   // neither fields nor words are
	inWord  bool
	begun   bool // a character other than a line end came
	ended   bool // and a line end behind it
	filled  bool // the field has a character that is no blank
	stopped bool // the text is not UTF-8 from here on
}

// readText reads a text to its end, through the block, and finds what its form has rules about. An error of reading ends
// it like the end of the text: it is the caller's to report.
func readText(r io.Reader, form textForm, block []byte) textFacts {
	t := &textReader{record: form.fields != nil, plain: form.fields == nil && !form.words}
	for {
		n, err := r.Read(block)
		t.write(block[:n])
		if err != nil {
			break
		}
	}
	if at, bad := t.utf8.Invalid(); bad {
		t.facts.badAt = at + 1
	}
	if t.begun {
		t.endField()
	}
	t.facts.read = true
	return t.facts
}

func (t *textReader) write(block []byte) {
	if t.offset == 0 && len(block) > 0 {
		t.facts.bom = bytes.HasPrefix(block, []byte("\xef\xbb\xbf"))
	}
	if at := bytes.IndexByte(block, 0); at >= 0 && t.facts.nulAt == 0 {
		t.facts.nulAt = t.offset + int64(at) + 1
	}
	t.offset += int64(len(block))
	// The checker never fails.
	_, _ = t.utf8.Write(block)
	if t.plain && t.facts.solid {
		return
	}
	if len(t.rest) > 0 {
		block = append(t.rest, block...)
		t.rest = nil
	}
	for len(block) > 0 && !t.stopped {
		r, size := rune(block[0]), 1
		if r >= utf8.RuneSelf {
			if !utf8.FullRune(block) {
				t.rest = bytes.Clone(block)
				return
			}
			if r, size = utf8.DecodeRune(block); r == utf8.RuneError && size == 1 {
				t.stopped = true
				return
			}
		}
		block = block[size:]
		t.character(r)
	}
}

func (t *textReader) character(r rune) {
	blank := pythonSpace(r)
	if !blank && !t.inWord {
		t.facts.words++
	}
	t.inWord = !blank
	t.facts.solid = t.facts.solid || !blank
	if !t.record {
		return
	}
	switch {
	case r == '\n' || r == '\r':
		t.ended = t.begun
		return
	case t.ended:
		t.facts.lines = true
	}
	t.begun = true
	if r == '\t' {
		t.endField()
		return
	}
	t.filled = t.filled || !blank
}

func (t *textReader) endField() {
	if !t.filled && t.facts.fields < 8 {
		t.facts.blank |= 1 << t.facts.fields
	}
	t.facts.fields++
	t.filled = false
}
