package preflight

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Limits of a JSON document. Python gives up where values are nested beyond its own limit, and reads no longer integers.
const (
	maxJSONDepth = 950
	maxJSONText  = 256 // bytes that are kept of a string
)

// jsonKind is the kind of a JSON value.
type jsonKind uint8

const (
	jsonOther jsonKind = iota // a number, true, false, null, and what is no value
	jsonObject
	jsonArray
	jsonString
)

// jsonError is a breach of the rules of JSON.
type jsonError struct {
	line    int64
	problem string
}

func (e *jsonError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.problem) }

// errJSONUnread stands for an error of the reader, which its owner keeps.
var errJSONUnread = errors.New("the document cannot be read")

// jsonReader reads a JSON document of any length as Python's json module does, which takes NaN and Infinity, and of equal
// keys the last. It holds no value in memory: the caller walks through the document, and says what to skip.
type jsonReader struct {
	r     *bufio.Reader
	line  int64
	depth int
	err   error // the first
}

func newJSONReader(r io.Reader) *jsonReader {
	return &jsonReader{r: bufio.NewReaderSize(r, 64<<10), line: 1}
}

func (j *jsonReader) fail(format string, args ...any) {
	if j.err == nil {
		j.err = &jsonError{line: j.line, problem: fmt.Sprintf(format, args...)}
	}
}

// next reads a character; -1 at the end, and after an error.
func (j *jsonReader) next() rune {
	if j.err != nil {
		return -1
	}
	r, size, err := j.r.ReadRune()
	switch {
	case errors.Is(err, io.EOF):
		return -1
	case err != nil:
		j.err = errJSONUnread
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
func (j *jsonReader) peek() rune {
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
func (j *jsonReader) take() rune {
	if j.peek() == -1 {
		return -1
	}
	return j.next()
}

// kind is the kind of the value that comes next.
func (j *jsonReader) kind() jsonKind {
	switch j.peek() {
	case '{':
		return jsonObject
	case '[':
		return jsonArray
	case '"':
		return jsonString
	}
	return jsonOther
}

// end is what the document must have behind its value: nothing.
func (j *jsonReader) end() error {
	if j.peek() != -1 {
		j.fail("something stands behind the end of the document")
	}
	return j.err
}

// object reads an object; value must read the value of each key.
func (j *jsonReader) object(value func(key string)) {
	j.items('{', '}', func() {
		if j.kind() != jsonString {
			j.fail("a key in double quotes is missing")
			return
		}
		key := j.text()
		if j.take() != ':' {
			j.fail("a colon is missing behind a key")
			return
		}
		value(key)
	})
}

// array reads an array; value must read each value.
func (j *jsonReader) array(value func()) { j.items('[', ']', value) }

// items reads what stands between brackets, parted by commas.
func (j *jsonReader) items(open, shut rune, item func()) {
	if j.take() != open {
		j.fail("%q is missing", open)
		return
	}
	if j.depth++; j.depth > maxJSONDepth {
		j.fail("values are nested more than %d deep", maxJSONDepth)
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
