package ingest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// Limits of the database (contract, the ingestor §2.0, "MySQL table").
const (
	maxColumnName = 64   // characters
	maxColumns    = 1017 // of an InnoDB table
	ownColumns    = 11   // that every table has
)

// reservedColumns are the columns that every table has.
var reservedColumns = []string{
	"id", "created_at", "updated_at", "status", "data_intent", "data_id", "filename", "extension", "annotation", "ingestor_id",
}

// bindParameter is what the ingestor's database library takes for a parameter
// in the middle of a column name.
var bindParameter = regexp.MustCompile(`\s:\w`)

// checkColumns looks at the names and types of the schema.
func (c *Config) checkColumns() []finding {
	var findings []finding
	if n := c.storedColumns(); n+ownColumns > maxColumns {
		findings = append(findings, errorAt(fmt.Sprintf("has %d columns to store; the database takes at most %d beside its own",
			n, maxColumns-ownColumns), "schema"))
	}
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

// checkType looks at the type of one column.
func checkType(column dataset.Column) []finding {
	t, err := parseType(column.Type)
	switch {
	case err != nil:
		return []finding{errorAt(err.Error(), "schema", column.Name)}
	case t.base == "VARCHAR" && t.numbers[0] > 16383:
		return []finding{warningAt(fmt.Sprintf("%s is too long for a table in utf8mb4, which takes 16383; use TEXT", t), "schema", column.Name)}
	case t.rest != "":
		return []finding{warningAt(fmt.Sprintf("the ingestor takes %s and does not read %q", t, t.rest), "schema", column.Name)}
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
	case utf8.RuneCountInString(name) > maxColumnName:
		return fmt.Sprintf("the column name has %d characters; the database takes at most %d", utf8.RuneCountInString(name), maxColumnName)
	case bindParameter.MatchString(name):
		return fmt.Sprintf("the column name %q has a word that starts with a colon, which the ingestor's database library takes for a parameter; rename the column", name)
	case c.isLabelOrID(name):
		return ""
	case slices.Contains(reservedColumns, lower):
		return fmt.Sprintf("%q is a column that every table has already; rename the column in the CSV, or leave it out of the schema", name)
	case lower == "label":
		return fmt.Sprintf("%q is taken by the label, which is another column here; rename the column in the CSV, or leave it out of the schema", name)
	}
	return ""
}

// isLabelOrID tells the columns of the CSV that are stored under names of the
// table's own.
func (c *Config) isLabelOrID(name string) bool {
	return c.Label != nil && c.Label.Column == name || c.DataID != nil && c.DataID.Column == name
}

// storedColumns counts the columns of the schema that the table gets.
func (c *Config) storedColumns() int {
	n := 0
	for _, column := range c.Schema {
		if !c.isLabelOrID(column.Name) {
			n++
		}
	}
	return n
}
