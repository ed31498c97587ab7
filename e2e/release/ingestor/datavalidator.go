package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/ingestor/pandas"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

// dataChunk is the number of rows that the Data Validator looks at together; it stops after the first chunk with errors.
const dataChunk = 50_000

// dataValidator reads the file as the validators do: comma, no escape character, pandas' own missing values. It leaves out the
// columns that the task checks with a validator of their own.
func dataValidator(in *ingestor, without ...string) validator {
	return validator{name: "Data Validator", doing: "Validating data types", check: func() ([]string, error) {
		if !strings.HasSuffix(in.config.csv, ".csv") {
			return []string{"No data found to validate"}, nil
		}
		f, err := os.Open(in.config.csv)
		if err != nil {
			return []string{"Data type validation error: " + pyOSError(err)}, nil
		}
		defer func() { _ = f.Close() }()
		features := slices.DeleteFunc(in.config.features(), func(c column) bool { return slices.Contains(without, c.name) })
		lines, err := checkData(f, features)
		if err != nil {
			return []string{"Data type validation error: " + err.Error()}, nil
		}
		return lines, nil
	}}
}

func checkData(f io.Reader, schema []column) ([]string, error) {
	r, err := pandas.NewReader(f, pandas.Dialect{})
	if errors.As(err, &pandas.EmptyError{}) {
		return []string{"No data found to validate"}, nil
	}
	if err != nil {
		return nil, err
	}
	header := r.Header()
	if line := duplicates(header); line != "" {
		return []string{line}, nil
	}
	for any := false; ; any = true {
		rows, err := readChunk(r, dataChunk)
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			if !any {
				return []string{"No data found to validate"}, nil
			}
			return nil, nil
		}
		var lines []string
		for _, c := range schema {
			if at := slices.Index(header, c.name); at >= 0 {
				lines = append(lines, checkColumn(c, cells(rows, at))...)
			}
		}
		if len(lines) > 0 {
			return lines, nil
		}
	}
}

// readChunk reads up to n rows; none at the end of the file.
func readChunk(r *pandas.Reader, n int) ([][]pandas.Cell, error) {
	var rows [][]pandas.Cell
	for len(rows) < n {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func cells(rows [][]pandas.Cell, at int) []pandas.Cell {
	out := make([]pandas.Cell, len(rows))
	for i, row := range rows {
		out[i] = row[at]
	}
	return out
}

// duplicates names the columns that stand twice in the header after their spaces are cut.
func duplicates(header []string) string {
	seen := map[string]int{}
	var twice []string
	for _, h := range header {
		name := strings.TrimSpace(h)
		if seen[name]++; seen[name] == 2 {
			twice = append(twice, name)
		}
	}
	if len(twice) == 0 {
		return ""
	}
	return fmt.Sprintf("Duplicate column name(s) in the CSV header: %s. Each column must be unique — otherwise the second is silently renamed '<name>.1' by the parser and the schema maps onto the wrong column.", spec.PyList(twice))
}

var lengthForm = regexp.MustCompile(`\(\s*(\d+)\s*\)`)

// baseType is what stands before a parenthesis, the first word of it, in upper case.
func baseType(sqlType string) string {
	words := strings.Fields(strings.SplitN(sqlType, "(", 2)[0])
	if len(words) == 0 {
		return ""
	}
	return strings.ToUpper(words[0])
}

func checkColumn(c column, cs []pandas.Cell) []string {
	values := pandas.Column(cs, pandas.DefaultMissing)
	switch base := baseType(c.sqlType); base {
	case "INT", "INTEGER", "BIGINT":
		return checkNumbers(c.name, values, true)
	case "FLOAT", "DOUBLE", "DECIMAL", "NUMERIC":
		return checkNumbers(c.name, values, false)
	case "BOOLEAN", "BOOL":
		return checkBooleans(c.name, values)
	case "VARCHAR":
		return checkLengths(c, values)
	case "DATE", "DATETIME", "TIMESTAMP", "TIME":
		return checkDates(c.name, values)
	case "TEXT":
		return nil
	default:
		return []string{"Unknown data type: " + base}
	}
}

func checkNumbers(name string, values []any, whole bool) []string {
	var words, infinite []string
	fractions := 0
	for _, v := range values {
		n, ok := number(v)
		switch {
		case v == nil:
		case !ok:
			words = append(words, pandas.Str(v))
		case math.IsInf(n, 0):
			infinite = append(infinite, pandas.Str(n))
		case whole && n != math.Trunc(n):
			fractions++
		}
	}
	switch {
	case len(words) > 0:
		return []string{fmt.Sprintf("Column '%s' contains %d non-numeric value(s). Sample invalid values: %s", name, len(words), spec.PyList(words[:min(5, len(words))]))}
	case len(infinite) > 0:
		return []string{fmt.Sprintf("Column '%s' contains %d non-finite value(s) (inf/-inf): [%s]", name, len(infinite), strings.Join(infinite[:min(5, len(infinite))], ", "))}
	case fractions > 0:
		return []string{fmt.Sprintf("Column '%s' contains %d non-integer values", name, fractions)}
	}
	return nil
}

// number is pandas.to_numeric of one value of a column.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case string:
		return pandas.ParseFloat(v)
	}
	return 0, false
}

