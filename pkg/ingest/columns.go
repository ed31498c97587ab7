package ingest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// ParseSchema reads the value of --schema, "age:INT,price:DECIMAL(10,2)".
// Commas inside parentheses do not split; a name may hold colons, its type
// stands after the last one. Types come back in canonical form.
func ParseSchema(flag string) ([]dataset.Column, error) {
	var columns []dataset.Column
	seen := map[string]bool{}
	for _, part := range splitOutside(flag) {
		colon := strings.LastIndexByte(part, ':')
		if colon < 0 {
			return nil, fmt.Errorf("schema entry %q has no type; write it as name:TYPE", part)
		}
		name := strings.TrimSpace(part[:colon])
		if name == "" {
			return nil, fmt.Errorf("schema entry %q has no column name; write it as name:TYPE", part)
		}
		if seen[name] {
			return nil, fmt.Errorf("column %q stands twice in the schema", name)
		}
		seen[name] = true
		sqlType, err := parseType(part[colon+1:])
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", name, err)
		}
		if sqlType.rest != "" {
			return nil, fmt.Errorf("column %q: the ingestor does not read %q after the type; leave it out", name, sqlType.rest)
		}
		columns = append(columns, dataset.Column{Name: name, Type: sqlType.String()})
	}
	return columns, nil
}

// splitOutside cuts at the commas that stand outside of parentheses.
func splitOutside(s string) []string {
	var parts []string
	depth, start := 0, 0
	for i, r := range s {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth = max(0, depth-1)
		case r == ',' && depth == 0:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

// sqlType is one usable column type: a base of the vocabulary and up to two
// numbers.
type sqlType struct {
	base    string
	numbers []int
	rest    string // words after it, which the ingestor does not read
}

// String is the form that the ingestor is given: capitals, no spaces.
func (t sqlType) String() string {
	if len(t.numbers) == 0 {
		return t.base
	}
	words := make([]string, len(t.numbers))
	for i, n := range t.numbers {
		words[i] = strconv.Itoa(n)
	}
	return t.base + "(" + strings.Join(words, ",") + ")"
}

// typeRule says how many numbers a type may have, and how big they may be.
type typeRule struct {
	least, most int
	limits      []int // the largest value of each number
	numeric     bool  // values are numbers
}

// typeRules are the types that both halves of the ingestor know (contract,
// the ingestor §2.0, "SQL types"). The limits are those of MySQL.
var typeRules = map[string]typeRule{
	"VARCHAR":   {least: 1, most: 1, limits: []int{65535}},
	"TEXT":      {most: 1, limits: []int{1<<31 - 1}},
	"INT":       {numeric: true},
	"INTEGER":   {numeric: true},
	"BIGINT":    {numeric: true},
	"FLOAT":     {most: 1, limits: []int{53}, numeric: true},
	"DOUBLE":    {most: 1, limits: []int{53}, numeric: true},
	"DECIMAL":   {most: 2, limits: []int{65, 30}, numeric: true},
	"NUMERIC":   {most: 2, limits: []int{65, 30}, numeric: true},
	"BOOLEAN":   {},
	"BOOL":      {},
	"DATE":      {},
	"DATETIME":  {most: 1, limits: []int{6}},
	"TIMESTAMP": {most: 1, limits: []int{6}},
	"TIME":      {most: 1, limits: []int{6}},
}

// typeRemedies are what to write for types that one half of the ingestor does
// not know, or that people bring from other databases.
var typeRemedies = map[string]string{
	"CHAR": "VARCHAR(n)", "NCHAR": "VARCHAR(n)", "NVARCHAR": "VARCHAR(n)", "STRING": "VARCHAR(n) or TEXT", "STR": "VARCHAR(n) or TEXT",
	"TINYINT": "INT or BOOLEAN", "SMALLINT": "INT", "MEDIUMINT": "INT", "INT32": "INT", "INT64": "BIGINT", "LONG": "BIGINT",
	"REAL": "DOUBLE", "FLOAT64": "DOUBLE", "FLOAT32": "FLOAT", "NUMBER": "DECIMAL or DOUBLE",
	"TINYTEXT": "TEXT", "MEDIUMTEXT": "TEXT", "LONGTEXT": "TEXT", "TIMESTAMPTZ": "TIMESTAMP", "YEAR": "INT", "BIT": "BOOLEAN",
}

const typeVocabulary = "VARCHAR(n), TEXT, INT, BIGINT, FLOAT, DOUBLE, DECIMAL(p,s), BOOLEAN, DATE, DATETIME, TIMESTAMP and TIME"

var typeShape = regexp.MustCompile(`^\s*([A-Za-z_][A-Za-z0-9_]*)\s*(?:\(\s*([0-9]{1,10})\s*(?:,\s*([0-9]{1,10})\s*)?\))?\s*([A-Za-z][A-Za-z ]*)?$`)

// parseType reads one column type and refuses what the ingestor would fail on.
func parseType(s string) (sqlType, error) {
	parts := typeShape.FindStringSubmatch(s)
	if parts == nil {
		return sqlType{}, fmt.Errorf("%q is not a column type; there are %s", s, typeVocabulary)
	}
	t := sqlType{base: strings.ToUpper(parts[1]), rest: strings.TrimSpace(parts[4])}
	rule, known := typeRules[t.base]
	if !known {
		if remedy := typeRemedies[t.base]; remedy != "" {
			return sqlType{}, fmt.Errorf("the ingestor cannot use the type %q; use %s", s, remedy)
		}
		return sqlType{}, fmt.Errorf("the ingestor cannot use the type %q; there are %s", s, typeVocabulary)
	}
	for _, digits := range parts[2:4] {
		if digits == "" {
			continue
		}
		n, err := strconv.Atoi(digits)
		if err != nil {
			return sqlType{}, fmt.Errorf("%q: %w", s, err)
		}
		t.numbers = append(t.numbers, n)
	}
	return t, checkNumbers(s, t, rule)
}

func checkNumbers(written string, t sqlType, rule typeRule) error {
	switch {
	case len(t.numbers) < rule.least:
		return fmt.Errorf("%q needs a length: %s(n), n the most characters of a value", written, t.base)
	case len(t.numbers) > rule.most && rule.most == 0:
		return fmt.Errorf("%q: %s takes nothing in parentheses; write %s", written, t.base, t.base)
	case len(t.numbers) > rule.most:
		return fmt.Errorf("%q: %s takes one number in parentheses", written, t.base)
	}
	for i, n := range t.numbers {
		if n > rule.limits[i] {
			return fmt.Errorf("%q: %d is more than the database allows, %d", written, n, rule.limits[i])
		}
	}
	sized := t.base == "VARCHAR" || t.base == "DECIMAL" || t.base == "NUMERIC"
	if len(t.numbers) > 0 && t.numbers[0] < 1 && sized {
		return fmt.Errorf("%q: the number in parentheses must be at least 1", written)
	}
	if len(t.numbers) == 2 && t.numbers[1] > t.numbers[0] {
		return fmt.Errorf("%q: the digits after the point, %d, are more than all digits, %d", written, t.numbers[1], t.numbers[0])
	}
	return nil
}

// normalize brings the usable types into their canonical form.
func (c *Config) normalize() {
	for i, column := range c.Schema {
		if t, err := parseType(column.Type); err == nil && t.rest == "" {
			c.Schema[i].Type = t.String()
		}
	}
}
