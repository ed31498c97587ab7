// Package pyjson reads JSON as Python's json module does, which reads it for the ingestor: NaN and the infinities are numbers,
// and of equal keys the last one counts. Reader walks through documents of any length, Parse keeps a short one.
package pyjson

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Limits of a JSON document. Python gives up where values are nested beyond its own limit, and reads no longer integers.
const (
	maxDepth = 950
	maxText  = 256 // bytes that are kept of a string
	// maxDigits is how many digits Python's int() takes of a text.
	maxDigits = 4300
)

// SyntaxError is a breach of the rules of JSON.
type SyntaxError struct {
	// Line is where it is, from 1.
	Line int64
	// Problem says what is wrong, fit for a terminal.
	Problem string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Problem) }

// errUnread stands for an error of the reader, which its owner keeps.
var errUnread = errors.New("the document cannot be read")

// Reader reads a JSON document of any length as Python's json module does, which takes NaN and Infinity, and of equal
// keys the last. It holds no value in memory: the caller walks through the document, and says what to skip.
type Reader struct {
	r     *bufio.Reader
	line  int64
	depth int
	err   error // the first
}

// NewReader starts at the beginning of a document.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 64<<10), line: 1}
}

func (j *Reader) fail(format string, args ...any) {
	if j.err == nil {
		j.err = &SyntaxError{Line: j.line, Problem: fmt.Sprintf(format, args...)}
	}
}

// next reads a character; -1 at the end, and after an error.
func (j *Reader) next() rune {
	if j.err != nil {
		return -1
	}
	r, size, err := j.r.ReadRune()
	switch {
	case errors.Is(err, io.EOF):
		return -1
	case err != nil:
		j.err = errUnread
		return -1
	case r == utf8.RuneError && size == 1:
		j.fail("not valid UTF-8")
		return -1
	case r == '\n':
		j.line++
	}
	return r
}

// peek returns the next character that is no blank, without reading it.
func (j *Reader) peek() rune {
	for {
		r := j.next()
		switch r {
		case ' ', '\t', '\n', '\r':
		case -1:
			return -1
		default:
			// It was read just now, so it can be unread.
			_ = j.r.UnreadRune()
			return r
		}
	}
}

// take reads the next character that is no blank.
func (j *Reader) take() rune {
	if j.peek() == -1 {
		return -1
	}
	return j.next()
}

// Kind is the kind of the value that comes next.
func (j *Reader) Kind() Kind {
	switch j.peek() {
	case '{':
		return Object
	case '[':
		return Array
	case '"':
		return String
	}
	return Other
}

// End is what the document must have behind its value: nothing.
func (j *Reader) End() error {
	if j.peek() != -1 {
		j.fail("something stands behind the end of the document")
	}
	return j.err
}

// Object reads an object; value must read the value of each key.
func (j *Reader) Object(value func(key string)) {
	j.items('{', '}', func() {
		if j.Kind() != String {
			j.fail("a key in double quotes is missing")
			return
		}
		key := j.Text()
		if j.take() != ':' {
			j.fail("a colon is missing behind a key")
			return
		}
		value(key)
	})
}

// Array reads an array; value must read each value.
func (j *Reader) Array(value func()) { j.items('[', ']', value) }

// items reads what stands between brackets, parted by commas.
func (j *Reader) items(open, shut rune, item func()) {
	if j.take() != open {
		j.fail("%q is missing", open)
		return
	}
	if j.depth++; j.depth > maxDepth {
		j.fail("values are nested more than %d deep", maxDepth)
	}
	defer func() { j.depth-- }()
	if j.peek() == shut {
		j.take()
		return
	}
	for j.err == nil {
		item()
		switch j.take() {
		case ',':
		case shut:
			return
		default:
			j.fail("a comma or %q is missing", shut)
		}
	}
}
