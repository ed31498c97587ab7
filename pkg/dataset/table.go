package dataset

import (
	"regexp"
	"slices"
	"strings"
)

// Limits of MySQL and InnoDB on the table that an ingestor creates (contract/ingestor.md 2.0, "MySQL table").
const (
	// MaxColumnName is how many characters the name of a column has at most.
	MaxColumnName = 64
	// MaxColumns is how many columns a table has at most, FrameworkColumns among them.
	MaxColumns = 1017
	// FrameworkColumns is how many columns every table has of its own: those of ReservedColumns, and the label.
	FrameworkColumns = 11
	// MaxRowBytes is how long a row may be declared, texts outside the row not counted.
	MaxRowBytes = 65535
	// MaxPageBytes is how much of a row must fit on a page.
	MaxPageBytes = 8126
)

// What the columns of every table take: id 8, two DATETIME 5 each, status 4, four VARCHAR(255), VARCHAR(100), VARCHAR(10),
// one TEXT.
const (
	bytesPerChar   = 4 // in utf8mb4
	textBytes      = 10
	pageShare      = 41 // the most that a long column must keep on its page
	frameworkBytes = 8 + 2*5 + 4 + 4*(255*bytesPerChar+2) + (100*bytesPerChar + 2) + (10*bytesPerChar + 1) + textBytes
	frameworkPage  = 8 + 2*5 + 4 + 7*pageShare
)

// ReservedColumns are the columns that every table has and that no schema may name. The label is not among them: it is what
// the ingestor stores the label column as.
func ReservedColumns() []string {
	return []string{
		"id", "created_at", "updated_at", "status", "data_intent", "data_id", "filename", "extension", "annotation", "ingestor_id",
	}
}

// ReservedColumn reports whether a name collides with a column that every table has; the database does not tell letter
// case apart.
func ReservedColumn(name string) bool {
	return slices.Contains(ReservedColumns(), strings.ToLower(name))
}

// boundName finds a colon that starts a word: what SQLAlchemy takes for a bound parameter in the statement that holds the
// name.
var boundName = regexp.MustCompile(`(?:^|[^:\\\p{L}\p{N}_]):[\p{L}\p{N}_](?:$|[^:])`)

// BindsParameter reports whether the ingestor's SQL layer takes a part of a column name for a parameter, as in "per :day",
// so that no record can be inserted (contract/ingestor.md 5.1).
func BindsParameter(name string) bool { return boundName.MatchString(name) }

// RowBytes is what a column of the type takes of a row, in the most costly character set.
func (t SQLType) RowBytes() int {
	switch t.Base {
	case "VARCHAR":
		n := t.Length() * bytesPerChar
		if n > 255 {
			return n + 2
		}
		return n + 1
	case "TEXT":
		return textBytes
	case "BIGINT", "DOUBLE":
		return 8
	case "FLOAT":
		if !t.Single() {
			return 8
		}
		return 4
	case "DECIMAL", "NUMERIC":
		return 4 * (t.Precision()/9 + 2)
	case "BOOLEAN", "BOOL":
		return 1
	case "DATETIME", "TIMESTAMP":
		return 8
	case "":
		return 0
	}
	return 4
}

// TableSize is what a table with columns of these types has: columns without those of every table, and the bytes of a row
// and of its page with them. Zero types count for nothing.
func TableSize(types []SQLType) (columns, row, page int) {
	for _, t := range types {
		if t.Base == "" {
			continue
		}
		columns++
		row += t.RowBytes()
		page += min(t.RowBytes(), pageShare)
	}
	return columns, row + frameworkBytes + (columns+FrameworkColumns+7)/8, page + frameworkPage
}
