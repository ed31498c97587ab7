package dataset

import "bytes"

// lexer follows the states of Parser and keeps nothing of what it reads.
type lexer struct {
	opts  CSVOptions
	plain [256]bool // bytes that need no look inside an unquoted field
	state state
}

func newLexer(opts CSVOptions) lexer {
	l := lexer{opts: opts}
	for i := range l.plain {
		l.plain[i] = true
	}
	l.plain['\n'], l.plain['\r'], l.plain[opts.Delimiter] = false, false, false
	if opts.Escape != 0 {
		l.plain[opts.Escape] = false
	}
	return l
}

// skip is the number of bytes, from the first on, that leave the state as it is.
func (l *lexer) skip(block []byte) int {
	switch l.state {
	case inField:
		n := 0
		for n < len(block) && l.plain[block[n]] {
			n++
		}
		return n
	case inQuotes:
		n := bytes.IndexByte(block, l.opts.Quote)
		if n < 0 {
			n = len(block)
		}
		if l.opts.Escape != 0 {
			if e := bytes.IndexByte(block[:n], l.opts.Escape); e >= 0 {
				n = e
			}
		}
		return n
	}
	return 0
}

// step takes one byte.
func (l *lexer) step(c byte) {
	switch l.state {
	case startRecord, blankLine:
		l.start(c)
	case startField:
		l.first(c)
	case inField:
		l.unquoted(c)
	case inQuotes:
		switch {
		case l.opts.Escape != 0 && c == l.opts.Escape:
			l.state = escapedInQuotes
		case c == l.opts.Quote:
			l.state = quoteInQuotes
		}
	case quoteInQuotes:
		if c == l.opts.Quote {
			l.state = inQuotes
			return
		}
		l.end(c)
	case escaped:
		l.state = inField
	case escapedInQuotes:
		l.state = inQuotes
	case afterCR, skipLF:
		swallowed := c == '\n' || l.swallows(c)
		l.state = startRecord
		if !swallowed {
			l.start(c)
		}
	}
}

// swallows reports whether the lexer stands behind the CR of a blank line, and takes the byte behind it for a part of it.
func (l *lexer) swallows(c byte) bool { return l.state == skipLF && c == l.opts.Delimiter }

func (l *lexer) start(c byte) {
	switch {
	case c == '\n':
		l.state = startRecord
	case c == '\r':
		l.state = skipLF
	case (c == ' ' || c == '\t') && c != l.opts.Delimiter:
		l.state = blankLine
	case l.state == blankLine:
		l.unquoted(c)
	default:
		l.first(c)
	}
}

// first takes the first byte of a field.
func (l *lexer) first(c byte) {
	if l.opts.Quote != 0 && c == l.opts.Quote {
		l.state = inQuotes
		return
	}
	l.unquoted(c)
}

func (l *lexer) unquoted(c byte) {
	if l.opts.Escape != 0 && c == l.opts.Escape {
		l.state = escaped
		return
	}
	l.end(c)
}

// end takes a byte that may end a field.
func (l *lexer) end(c byte) {
	switch c {
	case '\n':
		l.state = startRecord
	case '\r':
		l.state = afterCR
	case l.opts.Delimiter:
		l.state = startField
	default:
		l.state = inField
	}
}

func (l *lexer) behindCR() bool { return l.state == afterCR || l.state == skipLF }

// blankLineOf reports whether a reading skips a line, given without its end.
func blankLineOf(line []byte, opts CSVOptions) bool {
	for _, c := range line {
		if (c != ' ' && c != '\t') || c == opts.Delimiter {
			return false
		}
	}
	return true
}
