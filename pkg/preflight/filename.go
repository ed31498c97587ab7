package preflight

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// filenames checks the filename column against the files of the task's directory (contract/ingestor.md 2.0,
// "Filename column").
type filenames struct {
	table     *table
	index     int
	dir       string
	extension string
	entries   []dataset.Entry // of dir, sorted
	refs      []uint8         // how many rows name each entry, up to 2
	folded    map[string]int  // by lower-case name; made when it is first needed
	// validated is true where a validator of the ingestor looks for the files as well, and reads the column with the
	// missing values of pandas.
	validated bool

	rows, blanks, numbers, booleans int64 // of the chunk
	first                           spot
}

const filenameColumn = "filename"

// startFilenames finds the column, or reports that it is not there.
func (t *table) startFilenames() {
	i := t.position(filenameColumn)
	if i < 0 {
		t.lacks("filename-column", filenameColumn, "the CSV has no column "+quoted(filenameColumn))
		return
	}
	entries, task := t.checker.primary, t.checker.Task
	t.names = &filenames{
		validated: task.ReadsFiles, table: t, index: i, dir: task.Dir, extension: t.checker.extension, entries: entries, refs: make([]uint8, len(entries)),
	}
}

// knownExtension reports whether the ingestor takes a name as it stands; else it appends the dataset's extension.
func knownExtension(name []byte) bool {
	for _, ext := range []string{".jpeg", ".jpg", ".png", ".xml", ".txt", ".text"} {
		if len(name) >= len(ext) && bytes.EqualFold(name[len(name)-len(ext):], []byte(ext)) {
			return true
		}
	}
	return false
}

func (n *filenames) observe(at place, cell []byte) {
	if n.rows == 0 {
		n.first = spot{row: at.row, line: at.line, value: clip(cell)}
	}
	n.rows++
	switch {
	case len(cell) == 0:
		n.blanks++
	case parseNumber(cell).numeric():
		n.numbers++
	case pandasBool(cell):
		n.booleans++
	}
	n.resolve(at, cell)
	if n.rows == ingestRows {
		n.endChunk()
	}
}

// numeric reports whether pandas would make a number of it.
func (n number) numeric() bool { return n.kind != notNumber && n.kind != huge && n.kind != overflow }

// resolve finds the file of a row. Only the exact name counts.
func (n *filenames) resolve(at place, cell []byte) {
	t := n.table
	if len(cell) == 0 {
		t.report.add("filename-blank", t.finding(at, filenameColumn, nil, "the row has no file name"))
		return
	}
	name := cell
	if !knownExtension(cell) {
		name = append(slices.Clone(cell), n.extension...)
	}
	if bytes.IndexByte(name, '/') >= 0 {
		t.report.add("filename-subpath", t.finding(at, filenameColumn, cell, fmt.Sprintf("file name \"%s\" holds a path", clip(cell))))
		if i, ok := n.find(name); ok {
			n.refs[i] = max(n.refs[i], 1)
		}
		return
	}
	if n.validated && missingTabular(cell) {
		t.report.add("filename-missing-text", t.finding(at, filenameColumn, cell, fmt.Sprintf("file name \"%s\" is a missing value to the ingestor's validators", clip(cell))))
	}
	i, ok := n.find(name)
	if !ok && len(n.entries) == 0 {
		return // one finding about the directory says it all
	}
	if !ok {
		f := t.finding(at, filenameColumn, cell, "")
		f.Message, f.Remedy = n.missing(cell, name)
		t.report.add("file-missing", f)
		return
	}
	if n.refs[i] == 1 {
		t.report.add("filename-duplicate", t.finding(at, filenameColumn, cell, fmt.Sprintf("an earlier row names %q too", escape(n.entries[i].Path))))
	}
	n.refs[i] = min(n.refs[i]+1, 2)
}

func (n *filenames) find(name []byte) (int, bool) {
	skip := len(n.dir) + 1
	return slices.BinarySearchFunc(n.entries, string(name), func(e dataset.Entry, name string) int {
		return strings.Compare(e.Path[skip:], name)
	})
}

// missing words that a file is not there, and names the file that is probably meant. The remedy is "" for the rule's.
func (n *filenames) missing(cell, name []byte) (message, remedy string) {
	message = fmt.Sprintf("%s/%s is not there", n.dir, clip(name))
	if trimmed := bytes.TrimSpace(cell); len(trimmed) != len(cell) {
		message += "; the name has blanks around it, which push --fix takes off"
		name = trimmed
	}
	if n.folded == nil {
		n.folded = make(map[string]int, len(n.entries))
		for i, e := range n.entries {
			n.folded[foldFile(e.Path[len(n.dir)+1:])] = i
		}
	}
	lower := foldFile(string(name))
	stem := strings.TrimSuffix(lower, path.Ext(lower))
	for _, candidate := range []string{lower, stem, stem + n.extension, stem + ".jpg", stem + ".jpeg", stem + ".png", stem + ".txt"} {
		i, ok := n.folded[candidate]
		if !ok {
			continue
		}
		have := n.entries[i].Path
		if norm.NFC.String(have[len(n.dir)+1:]) == norm.NFC.String(string(name)) && have[len(n.dir)+1:] != string(name) {
			return message + fmt.Sprintf("; %q has the same letters in another Unicode normal form: the CSV has %s, the disk %s", escape(have), normalForm(string(name)), normalForm(have)),
				"write both in the same form: rename the file to the name in the CSV, or the other way round"
		}
		return message + fmt.Sprintf("; did you mean %q", escape(have)), ""
	}
	return message, ""
}

// foldFile drops what names on disk and in a CSV often differ in: letter case, and the way in which accents are coded.
func foldFile(name string) string { return strings.ToLower(norm.NFC.String(name)) }

// normalForm names the Unicode normal form of a name.
func normalForm(name string) string {
	switch {
	case norm.NFC.IsNormalString(name):
		return "NFC"
	case norm.NFD.IsNormalString(name):
		return "NFD"
	}
	return "a mixture"
}

func (n *filenames) endChunk() {
	rows := n.rows
	broken := (n.numbers > 0 && n.numbers+n.blanks == rows) || (n.booleans > 0 && n.booleans == rows)
	n.rows, n.blanks, n.numbers, n.booleans = 0, 0, 0, 0
	if !broken {
		return
	}
	t := n.table
	t.report.addMany("filename-numeric", int(rows), Finding{
		File: t.file, Row: n.first.row, Line: n.first.line, Column: filenameColumn, Value: n.first.value,
		Message: fmt.Sprintf("all file names of rows %d to %d are numbers without an extension", t.rows-rows+1, t.rows),
	})
}

// finish reports files that no row names.
func (n *filenames) finish() {
	n.endChunk()
	for i, e := range n.entries {
		if n.refs[i] == 0 {
			n.table.report.add("file-unreferenced", Finding{File: e.Path, Message: "no row names this file"})
		}
	}
}
