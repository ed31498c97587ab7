package preflight

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// startSchema gives the columns of the CSV their roles: by the user's schema, or to be inferred.
func (t *table) startSchema(labelAt int) {
	c := t.checker
	switch {
	case c.Schema != nil:
		t.declare(labelAt)
	case !c.Task.HasFiles():
		t.undeclared(labelAt)
	}
	t.checkNames(labelAt)
}

// declare takes the types from the user's schema.
func (t *table) declare(labelAt int) {
	for _, want := range t.checker.Schema {
		typ, err := dataset.ParseSQLType(want.Type)
		if err != nil {
			t.report.add("schema-type", Finding{Column: want.Name, Value: clip([]byte(want.Type)), Message: fmt.Sprintf("column %s: %v", quoted(want.Name), err)})
			continue
		}
		i := t.position(want.Name)
		if i < 0 {
			t.lacks("schema-column-missing", want.Name, "the CSV has no column "+quoted(want.Name))
			continue
		}
		t.columns[i] = &column{name: want.Name, declared: &typ, label: i == labelAt, besideFiles: t.checker.Task.HasFiles(), dates: dateColumn{now: t.checker.now()}}
	}
	var left []string
	for i, name := range t.header {
		if t.columns[i] == nil && i != labelAt && !t.isID(i) && name != "" && !slices.Contains(t.checker.Task.Columns, name) {
			left = append(left, quoted(name))
		}
	}
	if len(left) > 0 {
		t.report.addMany("schema-not-in-schema", len(left), Finding{File: t.file,
			Message: fmt.Sprintf("not in the schema, and not stored: %s", strings.Join(left[:min(len(left), 20)], ", "))})
	}
}

// undeclared takes every column of a tabular CSV but reserved ones, to infer its type.
func (t *table) undeclared(labelAt int) {
	seen := map[string]bool{}
	for i, name := range t.header {
		if name == "" || seen[name] {
			continue // reported with the header
		}
		seen[name] = true
		if t.isID(i) && i != labelAt {
			continue
		}
		if dataset.ReservedColumn(name) && i != labelAt {
			t.skipped = append(t.skipped, name)
			t.report.add("schema-skipped", Finding{File: t.file, Column: name, Message: fmt.Sprintf("column %s is left out: the ingestor keeps this name for itself", quoted(name))})
			continue
		}
		t.columns[i] = &column{name: name, label: i == labelAt}
	}
}

// checkNames applies the database's rules to the names of the columns that become its columns.
func (t *table) checkNames(labelAt int) {
	byFold := map[string]string{}
	for _, name := range t.storedNames() {
		f := Finding{File: t.file, Column: name}
		if t.ids != nil && t.ids.name == name {
			continue // stored in data_id
		}
		isLabel := labelAt >= 0 && t.header[labelAt] == name
		fold := strings.ToLower(name)
		if strings.ContainsFunc(name, unicode.IsControl) {
			f.Message = fmt.Sprintf("column name %s holds a control character, such as a tab or a line break", quoted(name))
			t.report.add("schema-name-control", f)
		}
		switch {
		case isLabel && dataset.ReservedColumn(name):
			f.Message = fmt.Sprintf("label column %s has a name that the ingestor keeps for itself", quoted(name))
			t.report.add("label-reserved", f)
		case isLabel:
		case dataset.ReservedColumn(name):
			f.Message = fmt.Sprintf("schema column %s collides with a column of the ingestor", quoted(name))
			t.report.add("schema-reserved", f)
		case fold == "label" && labelAt >= 0:
			f.Message = fmt.Sprintf("feature %s collides with the ingestor's own label column", quoted(name))
			t.report.add("schema-label-feature", f)
		case byFold[fold] != "":
			f.Message = fmt.Sprintf("columns %s and %s differ only in letter case", quoted(byFold[fold]), quoted(name))
			t.report.add("schema-case-duplicate", f)
		default:
			byFold[fold] = name
		}
		if !isLabel {
			t.checkName(f, name)
		}
	}
}

func (t *table) checkName(f Finding, name string) {
	if n := utf8.RuneCountInString(name); n > dataset.MaxColumnName {
		f.Message = fmt.Sprintf("column name %s has %d characters; %d is the limit", quoted(name), n, dataset.MaxColumnName)
		t.report.add("schema-name-too-long", f)
	}
	if dataset.BindsParameter(name) {
		f.Message = fmt.Sprintf("column name %s holds a colon before a word", quoted(name))
		t.report.add("schema-name-colon", f)
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r > 0xffff }) {
		f.Message = fmt.Sprintf("column name %s holds a character that MySQL does not take in names", quoted(name))
		t.report.add("schema-name-supplementary", f)
	}
}

// storedNames are the names of the schema, declared or inferred, in order.
func (t *table) storedNames() []string {
	var names []string
	if t.checker.Schema != nil {
		for _, c := range t.checker.Schema {
			names = append(names, c.Name)
		}
		return names
	}
	for _, c := range t.columns {
		if c != nil {
			names = append(names, c.name)
		}
	}
	return names
}

