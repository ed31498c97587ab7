package pandas

import (
	"math"
	"strconv"
	"strings"
)

// Missing says whether pandas takes the text of a cell for a missing value.
type Missing func(text string) bool

// DefaultMissing is pandas' own set, which the tabular tasks use; lower-case none is not in it.
func DefaultMissing(text string) bool {
	switch text {
	case "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null":
		return true
	}
	return false
}

// OnlyEmpty is the set of the tasks with files.
func OnlyEmpty(text string) bool { return text == "" }

// Column gives the values of one column in one chunk the type that pandas infers: nil for missing values, and for the others
// all int64, all float64, all bool, or all string. Integers beside a missing value become floats.
func Column(cells []Cell, missing Missing) []any {
	values := make([]any, len(cells))
	present := 0
	for _, c := range cells {
		if !c.Absent && !missing(c.Text) {
			present++
		}
	}
	for _, parse := range []func(string) (any, bool){parseInt, parseFloat, parseBool} {
		if present > 0 && fill(values, cells, missing, parse) {
			return widen(values, present)
		}
	}
	_ = fill(values, cells, missing, func(s string) (any, bool) { return s, true })
	return values
}

func fill(values []any, cells []Cell, missing Missing, parse func(string) (any, bool)) bool {
	for i, c := range cells {
		values[i] = nil
		if c.Absent || missing(c.Text) {
			continue
		}
		v, ok := parse(c.Text)
		if !ok {
			return false
		}
		values[i] = v
	}
	return true
}

func widen(values []any, present int) []any {
	if present == len(values) {
		return values
	}
	for i, v := range values {
		if n, ok := v.(int64); ok {
			values[i] = float64(n)
		}
	}
	return values
}

func parseInt(s string) (any, bool) {
	v, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	return v, err == nil
}

// ParseFloat reads a number as pandas does: decimal, with spaces around it, or a word for infinity.
func ParseFloat(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if s == "" || strings.ContainsAny(s, "_xXpP") {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(v, 0) {
		return 0, false
	}
	return v, !math.IsNaN(v)
}

func parseFloat(s string) (any, bool) {
	v, ok := ParseFloat(s)
	return v, ok
}

func parseBool(s string) (any, bool) {
	switch s {
	case "True", "TRUE", "true":
		return true, true
	case "False", "FALSE", "false":
		return false, true
	}
	return nil, false
}

// Str is Python's str of a value of a column.
func Str(v any) string {
	switch v := v.(type) {
	case nil:
		return "nan"
	case string:
		return v
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return floatStr(v)
	}
	return ""
}

// floatStr is Python's repr of a float: an exponent from 1e16 on and below 1e-4, else a decimal point always.
func floatStr(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	}
	if a := math.Abs(v); a != 0 && (a >= 1e16 || a < 1e-4) {
		return strconv.FormatFloat(v, 'e', -1, 64)
	}
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
