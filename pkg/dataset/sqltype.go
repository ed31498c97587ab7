package dataset

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// SQLKind groups the SQL types by how the ingestor checks their values.
type SQLKind uint8

// The kinds. SQLDate has all types of dates and times.
const (
	SQLText SQLKind = iota
	SQLInteger
	SQLFloat
	SQLDecimal
	SQLBoolean
	SQLDate
)

// SQLType is a column type as the ingestor reads it (contract/ingestor.md 2.0, "SQL types"). The zero value is no type.
type SQLType struct {
	// Base is the type's name in capitals, e.g. "VARCHAR".
	Base string
	// Args are the numbers in the parentheses, none or one, or two for DECIMAL and NUMERIC.
	Args []int
	Kind SQLKind
	// Unread is what the ingestor passes over without a word, e.g. "NOT NULL", or "(10,2)" of a DOUBLE(10,2).
	Unread string
}

// MaxVarchar is the longest VARCHAR of a table in utf8mb4, in characters: four bytes each in a row of 65,535 bytes.
const MaxVarchar = 16383

// singleDigits is the highest n for which the database keeps a FLOAT(n) in single precision.
const singleDigits = 24

// argRule says how many numbers the ingestor takes behind a type, and the largest value of each. It goes with the kind of
// the type.
type argRule struct {
	kind        SQLKind
	least, most int
	limits      []int
}

// sqlTypes are the types that both halves of the ingestor know: its database mapping and its validator.
func sqlTypes() map[string]argRule {
	integer, boolean, instant := argRule{kind: SQLInteger}, argRule{kind: SQLBoolean}, argRule{kind: SQLDate, most: 1, limits: []int{6}}
	decimal := argRule{kind: SQLDecimal, most: 2, limits: []int{65, 30}}
	return map[string]argRule{
		"VARCHAR": {kind: SQLText, least: 1, most: 1, limits: []int{MaxVarchar}},
		"TEXT":    {kind: SQLText, most: 1, limits: []int{1<<31 - 1}},
		"INT":     integer, "INTEGER": integer, "BIGINT": integer,
		"FLOAT":   {kind: SQLFloat, most: 1, limits: []int{53}},
		"DOUBLE":  {kind: SQLFloat},
		"DECIMAL": decimal, "NUMERIC": decimal,
		"BOOLEAN": boolean, "BOOL": boolean,
		"DATE":     {kind: SQLDate},
		"DATETIME": instant, "TIMESTAMP": instant, "TIME": instant,
	}
}

// sqlTypeRemedies are what to write for types that one half of the ingestor does not know, or that people bring from other
// databases and libraries.
func sqlTypeRemedies() map[string]string {
	return map[string]string{
		"CHAR": "VARCHAR(n)", "NCHAR": "VARCHAR(n)", "NVARCHAR": "VARCHAR(n)", "VARCHAR2": "VARCHAR(n)", "CHARACTER": "VARCHAR(n)",
		"STRING": "VARCHAR(n) or TEXT", "STR": "VARCHAR(n) or TEXT", "OBJECT": "VARCHAR(n) or TEXT", "CATEGORY": "VARCHAR(n)", "ENUM": "VARCHAR(n)",
		"UUID": "VARCHAR(36)", "JSON": "TEXT", "CLOB": "TEXT", "TINYTEXT": "TEXT", "MEDIUMTEXT": "TEXT", "LONGTEXT": "TEXT",
		"TINYINT": "INT or BOOLEAN", "SMALLINT": "INT", "MEDIUMINT": "INT", "INT32": "INT", "INT64": "BIGINT", "LONG": "BIGINT", "YEAR": "INT",
		"REAL": "DOUBLE", "FLOAT64": "DOUBLE", "FLOAT32": "FLOAT", "NUMBER": "DECIMAL or DOUBLE", "BIT": "BOOLEAN",
		"TIMESTAMPTZ": "TIMESTAMP", "DATETIME64": "DATETIME",
	}
}

// SQLTypeNames are the usable types in words, for messages.
const SQLTypeNames = "VARCHAR(n), TEXT, INT, BIGINT, FLOAT, DOUBLE, DECIMAL(p,s), BOOLEAN, DATE, DATETIME, TIMESTAMP and TIME"

// sqlTypeShape takes a type apart as the ingestor does: the first word, the numbers in parentheses, and the rest. A
// parenthesis further on would change what stands in the first pair.
var sqlTypeShape = regexp.MustCompile(`^\s*([A-Za-z_][A-Za-z0-9_]*)\b\s*(?:\(\s*([0-9]{1,10})\s*(?:,\s*([0-9]{1,10})\s*)?\))?\s*([A-Za-z][^()]*)?$`)