// finishSchema gives the schema: the declared one, or what both readings allow.
func (t *table) finishSchema() []dataset.Column {
	types := t.types()
	if t.checker.Schema == nil {
		fitRow(types)
	}
	if t.labels != nil {
		t.labels.sqlType = types[t.labels.index]
	}
	t.checkSize(types)
	features := 0
	for i, c := range t.columns {
		if c != nil {
			t.judgeColumn(c, types[i])
			if !c.label {
				features++
			}
		}
	}
	if features == 0 && t.labels != nil && t.checker.Schema == nil && !t.checker.Task.HasFiles() {
		t.report.add("schema-no-feature", Finding{File: t.file, Message: fmt.Sprintf("no column but the label %s is stored", quoted(t.labels.name))})
	}
	if t.checker.Schema != nil {
		return t.checker.Schema
	}
	var schema []dataset.Column
	for i, c := range t.columns {
		switch {
		case c != nil:
			schema = append(schema, dataset.Column{Name: c.name, Type: types[i].String()})
		case t.isID(i) && t.ids.pinned:
			schema = append(schema, dataset.Column{Name: t.ids.name, Type: dataset.Varchar(t.ids.length).String()})
		}
	}
	return schema
}

// types gives every column its type, by position; the zero type for a column that is not stored.
func (t *table) types() []dataset.SQLType {
	types := make([]dataset.SQLType, len(t.columns))
	for i, c := range t.columns {
		switch {
		case c == nil:
		case c.declared != nil:
			types[i] = *c.declared
		default:
			types[i] = c.infer()
			if v := t.second.column(i, c.name); v != nil {
				types[i] = join(types[i], v.infer(), max(c.length, c.measured, v.length, v.measured))
			}
		}
	}
	return types
}

// column is the column of that name at a position; nil if there is none, or no table.
func (t *table) column(i int, name string) *column {
	if t == nil || i >= len(t.columns) || t.columns[i] == nil || t.columns[i].name != name {
		return nil
	}
	return t.columns[i]
}

// judgeColumn applies the rules that need a whole column.
func (t *table) judgeColumn(c *column, typ dataset.SQLType) {
	add := func(rule string, of tally, message string) {
		if of.n > 0 {
			t.report.addMany(rule, int(of.n), Finding{File: t.file, Row: of.first.row, Line: of.first.line, Column: c.name, Value: of.first.value,
				Message: fmt.Sprintf("value \"%s\" of %s column %s %s", of.first.value, typ, quoted(c.name), message)})
		}
	}
	add("value-missing-skew", c.skewed, "is missing to ingestor 0.7 and later, a text to 0.3.9")
	lapsed := "value-missing-version"
	if typ.Kind == dataset.SQLText || c.label {
		lapsed = "value-missing-skew"
	}
	add(lapsed, c.lapsed, "is "+missingSkew([]byte(c.lapsed.first.value)))
	if typ.Numeric() {
		add("value-leading-zero", c.codes, "loses its leading zeros")
	}
	if typ.Kind == dataset.SQLText {
		add("value-missing-text", c.missingText, "is stored as NULL")
	}
	t.judgeBooleans(c, typ)
	if c.label {
		if typ.Kind == dataset.SQLBoolean && c.booleans > 0 {
			t.report.addMany("label-rewritten", int(c.booleans), Finding{File: t.file, Column: c.name,
				Message: fmt.Sprintf("the labels are words, and column %s is %s: 1 and 0 are stored", quoted(c.name), typ),
				Remedy:  "declare the label VARCHAR(n) in --schema"})
		}
		return
	}
	if typ.Base == "TEXT" && len(typ.Args) == 0 && c.oversized.n > 0 {
		of := c.oversized
		t.report.addMany("value-too-long", int(of.n), Finding{File: t.file, Row: of.first.row, Line: of.first.line, Column: c.name, Value: of.first.value,
			Message: fmt.Sprintf("value \"%s\" has %d bytes; TEXT holds %d", of.first.value, c.oversize, maxText),
			Remedy:  "shorten it, or leave the column out of --schema"})
	}
	if typ.Kind == dataset.SQLText && c.declared == nil && c.infinite > 0 && c.integers+c.decimals+c.infinite == c.values {
		t.report.addMany("value-infinite-text", int(c.infinite), Finding{File: t.file, Column: c.name,
			Message: fmt.Sprintf("column %s holds numbers, and some that are not finite: it is stored as %s", quoted(c.name), typ)})
	}
	if typ.Kind == dataset.SQLDate && c.fixed.Base == "" {
		add("value-date-fraction", c.fractions, "is rounded to a whole second")
	}
	if typ.Single() {
		add("value-single-precision", c.imprecise, "does not come back as it stands")
	}
	if typ.Kind == dataset.SQLInteger && c.missing > 0 {
		add("value-big-integer", c.big, "is rounded, because the column has empty cells")
	}
	if n := typ.Length(); c.declared != nil && n > 0 && c.length <= n && c.measured > n {
		t.report.add("value-measured-length", Finding{File: t.file, Column: c.name,
			Message: fmt.Sprintf("column %s holds numbers, which the ingestor measures as up to %d characters; %s holds %d", quoted(c.name), c.measured, typ, n)})
	}
}

// judgeBooleans looks at true and false in a declared column of numbers: they are 1 and 0 to pandas where a column holds
// nothing else.
func (t *table) judgeBooleans(c *column, typ dataset.SQLType) {
	of := c.wordNumbers
	if of.n == 0 {
		return
	}
	f := Finding{File: t.file, Row: of.first.row, Line: of.first.line, Column: c.name, Value: of.first.value}
	if of.n == c.values {
		f.Message = fmt.Sprintf("column %s is %s and holds true and false: 1 and 0 are stored", quoted(c.name), typ)
		t.report.addMany("value-boolean-number", int(of.n), f)
		return
	}
	f.Message = fmt.Sprintf("value \"%s\" is no number; the column is %s", of.first.value, typ)
	t.report.addMany("value-not-numeric", int(of.n), f)
}
