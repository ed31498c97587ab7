package preflight

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// bioRules are the rules about BIO tags.
func bioRules() []Rule {
	return []Rule{
		{"bio-header", SeverityError, "5.1", "the ingestor's check of BIO tags does not find the column filename or that of the label, for blanks around its name or another delimiter", "write the names without blanks, and the file with commas"},
		{"bio-tag", SeverityError, "2.2", "a tag is none of O, B-TYPE and I-TYPE", "correct the tag"},
		{"bio-count", SeverityError, "2.2", "a row has not one tag for each word of its text; words are what stands between blanks", "write one tag for each word, with blanks between them"},
	}
}

// maxBIORows is how many rows are kept beyond the first that names a file, where they have another number of tags: one of
// the rows is wrong then, and is kept.
const maxBIORows = maxFindings

// bioCheck holds the tags in the label column against the words of the texts (contract/ingestor.md 2.2,
// "BIOLabelValidator"). Rows and files come in any order, so that they meet at the end.
type bioCheck struct {
	*textCheck
	name, label int // of the columns
	column      string
	first       []bioRow // the first row that names each staged file
	more        []bioFile
}

// bioRow is how many tags a row has; rows count from 1, so that the zero value is none.
type bioRow struct {
	at   place
	tags int
}

// bioFile is a further row of a file.
type bioFile struct {
	bioRow
	file int
}

func newBIOCheck(c *checker) *bioCheck {
	return &bioCheck{textCheck: newTextCheck(c, textForm{whole: true, words: true}), first: make([]bioRow, len(c.staged))}
}

// bioRows is the part of the check that sees rows.
type bioRows struct{ *bioCheck }

func (b bioRows) begin(t *table) bool {
	of := t
	if t.shapeOnly {
		of = t.first
	}
	if of.labelAt < 0 {
		return false // reported already
	}
	b.column = of.header[of.labelAt]
	found := true
	for _, column := range []string{filenameColumn, b.column} {
		if slices.ContainsFunc(t.raw, func(raw string) bool { return strings.EqualFold(raw, column) }) {
			continue
		}
		message := fmt.Sprintf("the check of BIO tags finds no column %s", quoted(column))
		switch i := t.position(column); {
		case t.shapeOnly:
			message += ": it reads the file with commas"
		case i < 0:
			found = false // reported already
			continue
		default:
			message += fmt.Sprintf(": the file has %s", quoted(t.raw[i]))
		}
		b.checker.report.add("bio-header", Finding{File: t.file, Column: column, Message: message})
		found = found && !t.shapeOnly
	}
	b.name, b.label = t.position(filenameColumn), t.position(b.column)
	return found && b.name >= 0 && b.label >= 0
}

func (b bioRows) row(at place, r *dataset.Record) {
	cell := r.Field(b.label)
	if len(cell) == 0 {
		return // reported already
	}
	tags := bytes.FieldsFunc(cell, pythonSpace)
	for _, tag := range tags {
		if !bioTag(tag) {
			b.checker.report.add("bio-tag", Finding{File: b.checker.dataset.CSV, Row: at.row, Line: at.line, Column: b.column, Value: clip(tag),
				Message: fmt.Sprintf("tag \"%s\" is none of O, B-TYPE and I-TYPE", clip(tag))})
			break
		}
	}
	i, ok := b.checker.primaryAt(r.Field(b.name))
	if !ok {
		return // reported already
	}
	row := bioRow{at: at, tags: len(tags)}
	switch first := b.first[i]; {
	case first.at.row == 0:
		b.first[i] = row
	case first.tags != row.tags && len(b.more) < maxBIORows:
		b.more = append(b.more, bioFile{row, i})
	}
}

// bioTag reports whether a word is a tag: O, or B or I with a type.
func bioTag(word []byte) bool {
	return string(word) == "O" || (len(word) > 2 && (word[0] == 'B' || word[0] == 'I') && word[1] == '-')
}

func (b bioRows) finish() {}

// finish judges the texts, then compares their words with the tags.
func (b *bioCheck) finish() {
	b.textCheck.finish()
	for i, row := range b.first {
		b.compare(i, row)
	}
	for _, further := range b.more {
		b.compare(further.file, further.bioRow)
	}
}

func (b *bioCheck) compare(i int, row bioRow) {
	facts := b.texts[i]
	if row.at.row == 0 || !facts.read || facts.badAt > 0 || facts.words == row.tags {
		return
	}
	b.checker.report.add("bio-count", Finding{File: b.checker.dataset.CSV, Row: row.at.row, Line: row.at.line, Column: b.column,
		Message: fmt.Sprintf("the row has %s for %s in %q", counted(row.tags, "tag"), counted(facts.words, "word"), escape(b.checker.staged[i].Path))})
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
