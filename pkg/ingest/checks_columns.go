package ingest

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// checkColumns looks at the names and types of the schema.
func (c *Config) checkColumns() []finding {
	var findings []finding
	findings = append(findings, c.checkTableSize()...)
	folded := map[string]string{}
	for _, column := range c.Schema {
		findings = append(findings, checkType(column)...)
		message := c.badColumn(column.Name)
		lower := strings.ToLower(column.Name)
		if first, double := folded[lower]; double && message == "" && !c.isLabelOrID(column.Name) {
			message = fmt.Sprintf("differs from the column %q in letter case only, which the database does not tell apart", first)
		}
		if !c.isLabelOrID(column.Name) {
			folded[lower] = column.Name
		}
		if message != "" {
			f := errorAt(message, "schema", column.Name)
			f.atKey = true
			findings = append(findings, f)
		}
	}
	return findings
}

// checkDeclared warns of columns that push declares by itself.
func (c *Config) checkDeclared(task dataset.Task) []finding {
	var findings []finding
	for _, name := range c.undeclared(task) {
		findings = append(findings, warningAt(fmt.Sprintf("the column %q is missing; newer ingestors refuse the spec without it (push declares it as %s)", name, maskColumnType), "schema"))
	}
	return findings
}

// checkTableSize holds the table that the ingestor would make of the schema
// against the limits of the database. The label and the id column are stored
// under names of the table's own.
func (c *Config) checkTableSize() []finding {
	var types []dataset.SQLType
	for _, column := range c.Schema {
		t, err := dataset.ParseSQLType(column.Type)
		if err != nil {
			t.Base = unknownType // checkType reports it; the column counts
		}
		if !c.isLabelOrID(column.Name) {
			types = append(types, t)
		}
	}
	switch n, row, page := dataset.TableSize(types); {
	case n+dataset.FrameworkColumns > dataset.MaxColumns:
		return []finding{errorAt(fmt.Sprintf("has %d columns to store; the database takes at most %d beside its own",
			n, dataset.MaxColumns-dataset.FrameworkColumns), "schema")}
	case row > dataset.MaxRowBytes:
		return []finding{errorAt(fmt.Sprintf("a row of these columns takes %d bytes; the database takes at most %d, so make TEXT of the longest VARCHAR columns",
			row, dataset.MaxRowBytes), "schema")}
	case page > dataset.MaxPageBytes:
		return []finding{warningAt(fmt.Sprintf("a row of so many text columns takes up to %d bytes of a page of the database, which holds %d; leave columns out",
			page, dataset.MaxPageBytes), "schema")}
	}
	return nil
}

// unknownType stands for a type that cannot be read.
const unknownType = "?"

// checkType looks at the type of one column.
func checkType(column dataset.Column) []finding {
	t, err := dataset.ParseSQLType(column.Type)
	switch {
	case err != nil:
		return []finding{errorAt(err.Error(), "schema", column.Name)}
	case t.Unread != "":
		return []finding{warningAt(fmt.Sprintf("the ingestor takes %s and does not read %q", t, t.Unread), "schema", column.Name)}
	case t.Fraction():
		return []finding{warningAt(fmt.Sprintf("the ingestor makes %s of it, and fractions of a second are rounded", t.Base), "schema", column.Name)}
	}
	return nil
}

// badColumn words what keeps a name of the schema from becoming a column of
// the table. The label and the id column are not stored under their names.
func (c *Config) badColumn(name string) string {
	if message := badName(name); message != "" {
		return message
	}
	lower := strings.ToLower(name)
	switch {
	case utf8.RuneCountInString(name) > dataset.MaxColumnName:
		return fmt.Sprintf("the column name has %d characters; the database takes at most %d", utf8.RuneCountInString(name), dataset.MaxColumnName)
	case dataset.BindsParameter(name):
		return fmt.Sprintf("the column name %q has a word that starts with a colon, which the ingestor's database library takes for a parameter; rename the column", name)
	case c.isLabelOrID(name):
		return ""
	case dataset.ReservedColumn(name):
		return fmt.Sprintf("%q is a column that every table has already; rename the column in the CSV, or leave it out of the schema", name)
	case lower == "label":
		return fmt.Sprintf("%q is taken by the label, which is another column here; rename the column in the CSV, or leave it out of the schema", name)
	}
	return ""
}

// isLabelOrID tells the columns of the CSV that are stored under names of the
// table's own.
func (c *Config) isLabelOrID(name string) bool {
	return c.Label != nil && c.Label.Column == name || name != "" && c.IDColumn() == name
}
