package preflight

import (
	"math"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// plainlyFits reports whether a value fits the declared type of its column without a closer look. Most values do; false
// means that check must decide.
func (c *column) plainlyFits(cell []byte, n *number) bool {
	switch c.declared.Kind {
	case dataset.SQLInteger:
		return n.kind == integer && (c.declared.Base == "BIGINT" || (n.i >= math.MinInt32 && n.i <= math.MaxInt32))
	case dataset.SQLFloat:
		return n.kind == integer || (n.kind == decimal && !n.wide)
	case dataset.SQLText:
		return c.label || c.declared.Length() == 0 || len(cell) <= c.declared.Length()
	case dataset.SQLBoolean:
		return booleanWord(cell)
	case dataset.SQLDate:
		if n.kind != notNumber || c.dates.format == nil || !c.dates.format.iso {
			return false
		}
		f, ok := plainDate(cell)
		return ok && f.time < timeFraction && (f.time == timeNone || c.declared.Base != "DATE") && f.layout() == c.dates.format.text
	}
	return false
}

// plainDate reads the dates that most are: YYYY-MM-DD alone or with HH:MM or HH:MM:SS behind it, in years that pandas can
// hold whole. What it reads, isoForm reads alike.
func plainDate(cell []byte) (dateForm, bool) {
	var f dateForm
	if len(cell) < 10 || cell[4] != '-' || cell[7] != '-' {
		return f, false
	}
	year, month, day := twoDigits(cell[0:])*100+twoDigits(cell[2:]), twoDigits(cell[5:]), twoDigits(cell[8:])
	if year < 1678 || year > 2261 || month < 1 || month > 12 || day < 1 || (day > 28 && day > daysIn(year, month)) {
		return f, false
	}
	switch len(cell) {
	case len("0000-00-00"):
		return f, true
	case len("0000-00-00 00:00"):
		f.time = timeMinutes
	case len("0000-00-00 00:00:00"):
		f.time = timeSeconds
		if cell[16] != ':' || uint(twoDigits(cell[17:])) > 59 {
			return f, false
		}
	default:
		return f, false
	}
	f.join = cell[10]
	return f, (f.join == ' ' || f.join == 'T') && cell[13] == ':' && uint(twoDigits(cell[11:])) <= 23 && uint(twoDigits(cell[14:])) <= 59
}

// twoDigits is the number of two digits; very negative when one of them is none.
func twoDigits(b []byte) int {
	tens, ones := b[0]-'0', b[1]-'0'
	if tens > 9 || ones > 9 {
		return -1 << 20
	}
	return int(tens)*10 + int(ones)
}

// layout is the format of strptime that has the form.
func (f dateForm) layout() string {
	switch {
	case f.time == timeNone:
		return "%Y-%m-%d"
	case f.join == 'T' && f.time == timeMinutes:
		return "%Y-%m-%dT%H:%M"
	case f.join == 'T':
		return "%Y-%m-%dT%H:%M:%S"
	case f.time == timeMinutes:
		return "%Y-%m-%d %H:%M"
	}
	return "%Y-%m-%d %H:%M:%S"
}