func checkBooleans(name string, values []any) []string {
	var bad []string
	for _, v := range values {
		if _, ok := boolean(v); !ok && v != nil {
			bad = append(bad, pandas.Str(v))
		}
	}
	if len(bad) == 0 {
		return nil
	}
	slices.Sort(bad)
	unique := slices.Compact(slices.Clone(bad))
	return []string{fmt.Sprintf("Column '%s' contains non-boolean values. Found %d invalid value(s): {%s}", name, len(bad), strings.Trim(spec.PyList(unique), "[]"))}
}

// boolean is 0 or 1, or one of the words that the ingestor takes for them.
func boolean(v any) (value, ok bool) {
	if s, isText := v.(string); isText {
		switch strings.ToLower(strings.TrimSpace(s)) {
		case "true", "yes", "y", "t", "1":
			return true, true
		case "false", "no", "n", "f", "0":
			return false, true
		}
		return false, false
	}
	n, ok := number(v)
	return n == 1, ok && (n == 0 || n == 1)
}

func checkLengths(c column, values []any) []string {
	m := lengthForm.FindStringSubmatch(c.sqlType)
	if m == nil {
		return nil
	}
	limit, err := strconv.Atoi(m[1])
	if err != nil {
		return nil
	}
	long := 0
	for _, v := range values {
		if v != nil && utf8.RuneCountInString(pandas.Str(v)) > limit {
			long++
		}
	}
	if long == 0 {
		return nil
	}
	return []string{fmt.Sprintf("Column '%s' has %d values exceeding max length %d", c.name, long, limit)}
}

func checkDates(name string, values []any) []string {
	layout, bad := "", 0
	for _, v := range values {
		if v == nil {
			continue
		}
		if layout == "" {
			layout = dateLayout(pandas.Str(v))
		}
		if _, err := time.Parse(layout, pandas.Str(v)); layout == "" || err != nil {
			bad++
		}
	}
	if bad == 0 {
		return nil
	}
	return []string{fmt.Sprintf("Column '%s' contains %d invalid date values", name, bad)}
}

// dateLayout is the form of a column's first date, which binds all of them. Empty: no date that the stand-in knows.
func dateLayout(s string) string {
	for _, l := range []string{
		"2006-01-02", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02T15:04:05Z07:00",
		"2006/01/02", "2006/01/02 15:04:05", "01/02/2006", "02/01/2006", "01-02-2006", "15:04:05", "15:04", "20060102",
	} {
		if _, err := time.Parse(l, s); err == nil {
			return l
		}
	}
	return ""
}
