package preflight

import (
	"time"
)

// moment is a date and time taken apart, as it stands in a cell.
type moment struct {
	year, month, day     int
	hour, minute, second int
	nano                 int
	// zone is true behind Z, an offset or the name of a zone; offset is its distance from UTC in seconds, 0 if unknown.
	zone   bool
	offset int
}

// instant is nanoseconds since 1970, in UTC.
type instant int64

// The first and the last second that nanoseconds in 64 bits hold, which pandas counts in.
const (
	minSecond = -9223372036
	maxSecond = 9223372035
)

// valid reports whether the parts are a day of the calendar and a time of the clock. A second of 60 is none here.
func (m moment) valid() bool {
	return m.year >= 1 && m.year <= 9999 && m.month >= 1 && m.month <= 12 && m.day >= 1 && m.day <= daysIn(m.year, m.month) &&
		m.hour >= 0 && m.hour < 24 && m.minute >= 0 && m.minute < 60 && m.second >= 0 && m.second < 60
}

// instant converts the parts; false for what pandas calls out of bounds: before 1677-09-21 or after 2262-04-11.
func (m moment) instant() (instant, bool) {
	t := time.Date(m.year, time.Month(m.month), m.day, m.hour, m.minute, m.second, m.nano, time.UTC).Unix() - int64(m.offset)
	if t < minSecond || t > maxSecond {
		return 0, false
	}
	return instant(t*1e9 + int64(m.nano)), true
}

func daysIn(year, month int) int {
	// Day 0 of the next month is the last one of this.
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// dated is what pandas makes of a cell on its own.
type dated struct {
	at   instant
	zone bool
}

// maxDate is how long a value may be and still be looked at as a date.
const maxDate = 256

// readDate reads a cell as pandas does where it reads every cell on its own (format="mixed"), which the read-time casts do
// (contract/ingestor.md 2.2): ISO 8601 first, then a very lenient parser. It fails for what becomes NaT: no date, or one
// that is out of bounds. now is what a time without a date takes its day from.
func readDate(s string, dayFirst bool, now time.Time) (dated, bool) {
	if s == "" || len(s) > maxDate || missingDate(s) {
		return dated{}, false
	}
	m, ok := parseISO(s, nil)
	if !ok {
		switch s {
		case "now", "today":
			return dated{at: instant(now.UnixNano())}, true
		}
		if m, ok = readLenient(s, dayFirst, now); !ok {
			return dated{}, false
		}
	}
	at, ok := m.instant()
	return dated{at: at, zone: m.zone}, ok
}

// missingDate reports whether a text is one of pandas' spellings of no date.
func missingDate(s string) bool {
	switch s {
	case "NaT", "nat", "NAT", "nan", "NaN", "NAN":
		return true
	}
	return false
}

// dateForm is a way to write a date that this plugin infers: YYYY-MM-DD, and what stands behind it.
type dateForm struct {
	join byte // between date and time; 0 without a time
	time uint8
}

// Precision of the time part.
const (
	timeNone = iota
	timeMinutes
	timeSeconds
	timeFraction
)

// isoForm reads a date as this plugin infers it: YYYY-MM-DD, and HH:MM behind it if there is a time, with all their digits.
// A column whose cells all have the same form passes as DATE or DATETIME.
func isoForm(cell []byte) (dateForm, bool) {
	const layout = "0000-00-00 00:00:00."
	var f dateForm
	switch n := len(cell); {
	case n == len("0000-00-00"):
	case n < len("0000-00-00 00:00"):
		return f, false
	default:
		f.join = cell[10]
		f.time = timeMinutes
		switch {
		case n == len("0000-00-00 00:00"):
		case n == len("0000-00-00 00:00:00"):
			f.time = timeSeconds
		case n > len(layout) && n <= len(layout)+9:
			f.time = timeFraction
		default:
			return f, false
		}
	}
	for i, c := range cell {
		want := byte('0')
		if i < len(layout) {
			want = layout[i]
		}
		switch {
		case want == '0' && c >= '0' && c <= '9':
		case want == ' ' && (c == ' ' || c == 'T'):
		case want != '0' && want == c:
		default:
			return f, false
		}
	}
	m, ok := parseISO(string(cell), nil)
	if !ok {
		return f, false
	}
	_, ok = m.instant()
	return f, ok
}
