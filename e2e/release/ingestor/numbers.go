package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/ingestor/pandas"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

// numericColumns wants numbers in every feature but those named; blanks are allowed.
func numericColumns(in *ingestor, without ...string) validator {
	return onFrame(in, "Numeric Columns Validator", "Validating numeric columns", func(f *frame) []string {
		var lines []string
		for _, c := range in.config.features() {
			values, there := f.column(c.name)
			if !there || slices.Contains(without, c.name) {
				continue
			}
			if bad := notNumbers(values); len(bad) > 0 {
				lines = append(lines, fmt.Sprintf("Column '%s' contains %d non-numeric value(s). Sample invalid values: %s", c.name, len(bad), spec.PyList(bad[:min(10, len(bad))])))
			}
		}
		return lines
	})
}

func notNumbers(values []any) []string {
	var bad []string
	for _, v := range values {
		if _, ok := number(v); !ok && v != nil && strings.TrimSpace(pandas.Str(v)) != "" {
			bad = append(bad, pandas.Str(v))
		}
	}
	return bad
}

// timeToEvent wants numbers that are not negative in the time column; blanks are only a warning.
func timeToEvent(in *ingestor) validator {
	name := in.config.timeColumn
	return onFrame(in, "Time to Event Validator", "Validating times", func(f *frame) []string {
		values, there := f.column(name)
		if !there {
			return []string{fmt.Sprintf("Required time column '%s' not found in dataset. Available columns: %s. The dataset must contain a column named '%s'.", name, spec.PyList(f.header), name)}
		}
		var lines []string
		if bad := notNumbers(values); len(bad) > 0 {
			lines = append(lines, fmt.Sprintf("Time column '%s' contains %d non-numeric value(s). Time values must be numeric (int or float). Sample invalid values: %s", name, len(bad), spec.PyList(bad[:min(5, len(bad))])))
		}
		var negative []string
		for _, v := range values {
			if n, ok := number(v); ok && n < 0 {
				negative = append(negative, pandas.Str(v))
			}
		}
		if n := len(negative); n > 0 {
			lines = append(lines, fmt.Sprintf("Time column '%s' contains %d negative value(s). Time values must be non-negative. Sample negative values: [%s]", name, n, strings.Join(negative[:min(5, n)], ", ")))
		}
		return lines
	})
}
