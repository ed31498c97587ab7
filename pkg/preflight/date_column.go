package preflight

import (
	"fmt"
	"time"
)

// dateColumn is what the values of a date column have in common so far. pandas takes the form from the first one, and every
// other must be written in it; where it finds none, it reads every value on its own (contract/ingestor.md 2.0,
// "DATE/DATETIME/TIMESTAMP/TIME").
type dateColumn struct {
	bound  bool
	format *dateFormat // nil for no common form
	// number is the first value, if values are numbers so far.
	number string
	now    time.Time
}

// checkDate holds a value against the form that the column is bound to, and against what the ingestion makes of it, which
// reads every value on its own.
func (c *column) checkDate(cell []byte) *breach {
	d := &c.dates
	s := string(cell)
	if !d.bound {
		if parseNumber(cell).kind != notNumber {
			if d.number == "" {
				d.number = s
			}
			return &breach{"value-date-number", fmt.Sprintf("is a number; the column is %s", c.declared)}
		}
		first := s
		if d.number != "" {
			first = d.number
		}
		d.bound, d.format = true, guessFormat(first, d.now)
	}
	at, b := d.check(s)
	switch {
	case b != nil:
	case c.declared.Base == "DATE" && at%(24*instant(time.Hour)) != 0:
		b = &breach{"value-date-cut", "loses its time; the column is DATE"}
	case at.split():
		b = &breach{"value-date-fraction", "is rounded to a whole second"}
	}
	return b
}

// split reports whether a time has a part of a second.
func (i instant) split() bool { return i%1e9 != 0 }

func (d *dateColumn) check(s string) (instant, *breach) {
	if d.format != nil && d.format.iso {
		if m, ok := parseISO(s, &d.format.text); ok && !m.zone {
			at, ok := m.instant()
			if !ok {
				return 0, &breach{"value-not-date", "is beyond the years 1677 to 2262, which pandas can hold"}
			}
			return at, nil
		}
	}
	own, ok := readDate(s, false, d.now)
	switch {
	case ok && own.zone:
		return 0, &breach{"value-time-zone", "has a time zone"}
	case !ok:
		return 0, &breach{"value-not-date", "is no date"}
	case d.format == nil && d.number != "":
		return 0, &breach{"value-not-date", "is no number, as the column's first value is"}
	case d.format == nil:
		return own.at, nil
	}
	m, ok := d.format.match(s)
	if !ok {
		return 0, &breach{"value-not-date", "is written in another way than the column's first value"}
	}
	if at, _ := m.instant(); at != own.at {
		return 0, &breach{"value-date-order", "is read in one way when it is checked, as the column's first value is, and in another when it is stored"}
	}
	return own.at, nil
}
