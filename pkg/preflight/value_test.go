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
		if got := parseNumber([]byte(text)).single(); got != want {
			t.Errorf("%s comes back from single precision: %v, want %v", text, got, want)
		}
	}
}

func TestParseDate(t *testing.T) {
	t.Parallel()
	ymd := dateForm{order: orderYMD, sep: '-'}
	at := func(f dateForm, join byte, precision uint8) dateForm {
		f.join, f.time = join, precision
		return f
	}
	zoned := at(ymd, 'T', timeSeconds)
	zoned.zone = true
	half := at(dateForm{order: orderMDY, sep: '/'}, ' ', timeMinutes)
	half.half = true
	cases := map[string]dateForm{
		"2024-02-29": ymd, "2024-2-9": ymd, " 2024-02-29 ": ymd, "2024/02/29": {order: orderYMD, sep: '/'},
		"01/02/2024": {order: orderMDY, sep: '/'}, "13/02/2024": {order: orderDMY, sep: '/'}, "01.02.2024": {order: orderMDY, sep: '.'},
		"01/02/24": {order: orderMDY, sep: '/', short: true}, "5 Jan 2024": {order: orderName, sep: ' '}, "5-January-2024": {order: orderName, sep: '-'},
		"Jan 5, 2024": {order: orderLead, sep: ','}, "January 5 2024": {order: orderLead, sep: ' '},
		"2024-02-29 23:59": at(ymd, ' ', timeMinutes), "2024-02-29T23:59:59": at(ymd, 'T', timeSeconds),
		"2024-02-29 23:59:59.123456": at(ymd, ' ', timeFraction), "2024-02-29T23:59:59Z": zoned, "2024-02-29T23:59:59+01:00": zoned,
		"1/2/2024 5:07 PM": half, "23:59:59": {order: orderTime, time: timeSeconds},
		// None of these is a date in a form that is known.
		"2024-02-30": {}, "2023-02-29": {}, "2024-13-01": {}, "1677-01-01": {}, "9999-12-31": {}, "20240101": {}, "2024-01": {}, "2024-01/02": {},
		"24:00": {}, "12:60": {}, "2024-01-01 25:00": {}, "2024-01-01x": {}, "2024-01-01 10": {}, "soon": {}, "": {}, "13/13/2024": {}, "5 Foo 2024": {},
		"2024-01-01T10:00:00+1": {}, "2024-01-01T10:00:00.1234567890": {}, "12345-01-01": {}, "1/2/3": {},
	}
	for text, want := range cases {
		got, ok := parseDate([]byte(text), nil)
		if ok != (want != dateForm{}) || (ok && got != want) {
			t.Errorf("parseDate(%q) = %+v, %v, want %+v", text, got, ok, want)
		}
	}
	dayFirst := dateForm{order: orderDMY, sep: '/'}
	if got, ok := parseDate([]byte("01/02/2024"), &dayFirst); !ok || got != dayFirst {
		t.Errorf("bound to day first: %+v, %v", got, ok)
	}
}

func TestPlausibleDate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"Monday, 5th of January 2024": true, "2024.01.05 at 10": true, "10 am": true, "2024-13-01": true, "30-12-24": true,
		"soon": false, "abc1": false, "Q1 2024": false, "": false, "--": false, "2024年1月": false, "2024-02-30": false, "99-99-9999": false,
	} {
		if got := plausibleDate([]byte(text)); got != want {
			t.Errorf("plausibleDate(%q) = %v, want %v", text, got, want)
		}
	}
}

func TestParseType(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"INT": "INT", "integer": "INTEGER", " varchar ( 20 ) ": "VARCHAR(20)", "DECIMAL(10, 2)": "DECIMAL(10,2)", "numeric": "NUMERIC",
		"VARCHAR(20) NOT NULL": "VARCHAR(20)", "TEXT(100)": "TEXT(100)", "DATETIME(6)": "DATETIME(6)", "timestamp": "TIMESTAMP", "BOOL": "BOOL",
		"DOUBLE PRECISION": "DOUBLE", "INT UNSIGNED": "INT",
		"CHAR(3)": "", "INT(11)": "", "VARCHAR": "", "VARCHAR()": "", "VARCHAR(a)": "", "VARCHAR(1,2)": "", "DOUBLE(10,2)": "", "INT;DROP": "", "(3)": "", "VARCHAR(99999999999999999999)": "",
	} {
		got, err := parseType(text)
		if (err == nil) != (want != "") || (err == nil && got.String() != want) {
			t.Errorf("parseType(%q) = %q, %v, want %q", text, got, err, want)
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

func FuzzParseDate(f *testing.F) {
	for _, seed := range []string{"2024-02-29T23:59:59.5Z", "13/02/2024", "Jan 5, 2024", "5-Feb-24 5:07 PM", "é:1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, cell []byte) {
		form, ok := parseDate(cell, nil)
		if !ok {
			plausibleDate(cell)
			return
		}
		if again, ok := parseDate(cell, &form); !ok || again != form {
			t.Errorf("%q is %+v, but bound to itself %+v, %v", cell, form, again, ok)
		}
		if iso, ok := isoForm(cell); ok && iso != form {
			t.Errorf("%q is %+v, but inferred as %+v", cell, form, iso)
		}
	})
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
		if len(n.text) == 0 || n.digits < 0 || n.pythonFloat() == "" {
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
