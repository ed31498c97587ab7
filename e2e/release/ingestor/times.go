package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/ingestor/pandas"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

// parseTime reads one timestamp of whatever form, as pandas does with format="mixed". Where a date can be read month first and
// day first, dayFirst decides. A number is nanoseconds since 1970.
func parseTime(v any, dayFirst bool) (t time.Time, ok bool) {
	if n, isNumber := v.(int64); isNumber {
		return time.Unix(0, n).UTC(), true
	}
	text, isText := v.(string)
	if !isText {
		return t, false
	}
	for _, layout := range timeLayouts(dayFirst) {
		if t, err := time.Parse(layout, strings.TrimSpace(text)); err == nil {
			return t, true
		}
	}
	return t, false
}

func timeLayouts(dayFirst bool) []string {
	dates := []string{"2006-1-2", "2006/1/2", "2006.1.2", "20060102"}
	orders := [][2]string{{"1", "2"}, {"2", "1"}}
	if dayFirst {
		slices.Reverse(orders)
	}
	for _, order := range orders {
		for _, separator := range []string{"/", "-", "."} {
			dates = append(dates, order[0]+separator+order[1]+separator+"2006")
		}
	}
	var layouts []string
	for _, date := range dates {
		for _, clock := range []string{"", " 15:04", " 15:04:05", "T15:04", "T15:04:05", "T15:04:05Z07:00", " 15:04:05Z07:00"} {
			layouts = append(layouts, date+clock)
		}
	}
	return layouts
}

// timestamps is the timestamp column of a frame; absent is the line for a file without it.
func timestamps(f *frame) (values []any, absent []string) {
	values, there := f.column(timestampColumn)
	if !there {
		return nil, []string{fmt.Sprintf("Required column '%s' not found. Available: %s", timestampColumn, spec.PyList(f.header))}
	}
	return values, nil
}

func timeFormat(in *ingestor) validator {
	return validator{name: "Time Format Validator", doing: "Validating timestamps", check: func() ([]string, error) {
		at := slices.IndexFunc(in.config.schema, func(c column) bool { return c.name == timestampColumn })
		if at < 0 {
			return []string{"Schema must contain a 'timestamp' column. For time series forecasting, a 'timestamp' column is required."}, nil
		}
		if declared := in.config.schema[at].sqlType; baseType(declared) != "TIMESTAMP" {
			return []string{fmt.Sprintf("Timestamp column in schema must be of type 'TIMESTAMP', but found '%s'.", declared)}, nil
		}
		return onFrame(in, "", "", timestampForms).check()
	}}
}

var yearFirst = regexp.MustCompile(`^\d{4}-`)

func timestampForms(f *frame) []string {
	values, absent := timestamps(f)
	if absent != nil {
		return absent
	}
	var ambiguous, invalid []string
	for i, v := range values {
		monthFirst, ok := parseTime(v, false)
		if !ok {
			invalid = append(invalid, fmt.Sprint(i+1))
			continue
		}
		if dayFirst, _ := parseTime(v, true); !dayFirst.Equal(monthFirst) && !yearFirst.MatchString(pandas.Str(v)) {
			ambiguous = append(ambiguous, pandas.Str(v))
		}
	}
	var lines []string
	if n := len(ambiguous); n > 0 {
		lines = append(lines, fmt.Sprintf("Found %d ambiguous date(s) in 'timestamp' that parse differently day-first vs month-first (e.g. %s). Use ISO 8601 (YYYY-MM-DD or YYYY-MM-DD HH:MM:SS) to remove the ambiguity.", n, spec.PyList(ambiguous[:min(5, n)])))
	}
	if n := len(invalid); n > 0 {
		lines = append(lines, fmt.Sprintf("Found %d invalid timestamp(s) at rows: [%s]", n, strings.Join(invalid[:min(10, n)], ", ")))
	}
	return lines
}

func timeOrdered(in *ingestor) validator {
	return onFrame(in, "Time Ordered Validator", "Checking the order of timestamps", func(f *frame) []string {
		values, absent := timestamps(f)
		if absent != nil {
			return absent
		}
		var last time.Time
		pairs := 0
		for _, v := range values {
			t, ok := parseTime(v, false)
			if !ok {
				continue
			}
			if t.Before(last) {
				pairs++
			}
			last = t
		}
		if pairs == 0 {
			return nil
		}
		return []string{fmt.Sprintf("Found %d out-of-order timestamp pair(s)", pairs)}
	})
}

func timeBeforeToday(in *ingestor) validator {
	return onFrame(in, "Time Before Today Validator", "Checking for future timestamps", func(f *frame) []string {
		values, absent := timestamps(f)
		if absent != nil {
			return absent
		}
		today := in.now().UTC().Truncate(24 * time.Hour)
		future := 0
		for _, v := range values {
			if t, ok := parseTime(v, false); ok && !t.Before(today) {
				future++
			}
		}
		if future == 0 {
			return nil
		}
		return []string{fmt.Sprintf("Found %d timestamp(s) that are not before today", future)}
	})
}
