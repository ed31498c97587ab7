package pyjson

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Skip reads any value.
func (j *Reader) Skip() {
	switch j.Kind() {
	case Object:
		j.Object(func(string) { j.Skip() })
	case Array:
		j.Array(j.Skip)
	case String:
		j.Text()
	default:
		j.scalar()
	}
}

// Text reads a string, and returns its beginning.
func (j *Reader) Text() string {
	j.take()
	var b []byte
	for j.err == nil {
		r := j.next()
		switch {
		case r == '"':
			return string(b)
		case r == -1:
			j.fail("a string is never closed")
		case r < ' ':
			j.fail("a string holds a control character")
		case r == '\\':
			r = j.escaped()
		}
		if len(b) < maxText {
			b = utf8.AppendRune(b, r)
		}
	}
	return ""
}

// escaped reads behind a backslash. Half of a pair of surrogates is allowed, and stands for a character that is none.
func (j *Reader) escaped() rune {
	switch r := j.next(); r {
	case '"', '\\', '/':
		return r
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'u':
	default:
		j.fail("a string holds a backslash that begins no escape")
		return utf8.RuneError
	}
	first := j.hex()
	if !utf16.IsSurrogate(first) {
		return first
	}
	if pair, _ := j.r.Peek(2); string(pair) != `\u` {
		return utf8.RuneError
	}
	// Both are there.
	_, _ = j.r.Discard(2)
	return utf16.DecodeRune(first, j.hex())
}

func (j *Reader) hex() rune {
	var n rune
	for range 4 {
		r := j.next()
		switch {
		case r >= '0' && r <= '9':
			r -= '0'
		case r >= 'a' && r <= 'f':
			r += 10 - 'a'
		case r >= 'A' && r <= 'F':
			r += 10 - 'A'
		default:
			j.fail(`\u needs four hexadecimal digits`)
			return utf8.RuneError
		}
		n = n<<4 | r
	}
	return n
}

// scalar reads a number or a word.
func (j *Reader) scalar() {
	first := j.peek()
	if first == -1 {
		j.fail("a value is missing")
		return
	}
	word := make([]byte, 0, 16)
	long := false
	for {
		r := j.next()
		if r == -1 {
			break
		}
		if !(r == '+' || r == '-' || r == '.' || (r >= '0' && r <= '9') || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z')) {
			if r == '\n' {
				j.line--
			}
			_ = j.r.UnreadRune()
			break
		}
		if long = len(word) > maxDigits; !long {
			word = append(word, byte(r))
		}
	}
	switch string(word) {
	case "true", "false", "null", "NaN", "Infinity", "-Infinity":
		return
	}
	if long || !isNumber(word) {
		j.fail("%s is no value", quoted(append(word, runeAt(first, len(word))...)))
	}
}

// runeAt gives a character that ended a word of no length.
func runeAt(r rune, length int) []byte {
	if length > 0 {
		return nil
	}
	return utf8.AppendRune(nil, r)
}

// isNumber reports whether a word is a number of JSON.
func isNumber(word []byte) bool {
	rest := word
	if len(rest) > 0 && rest[0] == '-' {
		rest = rest[1:]
	}
	whole := leadingDigits(rest)
	if len(whole) == 0 || (whole[0] == '0' && len(whole) > 1) {
		return false
	}
	if rest = rest[len(whole):]; len(rest) > 0 && rest[0] == '.' {
		fraction := leadingDigits(rest[1:])
		if len(fraction) == 0 {
			return false
		}
		rest = rest[1+len(fraction):]
	}
	if len(rest) > 0 && rest[0]|0x20 == 'e' {
		if rest = rest[1:]; len(rest) > 0 && (rest[0] == '+' || rest[0] == '-') {
			rest = rest[1:]
		}
		exponent := leadingDigits(rest)
		if len(exponent) == 0 {
			return false
		}
		rest = rest[len(exponent):]
	}
	return len(rest) == 0
}

// quoted makes a word fit for a message: quoted, and cut.
func quoted(word []byte) string {
	const longest = 64
	if len(word) > longest {
		return strconv.Quote(string(word[:longest]) + "…")
	}
	return strconv.Quote(string(word))
}

func leadingDigits(b []byte) []byte {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return b[:n]
}
