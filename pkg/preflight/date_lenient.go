package preflight

import (
	"strconv"
	"strings"
	"time"
)

// readLenient reads a value that is no ISO 8601: dates such as 01/31/2024, quarters, and whatever the lenient parser takes.
func readLenient(s string, dayFirst bool, now time.Time) (moment, bool) {
	if !datelike(s) {
		return moment{}, false
	}
	if startsWithTime(s) {
		return parseLenient(s, dayFirst, moment{year: now.Year(), month: int(now.Month()), day: now.Day()}, now)
	}
	m, found, ok := parseDelimited(s, dayFirst)
	if found || !ok {
		return m, ok
	}
	if m, found, ok = parseQuarter(s); found || !ok {
		return m, ok
	}
	if m, ok = parseMonthYear(s); ok {
		return m, true
	}
	return parseLenient(s, dayFirst, moment{year: 1, month: 1, day: 1}, now)
}

// datelike rules out small numbers and some single letters.
func datelike(s string) bool {
	if s[0] == '0' {
		return true
	}
	if len(s) == 1 && strings.Contains("amptAMPT", s) {
		return false
	}
	if n := parseNumber([]byte(s)); n.kind != notNumber {
		return n.float() >= 1000
	}
	return true
}

// startsWithTime reports whether a value starts with H:MM or HH:MM.
func startsWithTime(s string) bool {
	hour, rest, found := strings.Cut(s, ":")
	return found && len(hour) <= 2 && digitsOnly(hour) && toInt(hour) < 24 && len(s) >= 4 && len(rest) >= 2 && digitsOnly(rest[:2]) && toInt(rest[:2]) < 60
}

// parseDelimited reads MM/DD/YYYY, DD/MM/YYYY and MM/YYYY, with one digit or two, apart by one of " /-.". found is false
// for anything else; ok is false for what no order makes a date of.
func parseDelimited(s string, dayFirst bool) (m moment, found, ok bool) {
	delimiter := func(c byte) bool { return strings.IndexByte(" /-.", c) >= 0 }
	var parts []string
	rest := s
	for i := 0; i < len(rest) && len(parts) < 2; i++ {
		if delimiter(rest[i]) {
			parts = append(parts, rest[:i])
			rest, i = rest[i+1:], -1
		}
	}
	parts = append(parts, rest)
	last := parts[len(parts)-1]
	if len(last) != 4 || !digitsOnly(last) || toInt(last) < 1000 {
		return m, false, true
	}
	for _, p := range parts[:len(parts)-1] {
		if len(p) > 2 || !digitsOnly(p) {
			return m, false, true
		}
	}
	m = moment{year: toInt(last), day: 1}
	switch len(parts) {
	case 3:
		m.month, m.day = toInt(parts[0]), toInt(parts[1])
		if m.month < 1 || m.month > 31 || m.day < 1 || m.day > 31 || (m.month > 12 && m.day > 12) {
			return m, true, false
		}
		if m.month > 12 || (m.day <= 12 && dayFirst) {
			m.month, m.day = m.day, m.month
		}
	case 2:
		if len(parts[0]) != 2 || s[2] == '.' {
			return m, false, true
		}
		m.month = toInt(parts[0])
	default:
		return m, false, true
	}
	return m, true, m.valid()
}

// parseQuarter reads quarters: 2Q2005, 2Q-05, 2005Q1, 05-Q1.
func parseQuarter(s string) (m moment, found, ok bool) {
	if len(s) < 4 || len(s) > 7 {
		return m, false, true
	}
	before, after, found := strings.Cut(strings.ToUpper(s), "Q")
	if !found {
		return m, false, true
	}
	quarter, year := before, strings.TrimPrefix(after, "-")
	if len(before) > 1 {
		quarter, year = after, strings.TrimSuffix(before, "-")
	}
	if len(quarter) != 1 || !digitsOnly(quarter) || !digitsOnly(year) || (len(year) != 2 && len(year) != 4) {
		return m, false, true
	}
	if quarter < "1" || quarter > "4" {
		return m, false, false
	}
	m = moment{year: toInt(year), month: 3*toInt(quarter) - 2, day: 1}
	if len(year) == 2 {
		m.year += 2000
	}
	return m, true, m.valid()
}

// parseMonthYear reads "Jan 2024" and "Jan-2024".
func parseMonthYear(s string) (moment, bool) {
	for _, format := range []string{"%b %Y", "%b-%Y"} {
		if m, ok := newDateFormat(format).match(s); ok {
			return m, true
		}
	}
	return moment{}, false
}

// lenientParser reads a date from words and numbers in nearly any order, as dateutil does.
type lenientParser struct {
	tokens               []string
	i                    int
	date                 ymdList
	hour, minute, second int // -1 while unknown
	micro                int
	weekday              bool
	zoneName             string
	zoned                bool // an offset was seen
	offset               int
}

