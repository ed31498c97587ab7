package dataset

import (
	"unicode/utf8"
)

// UTF8Checker finds the first byte of a stream that is not valid UTF-8. The zero value is ready.
type UTF8Checker struct {
	offset int64 // of the first byte that is not checked yet
	rest   []byte
	bad    bool
}

// Write checks the next block. It never fails.
func (c *UTF8Checker) Write(block []byte) (int, error) {
	n := len(block)
	if c.bad || n == 0 {
		return n, nil
	}
	if len(c.rest) > 0 {
		// A rune is at most utf8.UTFMax bytes, so a few bytes of the block end the one that was cut.
		take := min(n, utf8.UTFMax)
		joined := append(c.rest, block[:take]...)
		valid := validPrefix(joined)
		switch {
		case valid > len(c.rest) || valid == len(joined):
			block = block[valid-len(c.rest):]
			c.offset += int64(valid)
			c.rest = nil
		case !utf8.FullRune(joined[valid:]):
			c.offset += int64(valid)
			c.rest = joined[valid:]
			return n, nil
		default:
			c.offset += int64(valid)
			c.bad = true
			return n, nil
		}
	}
	valid := len(block)
	if !utf8.Valid(block) {
		valid = validPrefix(block)
	}
	c.offset += int64(valid)
	if tail := block[valid:]; len(tail) > 0 {
		if utf8.FullRune(tail) {
			c.bad = true
		} else {
			c.rest = append([]byte(nil), tail...)
		}
	}
	return n, nil
}

// Invalid returns the offset of the first byte that is not UTF-8, as Python's strict decoder counts it; ok is false
// when the stream is valid. A rune that the end cuts short is invalid.
func (c *UTF8Checker) Invalid() (offset int64, ok bool) {
	return c.offset, c.bad || len(c.rest) > 0
}

// validPrefix is the length of the longest prefix that is whole valid runes.
func validPrefix(b []byte) int {
	n := 0
	for n < len(b) {
		if b[n] < utf8.RuneSelf {
			n++
			continue
		}
		r, size := utf8.DecodeRune(b[n:])
		if r == utf8.RuneError && size <= 1 {
			return n
		}
		n += size
	}
	return n
}
