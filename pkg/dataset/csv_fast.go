package dataset

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// scanner finds the fields of whole records that need no state machine: nearly all records of nearly all files. It does
// not copy them.
type scanner struct {
	// usable is false for options in which one byte means two things.
	usable           bool
	delimiter, quote byte
	escape           byte   // the delimiter when there is none
	delimiters       uint64 // the delimiter in each byte
	escapes          uint64 // the escape character in each byte
	fields           int    // the most of a record
	record           Record
}

const (
	eachByte = 0x0101010101010101
	highBits = 0x8080808080808080
	lowBits  = 0x7f7f7f7f7f7f7f7f
	// aboveReturn, added to seven bits, carries into the eighth from '\r'+1 on: the bytes without it are the line ends, and
	// some more that few texts have.
	aboveReturn = (0x80 - ('\r' + 1)) * eachByte
)

func newScanner(o CSVOptions) scanner {
	s := scanner{delimiter: o.Delimiter, quote: o.Quote, escape: o.Delimiter, fields: MaxFields}
	if o.Escape != 0 {
		s.escape = o.Escape
	}
	s.delimiters, s.escapes = uint64(s.delimiter)*eachByte, uint64(s.escape)*eachByte
	s.usable = o.Delimiter != 0 && o.Delimiter != o.Quote && o.Delimiter != o.Escape && (o.Quote != o.Escape || o.Quote == 0) &&
		!isLineEnd(o.Delimiter) && !isLineEnd(o.Quote) && !isLineEnd(o.Escape)
	return s
}

func isLineEnd(c byte) bool { return c == '\n' || c == '\r' }

// wholeRecord is a record that the scanner found.
type wholeRecord struct {
	// size is the number of its bytes with the line end; 0 when the state machine must read it.
	size int
	// feeds is the number of line feeds inside quotes.
	feeds int
	crlf  bool
}

// scan looks for a whole record at the start of a block. Blank lines, a CR that no LF follows, escape characters, doubled
// quotes, text behind a closing quote and too many fields are left to the state machine, and so is a record that the block
// ends in.
func (s *scanner) scan(block []byte) wholeRecord {
	if !s.usable || len(block) == 0 || isLineEnd(block[0]) || ((block[0] == ' ' || block[0] == '\t') && block[0] != s.delimiter) {
		return wholeRecord{}
	}
	r := &s.record
	r.data, r.starts, r.ends = block, r.starts[:0], r.ends[:0]
	found := wholeRecord{}
	for at := 0; at < len(block) && at <= MaxRecord; {
		start, end := at, 0
		if block[at] == s.quote && s.quote != 0 {
			if end = s.quoted(block, at, &found); end < 0 {
				return wholeRecord{}
			}
			at, start = end+1, start+1
		} else {
			// Up to the next quoted field, or the end of the record.
			start, end = s.unquoted(block, at)
			at = end
		}
		if at >= len(block) || at > MaxRecord || len(r.ends) >= s.fields {
			return wholeRecord{}
		}
		r.starts, r.ends = append(r.starts, start), append(r.ends, end)
		switch c := block[at]; {
		case c == s.delimiter:
			at++
		case c == '\n':
			found.size = at + 1
			return found
		case c == '\r' && at+1 < len(block) && block[at+1] == '\n':
			found.size, found.crlf = at+2, true
			return found
		default:
			return wholeRecord{}
		}
	}
	return wholeRecord{}
}

// quoted is where the quoted field that starts at a place ends; -1 when its inside is more than text.
func (s *scanner) quoted(block []byte, at int, found *wholeRecord) int {
	n := bytes.IndexByte(block[at+1:], s.quote)
	if n < 0 {
		return -1
	}
	inside := block[at+1 : at+1+n]
	if bytes.IndexByte(inside, '\r') >= 0 || (s.escape != s.delimiter && bytes.IndexByte(inside, s.escape) >= 0) {
		return -1
	}
	if bytes.IndexByte(inside, '\n') >= 0 {
		found.feeds += bytes.Count(inside, newline)
	}
	return at + 1 + n
}

// unquoted notes the fields from a place on, but for the last before a quoted one or before anything but a delimiter, and
// returns where that starts and ends. It looks at eight bytes at a time, and stops soon behind the most fields of a record.
func (s *scanner) unquoted(block []byte, at int) (start, end int) {
	r := &s.record
	start = at
	for ; at+8 <= len(block) && len(r.ends) <= s.fields; at += 8 {
		for found := s.special(binary.LittleEndian.Uint64(block[at:])); found != 0; found &= found - 1 {
			end := at + bits.TrailingZeros64(found)/8
			c := block[end]
			if c == s.delimiter && end+1 < len(block) && block[end+1] != s.quote {
				r.starts, r.ends = append(r.starts, start), append(r.ends, end)
				start = end + 1
				continue
			}
			if c == s.delimiter || c == s.escape || isLineEnd(c) {
				return start, end
			}
		}
	}
	for ; at < len(block); at++ {
		if c := block[at]; c == s.delimiter || c == s.escape || isLineEnd(c) {
			return start, at
		}
	}
	return start, at
}

// special sets the highest bit of each byte that is a delimiter, an escape character, or at most '\r'. No byte's result
// depends on its neighbors.
func (s *scanner) special(x uint64) uint64 {
	d, e := x^s.delimiters, x^s.escapes
	none := ((d & lowBits) + lowBits) | d     // zero bytes of d keep their highest bit clear
	none &= ((e & lowBits) + lowBits) | e     // and so do those of e
	none &= ((x & lowBits) + aboveReturn) | x // and those that are at most '\r'
	return ^none & highBits
}
