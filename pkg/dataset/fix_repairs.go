package dataset

import (
	"fmt"
	"strings"
)

// Repair counts the repairs of one kind.
type Repair struct {
	Count int64
	// Line is the physical line, from 1, on which the first repaired record starts.
	Line int64
}

func (r *Repair) add(line int64) {
	if r.Count == 0 {
		r.Line = line
	}
	r.Count++
}

// Repairs tells what a Fixer changed. Lines are those of the file as it was, and of the repaired one: no repair moves a
// line.
type Repairs struct {
	// BOM is true when a byte order mark was dropped.
	BOM bool
	// LineEnds counts the record ends, and those of blank lines, that were changed, by what they were.
	LineEnds LineEnds
	// LineEnd is what they are now: "\n" or "\r\n". LineEndsLine is where the first changed record starts.
	LineEnd      string
	LineEndsLine int64
	// Column is true when a last column without a name was dropped from the header, on line ColumnLine.
	Column     bool
	ColumnLine int64
	// Trailing counts rows that lost an empty field behind the last column.
	Trailing Repair
	// Kept counts rows that hold something in the column that was dropped. They are not changed, and have a field too
	// many now.
	Kept Repair
	// Headers counts column names that lost blanks around them, Filenames cells of the filename column.
	Headers, Filenames Repair
}

// Changed reports whether the repaired CSV differs from the one on disk.
func (r Repairs) Changed() bool {
	return r.BOM || r.LineEnds != LineEnds{} || r.Column || r.Trailing.Count > 0 || r.Headers.Count > 0 || r.Filenames.Count > 0
}

// List describes each kind of repair in one line, and the rows that could not be repaired in the last.
func (r Repairs) List() []string {
	var list []string
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if r.BOM {
		add("dropped the byte order mark at the start")
	}
	if ends := r.lineEnds(); ends != "" {
		add("%s, now all in %s (first on line %d)", ends, map[string]string{"\n": "LF", "\r\n": "CRLF"}[r.LineEnd], r.LineEndsLine)
	}
	if r.Headers.Count > 0 {
		add("trimmed the blanks around %s (line %d)", counted(r.Headers.Count, "column name"), r.Headers.Line)
	}
	if r.Column {
		add("dropped the last column, which has no name and no values (line %d)", r.ColumnLine)
	}
	if r.Trailing.Count > 0 {
		add("dropped the empty field behind the last column from %s (first on line %d)", counted(r.Trailing.Count, "row"), r.Trailing.Line)
	}
	if r.Filenames.Count > 0 {
		add("trimmed the blanks around %s (first on line %d)", counted(r.Filenames.Count, "file name"), r.Filenames.Line)
	}
	if r.Kept.Count > 0 {
		add("left %s as it is that holds something in the dropped column (first on line %d)", counted(r.Kept.Count, "row"), r.Kept.Line)
	}
	return list
}

// lineEnds words how the changed records ended: "12 rows ended in CR, 3 in LF"; "" for none.
func (r Repairs) lineEnds() string {
	var parts []string
	for _, end := range []struct {
		n    int64
		name string
	}{{r.LineEnds.LF, "LF"}, {r.LineEnds.CRLF, "CRLF"}, {r.LineEnds.CR, "CR"}} {
		switch {
		case end.n == 0:
		case len(parts) == 0:
			parts = append(parts, fmt.Sprintf("%s ended in %s", counted(end.n, "line"), end.name))
		default:
			parts = append(parts, fmt.Sprintf("%d in %s", end.n, end.name))
		}
	}
	return strings.Join(parts, ", ")
}

func counted(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
