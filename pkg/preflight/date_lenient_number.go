package preflight

import (
	"math"
	"strings"
	"time"
)

// number reads a number by its length and by what stands around it.
func (p *lenientParser) number() bool {
	t := p.at(0)
	value, ok := decimalOf(t)
	if !ok || value > math.MaxInt32 && len(t) != 12 && len(t) != 14 {
		return false
	}
	point := strings.IndexByte(t, '.')
	switch {
	case p.date.n == 3 && (len(t) == 2 || len(t) == 4) && p.hour < 0 && (!p.has(1) || (p.at(1) != ":" && unitOf(p.at(1)) < 0)):
		return p.compactTime(t)
	case len(t) == 6 || (len(t) > 6 && point == 6):
		if p.date.n == 0 && point < 0 {
			return p.date.addDigits(t[:2], roleUnknown) && p.date.addDigits(t[2:4], roleUnknown) && p.date.addDigits(t[4:], roleUnknown)
		}
		return p.compactTime(t)
	case len(t) == 8 || len(t) == 12 || len(t) == 14:
		if !p.date.addDigits(t[:4], roleYear) || !p.date.addDigits(t[4:6], roleUnknown) || !p.date.addDigits(t[6:8], roleUnknown) {
			return false
		}
		return len(t) == 8 || p.compactTime(t[8:])
	}
	if at, unit := p.unit(); unit >= 0 {
		p.i = at
		return p.assignUnit(t, value, unit)
	}
	switch next := p.at(1); {
	case p.has(2) && next == ":":
		return p.clock(value)
	case next == "-" || next == "/" || next == ".":
		return p.tied(t, next)
	case !p.has(1) || isFiller(next):
		if half := halfOf(p.at(2)); half >= 0 {
			p.hour = adjustHalf(int(value), half)
			p.i += 2
			return true
		}
		p.i++
		return p.date.addValue(int(value))
	case halfOf(next) >= 0 && value < 24:
		p.hour = adjustHalf(int(value), halfOf(next))
		p.i++
		return true
	case p.date.couldBeDay(int(value)):
		return p.date.addValue(int(value))
	}
	return false
}

// compactTime reads HH, HHMM, HHMMSS and HHMMSS.ffffff.
func (p *lenientParser) compactTime(t string) bool {
	whole, fraction, dotted := strings.Cut(t, ".")
	if !digitsOnly(whole) || (dotted && len(whole) != 6) {
		return false
	}
	p.hour = toInt(whole[:2])
	if len(whole) > 2 {
		p.minute = toInt(whole[2:4])
	}
	if len(whole) > 4 {
		p.second = toInt(whole[4:])
		p.micro = toInt((fraction + "000000")[:6])
	}
	return true
}

// unit finds the word that makes hours (0), minutes (1) or seconds (2) of a number: behind it, or in front, where the
// word of the number before makes the next smaller unit of this one. It gives where reading goes on; -1 for no unit.
func (p *lenientParser) unit() (at, unit int) {
	switch {
	case unitOf(p.at(1)) >= 0:
		return p.i + 1, unitOf(p.at(1))
	case p.at(1) == " " && unitOf(p.at(2)) >= 0:
		return p.i + 2, unitOf(p.at(2))
	case unitOf(p.at(-1)) >= 0:
		return p.i, unitOf(p.at(-1)) + 1
	case p.i > 1 && !p.has(1) && p.at(-1) == " " && unitOf(p.at(-2)) >= 0:
		return p.i, unitOf(p.at(-2)) + 1
	}
	return p.i, -1
}

func (p *lenientParser) assignUnit(t string, value float64, unit int) bool {
	whole := math.Trunc(value)
	switch unit {
	case 0:
		p.hour = int(whole)
		if value > whole {
			p.minute = sixtieths(value - whole)
		}
	case 1:
		p.setMinute(value)
	case 2:
		return p.setSecond(t)
	}
	return true
}

func (p *lenientParser) setMinute(value float64) {
	p.minute, p.second = int(value), -1
	if rest := value - math.Trunc(value); rest > 0 {
		p.second = sixtieths(rest)
	}
}

// sixtieths is how many whole minutes are in a part of an hour. The little more makes good what the part lacks as a float.
func sixtieths(part float64) int { return int(60*part + 1e-9) }

func (p *lenientParser) setSecond(t string) bool {
	whole, fraction, dotted := strings.Cut(t, ".")
	if !digitsOnly(whole) || len(whole) > 9 || (dotted && !digitsOnly(fraction)) {
		return false
	}
	p.second, p.micro = toInt(whole), toInt((fraction + "000000")[:6])
	return true
}

// clock reads HH:MM[:SS[.ff]].
func (p *lenientParser) clock(hour float64) bool {
	p.hour = int(hour)
	minute, ok := decimalOf(p.at(2))
	if !ok || minute > math.MaxInt32 {
		return false
	}
	p.setMinute(minute)
	if p.has(4) && p.at(3) == ":" {
		if !p.setSecond(p.at(4)) {
			return false
		}
		p.i += 2
	}
	p.i += 2
	return true
}

// tied reads 01-01[-01] and 01-Jan[-01].
func (p *lenientParser) tied(t, tie string) bool {
	if !p.date.addDigits(t, roleUnknown) {
		return false
	}
	if !p.has(2) || isFiller(p.at(2)) {
		p.i++
		return true
	}
	if !p.dayOrMonth(p.at(2)) {
		return false
	}
	if p.has(3) && p.at(3) == tie {
		if !p.has(4) || !p.dayOrMonth(p.at(4)) {
			return false
		}
		p.i += 2
	}
	p.i += 2
	return true
}

func (p *lenientParser) dayOrMonth(t string) bool {
	if month := monthOf(t); month != 0 {
		return p.date.add(month, roleMonth, false)
	}
	return p.date.addDigits(t, roleUnknown)
}

// isFiller reports whether the lenient parser skips a word or mark.
func isFiller(t string) bool {
	switch strings.ToLower(t) {
	case " ", ".", ",", ";", "-", "/", "'", "at", "on", "and", "ad", "m", "t", "of", "st", "nd", "rd", "th":
		return true
	}
	return false
}

// halfOf is 0 for AM, 1 for PM, and -1 for any other word.
func halfOf(t string) int {
	switch strings.ToLower(t) {
	case "am", "a":
		return 0
	case "pm", "p":
		return 1
	}
	return -1
}

// unitOf is 0 for hours, 1 for minutes, 2 for seconds, and -1 for any other word.
func unitOf(t string) int {
	switch strings.ToLower(t) {
	case "h", "hour", "hours":
		return 0
	case "m", "minute", "minutes":
		return 1
	case "s", "second", "seconds":
		return 2
	}
	return -1
}

func isWeekday(t string) bool {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if name := d.String(); strings.EqualFold(t, name) || strings.EqualFold(t, name[:3]) {
			return true
		}
	}
	return false
}

// monthOf is the month of an English name or its first three letters; 0 for none.
func monthOf(name string) int {
	if len(name) < 3 {
		return 0
	}
	for m := time.January; m <= time.December; m++ {
		full := m.String()
		if strings.EqualFold(name, full) || strings.EqualFold(name, full[:3]) || (m == time.September && strings.EqualFold(name, "sept")) {
			return int(m)
		}
	}
	return 0
}