// parseLenient reads s, and takes what it does not say from fallback. It fails for no date, or none of the calendar.
func parseLenient(s string, dayFirst bool, fallback moment, now time.Time) (moment, bool) {
	p := lenientParser{tokens: lexLenient(s), date: newYMDList(), hour: -1, minute: -1, second: -1, micro: -1}
	for ; p.i < len(p.tokens); p.i++ {
		if !p.token() {
			return moment{}, false
		}
	}
	d := p.date.resolve(dayFirst)
	if d.year >= 0 && d.year < 100 && !p.date.century {
		d.year = expandYear(d.year, now.Year())
	}
	if d == (ymd{-1, -1, -1}) && p.hour < 0 && p.minute < 0 && p.second < 0 && p.micro < 0 {
		return moment{}, false
	}
	m := moment{
		year: known(d.year, fallback.year), month: known(d.month, fallback.month), day: known(d.day, fallback.day),
		hour: known(p.hour, 0), minute: known(p.minute, 0), second: known(p.second, 0), nano: 1000 * known(p.micro, 0),
		zone: p.zoned || p.zoneName != "", offset: p.offset,
	}
	switch strings.ToUpper(p.zoneName) {
	case "UTC", "GMT", "Z":
		m.offset = 0
	}
	const day = 24 * 60 * 60
	return m, m.valid() && !(p.weekday && d.day < 0) && p.offset > -day && p.offset < day
}

func known(value, fallback int) int {
	if value < 0 {
		return fallback
	}
	return value
}

// expandYear puts two digits into the century that brings them within fifty years of today.
func expandYear(year, today int) int {
	year += today / 100 * 100
	switch {
	case year >= today+50:
		year -= 100
	case year < today-50:
		year += 100
	}
	return year
}

// at is a token by its distance from the one that is read; "" beyond the ends.
func (p *lenientParser) at(distance int) string {
	if i := p.i + distance; i >= 0 && i < len(p.tokens) {
		return p.tokens[i]
	}
	return ""
}

// has reports whether that many tokens follow.
func (p *lenientParser) has(distance int) bool { return p.i+distance < len(p.tokens) }

// token reads one token, and what belongs to it.
func (p *lenientParser) token() bool {
	t := p.tokens[p.i]
	switch {
	case isDigit(t[0]):
		return p.number()
	case isWeekday(t):
		p.weekday = true
		return true
	case monthOf(t) != 0:
		return p.month()
	case halfOf(t) >= 0:
		return p.halfDay(halfOf(t))
	case p.couldBeZone(t):
		p.zone()
		return true
	case p.hour >= 0 && (t == "+" || t == "-"):
		return p.offsetFromUTC(t == "-")
	}
	return isFiller(t)
}

// month reads a month's name, and a day and year that are tied to it: Jan-01-99, "Jan of 01".
func (p *lenientParser) month() bool {
	if !p.date.add(monthOf(p.at(0)), roleMonth, false) {
		return false
	}
	switch tie := p.at(1); {
	case tie == "-" || tie == "/":
		if !p.has(2) || !p.date.addDigits(p.at(2), roleUnknown) {
			return false
		}
		if p.at(3) == tie {
			if !p.date.addDigits(p.at(4), roleUnknown) {
				return false
			}
			p.i += 2
		}
		p.i += 2
	case p.has(4) && tie == " " && p.at(3) == " " && strings.EqualFold(p.at(2), "of"):
		if year := p.at(4); digitsOnly(year) {
			if !p.date.addDigits(strings.Repeat("0", max(0, 4-len(year)))+year, roleYear) {
				return false
			}
			p.date.century = len(year) > 2
		}
		p.i += 4
	}
	return true
}

func (p *lenientParser) halfDay(half int) bool {
	if p.hour < 0 || p.hour > 12 {
		return false
	}
	p.hour = adjustHalf(p.hour, half)
	return true
}

func adjustHalf(hour, half int) int {
	switch {
	case hour < 12 && half == 1:
		return hour + 12
	case hour == 12 && half == 0:
		return 0
	}
	return hour
}

func (p *lenientParser) couldBeZone(t string) bool {
	if p.hour < 0 || p.zoneName != "" || p.zoned || len(t) > 5 {
		return false
	}
	return t == "z" || !strings.ContainsFunc(t, func(r rune) bool { return r < 'A' || r > 'Z' })
}

// zone reads the name of a zone. A sign behind it is turned around: GMT+3 is three hours behind.
func (p *lenientParser) zone() {
	p.zoneName = p.at(0)
	sign := p.at(1)
	if sign != "+" && sign != "-" {
		return
	}
	p.tokens[p.i+1] = map[string]string{"+": "-", "-": "+"}[sign]
	switch strings.ToUpper(p.zoneName) {
	case "UTC", "GMT", "Z":
		p.zoneName = ""
	}
}

func (p *lenientParser) offsetFromUTC(west bool) bool {
	digits := p.at(1)
	if !digitsOnly(digits) {
		return false
	}
	hours, minutes := 0, 0
	switch {
	case len(digits) == 4:
		hours, minutes = toInt(digits[:2]), toInt(digits[2:])
	case p.has(2) && p.at(2) == ":":
		if !digitsOnly(p.at(3)) || len(digits) > 4 || len(p.at(3)) > 4 {
			return false
		}
		hours, minutes = toInt(digits), toInt(p.at(3))
		p.i += 2
	case len(digits) <= 2:
		hours = toInt(digits)
	default:
		return false
	}
	p.zoned, p.offset = true, 3600*hours+60*minutes
	if west {
		p.offset = -p.offset
	}
	if p.has(5) && isFiller(p.at(2)) && p.at(3) == "(" && p.at(5) == ")" && len(p.at(4)) >= 3 && p.zoneName == "" {
		p.zoneName = p.at(4)
		p.i += 4
	}
	p.i++
	return true
}

// decimalOf is the value of a token of digits with or without a point.
func decimalOf(token string) (float64, bool) {
	if token == "" || !isDigit(token[0]) {
		return 0, false
	}
	f, err := strconv.ParseFloat(token, 64)
	return f, err == nil
}
