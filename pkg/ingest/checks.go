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
// ingestor would fail on, or lose data by.
func (c *Config) check() []finding {
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
	if known {
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

// sidecarDirs are the directories of a spec in the order of its fields.
func (c *Config) sidecarDirs() []struct{ field, dir string } {
	all := []struct{ field, dir string }{
		{"images", c.Images}, {"annotations", c.Annotations}, {"masks", c.Masks}, {"texts", c.Texts}, {"sequences", c.Sequences},
	}
	return slices.DeleteFunc(all, func(d struct{ field, dir string }) bool { return d.dir == "" })
}

// checkDirs holds the directories against the fixed names that the ingestor
// looks for under their common parent, whatever the spec says.
func (c *Config) checkDirs() []finding {
	var findings []finding
	parent, first := "", ""
	for _, d := range c.sidecarDirs() {
		dir := strings.TrimRight(d.dir, "/")
		if path.Base(dir) != d.field {
			findings = append(findings, errorAt(
				fmt.Sprintf("the directory must be called %q; the ingestor looks for that name only, not %s", d.field, show(path.Base(dir))), d.field))
			continue
		}
		switch {
		case first == "":
			parent, first = path.Dir(dir), d.field
		case path.Dir(dir) != parent:
			findings = append(findings, errorAt(fmt.Sprintf("must stand beside %s, in %s", first, show(parent)), d.field))
		}
	}
	for _, p := range append(c.sidecarDirs(), struct{ field, dir string }{"csv", c.CSV}, struct{ field, dir string }{"json", c.JSON}) {
		destination := "/data/shared/" + c.Table
		if c.Table != "" && (path.Clean(p.dir) == destination || strings.HasPrefix(path.Clean(p.dir), destination+"/")) {
			findings = append(findings, errorAt(
				fmt.Sprintf("%s is where the ingestor writes the table; it refuses to run when there are files already", show(destination)), p.field))
		}
	}
	return findings
}

// checkSource looks at csv and json.
func (c *Config) checkSource(task dataset.Task) []finding {
	tabular := task.Family == dataset.FamilyTabular
	var findings []finding
	if c.CSV != "" && !strings.EqualFold(path.Ext(c.CSV), ".csv") {
		message := "the name of the file must end in .csv; the ingestor's checks read nothing else"
		if tabular {
			findings = append(findings, errorAt(message, "csv"))
		} else {
			findings = append(findings, warningAt(message, "csv"))
		}
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

// Columns with a meaning of their own in time tasks (contract, the sixteen
// tasks).
const (
	timestampColumn = "timestamp"
	sequenceColumn  = "sequence_id"
	defaultTime     = "time"
)

// checkTime looks at the columns of the tasks with a time axis.
func (c *Config) checkTime(task dataset.Task) []finding {
	var findings []finding
	if len(c.Schema) == 0 {
		return nil
	}
	if task.Takes("time-column") {
		name := c.TimeColumn
		if name == "" {
			name = defaultTime
		}
		if _, ok := c.Schema.Lookup(name); !ok {
			findings = append(findings, warningAt(fmt.Sprintf("the time column %q is not in the schema, so it is checked but not stored", name), "schema"))
		}
	}
	// Forecasting is the task that has a time order and no groups.
	if !slices.Contains(task.Columns, timestampColumn) || slices.Contains(task.Columns, sequenceColumn) {
		return findings
	}
	if _, ok := c.Schema.Lookup(timestampColumn); !ok {
		findings = append(findings, errorAt(fmt.Sprintf("the column is missing; the task %q needs it, of type TIMESTAMP", task.Name), "schema", timestampColumn))
	}
	for _, column := range c.Schema {
		t, err := parseType(column.Type)
		switch {
		case err != nil: // checkColumns reports it
		case column.Name == timestampColumn && t.base != "TIMESTAMP":
			findings = append(findings, errorAt(fmt.Sprintf("must be of type TIMESTAMP, not %s", t), "schema", column.Name))
		case column.Name == timestampColumn, c.Label != nil && column.Name == c.Label.Column:
		case !typeRules[t.base].numeric:
			findings = append(findings, warningAt(fmt.Sprintf("the task %q takes numeric columns only; values of type %s are refused unless they are all numbers",
				task.Name, t), "schema", column.Name))
		}
	}
	return findings
}
