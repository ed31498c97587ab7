package preflight

import (
	"bytes"
	"strings"
	"time"
)

// Orders of the parts of a date.
const (
	orderYMD  = 'Y'
	orderMDY  = 'M'
	orderDMY  = 'D'
	orderName = 'N' // 5 Jan 2024
	orderLead = 'L' // Jan 5, 2024
	orderTime = 'T' // no date at all
)

// Precision of the time part.
const (
	timeNone = iota
	timeMinutes
	timeSeconds
	timeFraction
)

// dateForm is the way in which a date is written. pandas takes it from the first value of a column, and every other
// value must be written in the same (contract/ingestor.md 2.0, "DATE/DATETIME/TIMESTAMP/TIME").
type dateForm struct {
	order byte
	sep   byte // between the parts of the date
	short bool // the year has two digits
	join  byte // between date and time
	time  uint8
	half  bool // AM or PM
	zone  bool // Z, or an offset
}

// Years that pandas' nanoseconds can hold.
const (
	minYear = 1678
	maxYear = 2261
)

// parseDate reads a date in one of the forms that pandas recognizes. bound, if not nil, decides between month first and
// day first; without it, month first wins where both are possible, as in pandas.
func parseDate(cell []byte, bound *dateForm) (dateForm, bool) {
	s := string(trimBlanks(cell))
	if len(s) < 5 || len(s) > 64 {
		return dateForm{}, false
	}
	f := dateForm{}
	rest, ok := parseDay(s, bound, &f)
	if !ok {
		f = dateForm{order: orderTime}
		rest = s
		return f, parseClock(rest, &f)
	}
	if rest == "" {
		return f, true
	}
	if rest[0] != ' ' && rest[0] != 'T' {
		return dateForm{}, false
	}
	f.join = rest[0]
	return f, parseClock(rest[1:], &f)
}

// parseDay reads the date part and returns what stands behind it.
func parseDay(s string, bound *dateForm, f *dateForm) (rest string, ok bool) {
	if c := s[0]; (c|0x20) >= 'a' && (c|0x20) <= 'z' {
		return parseNamedLead(s, f)
	}
	a, tail, ok := cutNumber(s)
	if !ok || tail == "" {
		return "", false
	}
	f.sep = tail[0]
	if name, behind := cutLetters(tail[1:]); name != "" {
		return parseNamed(a, name, behind, f)
	}
	if f.sep != '-' && f.sep != '/' && f.sep != '.' {
		return "", false
	}
	b, tail, ok := cutNumber(tail[1:])
	if !ok || tail == "" || tail[0] != f.sep {
		return "", false
	}
	c, rest, ok := cutNumber(tail[1:])
	if !ok {
		return "", false
	}
	if len(a) == 4 {
		f.order = orderYMD
		return rest, len(b) <= 2 && len(c) <= 2 && validDay(toInt(a), toInt(b), toInt(c))
	}
	if len(a) > 2 || len(b) > 2 || (len(c) != 4 && len(c) != 2) {
		return "", false
	}
	f.short = len(c) == 2
	return rest, parseUnordered(toInt(a), toInt(b), fullYear(c), bound, f)
}

// parseUnordered decides between month first and day first.
func parseUnordered(a, b, year int, bound *dateForm, f *dateForm) bool {
	monthFirst := a <= 12
	if bound != nil && (bound.order == orderMDY || bound.order == orderDMY) {
		monthFirst = bound.order == orderMDY
	}
	if monthFirst {
		f.order = orderMDY
		return validDay(year, a, b)
	}
	f.order = orderDMY
	return validDay(year, b, a)
}

// parseNamed reads "5 Jan 2024" behind its first blank or dash.
func parseNamed(day, name, tail string, f *dateForm) (rest string, ok bool) {
	month := monthOf(name)
	if month == 0 || tail == "" || tail[0] != f.sep {
		return "", false
	}
	year, rest, ok := cutNumber(tail[1:])
	if !ok || (len(year) != 4 && len(year) != 2) || len(day) > 2 {
		return "", false
	}
	f.order, f.short = orderName, len(year) == 2
	return rest, validDay(fullYear(year), month, toInt(day))
}

// parseNamedLead reads "Jan 5, 2024" and "January 5 2024".
func parseNamedLead(s string, f *dateForm) (rest string, ok bool) {
	name, tail := cutLetters(s)
	month := monthOf(name)
	if month == 0 || tail == "" {
		return "", false
	}
	day, tail, ok := cutNumber(strings.TrimLeft(tail, " "))
	if !ok || len(day) > 2 {
		return "", false
	}
	f.sep = ' '
	if strings.HasPrefix(tail, ",") {
		f.sep, tail = ',', tail[1:]
	}
	year, rest, ok := cutNumber(strings.TrimLeft(tail, " "))
	f.order = orderLead
	return rest, ok && len(year) == 4 && validDay(fullYear(year), month, toInt(day))
}

