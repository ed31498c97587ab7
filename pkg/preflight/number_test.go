package preflight

import (
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// skewedTokens are the texts that some ingestors take for a missing value, and newer ones do not.
func skewedTokens() []string {
	return []string{"#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"}
}

var (
	integerForm = regexp.MustCompile(`^[-+]?[0-9]+$`)
	decimalForm = regexp.MustCompile(`^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$`)
	wordForm    = regexp.MustCompile(`^(?i)[-+]?inf(inity)?$`)
	codeForm    = regexp.MustCompile(`^0[0-9]+$`)
)

// plainly is parseNumber in the plainest words.
func plainly(cell string) (kind numberKind, i int64) {
	text := strings.Trim(cell, " \t\n\v\f\r")
	switch {
	case integerForm.MatchString(text):
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return integer, i
		}
		if _, err := strconv.ParseUint(strings.TrimPrefix(text, "+"), 10, 64); err == nil {
			return unsigned, 0
		}
		return huge, 0
	case decimalForm.MatchString(text):
		if f, _ := strconv.ParseFloat(text, 64); math.IsInf(f, 0) {
			return overflow, 0
		}
		return decimal, 0
	case wordForm.MatchString(text):
		return infinite, 0
	}
	return notNumber, 0
}

// plainlySingle is number.single in the plainest words.
func plainlySingle(cell string) bool {
	digits := strings.Trim(cell, " \t\n\v\f\r+-")
	if i := strings.IndexAny(digits, "eE"); i >= 0 {
		digits = digits[:i]
	}
	digits = strings.Trim(strings.Replace(digits, ".", "", 1), "0")
	f, _ := strconv.ParseFloat(strings.TrimSpace(cell), 64)
	f = math.Abs(f)
	return len(digits) <= singleDigits && (f == 0 || (f >= 1.2e-38 && f <= math.MaxFloat32))
}

func randomCell(r *rand.Rand) string {
	pieces := []string{
		"0", "1", "7", "00", "12", "999999", "1000000", "123456789012345678", "9223372036854775807", ".", ".", "-", "+", "e", "E", "e-5", "E+30", "e38", "e300", "e-39",
		"inf", "Infinity", " ", "\t", "\v", "-", "_", "x", "2024-01-02", "nan", "é", "\x00", "/", ":",
	}
	var b strings.Builder
	for range r.IntN(5) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

// TestNumbersAgree holds the quick ways through numbers against the plain one.
func TestNumbersAgree(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		cell := randomCell(r)
		n := parseNumber([]byte(cell))
		kind, i := plainly(cell)
		if n.kind != kind || n.i != i {
			t.Fatalf("parseNumber(%q) = kind %d, %d, want %d, %d", cell, n.kind, n.i, kind, i)
		}
		if kind == notNumber {
			continue
		}
		if want := codeForm.MatchString(strings.Trim(cell, " \t\n\v\f\r")); n.code != want {
			t.Fatalf("parseNumber(%q).code = %v, want %v", cell, n.code, want)
		}
		if kind == integer && n.pythonIntLength() != len(strconv.FormatInt(i, 10)) {
			t.Fatalf("length of %q = %d, want that of %d", cell, n.pythonIntLength(), i)
		}
		if kind != infinite && kind != overflow && n.single() != plainlySingle(cell) {
			t.Fatalf("single() of %q = %v, want %v", cell, n.single(), plainlySingle(cell))
		}
	}
}
