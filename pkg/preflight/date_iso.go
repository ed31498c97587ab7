package preflight

import "strings"

// isoReader reads a date as pandas' own reader of ISO 8601 does, with or without a format that every part must agree with.
type isoReader struct {
	s string
	i int
	// format is held against the parts as far as taken; strict is false where any will do. It is not cut while it is read: that
	// would move every value to the heap.
	format string
	taken  int
	strict bool
	m      moment
	colons bool // between the parts of the time
}

// parseISO reads YYYY[-MM[-DD[( |T)HH[:MM[:SS[.fraction]]]]]] and a zone behind it. The parts of the date stand together
// or apart by one of "-./\ ", those of the time together or apart by colons; parted, they may have one digit. It does not
// look at the bounds of the year.
func parseISO(s string, format *string) (moment, bool) {
	r := isoReader{s: s, m: moment{month: 1, day: 1}}
	if format != nil {
		r.format, r.strict = *format, true
	}
	ok := r.read()
	return r.m, ok
}

func (r *isoReader) end() bool { return r.i >= len(r.s) }

// peek is the next byte, 0 at the end.
func (r *isoReader) peek() byte {
	if r.end() {
		return 0
	}
	return r.s[r.i]
}

func (r *isoReader) digit() bool { return isDigit(r.peek()) }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// take holds a part against the format.
func (r *isoReader) take(part string) bool {
	if !r.strict {
		return true
	}
	if !strings.HasPrefix(r.format[r.taken:], part) {
		return false
	}
	r.taken += len(part)
	return true
}

// finished reports whether the format is used up where the value is.
func (r *isoReader) finished() bool { return !r.strict || r.taken == len(r.format) }

// number reads one digit or two; apart says that one is enough.
func (r *isoReader) number(apart bool) (int, bool) {
	if !r.digit() {
		return 0, false
	}
	n := int(r.s[r.i] - '0')
	r.i++
	if !r.digit() {
		return n, apart
	}
	n = 10*n + int(r.s[r.i]-'0')
	r.i++
	return n, true
}

func (r *isoReader) blanks() bool {
	for !r.end() && isBlank(r.peek()) {
		r.i++
		if !r.take(" ") {
			return false
		}
	}
	return true
}

func (r *isoReader) read() bool {
	if !r.blanks() {
		return false
	}
	negative := r.i == 0 && r.peek() == '-'
	if r.peek() == '-' {
		r.i++
	}
	if r.end() || !r.take("%Y") {
		return false
	}
	if len(r.s)-r.i < 4 || len(leadingDigits([]byte(r.s[r.i:r.i+4]))) < 4 {
		return false
	}
	r.m.year = toInt(r.s[r.i : r.i+4])
	if negative {
		r.m.year = -r.m.year
	}
	r.i += 4
	if r.end() {
		return r.finished()
	}
	separator := byte(0)
	if !r.digit() {
		separator = r.peek()
		if strings.IndexByte(`-./\ `, separator) < 0 {
			return false
		}
		r.i++
		if !r.take(string(separator)) {
			return false
		}
	}
	return r.readDay(separator)
}

func (r *isoReader) readDay(separator byte) bool {
	var ok bool
	if !r.take("%m") {
		return false
	}
	if r.m.month, ok = r.number(separator != 0); !ok || r.m.month < 1 || r.m.month > 12 {
		return false
	}
	if r.end() {
		return separator != 0 && r.finished()
	}
	if separator != 0 {
		if r.peek() != separator || r.i+1 == len(r.s) {
			return false
		}
		r.i++
		if !r.take(string(separator)) {
			return false
		}
	}
	if !r.take("%d") {
		return false
	}
	if r.m.day, ok = r.number(separator != 0); !ok || r.m.day < 1 || r.m.day > daysIn(r.m.year, r.m.month) {
		return false
	}
	if r.end() {
		return r.finished()
	}
	join := r.peek()
	if (join != 'T' && join != ' ') || r.i+1 == len(r.s) || !r.take(string(join)) {
		return false
	}
	r.i++
	return r.readHour()
}

func (r *isoReader) readHour() bool {
	if !r.take("%H") {
		return false
	}
	from := r.i
	var ok bool
	if r.m.hour, ok = r.number(true); !ok || r.m.hour > 23 {
		return false
	}
	two := r.i-from == 2
	switch {
	case r.end():
		return two && r.finished()
	case r.peek() == ':':
		r.colons = true
		r.i++
		if !r.digit() || !r.take(":") {
			return false
		}
	case !r.digit():
		return two && r.readZone()
	}
	return r.readMinute()
}

func (r *isoReader) readMinute() bool {
	var ok bool
	if !r.take("%M") {
		return false
	}
	if r.m.minute, ok = r.number(r.colons); !ok || r.m.minute > 59 {
		return false
	}
	switch {
	case r.end():
		return r.finished()
	case r.colons && r.peek() == ':':
		r.i++
		if !r.digit() || !r.take(":") {
			return false
		}
	case !r.colons && r.digit():
	default:
		return r.readZone()
	}
	if !r.take("%S") {
		return false
	}
	if r.m.second, ok = r.number(r.colons); !ok || r.m.second > 59 {
		return false
	}
	if r.peek() != '.' {
		return r.readZone()
	}
	r.i++
	return r.take(".") && r.take("%f") && r.readFraction() && r.readZone()
}

// maxFraction is how many digits of a fraction are read; those beyond nanoseconds are dropped.
const maxFraction = 18

func (r *isoReader) readFraction() bool {
	scale := 100_000_000
	for n := 0; n < maxFraction && r.digit(); n++ {
		r.m.nano += int(r.peek()-'0') * scale
		scale /= 10
		r.i++
	}
	return true
}

// readZone reads what may stand behind the time: blanks, and Z or an offset.
func (r *isoReader) readZone() bool {
	if !r.blanks() {
		return false
	}
	switch c := r.peek(); c {
	case 'Z':
		r.i++
		r.m.zone = true
		if !r.take("%z") {
			return false
		}
	case '+', '-':
		r.i++
		r.m.zone = true
		if !r.take("%z") || !r.readOffset(c == '-') {
			return false
		}
	}
	return r.blanks() && r.end() && r.finished()
}

func (r *isoReader) readOffset(west bool) bool {
	hours, ok := r.number(true)
	if !ok || hours > 23 {
		return false
	}
	minutes := 0
	if !r.end() {
		if r.peek() == ':' {
			r.i++
		}
		if minutes, ok = r.number(true); !ok || minutes > 59 {
			return false
		}
	}
	r.m.offset = 3600*hours + 60*minutes
	if west {
		r.m.offset = -r.m.offset
	}
	return true
}
