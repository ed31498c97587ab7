package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// maxHeaderColumns is how many columns a CSV may have to be looked into: far more than the database or the ingestor takes,
// and few enough to keep a summary of each.
const maxHeaderColumns = 8000

// start reads the header: its own rules, then the roles of the columns.
func (t *table) start(r *dataset.Record) {
	if !t.shapeOnly && (r.Cut || r.Len() > maxHeaderColumns) {
		t.refuse(r)
		return
	}
	t.raw = r.Strings()
	t.header = make([]string, len(t.raw))
	for i, name := range t.raw {
		t.header[i] = strings.TrimSpace(name)
	}
	t.labelAt = -1
	if t.shapeOnly {
		return
	}
	if t.validators {
		// The first reading reports what is wrong with the header.
		defer func(r *report) { t.report, t.names, t.labels, t.ids, t.stored = r, nil, nil, nil, nil }(t.report)
		t.report = newReport()
	}
	t.checkHeader(r.Line)
	t.columns = make([]*column, len(t.header))
	labelAt := t.labelPosition()
	t.labelAt = labelAt
	if t.checker.Task.HasFiles() {
		t.startFilenames()
	} else {
		t.startStored()
	}
	if labelAt >= 0 {
		t.labels = newLabels(t, labelAt)
	}
	t.startIDs()
	t.startSchema(labelAt)
	for _, check := range t.checker.checks {
		if owner, ok := check.rows.(columnOwner); ok {
			owner.own(t)
		}
	}
	if t.labels != nil {
		t.labels.typed = t.columns[labelAt] != nil
	}
}

// refuse reports a header that no table can have. Its columns get no names, so nothing can be said of their values, only of
// the shape of the rows.
func (t *table) refuse(r *dataset.Record) {
	t.header = make([]string, r.Len())
	t.raw, t.labelAt, t.judges = t.header, -1, false
	if t.validators {
		return // the first reading reports what is wrong with the header
	}
	f := Finding{File: t.file, Line: r.Line, Message: fmt.Sprintf("the header has %d columns; %d is the most that can be checked", r.Len(), maxHeaderColumns),
		Remedy: "remove columns from the CSV; if it has fewer, look for a header that runs on into the rows"}
	rule := "csv-record-too-long"
	if r.Len() == dataset.MaxFields {
		f.Message = strings.Replace(f.Message, "has ", "has at least ", 1)
	}
	switch {
	case r.Len() <= maxHeaderColumns:
		f.Message, f.Remedy = fmt.Sprintf("the header is longer than %d MiB", dataset.MaxRecord>>20), ""
	case !t.checker.Task.HasFiles():
		rule = "schema-too-many-columns"
	}
	t.report.add(rule, f)
}

// startChecks gives the task's checks the header, in the reading of the ingestor's validators.
func (t *table) startChecks() {
	for _, check := range t.checker.checks {
		if check.rows != nil && check.rows.begin(t) {
			t.checks = append(t.checks, check.rows)
		}
	}
}

// checkHeader applies the header rules (contract/ingestor.md 2.0, "Header rules").
func (t *table) checkHeader(line int64) {
	blank := 0
	first := map[string]int{}
	for i, name := range t.header {
		f := Finding{File: t.file, Line: line, Column: name}
		if t.raw[i] != name && name != "" {
			f.Message = fmt.Sprintf("column name %s has blanks around it", quoted(t.raw[i]))
			t.report.add("csv-padded-header", f)
		}
		if name == "" {
			blank++
			t.blankHeader(f, i, blank)
			continue
		}
		if j, ok := first[name]; ok {
			f.Message = fmt.Sprintf("columns %d and %d are both called %s", j+1, i+1, quoted(name))
			t.report.add("csv-duplicate-header", f)
			continue
		}
		first[name] = i
	}
}

// blankHeader judges a column without a name. A tabular column must be one or the other: a feature with a name, or not
// there; beside file names it is merely ignored.
func (t *table) blankHeader(f Finding, i, nth int) {
	f.Message = fmt.Sprintf("column %d of %d has no name", i+1, len(t.header))
	switch {
	case !t.checker.Task.HasFiles():
		t.report.add("csv-blank-header", f)
	case nth == 2:
		f.Message = "several columns have no name"
		t.report.add("csv-duplicate-header", f)
	default:
		t.report.add("csv-unnamed-column", f)
	}
}

