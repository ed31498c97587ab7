package preflight

import (
	"bytes"
	"math/big"
	"strings"
	"unicode"
)

// maxPythonDigits is how many digits Python's int() takes of a text.
const maxPythonDigits = 4300

// pythonSpace reports whether Python takes the character for a blank: those of Unicode, and four ASCII separators.
func pythonSpace(r rune) bool { return unicode.IsSpace(r) || (r >= 0x1c && r <= 0x1f) }

// trimPython is Python's str.strip().
func trimPython(text []byte) []byte { return bytes.TrimFunc(text, pythonSpace) }

// pythonInt is Python's int(text): blanks around it, a sign, digits of any script, single underscores between them.
func pythonInt(text string) (*big.Int, bool) {
	// The ASCII separators are blanks to strip(), but not to int().
	text = strings.TrimFunc(text, unicode.IsSpace)
	var digits strings.Builder
	if text != "" && (text[0] == '+' || text[0] == '-') {
		digits.WriteByte(text[0])
		text = text[1:]
	}
	count, between := 0, false // between: an underscore may follow
	for _, r := range text {
		switch {
		case r == '_' && between:
			between = false
			continue
		case !unicode.IsDigit(r):
			return nil, false
		}
		digits.WriteByte('0' + digitValue(r))
		count, between = count+1, true
	}
	if !between || count > maxPythonDigits {
		return nil, false
	}
	return new(big.Int).SetString(digits.String(), 10)
}

// digitValue is the value of a decimal digit. Unicode has the digits of a script in a row, from zero to nine; where
// several rows follow each other, they are of one length.
func digitValue(r rune) byte {
	if r < 0x80 {
		return byte(r - '0')
	}
	first := r
	for unicode.IsDigit(first - 1) {
		first--
	}
	return byte((r - first) % 10)
}
