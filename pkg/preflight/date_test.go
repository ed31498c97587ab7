package preflight

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// show writes a date for a comparison; "" for none.
func showDate(d dated, ok bool) string {
	if !ok {
		return ""
	}
	s := time.Unix(0, int64(d.at)).UTC().Format("2006-01-02 15:04:05.999999999")
	if d.zone {
		s += " zone"
	}
	return s
}

// TestReadDate holds the reading of single values against what pandas makes of them, month first and day first.
func TestReadDate(t *testing.T) {
	t.Parallel()
	const day = "2024-02-03 00:00:00"
	for text, want := range map[string][2]string{
		"2024-02-03": {day, day}, "2024/2/3": {day, day}, "2024.02.03": {day, day}, "2024 2 3": {day, day}, "20240203": {day, day}, " 2024-02-03": {day, day}, "2024-02-03 ": {day, "2024-03-02 00:00:00"},
		"02/03/2024": {day, "2024-03-02 00:00:00"}, "2.3.2024": {day, "2024-03-02 00:00:00"}, "02-03-24": {day, "2024-03-02 00:00:00"}, "13/02/2024": {"2024-02-13 00:00:00", "2024-02-13 00:00:00"},
		"3 Feb 2024": {day, day}, "Feb 3, 2024": {day, day}, "february 3 2024": {day, day}, "3-feb-2024": {day, day}, "3rd of February 2024": {day, day}, "Sat, 3 Feb 2024": {day, day}, "Sat Feb 3 00:00:00 2024": {day, day},
		"2024": {"2024-01-01 00:00:00", "2024-01-01 00:00:00"}, "2024-02": {"2024-02-01 00:00:00", "2024-02-01 00:00:00"}, "02/2024": {"2024-02-01 00:00:00", "2024-02-01 00:00:00"}, "Feb 2024": {"2024-02-01 00:00:00", "2024-02-01 00:00:00"},
		"2024Q2": {"2024-04-01 00:00:00", "2024-04-01 00:00:00"}, "2Q-24": {"2024-04-01 00:00:00", "2024-04-01 00:00:00"}, "2024-Q5": {}, "240203": {"2003-02-24 00:00:00", "2003-02-24 00:00:00"},
		"2024-02-03 4:05": {"2024-02-03 04:05:00", "2024-02-03 04:05:00"}, "2024-02-03T04:05:06.123456789": {"2024-02-03 04:05:06.123456789", "2024-02-03 04:05:06.123456789"},
		"2024-02-03 040506": {"2024-02-03 04:05:06", "2024-02-03 04:05:06"}, "2024-02-03 04": {"2024-02-03 04:00:00", "2024-02-03 04:00:00"}, "2/3/2024 4:05 PM": {"2024-02-03 16:05:00", "2024-03-02 16:05:00"},
		"2/3/2024 12am": {day, "2024-03-02 00:00:00"}, "2024-02-03 4h5m6.5s": {"2024-02-03 04:05:06.5", "2024-03-02 04:05:06.5"}, "04:05": {"2024-06-01 04:05:00", "2024-06-01 04:05:00"},
		"2024-02-03T04:05:06Z": {"2024-02-03 04:05:06 zone", "2024-02-03 04:05:06 zone"}, "2024-02-03 04:05:06+01:30": {"2024-02-03 02:35:06 zone", "2024-02-03 02:35:06 zone"}, "2024-02-03 04:05 -2": {"2024-02-03 06:05:00 zone", "2024-02-03 06:05:00 zone"},
		"Feb 3 2024 04:05 UTC": {"2024-02-03 04:05:00 zone", "2024-02-03 04:05:00 zone"}, "Feb 3 2024 04:05 GMT+3": {"2024-02-03 07:05:00 zone", "2024-02-03 07:05:00 zone"}, "Feb 3 2024 04:05 -0300 (BRST)": {"2024-02-03 07:05:00 zone", "2024-02-03 07:05:00 zone"},
		"today": {"2024-06-01 23:59:00", "2024-06-01 23:59:00"}, "1677-09-22": {"1677-09-22 00:00:00", "1677-09-22 00:00:00"}, "2262-04-11": {"2262-04-11 00:00:00", "2262-04-11 00:00:00"},
		"": {}, "soon": {}, "NaT": {}, "5": {}, "10 am": {}, "t": {}, "Jan 5": {}, "Monday": {}, "2024-02-30": {}, "2023-02-29": {}, "2024-13-14": {}, "13/13/2024": {}, "1677-09-21": {}, "2262-04-12": {}, "9999-12-31": {}, "-2024-02-03": {},
		"24:00": {}, "2024-02-03 25:00": {}, "2024-02-03 04:60": {}, "2024-02-03x": {}, "Q1": {}, "2024年2月3日": {}, "1/2/3/4": {}, "2024-02-03 am": {}, "2024-02-03T04:05:06+25:00": {}, "12345678901234567890": {}, "--": {}, strings.Repeat(" ", 300) + "2024-02-03": {},
	} {
		for i, dayFirst := range []bool{false, true} {
			d, ok := readDate(text, dayFirst, testNow())
			if got := showDate(d, ok); got != want[i] {
				t.Errorf("readDate(%q), day first %v, is %q, want %q", text, dayFirst, got, want[i])
			}
		}
	}
}

