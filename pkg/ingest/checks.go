package ingest

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// check says what is wrong with a spec beyond its schema, as far as that can
// be told without the dataset and without a cluster. An error is what every
// ingestor would fail on, or lose data by. Paths that push replaces are not
// looked at where the spec is for push only.
func (c *Config) check(forPush bool) []finding {
	var findings []finding
	if c.Table != "" {
		if err := CheckTable(c.Table); err != nil {
			findings = append(findings, errorAt(err.Error(), "table"))
		}
	}
	task, known := dataset.TaskByName(c.Category)
	findings = append(findings, c.checkLabel(task)...)
	findings = append(findings, c.checkColumns()...)
	findings = append(findings, c.checkOptions()...)
	findings = append(findings, c.checkDirs()...)
	if !forPush {
		findings = append(findings, c.checkRelative()...)
		findings = append(findings, c.checkDeclared(task)...)
	}
	if known {
		findings = append(findings, c.checkRoles(task)...)
		findings = append(findings, c.checkSource(task)...)
		findings = append(findings, c.checkUnused(task)...)
		findings = append(findings, c.checkTime(task)...)
		findings = append(findings, c.checkFileOptions(task)...)
	}
	return findings
}

// checkLabel looks at the name of the label column.
func (c *Config) checkLabel(task dataset.Task) []finding {
	if c.Label == nil || c.Label.Column == "" && c.Label.Policy != "" {
		return nil // the schema has its say on the object form
	}
	at := []string{"label"}
	if c.Label.Policy != "" {
		at = append(at, "column")
	}
	if message := badName(c.Label.Column); message != "" {
		return []finding{errorAt(message, at...)}
	}
	_, declared := c.Schema.Lookup(c.Label.Column)
	if task.Family == dataset.FamilyTabular && len(c.Schema) > 0 && !declared {
		return []finding{warningAt(fmt.Sprintf("the label column %q is not in the schema", c.Label.Column), at...)}
	}
	return nil
}

// checkRoles refuses to take the label, or the id of the records, from a column
// that has another meaning: the ingestor takes both out of the table, and
// records with the same id overwrite each other.
func (c *Config) checkRoles(task dataset.Task) []finding {
	var findings []finding
	label, id := "", c.IDColumn()
	labelAt := []string{"label"}
	if c.Label != nil {
		label = c.Label.Column
		if c.Label.Policy != "" {
			labelAt = []string{"label", "column"}
		}
	}
	for _, own := range task.Columns {
		if task.HasFiles() && own == task.Columns[0] {
			continue // the name of the file may well be the id
		}
		if own == label {
			findings = append(findings, errorAt(fmt.Sprintf("the task %q needs the column %q for itself; it cannot be the label", task.Name, own), labelAt...))
		}
		if own == id {
			findings = append(findings, errorAt(fmt.Sprintf("the task %q needs the column %q for itself; it cannot be the id of the records", task.Name, own), "data_id", "column"))
		}
	}
	if id != "" && id == label {
		findings = append(findings, errorAt(fmt.Sprintf("the column %q is the label; records with the same id overwrite each other, so one of each label would be left", id), "data_id", "column"))
	}
	return findings
}

// badName words what keeps a column name from ever matching a CSV header: the
// ingestor strips headers.
func badName(name string) string {
	switch {
	case strings.TrimSpace(name) == "":
		return "the column has no name"
	case strings.TrimSpace(name) != name:
		return fmt.Sprintf("the column name %q has spaces around it; the headers of a CSV are stripped, so it is never found", name)
	case strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Sprintf("the column name %q has control characters", name)
	}
	return ""
}

// checkSource looks at csv and json.
func (c *Config) checkSource(task dataset.Task) []finding {
	tabular := task.Family == dataset.FamilyTabular
	var findings []finding
	switch ext := path.Ext(c.CSV); {
	case c.CSV == "", ext == ".csv":
	case strings.EqualFold(ext, ".csv"):
		findings = append(findings, warningAt("the ingestor's check of the encoding looks at files only whose names end in .csv, in lower case", "csv"))
	default:
		findings = append(findings, errorAt("the name of the file must end in .csv; the ingestor's checks read nothing else", "csv"))
	}
	if c.JSON != "" && slices.Contains(task.Columns, timestampColumn) {
		findings = append(findings, errorAt(fmt.Sprintf("the ingestor checks the time order of a CSV only; the task %q needs csv", task.Name), "json"))
	} else if c.JSON != "" && !tabular {
		findings = append(findings, warningAt(fmt.Sprintf("JSON records suit tabular tasks; the task %q is meant to have a labels.csv", task.Name), "json"))
	}
	return findings
}

// checkUnused warns about fields that the task has no use for.
func (c *Config) checkUnused(task dataset.Task) []finding {
	var findings []finding
	unused := func(field, flag string, set bool) {
		if set && !slices.Contains(task.SpecFields, field) && !task.Takes(flag) {
			findings = append(findings, warningAt(fmt.Sprintf("the task %q does not use it", task.Name), field))
		}
	}
	for _, d := range c.sidecarDirs() {
		unused(d.field, "", true)
	}
	unused("time_column", "time-column", c.TimeColumn != "")
	unused("target_size", "target-size", c.TargetSize != nil)
	unused("number_of_keypoints", "number-of-keypoints", c.NumberOfKeypoints != 0)
	return findings
}
