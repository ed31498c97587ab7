package preflight

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// numberKind is what pandas makes of a cell.
type numberKind uint8

const (
	notNumber numberKind = iota
	integer              // fits 64 bits signed
	unsigned             // fits 64 bits unsigned only
	huge                 // an integer beyond 64 bits: pandas keeps it as text
	decimal
	infinite // the word inf
	overflow // a decimal beyond double precision: pandas keeps it as text
)

// number is a cell read as pandas' C parser reads numbers: blanks around it are skipped, "1.", ".5", "+5" and "1e3" are
// numbers, and "1_000", "0x10" and "1,000" are not.
type number struct {
	kind numberKind
	// i is the value of an integer.
	i int64
	// wide is true for a decimal that may lie outside of the range of single precision: it has a big exponent, or is long.
	wide bool
	// code is true for digits alone with a zero in front, such as 007: numbers to pandas, but not to people.
	code bool
	text []byte
}

func parseNumber(cell []byte) (n number) {
	n.read(cell)
	return n
}

// read is parseNumber into a number that is still zero.
func (n *number) read(cell []byte) {
	if !n.plain(cell) {
		*n = parseOddNumber(cell)
	}
}

// plain reads what nearly all cells are: digits with at most a minus in front and a point, or a text that starts as no
// number does. It is false for what it leaves to parseOddNumber.
func (n *number) plain(cell []byte) bool {
	i := 0
	if len(cell) > 0 && cell[0] == '-' {
		i = 1
	}
	first, value := i, int64(0)
	for ; i < len(cell); i++ {
		c := cell[i] - '0'
		if c > 9 {
			break
		}
		value = value*10 + int64(c)
	}
	whole := i - first
	if i == len(cell) {
		if whole == 0 || whole > maxQuickDigits {
			return len(cell) == 0
		}
		if n.i = value; first > 0 {
			n.i = -value
		}
		n.kind, n.code, n.text = integer, whole > 1 && cell[0] == '0', cell
		return true
	}
	switch c := cell[i]; {
	case c == '.':
	case whole == 0:
		return !isBlank(c) && c != '+' && c|0x20 != 'i'
	default:
		return !isBlank(c) && c|0x20 != 'e'
	}
	for i++; i < len(cell); i++ {
		if cell[i]-'0' > 9 {
			return false
		}
	}
	if digits := len(cell) - first - 1; digits == 0 || digits >= maxPlain {
		return false
	}
	n.kind, n.text = decimal, cell
	return true
}

func parseOddNumber(cell []byte) number {
	text := trimBlanks(cell)
	if len(text) == 0 {
		return number{}
	}
	rest := text
	if rest[0] == '-' || rest[0] == '+' {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return number{}
	}
	if c := rest[0]; (c < '0' || c > '9') && c != '.' {
		if c|0x20 == 'i' && (bytes.EqualFold(rest, []byte("inf")) || bytes.EqualFold(rest, []byte("infinity"))) {
			return number{kind: infinite, text: text}
		}
		return number{}
	}
	return scanNumber(text, rest)
}

const (
	// maxQuickDigits is how many digits fit 64 bits whatever they are.
	maxQuickDigits = 18
	// maxPlain is the length up to which a decimal without an exponent lies in the range of single precision.
	maxPlain = 30
)

// scanNumber reads digits, a point with digits, and an exponent; rest is text behind its sign.
func scanNumber(text, rest []byte) number {
	whole := leadingDigits(rest)
	tail := rest[len(whole):]
	if len(tail) == 0 {
		n := integerOf(text, whole)
		n.code = len(whole) > 1 && whole[0] == '0' && len(rest) == len(text)
		return n
	}
	var fraction []byte
	if tail[0] == '.' {
		fraction = leadingDigits(tail[1:])
		tail = tail[1+len(fraction):]
	}
	if len(whole)+len(fraction) == 0 {
		return number{}
	}
	n := number{kind: decimal, wide: len(rest) > maxPlain, text: text}
	if len(tail) > 0 {
		if tail[0] != 'e' && tail[0] != 'E' {
			return number{}
		}
		tail = tail[1:]
		if len(tail) > 0 && (tail[0] == '-' || tail[0] == '+') {
			tail = tail[1:]
		}
		if len(tail) == 0 || len(leadingDigits(tail)) != len(tail) {
			return number{}
		}
		// The point may stand anywhere between the digits, so these count with the exponent.
		n.wide = len(tail) > 2 || len(rest)+toInt(string(tail)) > maxPlain
	}
	if n.wide && math.IsInf(n.float(), 0) {
		n.kind = overflow
	}
	return n
}

