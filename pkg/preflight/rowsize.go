package preflight

import "fmt"

// MySQL's and InnoDB's limits of a table, and what the framework's own columns take of them (contract/ingestor.md 2.0,
// "MySQL table"): id 8, two DATETIME 5 each, status 4, four VARCHAR(255), VARCHAR(100), VARCHAR(10), one TEXT.
const (
	maxRow           = 65535
	maxColumns       = 1017
	maxPage          = 8126
	frameworkColumns = 11
	bytesPerChar     = 4
	textBytes        = 10
	frameworkBytes   = 8 + 2*5 + 4 + 4*(255*bytesPerChar+2) + (100*bytesPerChar + 2) + (10*bytesPerChar + 1) + textBytes
	frameworkPage    = 8 + 2*5 + 4 + 7*pageShare
	pageShare        = 41 // the most that a long column must keep on its page
)

// rowBytes is what a column of the type takes of a row, in the most costly character set.
func (t sqlType) rowBytes() int {
	switch t.base {
	case "VARCHAR":
		n := t.length() * bytesPerChar
		if n > 255 {
			return n + 2
		}
		return n + 1
	case "TEXT":
		return textBytes
	case "BIGINT", "DOUBLE":
		return 8
	case "DECIMAL", "NUMERIC":
		return 4 * (t.precision()/9 + 2)
	case "BOOLEAN", "BOOL":
		return 1
	case "DATETIME", "TIMESTAMP":
		return 8
	case "":
		return 0
	}
	return 4
}

func rowSize(types []sqlType) (columns, row, page int) {
	for _, t := range types {
		if t.base == "" {
			continue
		}
		columns++
		row += t.rowBytes()
		page += min(t.rowBytes(), pageShare)
	}
	return columns, row + frameworkBytes + (columns+frameworkColumns+7)/8, page + frameworkPage
}

// fitRow makes TEXT of the longest inferred columns until a row fits.
func fitRow(types []sqlType) {
	for {
		_, row, _ := rowSize(types)
		longest := -1
		for i, t := range types {
			if t.rowBytes() > textBytes && t.base == "VARCHAR" && (longest < 0 || t.length() > types[longest].length()) {
				longest = i
			}
		}
		if row <= maxRow || longest < 0 {
			return
		}
		types[longest] = sqlType{base: "TEXT", kind: kindText}
	}
}

// checkSize holds the table that the ingestor would create against the database's limits. The label's own column is not
// added to the table, so it does not count.
func (t *table) checkSize(types []sqlType) {
	features := make([]sqlType, 0, len(types))
	for i, c := range t.columns {
		if c != nil && !c.label {
			features = append(features, types[i])
		}
	}
	columns, row, page := rowSize(features)
	f := Finding{File: t.file}
	switch {
	case columns+frameworkColumns > maxColumns:
		f.Message = fmt.Sprintf("the table would have %d columns; %d is the limit", columns+frameworkColumns, maxColumns)
		t.report.add("schema-too-many-columns", f)
	case row > maxRow:
		f.Message = fmt.Sprintf("a row would take %d bytes; %d is the limit", row, maxRow)
		t.report.add("schema-row-size", f)
	case page > maxPage:
		f.Message = fmt.Sprintf("a row would take up to %d bytes of a page of the database; %d is the limit", page, maxPage)
		t.report.add("schema-row-page", f)
	}
}