// parseClock reads the time part: HH:MM, seconds, a fraction, AM or PM, and a zone.
func parseClock(s string, f *dateForm) bool {
	hour, tail, ok := cutNumber(s)
	if !ok || len(hour) > 2 || toInt(hour) > 23 || !strings.HasPrefix(tail, ":") {
		return false
	}
	minute, tail, ok := cutNumber(tail[1:])
	if !ok || len(minute) != 2 || toInt(minute) > 59 {
		return false
	}
	f.time = timeMinutes
	if strings.HasPrefix(tail, ":") {
		var second string
		if second, tail, ok = cutNumber(tail[1:]); !ok || len(second) != 2 || toInt(second) > 59 {
			return false
		}
		f.time = timeSeconds
		if strings.HasPrefix(tail, ".") {
			var fraction string
			if fraction, tail, ok = cutNumber(tail[1:]); !ok || len(fraction) > 9 {
				return false
			}
			f.time = timeFraction
		}
	}
	return parseClockEnd(strings.TrimLeft(tail, " "), f)
}

func parseClockEnd(tail string, f *dateForm) bool {
	switch upper := strings.ToUpper(tail); {
	case upper == "":
	case upper == "AM", upper == "PM":
		f.half = true
	case upper == "Z", upper == "UTC", upper == "GMT":
		f.zone = true
	case tail[0] == '+' || tail[0] == '-':
		f.zone = true
		digits := strings.ReplaceAll(tail[1:], ":", "")
		return len(digits) >= 2 && len(digits) <= 4 && len(leadingDigits([]byte(digits))) == len(digits)
	default:
		return false
	}
	return true
}

func validDay(year, month, day int) bool {
	if year < minYear || year > maxYear || month < 1 || month > 12 || day < 1 {
		return false
	}
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Day() == day
}

// isoForm reads a date as this plugin infers it: YYYY-MM-DD, and HH:MM behind it if there is a time.
func isoForm(cell []byte) (dateForm, bool) {
	if len(cell) < 10 || cell[4] != '-' || cell[7] != '-' || isBlank(cell[0]) || isBlank(cell[len(cell)-1]) {
		return dateForm{}, false
	}
	if len(cell) > 10 && (len(cell) < 16 || cell[13] != ':') {
		return dateForm{}, false
	}
	f, ok := parseDate(cell, nil)
	return f, ok && f.order == orderYMD && !f.zone && !f.half
}

// plausibleDate reports whether a value that is in no known form may still be one: figures, and no word that a date does
// not have. pandas hands such values to a very lenient parser, which only a day that no calendar has defeats.
func plausibleDate(cell []byte) bool {
	if impossibleDay(string(trimBlanks(cell))) {
		return false
	}
	digits := false
	for s := string(cell); s != ""; {
		word, rest := cutLetters(s)
		if word == "" {
			digits = digits || (s[0] >= '0' && s[0] <= '9')
			if s[0] >= 0x80 {
				return false
			}
			s = s[1:]
			continue
		}
		if !dateWord(word) {
			return false
		}
		s = rest
	}
	return digits
}

// impossibleDay reports whether a value starts with three numbers that are no date in any order.
func impossibleDay(s string) bool {
	a, tail, ok := cutNumber(s)
	if !ok || tail == "" || (tail[0] != '-' && tail[0] != '/' && tail[0] != '.') {
		return false
	}
	sep := tail[0]
	b, tail, ok := cutNumber(tail[1:])
	if !ok || tail == "" || tail[0] != sep {
		return false
	}
	c, _, ok := cutNumber(tail[1:])
	if !ok || len(a)+len(b)+len(c) > 8 {
		return false
	}
	if len(a) < len(c) {
		a, c = c, a
	}
	year, m, d := fullYear(a), toInt(b), toInt(c)
	return !validDay(year, m, d) && !validDay(year, d, m)
}

func dateWord(word string) bool {
	switch strings.ToLower(word) {
	case "am", "pm", "a", "p", "t", "z", "utc", "gmt", "st", "nd", "rd", "th", "of", "at", "on", "and", "h", "m", "s",
		"mon", "tue", "wed", "thu", "fri", "sat", "sun",
		"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday":
		return true
	}
	return monthOf(word) != 0
}

// monthOf is the month of an English name or its first three letters; 0 for none.
func monthOf(name string) int {
	for m := time.January; m <= time.December; m++ {
		full := m.String()
		if strings.EqualFold(name, full) || strings.EqualFold(name, full[:3]) || (m == time.September && strings.EqualFold(name, "sept")) {
			return int(m)
		}
	}
	return 0
}

func cutNumber(s string) (digits, rest string, ok bool) {
	n := len(leadingDigits([]byte(s)))
	return s[:n], s[n:], n > 0
}

func cutLetters(s string) (word, rest string) {
	n := bytes.IndexFunc([]byte(s), func(r rune) bool { return (r|0x20) < 'a' || (r|0x20) > 'z' })
	if n < 0 {
		n = len(s)
	}
	return s[:n], s[n:]
}

// toInt reads digits that are known to be few.
func toInt(digits string) int {
	n := 0
	for _, c := range digits {
		n = n*10 + int(c-'0')
	}
	return n
}

// fullYear expands two digits as POSIX does.
func fullYear(digits string) int {
	y := toInt(digits)
	switch {
	case len(digits) != 2:
		return y
	case y < 69:
		return 2000 + y
	}
	return 1900 + y
}