func integerOf(text, digits []byte) number {
	n := number{kind: huge, text: text}
	if len(digits) <= maxQuickDigits {
		n.kind = integer
		for _, c := range digits {
			n.i = n.i*10 + int64(c-'0')
		}
		if text[0] == '-' {
			n.i = -n.i
		}
		return n
	}
	s := strings.TrimPrefix(string(text), "+")
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		n.kind, n.i = integer, i
	} else if _, err := strconv.ParseUint(s, 10, 64); err == nil {
		n.kind = unsigned
	} else if math.IsInf(n.float(), 0) {
		n.kind = overflow
	}
	return n
}

// float is the value in double precision; infinite when it overflows.
func (n number) float() float64 {
	if n.kind == integer {
		return float64(n.i)
	}
	// The error of an overflow comes with the infinity that is wanted here; the syntax was checked.
	f, _ := strconv.ParseFloat(string(n.text), 64)
	return f
}

// whole reports whether the value has no fraction.
func (n number) whole() bool {
	switch n.kind {
	case integer, unsigned, huge:
		return true
	case decimal:
		f := n.float()
		return f == math.Trunc(f)
	case notNumber, infinite, overflow:
	}
	return false
}

// pythonInt is how Python writes the integer.
func (n number) pythonInt() string {
	if n.kind == integer {
		return strconv.FormatInt(n.i, 10)
	}
	return strings.TrimLeft(string(n.text), "+0")
}

// pythonIntLength is the length of pythonInt.
func (n *number) pythonIntLength() int {
	if n.kind != integer {
		return len(n.pythonInt())
	}
	text := n.text
	if len(text) > 1 && text[0] == '-' {
		text = text[1:]
	}
	if text[0] >= '1' && text[0] <= '9' {
		return len(n.text)
	}
	length, i := 1, n.i // a plus or zeros in front
	if i < 0 {
		length++
	}
	for ; i <= -10 || i >= 10; i /= 10 {
		length++
	}
	return length
}

// pythonFloat is how Python writes the value as a float.
func (n number) pythonFloat() string {
	f := n.float()
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case f == 0:
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	s := strconv.FormatFloat(f, 'e', -1, 64)
	exponent, err := strconv.Atoi(s[strings.IndexByte(s, 'e')+1:])
	if err == nil && exponent >= -4 && exponent < 16 {
		s = strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
	}
	return s
}

// singleDigits is how many significant digits MySQL gives back of a FLOAT.
const singleDigits = 6

// single reports whether the value comes back unchanged from a MySQL FLOAT.
func (n *number) single() bool {
	if n.kind == integer && n.i > -1e6 && n.i < 1e6 {
		return true
	}
	if moreDigits(n.text, singleDigits) {
		return false
	}
	if !n.wide && n.kind == decimal {
		return true
	}
	f := math.Abs(n.float())
	return f == 0 || (f >= 1.2e-38 && f <= math.MaxFloat32)
}

func leadingDigits(b []byte) []byte {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return b[:n]
}

// moreDigits reports whether a number has more significant digits than that, of which zeros at either end are none.
func moreDigits(text []byte, limit int) bool {
	digits := 0
	for _, c := range text {
		switch {
		case c|0x20 == 'e':
			return false
		case c < '0', c > '9', c == '0' && digits == 0:
			continue
		}
		if digits++; digits > limit && c != '0' {
			return true
		}
	}
	return false
}

// trimBlanks strips what C's isspace calls blank.
func trimBlanks(b []byte) []byte {
	for len(b) > 0 && isBlank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isBlank(c byte) bool { return c == ' ' || (c >= '\t' && c <= '\r') }