// TestGuessFormat holds the format of a first value against what pandas binds its column to.
func TestGuessFormat(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2024-02-03": "%Y-%m-%d", "2024/02/03": "%Y/%m/%d", "2024-2-3": "%Y-%m-%d", "20240203": "%Y%m%d", "2024-02": "%Y-%m", "2024": "%Y", "2024-02-03 ": "%Y-%m-%d ", "  2024-02-03": "  %Y-%m-%d",
		"01/02/2024": "%m/%d/%Y", "13/02/2024": "%d/%m/%Y", "1.2.2024": "%m.%d.%Y", "3 Feb 2024": "%d %b %Y", "February 3, 2024": "%B %d, %Y", "Saturday, 3 February 2024": "%A, %d %B %Y", "Monday, 3 February 2024": "Monday, %d %B %Y",
		"2024-02-03 04:05": "%Y-%m-%d %H:%M", "2024-02-03T04:05:06": "%Y-%m-%dT%H:%M:%S", "2024-02-03 04:05:06.5": "%Y-%m-%d %H:%M:%S.%f", "2024-02-03 04:05:06,123": "", "20240203T040506": "%Y%m%dT%H%M%S", "202402030405": "%Y%m%d%H%M",
		"02/03/2024 04:05 AM": "%m/%d/%Y %I:%M %p", "02/03/2024 04:05 am": "%m/%d/%Y %H:%M am",
		"02/03/2024 04:05 PM": "", "01/02/24": "", "Feb 2024": "", "02/2024": "", "2024Q1": "", "04:05": "", "5 o'clock": "", "soon": "", "": "", "2024-02-30": "", "2024-02-03T04:05:06Z": "", "2300-02-03": "", "3rd of Feb 2024": "%drd of %b %Y",
		"2024-02-03 04h05": "%Y-%m-%d %Hh%M", "100% 2024-02-03": "",
	} {
		got := ""
		if f := guessFormat(text, testNow()); f != nil {
			got = f.text
		}
		if got != want {
			t.Errorf("guessFormat(%q) is %q, want %q", text, got, want)
		}
	}
}

