// Package expat reads XML as expat does, which parses for the ingestor: it accepts and refuses the same documents, whatever
// their encoding, and holds a few MiB of them in memory at most.
package expat

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of what is kept of a document. Nothing else of it is kept, however long it is.
const (
	maxName       = 4 << 10
	maxDepth      = 100_000
	maxAttributes = 10_000
	maxEntities   = 1 << 20 // characters of the values of all entities
	// maxHeld bounds what is held at once of names and namespaces: those of open elements, of the tag that is being read,
	// and of entities. Bindings and entities count for more than their text, because each may have very little.
	maxHeld     = 1 << 20 // bytes
	bindingSize = 64
	entitySize  = 128
	// Expansion of entities is cut off as expat does it.
	expansionFree   = 8 << 20
	expansionFactor = 100
)

// eof stands for the end of an input.
const eof rune = -1

// Events are told what a document holds. A nil error of start goes on.
type Events struct {
	// Start is given the name as Python's ElementTree writes it: "{namespace}name", or the bare name.
	Start func(name string, line int64) error
	End   func()
	Text  func(r rune)
}

// SyntaxError is a breach of the rules of XML.
type SyntaxError struct {
	// Line is where it is, from 1.
	Line int64
	// Problem says what is wrong, fit for a terminal.
	Problem string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Problem) }

// quoted makes a name of the document fit for a message: quoted, and cut.
func quoted(name string) string {
	const longest = 64
	for i, n := 0, 0; i < len(name); n++ {
		if n == longest {
			return strconv.Quote(name[:i] + "…")
		}
		_, width := utf8.DecodeRuneInString(name[i:])
		i += width
	}
	return strconv.Quote(name)
}

// errUnread stands for an error of the reader, which its owner keeps.
var errUnread = errors.New("the document cannot be read")

// parser reads a document as expat does, which parses for the ingestor. The decoder of encoding/xml is no match for it:
// it takes several roots, repeated attributes and unknown prefixes, refuses entities that the document defines, and holds
// a token of any length in memory.
type parser struct {
	events   Events
	inputs   []*stream // the document, then the entities that are being read
	wide     bool
	line     int64
	err      error // the first
	open     []element
	bindings []binding
	bound    map[string]int // the innermost binding of each prefix
	held     int            // bytes, as maxHeld bounds them
	rooted   bool           // the root was seen
	typed    bool           // a document type declaration was seen
	brackets int            // closing ones that were just read in text
	dtd      dtd
	direct   int64 // characters of the document
	expanded int64 // characters of entities

	attributes map[string]bool // of the element that is being read
}

// stream is the document or the value of an entity.
type stream struct {
	r      io.RuneReader
	entity *entity // nil for the document
	depth  int     // open elements when the input began
	unread []rune  // read next, from the last one
}

// element is an element that is not closed yet.
type element struct {
	name     string // as it is written
	bindings int    // before it
}

// Parse reads a whole document. It gives a *SyntaxError for a document that is none, errUnread for one that cannot be
// read, and the error of start.
func Parse(r *bufio.Reader, events Events) error {
	source, problem := newSource(r)
	if problem != "" {
		return &SyntaxError{Line: 1, Problem: problem}
	}
	p := &parser{events: events, wide: source.wide, line: 1, bound: map[string]int{}, attributes: map[string]bool{}}
	p.inputs = []*stream{{r: source}}
	p.declaration()
	for more := true; more && p.err == nil; {
		more = p.content()
	}
	return p.err
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = &SyntaxError{Line: p.line, Problem: fmt.Sprintf(format, args...)}
	}
}

// hold counts bytes that are held from here on.
func (p *parser) hold(bytes int) {
	if p.held += bytes; p.held > maxHeld {
		p.fail("the names and namespaces that must be held at once are longer than %d bytes", maxHeld)
	}
}

func (p *parser) input() *stream { return p.inputs[len(p.inputs)-1] }

