package preflight

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// dateFormat is a format of strptime, as pandas guesses one from the first value of a column.
type dateFormat struct {
	text  string
	iso   bool // read by parseISO first
	parts []formatPart
}

// formatPart is a directive such as 'Y', a run of blanks (' '), or a literal rune (0).
type formatPart struct {
	directive byte
	literal   rune
}

func newDateFormat(text string) *dateFormat {
	f := &dateFormat{text: text, iso: isISOFormat(text)}
	for rest := text; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case r == '%' && len(rest) > 1:
			f.parts = append(f.parts, formatPart{directive: rest[1]})
			size = 2
		case !unicode.IsSpace(r):
			f.parts = append(f.parts, formatPart{literal: r})
		case len(f.parts) == 0 || f.parts[len(f.parts)-1].directive != ' ':
			f.parts = append(f.parts, formatPart{directive: ' '})
		}
		rest = rest[size:]
	}
	return f
}

// isISOFormat reports whether a format is one that pandas has its faster reader for: from the year on, and cut anywhere.
func isISOFormat(text string) bool {
	rest, ok := strings.CutPrefix(text, "%Y")
	if !ok || text == "%Y%m" {
		return false
	}
	separator := ""
	if rest != "" && strings.IndexByte(`-/\. `, rest[0]) >= 0 {
		separator = rest[:1]
	}
	for _, part := range []string{separator + "%m", separator + "%d", "T%H", ":%M", ":%S", ".%f"} {
		if rest == "" {
			return true
		}
		if part == "T%H" && rest[0] == ' ' {
			part = " %H"
		}
		if rest, ok = strings.CutPrefix(rest, part); !ok {
			return false
		}
	}
	return rest == ""
}

// match reads a value that must be written in the format, with strptime's leniencies: one digit is enough for what has at
// most two, letter case does not count, and any number of blanks stands for others. It fails for days that no calendar has.
func (f *dateFormat) match(s string) (moment, bool) {
	if f.iso {
		if m, ok := parseISO(s, &f.text); ok {
			return m, true
		}
	}
	m := matching{moment: moment{year: 1900, month: 1, day: 1}, half: -1}
	if !m.match(f.parts, s) {
		return moment{}, false
	}
	switch {
	case m.half == 0 && m.hour == 12:
		m.hour = 0
	case m.half == 1 && m.hour != 12:
		m.hour += 12
	}
	day := m.moment
	day.second = min(day.second, 59) // strptime knows leap seconds
	return m.moment, day.valid()
}

// matching is the way through a value.
type matching struct {
	moment
	half int // 0 AM, 1 PM, -1 unknown
}

// match takes the first way through the parts that exists, as a regular expression does; it must then be at the end.
func (m *matching) match(parts []formatPart, s string) bool {
	if len(parts) == 0 {
		return s == ""
	}
	p, rest := parts[0], parts[1:]
	switch p.directive {
	case 0:
		r, size := utf8.DecodeRuneInString(s)
		return size > 0 && unicode.ToLower(r) == unicode.ToLower(p.literal) && m.match(rest, s[size:])
	case ' ':
		trimmed := strings.TrimLeftFunc(s, unicode.IsSpace)
		return len(trimmed) < len(s) && m.match(rest, trimmed)
	case 'B', 'b', 'A', 'a', 'p':
		return m.matchName(p.directive, rest, s)
	}
	start := s
	if p.directive == 'd' {
		start = strings.TrimPrefix(s, " ")
	}
	most := directiveDigits(p.directive)
	digits := start[:len(leadingDigits([]byte(start[:min(most, len(start))])))]
	for n := len(digits); n > 0; n-- {
		if !inRange(p.directive, digits[:n]) || (len(start) < len(s) && n > 1) {
			continue
		}
		before := *m
		m.set(p.directive, digits[:n])
		if m.match(rest, start[n:]) {
			return true
		}
		*m = before
	}
	return false
}

func directiveDigits(directive byte) int {
	switch directive {
	case 'Y':
		return 4
	case 'f':
		return 9
	}
	return 2
}

// inRange reports whether strptime takes the digits for the directive.
func inRange(directive byte, digits string) bool {
	switch n := toInt(digits); directive {
	case 'Y':
		return len(digits) == 4
	case 'm', 'I':
		return n >= 1 && n <= 12
	case 'd':
		return n >= 1 && n <= 31
	case 'H':
		return n < 24
	case 'M':
		return n < 60
	case 'S':
		return n < 62
	}
	return true
}

func (m *matching) set(directive byte, digits string) {
	n := toInt(digits)
	switch directive {
	case 'Y':
		m.year = n
	case 'm':
		m.month = n
	case 'd':
		m.day = n
	case 'H', 'I':
		m.hour = n
	case 'M':
		m.minute = n
	case 'S':
		m.second = n
	case 'f':
		m.nano = toInt((digits + "000000000")[:9])
	}
}

func (m *matching) matchName(directive byte, rest []formatPart, s string) bool {
	for i, name := range directiveNames(directive) {
		if len(s) < len(name) || !strings.EqualFold(s[:len(name)], name) {
			continue
		}
		switch directive {
		case 'B', 'b':
			m.month = i + 1
		case 'p':
			m.half = i
		}
		return m.match(rest, s[len(name):])
	}
	return false
}

// directiveNames are the words that a directive stands for, in the C locale.
func directiveNames(directive byte) []string {
	var names []string
	switch directive {
	case 'B', 'b':
		for month := time.January; month <= time.December; month++ {
			names = append(names, month.String())
		}
	case 'A', 'a':
		for day := time.Sunday; day <= time.Saturday; day++ {
			names = append(names, day.String())
		}
	case 'p':
		return []string{"AM", "PM"}
	}
	if directive >= 'a' {
		for i, name := range names {
			names[i] = name[:3]
		}
	}
	return names
}

// render writes a moment as strftime does.
func (f *dateFormat) render(m moment) string {
	var b strings.Builder
	for _, p := range f.parts {
		switch p.directive {
		case 0:
			b.WriteRune(p.literal)
		case ' ':
			b.WriteByte(' ')
		default:
			b.WriteString(m.render(p.directive))
		}
	}
	return b.String()
}

// render writes one directive.
func (m moment) render(directive byte) string {
	switch directive {
	case 'Y':
		return fmt.Sprint(m.year)
	case 'm':
		return fmt.Sprintf("%02d", m.month)
	case 'd':
		return fmt.Sprintf("%02d", m.day)
	case 'H':
		return fmt.Sprintf("%02d", m.hour)
	case 'I':
		return fmt.Sprintf("%02d", (m.hour+11)%12+1)
	case 'M':
		return fmt.Sprintf("%02d", m.minute)
	case 'S':
		return fmt.Sprintf("%02d", m.second)
	case 'f':
		return fmt.Sprintf("%06d", m.nano/1000)
	case 'B', 'b':
		return directiveNames(directive)[m.month-1]
	case 'A', 'a':
		return directiveNames(directive)[time.Date(m.year, time.Month(m.month), m.day, 0, 0, 0, 0, time.UTC).Weekday()]
	case 'p':
		return directiveNames(directive)[m.hour/12]
	}
	return ""
}

// toInt reads digits that are known to be few.
func toInt(digits string) int {
	n := 0
	for _, c := range digits {
		n = n*10 + int(c-'0')
	}
	return n
}
