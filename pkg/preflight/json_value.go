package preflight

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// skip reads any value.
func (j *jsonReader) skip() {
	switch j.kind() {
	case jsonObject:
		j.object(func(string) { j.skip() })
	case jsonArray:
		j.array(j.skip)
	case jsonString:
		j.text()
	default:
		j.scalar()
	}
}

// text reads a string, and returns its beginning.
func (j *jsonReader) text() string {
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
		if len(b) < maxJSONText {
			b = utf8.AppendRune(b, r)
		}
	}
	return ""
}

// escaped reads behind a backslash. Half of a pair of surrogates is allowed, and stands for a character that is none.
func (j *jsonReader) escaped() rune {
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

func (j *jsonReader) hex() rune {
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
func (j *jsonReader) scalar() {
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
		if long = len(word) > maxPythonDigits; !long {
			word = append(word, byte(r))
		}
	}
	switch string(word) {
	case "true", "false", "null", "NaN", "Infinity", "-Infinity":
		return
	}
	if long || !jsonNumber(word) {
		j.fail("%s is no value", strconv.Quote(clip(append(word, runeAt(first, len(word))...))))
	}
}

// runeAt gives a character that ended a word of no length.
func runeAt(r rune, length int) []byte {
	if length > 0 {
		return nil
	}
	return utf8.AppendRune(nil, r)
}

// jsonNumber reports whether a word is a number of JSON.
func jsonNumber(word []byte) bool {
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
