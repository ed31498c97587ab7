package preflight

import (
	"fmt"
	"math"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// timestampColumn is the name that tasks over time know their clock by.
const timestampColumn = "timestamp"

// timeReader reads the cells of a timestamp column as the ingestor's time validators do (contract/ingestor.md 2.2): each on
// its own, month first, and blank cells are errors.
type timeReader struct {
	report *report
	table  *table
	index  int
	now    time.Time
	// numbers is true where the values are numbers, known from the first value on.
	numbers, known bool
	// typed is true where the schema declares numbers, and the values are held to them at any rate.
	typed       bool
	dateNumbers tally
	fractions   tally
}

func newTimeReader(c *checker, t *table, index int) *timeReader {
	return &timeReader{report: t.report, table: t, index: index, now: c.now()}
}

// now is the clock of the run, in UTC as that of the ingestor's Pod.
func (c *checker) now() time.Time {
	if c.Now.IsZero() {
		return time.Now().UTC()
	}
	return c.Now.UTC()
}

// exact is the column that the header calls exactly so, blanks included; -1 for none. The ingestor's validators do not
// strip the header.
func (t *table) exact(name string) int {
	for i, raw := range t.raw {
		if raw == name {
			return i
		}
	}
	return -1
}

// lacksExact reports a column that validators look for by its exact name.
func (t *table) lacksExact(rule, name string) {
	if i := t.position(name); i >= 0 {
		t.report.add(rule, Finding{File: t.file, Column: name,
			Message: fmt.Sprintf("column %s has blanks around its name, with which the ingestor's validators do not find it", quoted(t.raw[i])),
			Remedy:  "remove the blanks"})
		return
	}
	t.lacks(rule, name, "the CSV has no column "+quoted(name))
}

// declaredType is the type of a column in the user's schema; ok is false where the schema has no such column, or no type
// that can be read.
func (c *checker) declaredType(name string) (typ dataset.SQLType, ok bool) {
	for _, column := range c.Schema {
		if column.Name == name {
			typ, err := dataset.ParseSQLType(column.Type)
			return typ, err == nil
		}
	}
	return dataset.SQLType{}, false
}

// at is a value on the clock: nanoseconds for dates, and for numbers a key of the same order.
func (r *timeReader) at(at place, cell []byte) (instant, bool) {
	add := func(rule, message string) (instant, bool) {
		r.report.add(rule, r.table.finding(at, timestampColumn, cell, message))
		return 0, false
	}
	if missingTabular(cell) {
		return add("time-invalid", "the row has no timestamp")
	}
	n := parseNumber(cell)
	number := n.kind != notNumber
	if r.typed && !number {
		return 0, false
	}
	if !r.known {
		r.numbers, r.known = number, true
	}
	if number != r.numbers {
		return add("time-invalid", fmt.Sprintf("timestamp \"%s\" and the column's first value are a number and a date", clip(cell)))
	}
	if number {
		r.dateNumbers.add(at, cell)
		if n.kind == infinite || n.kind == overflow {
			return add("time-invalid", fmt.Sprintf("timestamp \"%s\" is not finite", clip(cell)))
		}
		return orderOf(n.float()), true
	}
	s := string(cell)
	first, ok := readDate(s, false, r.now)
	switch {
	case !ok:
		return add("time-invalid", fmt.Sprintf("timestamp \"%s\" is no date, or is beyond the years 1677 to 2262", clip(cell)))
	case first.zone:
		add("value-time-zone", fmt.Sprintf("timestamp \"%s\" has a time zone", clip(cell)))
	case isoLike(s):
	default:
		if other, ok := readDate(s, true, r.now); ok && other != first {
			add("time-ambiguous", fmt.Sprintf("timestamp \"%s\" is another date day first than month first", clip(cell)))
		}
	}
	if first.at.split() {
		r.fractions.add(at, cell)
	}
	return first.at, true
}

// isoLike reports whether a value starts with a year and a dash, which the ingestor never calls ambiguous.
func isoLike(s string) bool { return len(s) > 4 && s[4] == '-' && digitsOnly(s[:4]) }

// orderOf maps a number to an integer that compares as the number does.
func orderOf(f float64) instant {
	if f == 0 {
		return 0 // for both zeros
	}
	bits := int64(math.Float64bits(f))
	if bits < 0 {
		bits = math.MinInt64 - bits
	}
	return instant(bits)
}

// nanoseconds is the time that a value stands for where dates are stored: numbers are nanoseconds themselves.
func (r *timeReader) nanoseconds(cell []byte, at instant) instant {
	if !r.numbers {
		return at
	}
	return instant(max(min(parseNumber(cell).float(), math.MaxInt64/2), math.MinInt64/2))
}

// finish reports what the database does not store as it stands, where the column is one of dates.
func (r *timeReader) finish() {
	add := func(rule string, of tally, message string) {
		if of.n > 0 {
			r.report.addMany(rule, int(of.n), Finding{File: r.table.file, Row: of.first.row, Line: of.first.line, Column: timestampColumn, Value: of.first.value,
				Message: fmt.Sprintf("timestamp \"%s\" %s", of.first.value, message)})
		}
	}
	add("value-date-number", r.dateNumbers, "is a number, and is stored as nanoseconds since 1970")
	add("value-date-fraction", r.fractions, "is rounded to a whole second")
}

// forecastingCheck holds the rules of time_series_forecasting.
type forecastingCheck struct {
	checker  *checker
	times    *timeReader
	features *numericColumns
	before   instant
	any      bool
	today    instant
}

// own makes TIMESTAMP of the column's type where that is inferred.
func (f *forecastingCheck) own(t *table) {
	if i := t.exact(timestampColumn); i >= 0 && t.columns[i] != nil {
		t.columns[i].fixed, t.columns[i].byTask = dataset.SQLType{Base: "TIMESTAMP", Kind: dataset.SQLDate}, true
	}
}

// begin checks the header and the schema.
func (f *forecastingCheck) begin(t *table) bool {
	c := f.checker
	index := t.exact(timestampColumn)
	if index < 0 {
		t.lacksExact("time-column", timestampColumn)
	} else {
		f.times = newTimeReader(c, t, index)
		f.today = instant(f.times.now.Truncate(24 * time.Hour).UnixNano())
	}
	if c.Schema != nil && index >= 0 {
		f.checkType(t)
	}
	f.features = newNumericColumns(t, timestampColumn)
	return index >= 0 // else the times may stand in any other column
}

func (f *forecastingCheck) checkType(t *table) {
	typ, ok := f.checker.declaredType(timestampColumn)
	finding := Finding{Column: timestampColumn, Message: "the schema has no column " + quoted(timestampColumn)}
	switch {
	case ok && typ.Base == "TIMESTAMP":
		return
	case ok:
		finding.Message = fmt.Sprintf("column %s is %s in the schema", quoted(timestampColumn), typ)
	}
	t.report.add("time-type", finding)
}

func (f *forecastingCheck) row(at place, r *dataset.Record) {
	f.features.row(at, r)
	if f.times == nil {
		return
	}
	cell := r.Field(f.times.index)
	now, ok := f.times.at(at, cell)
	if !ok {
		return
	}
	report, t := f.times.report, f.times.table
	if f.any && now < f.before {
		report.add("time-order", t.finding(at, timestampColumn, cell, fmt.Sprintf("timestamp \"%s\" is before that of the row above", clip(cell))))
	}
	if f.times.nanoseconds(cell, now) >= f.today {
		report.add("time-future", t.finding(at, timestampColumn, cell, fmt.Sprintf("timestamp \"%s\" is not before today", clip(cell))))
	}
	f.before, f.any = now, true
}

func (f *forecastingCheck) finish() {
	f.features.finish()
	if f.times != nil {
		f.times.finish()
	}
}
