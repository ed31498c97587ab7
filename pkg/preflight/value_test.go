package preflight

import (
	"strings"
	"testing"
)

func TestParseNumber(t *testing.T) {
	t.Parallel()
	// What pandas makes of each, and how Python writes it.
	cases := []struct {
		text string
		kind numberKind
		want string
	}{
		{"0", integer, "0"}, {"-0", integer, "0"}, {"+7", integer, "7"}, {"007", integer, "7"}, {" 7 ", integer, "7"}, {"\t7", integer, "7"},
		{"9223372036854775807", integer, "9223372036854775807"}, {"-9223372036854775808", integer, "-9223372036854775808"},
		{"9223372036854775808", unsigned, "9223372036854775808"}, {"18446744073709551616", huge, ""},
		{"1.", decimal, "1.0"}, {".5", decimal, "0.5"}, {"1e5", decimal, "100000.0"}, {"1E+05", decimal, "100000.0"},
		{"1e15", decimal, "1000000000000000.0"}, {"1e16", decimal, "1e+16"}, {"1.5e16", decimal, "1.5e+16"}, {"1e-4", decimal, "0.0001"},
		{"1e-5", decimal, "1e-05"}, {"-0.0", decimal, "-0.0"}, {"1e-400", decimal, "0.0"}, {"12345678901234567.0", decimal, "1.2345678901234568e+16"},
		{"inf", infinite, "inf"}, {"-Infinity", infinite, "-inf"}, {"+INF", infinite, "inf"}, {"1e400", overflow, ""},
		{"", notNumber, ""}, {".", notNumber, ""}, {"-", notNumber, ""}, {"1e", notNumber, ""}, {"1e+", notNumber, ""}, {"0x10", notNumber, ""},
		{"1_000", notNumber, ""}, {"1,000", notNumber, ""}, {"1 2", notNumber, ""}, {"nan", notNumber, ""}, {"infin", notNumber, ""}, {"--1", notNumber, ""}, {"1.2.3", notNumber, ""},
	}
	for _, c := range cases {
		n := parseNumber([]byte(c.text))
		if n.kind != c.kind {
			t.Errorf("parseNumber(%q) is of kind %d, want %d", c.text, n.kind, c.kind)
			continue
		}
		got := ""
		switch c.kind {
		case integer, unsigned:
			got = n.pythonInt()
			if len(got) != n.pythonIntLength() {
				t.Errorf("pythonIntLength(%q) = %d", c.text, n.pythonIntLength())
			}
		case decimal, infinite:
			got = n.pythonFloat()
		}
		if got != c.want {
			t.Errorf("parseNumber(%q) is %q to Python, want %q", c.text, got, c.want)
		}
	}
}

func TestSinglePrecision(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"0.1": true, "1.5": true, "123456": true, "1234567": false, "1000000000": true, "0.0001234": true, "1.234567": false,
		"123456.7": false, "1e38": true, "1e39": false, "1e-39": false, "0e0": true, "0.000": true, "-0.25": true, "1.6680773978214032": false,
	} {
		n := parseNumber([]byte(text))
		if got := n.single(); got != want {
			t.Errorf("%s comes back from single precision: %v, want %v", text, got, want)
		}
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]bool{
		"": true, "NA": true, "#N/A N/A": true, "-1.#QNAN": true, "null": true, "None": true, "<NA>": true,
		"none": false, " NA": false, "Na": false, "Null": false, " ": false, "NULL\n": false,
	} {
		if got := missingTabular([]byte(cell)); got != want {
			t.Errorf("missingTabular(%q) = %v, want %v", cell, got, want)
		}
		if got := missingFiles([]byte(cell)); got != (cell == "") {
			t.Errorf("missingFiles(%q) = %v", cell, got)
		}
	}
	for _, token := range skewedTokens() {
		if !missingTabular([]byte(token)) || missingSkew([]byte(token)) == "" {
			t.Errorf("%q is not missing to old ingestors alone", token)
		}
	}
	if !strings.Contains(missingSkew([]byte("none")), "0.7 and later") || missingSkew([]byte("NA")) != "" {
		t.Error("versions differ on none, and on none else that is missing to both")
	}
}

func FuzzParseNumber(f *testing.F) {
	for _, seed := range []string{"1", "-007", "1.5e-3", "inf", " 9223372036854775808 ", "1e400"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, cell []byte) {
		n := parseNumber(cell)
		if n.kind == notNumber {
			return
		}
		if len(n.text) == 0 || n.pythonFloat() == "" {
			t.Errorf("parseNumber(%q) = %+v", cell, n)
		}
		if n.kind == integer && len(n.pythonInt()) != n.pythonIntLength() {
			t.Errorf("%q: length %d of %q", cell, n.pythonIntLength(), n.pythonInt())
		}
		if n.kind == decimal && len(n.pythonFloat()) > maxFloatLength {
			t.Errorf("%q is written %q", cell, n.pythonFloat())
		}
	})
}