// next reads a character of the innermost input; eof at its end, and after an error.
func (p *parser) next() rune {
	if p.err != nil {
		return eof
	}
	in := p.input()
	var r rune
	if last := len(in.unread) - 1; last >= 0 {
		r, in.unread = in.unread[last], in.unread[:last]
	} else {
		r = p.read(in)
	}
	if r == '\r' && in.entity == nil {
		// A line end is one character, however it is written.
		if after := p.read(in); after != '\n' && after != eof {
			in.unread = append(in.unread, after)
		}
		r = '\n'
	}
	if r == '\n' && in.entity == nil {
		p.line++
	}
	return r
}

// read is next without line ends.
func (p *parser) read(in *stream) rune {
	r, size, err := in.r.ReadRune()
	switch {
	case errors.Is(err, io.EOF):
		return eof
	case err != nil:
		p.err = errUnread
		return eof
	}
	if in.entity == nil {
		p.direct++
	}
	if (r == utf8.RuneError && size == 1) || !isChar(r) {
		p.fail("not well-formed: a character is not valid in XML or in the document's encoding")
		return eof
	}
	return r
}

// back unreads a character; the end needs none.
func (p *parser) back(r rune) {
	in := p.input()
	if r == eof {
		return
	}
	if r == '\n' && in.entity == nil {
		p.line--
	}
	in.unread = append(in.unread, r)
}

func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || (r >= 0x20 && r <= 0xd7ff) || (r >= 0xe000 && r <= 0xfffd) || (r >= 0x10000 && r <= 0x10ffff)
}

func isSpace(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' }

// isNameStart leaves out what lies beyond U+FFFF, as expat does.
func isNameStart(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_', r == ':':
		return true
	case r < 0xc0, r == 0xd7, r == 0xf7, r >= 0x300 && r < 0x370, r == 0x37e:
		return false
	}
	return r < 0x2000 || r == 0x200c || r == 0x200d || (r >= 0x2070 && r < 0x2190) || (r >= 0x2c00 && r < 0x2ff0) ||
		(r >= 0x3001 && r < 0xd800) || (r >= 0xf900 && r < 0xfdd0) || (r >= 0xfdf0 && r < 0xfff0)
}

func isName(r rune) bool {
	return isNameStart(r) || r == '-' || r == '.' || (r >= '0' && r <= '9') || r == 0xb7 || (r >= 0x300 && r < 0x370) || r == 0x203f || r == 0x2040
}

// space skips blanks, and returns the first other character and whether there were any.
func (p *parser) space() (r rune, skipped bool) {
	for r = p.next(); isSpace(r); r = p.next() {
		skipped = true
	}
	return r, skipped
}

// expect reads characters that must come next.
func (p *parser) expect(word string) {
	for _, want := range word {
		if p.next() != want {
			p.fail("not well-formed: %q is missing", word)
			return
		}
	}
}

// name reads a name that begins with the given character, and returns the character behind it.
func (p *parser) name(first rune) (string, rune) {
	if !isNameStart(first) {
		p.fail("not well-formed: a name is missing")
		return "", eof
	}
	var b strings.Builder
	r := first
	for ; isName(r); r = p.next() {
		if b.Len() > maxName {
			p.fail("a name is longer than %d bytes", maxName)
			return "", eof
		}
		b.WriteRune(r)
	}
	return b.String(), r
}

// plainName is name for names that may not have a prefix.
func (p *parser) plainName(first rune) (string, rune) {
	name, r := p.name(first)
	if strings.Contains(name, ":") {
		p.fail("not well-formed: a colon stands in name %s", quoted(name))
	}
	return name, r
}

// quoteMark reads the quote in front of a value.
func (p *parser) quoteMark(r rune) rune {
	if r != '"' && r != '\'' {
		p.fail("not well-formed: a value is not quoted")
	}
	return r
}