// ParseSQLType reads one column type and refuses what an ingestor would fail on. Letter case and spaces do not matter. The
// error quotes the type and says what to write instead, without naming the column.
func ParseSQLType(text string) (SQLType, error) {
	parts := sqlTypeShape.FindStringSubmatch(text)
	if parts == nil {
		return SQLType{}, fmt.Errorf("%.100q is not a column type; there are %s", text, SQLTypeNames)
	}
	t := SQLType{Base: strings.ToUpper(parts[1]), Unread: strings.TrimSpace(parts[4])}
	rule, known := sqlTypes()[t.Base]
	if !known {
		if remedy := sqlTypeRemedies()[t.Base]; remedy != "" {
			return SQLType{}, fmt.Errorf("the ingestor cannot use the type %.100q; use %s", text, remedy)
		}
		return SQLType{}, fmt.Errorf("the ingestor cannot use the type %.100q; there are %s", text, SQLTypeNames)
	}
	t.Kind = rule.kind
	args, err := sqlArgs(parts[2:4])
	if err != nil {
		return SQLType{}, fmt.Errorf("%.100q: %w", text, err)
	}
	// The ingestor takes one number, or two of a decimal; from anything else it makes the type without them.
	if len(args) == 2 && rule.most < 2 && rule.least == 0 {
		t.Unread = strings.TrimSpace(fmt.Sprintf("(%d,%d) %s", args[0], args[1], t.Unread))
		args = nil
	}
	t.Args = args
	return t, t.checkArgs(text, rule)
}

func sqlArgs(digits []string) ([]int, error) {
	var args []int
	for _, d := range digits {
		if d == "" {
			continue
		}
		n, err := strconv.Atoi(d)
		if err != nil {
			return nil, err
		}
		args = append(args, n)
	}
	return args, nil
}

func (t SQLType) checkArgs(written string, rule argRule) error {
	switch {
	case len(t.Args) < rule.least:
		return fmt.Errorf("%.100q needs a length: %s(n), n the most characters of a value", written, t.Base)
	case len(t.Args) > rule.most && rule.most == 0:
		return fmt.Errorf("%.100q: %s takes nothing in parentheses; write %s", written, t.Base, t.Base)
	case len(t.Args) > rule.most:
		return fmt.Errorf("%.100q: %s takes one number in parentheses", written, t.Base)
	}
	for i, n := range t.Args {
		if n > rule.limits[i] {
			hint := ""
			if t.Base == "VARCHAR" {
				hint = "; use TEXT"
			}
			return fmt.Errorf("%.100q: %d is more than the database allows, %d%s", written, n, rule.limits[i], hint)
		}
	}
	sized := rule.least > 0 || t.Kind == SQLDecimal
	if len(t.Args) > 0 && t.Args[0] < 1 && sized {
		return fmt.Errorf("%.100q: the number in parentheses must be at least 1", written)
	}
	if t.Kind == SQLDecimal && t.Scale() > t.Precision() {
		return fmt.Errorf("%.100q: the digits after the point, %d, are more than all digits, %d", written, t.Scale(), t.Precision())
	}
	return nil
}

// Varchar is the type of texts of up to n characters: VARCHAR(n), at least VARCHAR(1), or TEXT beyond what a VARCHAR takes.
func Varchar(n int) SQLType {
	if n > MaxVarchar {
		return SQLType{Base: "TEXT", Kind: SQLText}
	}
	return SQLType{Base: "VARCHAR", Kind: SQLText, Args: []int{max(n, 1)}}
}

// String is the form that the ingestor is given: capitals, no spaces, and nothing that it does not read.
func (t SQLType) String() string {
	if len(t.Args) == 0 {
		return t.Base
	}
	words := make([]string, len(t.Args))
	for i, n := range t.Args {
		words[i] = strconv.Itoa(n)
	}
	return t.Base + "(" + strings.Join(words, ",") + ")"
}

// Numeric reports whether the values are numbers.
func (t SQLType) Numeric() bool {
	return t.Kind == SQLInteger || t.Kind == SQLFloat || t.Kind == SQLDecimal
}

// Length is the declared length of a VARCHAR in characters; 0 for other types.
func (t SQLType) Length() int {
	if t.Base == "VARCHAR" && len(t.Args) > 0 {
		return t.Args[0]
	}
	return 0
}

// MaxBytes is how many bytes a value of a TEXT takes in utf8mb4: of TEXT(n) the database makes the smallest of its text
// types that holds n characters. It is 0 for other types.
func (t SQLType) MaxBytes() int64 {
	if t.Base != "TEXT" {
		return 0
	}
	need := int64(0)
	if len(t.Args) > 0 && t.Args[0] > 0 {
		need = int64(t.Args[0]) * bytesPerChar
	} else {
		need = 1<<16 - 1
	}
	for _, bits := range []int{8, 16, 24} {
		if most := int64(1)<<bits - 1; need <= most {
			return most
		}
	}
	return 1<<32 - 1
}

// Precision is how many digits a DECIMAL has in all. MySQL's default is 10; it is meaningless for other types.
func (t SQLType) Precision() int {
	if len(t.Args) == 0 {
		return 10
	}
	return t.Args[0]
}

// Scale is how many digits of a DECIMAL stand after the point. MySQL's default is 0, and 0 it is for other types.
func (t SQLType) Scale() int {
	if len(t.Args) < 2 {
		return 0
	}
	return t.Args[1]
}

// Single reports whether the database keeps the values in single precision: FLOAT, but not FLOAT(25) and above.
func (t SQLType) Single() bool {
	return t.Base == "FLOAT" && (len(t.Args) == 0 || t.Args[0] <= singleDigits)
}

// Fraction reports whether the type asks for fractions of a second, as DATETIME(6) does. The ingestor makes the type
// without them, so that they are rounded away.
func (t SQLType) Fraction() bool {
	return t.Kind == SQLDate && len(t.Args) > 0 && t.Args[0] > 0
}
