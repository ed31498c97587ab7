package expat

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/ianaindex"
)

// declaredEncoding finds the encoding in an XML declaration.
var declaredEncoding = regexp.MustCompile(`^<\?xml[ \t\r\n][^>]*?[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*["']([A-Za-z][A-Za-z0-9._-]*)["']`)

// characters are those characters of a document. A character that its encoding does not have is utf8.RuneError of length 1,
// as bufio.Reader gives it.
type characters struct {
	io.RuneReader
	// wide is true for UTF-16.
	wide bool
}

// newSource finds the encoding as expat does: from the first bytes, else from the XML declaration, else UTF-8. Python
// adds every encoding of one byte per character to those that expat knows. The problem is "" for a known encoding.
func newSource(r *bufio.Reader) (source characters, problem string) {
	// A short peek is a short document, or an error that the next read meets again.
	start, _ := r.Peek(4)
	switch {
	case bytes.HasPrefix(start, []byte{0xfe, 0xff}), bytes.HasPrefix(start, []byte{0xff, 0xfe}):
		// The mark is there, so it can be discarded.
		_, _ = r.Discard(2)
		return characters{&utf16Reader{r, start[0] == 0xfe}, true}, ""
	case bytes.HasPrefix(start, []byte{0, '<'}), bytes.HasPrefix(start, []byte{'<', 0}):
		return characters{&utf16Reader{r, start[0] == 0}, true}, ""
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		_, _ = r.Discard(3)
	}
	head, _ := r.Peek(1024)
	found := declaredEncoding.FindSubmatch(head)
	if found == nil {
		return characters{r, false}, ""
	}
	switch name := strings.ToLower(string(found[1])); name {
	case "utf-8":
		return characters{r, false}, ""
	case "utf-16", "utf-16le", "utf-16be":
		return characters{}, "the document is not in the encoding " + quoted(name) + " that it declares"
	case "us-ascii", "utf8", "utf_8", "utf-8-sig", "ascii":
		// Python offers these to expat as encodings of one byte per character, so that they are ASCII alone.
		return characters{&charmapReader{r, nil}, false}, ""
	default:
		if m := singleByte(name); m != nil {
			return characters{&charmapReader{r, m}, false}, ""
		}
		return characters{}, "encoding " + quoted(name) + " is none that the ingestor reads"
	}
}

// singleByte finds an encoding of one byte per character that has ASCII in its lower half, by the names that Python knows
// it by; nil for none.
func singleByte(name string) *charmap.Charmap {
	name = strings.NewReplacer("_", "-", " ", "-").Replace(name)
	switch {
	case strings.HasPrefix(name, "cp125"):
		name = "windows-" + name[2:]
	case strings.HasPrefix(name, "iso8859-"):
		name = "iso-" + name[3:]
	case name == "latin-1", name == "latin", name == "iso8859":
		name = "latin1"
	case name == "mac-roman":
		name = "macintosh"
	}
	found, err := ianaindex.IANA.Encoding(name)
	if err != nil {
		return nil
	}
	m, ok := found.(*charmap.Charmap)
	if !ok || m.DecodeByte('<') != '<' {
		return nil
	}
	return m
}

// charmapReader reads one byte per character; a nil map is ASCII.
type charmapReader struct {
	r *bufio.Reader
	m *charmap.Charmap
}

func (c *charmapReader) ReadRune() (rune, int, error) {
	b, err := c.r.ReadByte()
	switch {
	case err != nil:
		return 0, 0, err
	case b < utf8.RuneSelf:
		return rune(b), 1, nil
	case c.m == nil:
		return utf8.RuneError, 1, nil
	}
	r := c.m.DecodeByte(b)
	if r == utf8.RuneError && b < 0xa0 && strings.HasPrefix(c.m.String(), "ISO 8859") {
		r = rune(b) // a control character, which the table leaves out
	}
	return r, 1, nil
}

// utf16Reader reads UTF-16 of either byte order.
type utf16Reader struct {
	r   *bufio.Reader
	big bool
}

func (u *utf16Reader) ReadRune() (rune, int, error) {
	first, err := u.unit()
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return utf8.RuneError, 1, nil
	}
	if err != nil || !utf16.IsSurrogate(first) {
		return first, 2, err
	}
	second, err := u.unit()
	if err != nil {
		return utf8.RuneError, 1, nil
	}
	if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
		return r, 4, nil
	}
	return utf8.RuneError, 1, nil
}

func (u *utf16Reader) unit() (rune, error) {
	var b [2]byte
	if _, err := io.ReadFull(u.r, b[:]); err != nil {
		return 0, err
	}
	if u.big {
		return rune(binary.BigEndian.Uint16(b[:])), nil
	}
	return rune(binary.LittleEndian.Uint16(b[:])), nil
}