// compareHeaders reports columns whose names differ between the readings because of the escape character: 0.3.9 does not
// check them, and newer ingestors do not find them.
func (t *table) compareHeaders() {
	if t.second.shapeOnly || t.checker.Task.HasFiles() {
		return
	}
	for i, name := range t.header {
		if other := t.second.columnName(i); other != name {
			t.report.add("csv-backslash-header", Finding{File: t.file, Column: other,
				Message: fmt.Sprintf("column name %s is %s to the ingestion, and as it stands to the validators", quoted(other), quoted(name))})
		}
	}
}

// near returns the column whose name differs from the wanted one in letter case, blanks or a letter or two; "" for none.
func (t *table) near(name string) string {
	best, distance := "", 1+len(name)/4
	for _, h := range t.header {
		if h == "" || h == name {
			continue
		}
		if d := dataset.EditDistance(strings.ToLower(h), strings.ToLower(name)); d <= distance {
			best, distance = h, d-1
		}
	}
	return best
}

// hint ends a message about a column that is not there.
func (t *table) hint(name string) string {
	if near := t.near(name); name != "" && near != "" {
		return "; did you mean " + quoted(near)
	}
	return ""
}

// separators are what stands between fields in files that are no CSV, most telling first.
const separators = ";\t|,"

// lacks reports a column that is not there, and what the file seems to have instead.
func (t *table) lacks(rule, name, message string) {
	f := Finding{File: t.file, Column: name, Message: message}
	at := -1
	if len(t.header) == 1 && !t.shapeOnly {
		at = strings.IndexAny(t.header[0], separators)
	}
	if at < 0 {
		f.Message += t.hint(name)
		t.report.add(rule, f)
		return
	}
	separator := t.header[0][at : at+1]
	f.Message += fmt.Sprintf("; the file seems to be separated by %q", separator)
	// Only the ingestion of a table gets by with another delimiter than a comma: validators that look for a column do not.
	switch c := t.checker; {
	case separator == ",":
		f.Remedy = "take spec.csv_options.delimiter out of the spec"
	case c.Task.HasFiles(), len(c.checks) > 0, c.Delimiter != "":
		f.Remedy = "save it with commas: the ingestor's validators read with commas, whatever spec.csv_options.delimiter says"
	default:
		f.Remedy = fmt.Sprintf("save it with commas, or set spec.csv_options.delimiter to %q", separator)
	}
	t.report.add(rule, f)
}

// labelPosition finds the label column, or reports why there is none; -1 then, and for tasks without a label.
func (t *table) labelPosition() int {
	p := t.checker
	if !p.Task.HasLabel() {
		return -1
	}
	want := strings.TrimSpace(p.LabelColumn)
	if want == "" {
		return t.inferLabel()
	}
	if i := t.position(want); i >= 0 {
		return i
	}
	if same := t.folded(want); len(same) == 1 {
		t.report.add("label-case", Finding{File: t.file, Column: t.header[same[0]],
			Message: fmt.Sprintf("the label column %s is %s in the CSV, and letter case counts", quoted(want), quoted(t.header[same[0]]))})
		return same[0]
	}
	t.lacksLabel(want, "the CSV has no label column "+quoted(want))
	return -1
}

// inferLabel takes the only column that is called as labels mostly are.
func (t *table) inferLabel() int {
	found := t.folded(dataset.LabelNames()...)
	switch len(found) {
	case 1:
		return found[0]
	case 0:
		t.lacksLabel("", "no column is called label, target or class")
	default:
		var names []string
		for _, i := range found[:min(len(found), 5)] {
			names = append(names, quoted(t.header[i]))
		}
		t.report.add("label-column", Finding{File: t.file, Message: "several columns may be the label: " + strings.Join(names, ", ")})
	}
	return -1
}

// folded returns the columns that have one of the names but for letter case.
func (t *table) folded(names ...string) []int {
	var found []int
	for i, h := range t.header {
		if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(h, n) }) {
			found = append(found, i)
		}
	}
	return found
}

// lacksLabel reports a label column that is not there. A task whose labels may be missing gets the name that the spec
// needs all the same, and NULL for every label.
func (t *table) lacksLabel(name, message string) {
	if !t.checker.Task.LabelOptional {
		t.lacks("label-column", name, message)
		return
	}
	t.absentLabel = cmp.Or(name, dataset.LabelNames()[0])
	t.lacks("label-absent", name, message+": NULL is stored for every record")
}

// startStored finds the columns that reach a framework column by their name alone.
func (t *table) startStored() {
	for _, s := range []storedColumn{{name: "extension", rule: "value-extension", limit: 10}, {name: "filename", rule: "value-filename", limit: 255}} {
		if s.index = t.position(s.name); s.index >= 0 {
			t.stored = append(t.stored, s)
		}
	}
}