// TestFormatMatch: the leniencies of a format.
func TestFormatMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		format, text, want string
	}{
		{"%Y-%m-%d", "2024-2-3", "2024-02-03 00:00:00"}, {"%Y-%m-%d", "2024-02-03 00:00", ""}, {"%Y-%m-%d", "2024/02/03", ""}, {"%Y-%m-%d", "2024-02", ""}, {"%Y-%m-%d", "2024-02-30", ""}, {"%Y-%m-%d", "20240203", ""},
		{"%Y%m%d", "20240203", "2024-02-03 00:00:00"}, {"%Y%m%d", "2024123", "2024-12-03 00:00:00"}, {"%Y%m%d", "202423", "2024-02-03 00:00:00"}, {"%Y-%m", "2024-02-03", ""}, {"%Y-%m", "2024-2", "2024-02-01 00:00:00"},
		{"%Y-%m-%d %H:%M:%S", "2024-02-03 4:5:6", "2024-02-03 04:05:06"}, {"%Y-%m-%d %H:%M:%S", "2024-02-03T04:05:06", ""}, {"%Y-%m-%d %H:%M:%S", "2024-02-03 04:05", ""}, {"%Y-%m-%d %H:%M:%S", "2024-02-03 04:05:06.5", ""},
		{"%Y-%m-%dT%H:%M:%S", "2024-02-03t04:05:60", "2024-02-03 04:06:00"}, {"%Y-%m-%d %H:%M:%S.%f", "2024-02-03 04:05:06", ""}, {"%Y-%m-%d %H:%M:%S.%f", "2024-02-03 04:05:06.1234567891", "2024-02-03 04:05:06.123456789"},
		{"%m/%d/%Y", "2/3/2024", "2024-02-03 00:00:00"}, {"%m/%d/%Y", "13/02/2024", ""}, {"%m/%d/%Y", "02/ 3/2024", "2024-02-03 00:00:00"}, {"%d %b %Y", "3   FEB 2024", "2024-02-03 00:00:00"}, {"%d %B %Y", "3 Feb 2024", ""},
		{"%A, %d %B %Y", "monday, 3 february 2024", "2024-02-03 00:00:00"}, {"%m/%d/%Y %I:%M %p", "2/3/2024 12:05 am", "2024-02-03 00:05:00"}, {"%m/%d/%Y %I:%M %p", "2/3/2024 4:05 PM", "2024-02-03 16:05:00"}, {"%m/%d/%Y %I:%M %p", "2/3/2024 14:05 PM", ""},
		{"%Y.%m.%d", "2024.02.03", "2024-02-03 00:00:00"},
	} {
		m, ok := newDateFormat(c.format).match(c.text)
		at, bounded := m.instant()
		if got := showDate(dated{at: at}, ok && bounded); got != c.want {
			t.Errorf("%q in %q is %q, want %q", c.text, c.format, got, c.want)
		}
	}
	for format, want := range map[string]bool{
		"%Y": true, "%Y%m": false, "%Y-%m": true, "%Y%m%d": true, "%Y-%m/%d": false, "%Y/%m/%d %H": true, "%Y-%m-%dT%H:%M": true, "%Y-%m-%d %H:%M:%S.%f": true, "%Y-%m-%d %H%M": false, "%d-%m-%Y": false, "%Y-%m-%d ": false, " %Y": false,
	} {
		if got := newDateFormat(format).iso; got != want {
			t.Errorf("format %q is ISO: %v, want %v", format, got, want)
		}
	}
}

