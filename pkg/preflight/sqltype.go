package preflight

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// sqlKind groups the SQL types by how the ingestor checks their values.
type sqlKind uint8

const (
	kindText sqlKind = iota
	kindInteger
	kindFloat
	kindDecimal
	kindBoolean
	kindDate
)

// sqlType is a declared or inferred column type.
type sqlType struct {
	base string // upper case, e.g. "VARCHAR"
	kind sqlKind
	args []int // what stands in the parentheses
}

// MySQL's limits of what stands in the parentheses.
const (
	maxVarchar   = 16383 // characters of 4 bytes in a row of 65,535 bytes
	maxPrecision = 65
	maxScale     = 30
)

var sqlTypePattern = regexp.MustCompile(`^\s*([A-Za-z]+)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?\s*(?:[A-Za-z][A-Za-z0-9_ ]*)?$`)

// usableType is a type that the ingestor can use: how its values are checked, and how many numbers stand behind it.
type usableType struct {
	kind     sqlKind
	min, max int
}

// usableTypes is the intersection of what the ingestor's database mapping and its validator know
// (contract/ingestor.md 2.0, "SQL types").
func usableTypes() map[string]usableType {
	return map[string]usableType{
		"VARCHAR": {kindText, 1, 1}, "TEXT": {kindText, 0, 1},
		"INT": {kindInteger, 0, 0}, "INTEGER": {kindInteger, 0, 0}, "BIGINT": {kindInteger, 0, 0},
		"FLOAT": {kindFloat, 0, 1}, "DOUBLE": {kindFloat, 0, 1},
		"DECIMAL": {kindDecimal, 0, 2}, "NUMERIC": {kindDecimal, 0, 2},
		"BOOLEAN": {kindBoolean, 0, 0}, "BOOL": {kindBoolean, 0, 0},
		"DATE": {kindDate, 0, 0}, "DATETIME": {kindDate, 0, 1}, "TIMESTAMP": {kindDate, 0, 1}, "TIME": {kindDate, 0, 1},
	}
}

// parseType reads a SQL type. The error says what is wrong with it, without naming the column.
func parseType(text string) (sqlType, error) {
	m := sqlTypePattern.FindStringSubmatch(text)
	if m == nil {
		return sqlType{}, fmt.Errorf("type %s cannot be read", quoted(text))
	}
	t := sqlType{base: strings.ToUpper(m[1])}
	for _, arg := range m[2:] {
		if arg == "" {
			continue
		}
		n, err := strconv.Atoi(arg)
		if err != nil {
			return sqlType{}, fmt.Errorf("type %s has a number that cannot be read", quoted(text))
		}
		t.args = append(t.args, n)
	}
	usable, ok := usableTypes()[t.base]
	if !ok {
		return sqlType{}, fmt.Errorf("type %s is unknown to the ingestor's validator or to its database mapping", quoted(text))
	}
	t.kind = usable.kind
	switch {
	case len(t.args) < usable.min:
		return sqlType{}, fmt.Errorf("type %s needs a length, e.g. %s(255)", quoted(text), t.base)
	case len(t.args) > usable.max && usable.max == 0:
		return sqlType{}, fmt.Errorf("type %s takes no number in parentheses: the ingestor crashes on it", quoted(text))
	case len(t.args) > usable.max:
		return sqlType{}, fmt.Errorf("type %s takes %d number in parentheses", quoted(text), usable.max)
	}
	return t, t.limits(text)
}

func (t sqlType) limits(text string) error {
	switch {
	case t.base == "VARCHAR" && (t.args[0] < 1 || t.args[0] > maxVarchar):
		return fmt.Errorf("type %s: the length must be 1 to %d; use TEXT beyond that", quoted(text), maxVarchar)
	case t.kind == kindDecimal && (t.precision() < 1 || t.precision() > maxPrecision || t.scale() > maxScale || t.scale() > t.precision()):
		return fmt.Errorf("type %s: at most %d digits, %d of them decimals", quoted(text), maxPrecision, maxScale)
	}
	return nil
}

// length is the declared length of a VARCHAR; 0 for other types.
func (t sqlType) length() int {
	if t.base == "VARCHAR" {
		return t.args[0]
	}
	return 0
}

// precision and scale of a DECIMAL; MySQL's defaults are 10 and 0.
func (t sqlType) precision() int {
	if len(t.args) == 0 {
		return 10
	}
	return t.args[0]
}

func (t sqlType) scale() int {
	if len(t.args) < 2 {
		return 0
	}
	return t.args[1]
}

func (t sqlType) String() string {
	if len(t.args) == 0 {
		return t.base
	}
	args := make([]string, len(t.args))
	for i, a := range t.args {
		args[i] = strconv.Itoa(a)
	}
	return t.base + "(" + strings.Join(args, ",") + ")"
}

// reservedNames are the columns that the ingestor's framework owns (contract/ingestor.md 2.0, "MySQL table").
func reservedNames() []string {
	return []string{
		"id", "created_at", "updated_at", "status", "data_intent", "data_id", "filename", "extension", "annotation", "ingestor_id",
	}
}

// reserved reports whether a name collides with a framework column; the database does not tell letter case apart.
func reserved(name string) bool { return slices.Contains(reservedNames(), strings.ToLower(name)) }