// TestDateColumn: columns of values, and the rule that each value breaks.
func TestDateColumn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []string
		want   []string
	}{
		{[]string{"2024-02-03", "2024-2-4", "2024/02/05", "2024-02-06 00:00"}, []string{"", "", "value-not-date", "value-not-date"}},
		{[]string{"2024-02-03 10:00", "2024-02-03 10:00:00"}, []string{"", "value-not-date"}},
		{[]string{"01/02/24", "2024-01-02", "3 Feb 2024"}, []string{"", "", ""}},
		{[]string{"soon", "2024-01-02", "3 Feb 2024"}, []string{"value-not-date", "", ""}},
		{[]string{"13/02/2024", "14/02/2024", "03/02/2024", "02/14/2024"}, []string{"", "", "value-date-order", "value-not-date"}},
		{[]string{"20240203", "2024-02-03", "20240204"}, []string{"value-date-number", "value-not-date", ""}},
		{[]string{"7", "2024-02-03"}, []string{"value-date-number", "value-not-date"}},
		{[]string{"2024-02-03", "20240203"}, []string{"", "value-not-date"}},
		{[]string{"2024-02-03T00:00:00Z", "2024-02-03T00:00:00"}, []string{"value-time-zone", ""}},
		{[]string{"2024-02-03", "2400-01-01", "NaT"}, []string{"", "value-not-date", "value-not-date"}},
		{[]string{"10:30", "9:15:00", "25:00"}, []string{"", "", "value-not-date"}},
		{[]string{"202402", "x"}, []string{"value-date-number", "value-not-date"}},
	} {
		typ := mustType("DATETIME")
		column := column{declared: &typ, dates: dateColumn{now: testNow()}}
		for i, value := range c.values {
			got := ""
			if b := column.check([]byte(value)); b != nil {
				got = b.rule
			}
			if got != c.want[i] {
				t.Errorf("value %d of %q breaks %q, want %q", i, c.values, got, c.want[i])
			}
		}
	}
}

// TestISOForm: what is inferred as a date is one, whatever pandas' version.
func TestISOForm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2024-02-29": "0 0", "2024-02-29 23:59": "' ' 1", "2024-02-29T23:59:59": "'T' 2", "2024-02-29 23:59:59.1": "' ' 3", "2024-02-29 23:59:59.123456789": "' ' 3",
		"2024-2-29": "", "2024-02-30": "", "2024/02/29": "", "2024-02-29 ": "", " 2024-02-29": "", "2024-02-29 24:00": "", "2024-02-29 23:60": "", "2024-02-29 23:59:60": "", "2024-02-29 23:59:59.": "", "2024-02-29 23:59:59.1234567890": "",
		"2024-02-29t23:59": "", "2024-02-29 23:59Z": "", "2024-02-29 3:59": "", "1677-01-01": "", "2262-12-31": "", "2024-02": "", "20240229": "", "": "",
	} {
		f, ok := isoForm([]byte(text))
		got := ""
		if ok {
			got = fmt.Sprintf("%d %d", f.join, f.time)
			if f.join != 0 {
				got = fmt.Sprintf("%q %d", f.join, f.time)
			}
		}
		if got != want {
			t.Errorf("isoForm(%q) is %q, want %q", text, got, want)
		}
	}
}

func FuzzReadDate(f *testing.F) {
	for _, seed := range []string{"2024-02-29T23:59:59.5Z", "13/02/2024", "Jan 5, 2024", "5-Feb-24 5:07 PM", "é:1", "Mon Feb 3 04:05:06.7 UTC+3 2024", "20240203T0405", "2Q2024", "1.2.3.4,5", "Jan 1A2000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		now := testNow()
		readDate(s, true, now)
		d, ok := readDate(s, false, now)
		if format := guessFormat(s, now); format != nil {
			m, matched := format.match(s)
			at, bounded := m.instant()
			if !matched || !bounded {
				t.Errorf("%q does not match its own format %q", s, format.text)
			}
			// A lone A is the morning to the one reader, and a letter of the format to the other.
			timed := strings.Contains(format.text, "%H") || strings.Contains(format.text, "%I")
			if ok && at != d.at && (timed || d.at%(24*instant(time.Hour)) == 0) {
				t.Errorf("%q is %d in its format %q, and %d on its own", s, at, format.text, d.at)
			}
		}
		if _, iso := isoForm([]byte(s)); iso && (!ok || d.zone || guessFormat(s, now) == nil) {
			t.Errorf("%q is inferred as a date, but read as %v, %v", s, d, ok)
		}
	})
}

// mustType is for tables, which have no testing.T.
func mustType(text string) dataset.SQLType {
	typ, err := dataset.ParseSQLType(text)
	if err != nil {
		panic(err)
	}
	return typ
}
