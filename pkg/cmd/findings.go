package cmd

import (
	"bytes"
	"cmp"
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/tracebloc/kubectl-tracebloc/pkg/ingest"
	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

// validationReport is what validate prints with -o json and -o yaml, and what
// its other formats are made of; docs/output.md describes it.
type validationReport struct {
	APIVersion string           `json:"apiVersion"`
	Kind       string           `json:"kind"`
	Spec       validationSpec   `json:"spec"`
	Status     validationStatus `json:"status"`

	failure string // an error that no item tells of
}

// validationSpec is what was asked for.
type validationSpec struct {
	Files          []string `json:"files"`
	Data           string   `json:"data,omitempty"`
	FollowSymlinks bool     `json:"followSymlinks,omitempty"`
}

// validationStatus counts breaches, of which an item may stand for several.
type validationStatus struct {
	ExitCode int            `json:"exitCode"`
	Message  string         `json:"message,omitempty"`
	Errors   int            `json:"errors"`
	Warnings int            `json:"warnings"`
	Notes    int            `json:"notes"`
	Omitted  int            `json:"omitted,omitempty"` // breaches that no item stands for
	Specs    []specReport   `json:"specs"`
	Dataset  *datasetReport `json:"dataset,omitempty"`
	Items    []findingItem  `json:"items"`
}

// specReport is the verdict on one spec.
type specReport struct {
	File  string `json:"file"`
	Valid bool   `json:"valid"`
}

// datasetReport is the verdict on the dataset of --data.
type datasetReport struct {
	Path  string `json:"path"`
	Valid bool   `json:"valid"`
	Rows  int64  `json:"rows"`
	Files int    `json:"files"`
	Bytes int64  `json:"bytes"`
}

// findingItem is a problem of a spec, or a finding in the dataset.
type findingItem struct {
	// Rule is the id of a preflight rule, or of specRules.
	Rule     string             `json:"rule"`
	Severity preflight.Severity `json:"severity"`
	// File can be opened from the working directory; "<stdin>" is standard input.
	File string `json:"file,omitempty"`
	// Line and Col, in characters, count from 1; 0 where they are not known.
	Line int64 `json:"line,omitempty"`
	Col  int64 `json:"col,omitempty"`
	// Row is the data row of a CSV, from 1; 0 for none.
	Row int64 `json:"row,omitempty"`
	// Field is the path of a field of the spec, Column the name of a column of the CSV.
	Field  string `json:"field,omitempty"`
	Column string `json:"column,omitempty"`
	Value  string `json:"value,omitempty"`
	// Count is how many breaches the item stands for, where they are more than one.
	Count   int    `json:"count,omitempty"`
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}

// The ids of specRules.
const (
	ruleSpecUnreadable    = "spec-unreadable"
	ruleSpecDocument      = "spec-document"
	ruleSpecField         = "spec-field"
	ruleSpecAdvice        = "spec-advice"
	ruleSpecDataset       = "spec-dataset"
	ruleDatasetUnreadable = "dataset-unreadable"
)

// specRules are the rules that validate has beside those of the preflight.
func specRules() []preflight.Rule {
	return []preflight.Rule{
		{ID: ruleSpecUnreadable, Severity: preflight.SeverityError, Section: "spec", Summary: "a spec cannot be read",
			Remedy: "name a file that is there and that you may read, or - for standard input"},
		{ID: ruleSpecDocument, Severity: preflight.SeverityError, Section: "spec", Summary: "a file is no ingest spec, or not one that can be read as YAML or JSON",
			Remedy: "start from the spec that kubectl tracebloc init writes"},
		{ID: ruleSpecField, Severity: preflight.SeverityError, Section: "spec", Summary: "a field of a spec is missing or unknown, or its value cannot be used",
			Remedy: "look the field up with kubectl tracebloc explain"},
		{ID: ruleSpecAdvice, Severity: preflight.SeverityWarning, Section: "spec", Summary: "a field of a spec has no effect, or another one than it seems to have",
			Remedy: "look the field up with kubectl tracebloc explain, and leave it out if it is not needed"},
		{ID: ruleSpecDataset, Severity: preflight.SeverityError, Section: "spec", Summary: "the spec and the dataset of --data do not belong together",
			Remedy: "name the dataset that the spec is for, or its CSV in the spec"},
		{ID: ruleDatasetUnreadable, Severity: preflight.SeverityError, Section: "2.0", Summary: "the dataset of --data cannot be opened or read",
			Remedy: "name a directory or a CSV file that is there and that you may read"},
	}
}

func newValidationReport(o *validateOptions) *validationReport {
	return &validationReport{
		APIVersion: run.GroupVersion.String(), Kind: "ValidationReport",
		Spec:   validationSpec{Files: append([]string{}, o.specs...), Data: o.data, FollowSymlinks: o.followLinks},
		Status: validationStatus{Specs: []specReport{}, Items: []findingItem{}},
	}
}

func (r *validationReport) takeSpecs(specs []judgedSpec) {
	for _, spec := range specs {
		r.Status.Specs = append(r.Status.Specs, specReport{File: spec.file, Valid: spec.config != nil})
		for _, p := range spec.problems {
			rule := ruleSpecField
			switch {
			case spec.unread:
				rule = ruleSpecUnreadable
			case p.Severity == ingest.SeverityWarning:
				rule = ruleSpecAdvice
			case p.Path == "":
				rule = ruleSpecDocument
			}
			r.add(findingItem{
				Rule: rule, Severity: preflight.Severity(p.Severity), File: spec.file, Line: int64(p.Line), Col: int64(p.Col), Field: p.Path, Message: p.Message,
			})
		}
	}
}

// takeDataset adds what the preflight found; findings name files below dir.
func (r *validationReport) takeDataset(path, dir string, checked *preflight.Result) {
	r.Status.Dataset = &datasetReport{
		Path: path, Valid: checked.Errors() == 0, Rows: checked.Rows, Files: len(checked.Manifest), Bytes: checked.Manifest.Bytes(),
	}
	told := map[string]int{}
	for _, f := range checked.Findings {
		item := findingItem{
			Rule: f.Rule, Severity: f.Severity, File: path, Line: f.Line, Row: f.Row,
			Column: f.Column, Value: f.Value, Count: f.Count, Message: f.Message, Remedy: f.Remedy,
		}
		if f.File != "" {
			item.File = filepath.ToSlash(filepath.Join(dir, filepath.FromSlash(f.File)))
		}
		told[f.Rule] += item.breaches()
		r.add(item)
	}
	// What the preflight counted without keeping it is counted here too.
	for _, rule := range preflight.Rules {
		if more := checked.Totals[rule.ID] - told[rule.ID]; more > 0 {
			r.count(rule.Severity, more)
			r.Status.Omitted += more
		}
	}
}

// takeFailure adds what kept the dataset from being checked.
func (r *validationReport) takeFailure(data, spec string, err error) {
	item := findingItem{Rule: ruleDatasetUnreadable, Severity: preflight.SeverityError, File: data, Message: err.Error()}
	if ExitCode(err) == exitSpec {
		item.Rule, item.File = ruleSpecDataset, spec
	}
	r.add(item)
}

func (r *validationReport) add(item findingItem) {
	r.count(item.Severity, item.breaches())
	r.Status.Items = append(r.Status.Items, item)
}

func (r *validationReport) count(severity preflight.Severity, n int) {
	switch severity {
	case preflight.SeverityError:
		r.Status.Errors += n
	case preflight.SeverityWarning:
		r.Status.Warnings += n
	default:
		r.Status.Notes += n
	}
}

// conclude writes the ending into the report.
func (r *validationReport) conclude(err error) {
	r.Status.ExitCode = ExitCode(err)
	if err == nil {
		return
	}
	r.Status.Message = err.Error()
	if r.Status.Errors == 0 {
		r.failure = r.Status.Message
	}
}

// object is the report in JSON or YAML.
func (r *validationReport) object(format string) ([]byte, error) {
	if format == "yaml" {
		return r.yaml()
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "    ")
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(r)
	return text.Bytes(), err
}

// yaml writes the items one by one: of a hundred thousand at once the library
// makes a tree that takes gigabytes.
func (r *validationReport) yaml() ([]byte, error) {
	frame := *r
	frame.Status.Items = []findingItem{}
	text, err := yaml.Marshal(frame)
	if err != nil || len(r.Status.Items) == 0 {
		return text, err
	}
	// Text of others stands deeper than the fields of the status, so that this line is the field.
	head, tail, found := bytes.Cut(text, []byte("\n  items: []\n"))
	if !found {
		return yaml.Marshal(r)
	}
	var whole bytes.Buffer
	whole.Write(head)
	whole.WriteString("\n  items:\n")
	for _, item := range r.Status.Items {
		text, err := yaml.Marshal(item)
		if err != nil {
			return nil, err
		}
		mark := "  - "
		for line := range bytes.Lines(text) {
			if len(line) > 1 {
				whole.WriteString(mark)
			}
			whole.Write(line)
			mark = "    "
		}
	}
	whole.Write(tail)
	return whole.Bytes(), nil
}

// worst are the items that a format has room for, errors first: at most perRule
// of a rule and total in all. omitted is how many breaches the others, and those
// that the report has no item for, stand for.
func (r *validationReport) worst(perRule, total int) (items []findingItem, omitted int) {
	ranked := slices.Clone(r.Status.Items)
	slices.SortStableFunc(ranked, func(a, b findingItem) int { return cmp.Compare(rank(a.Severity), rank(b.Severity)) })
	omitted = r.Status.Omitted
	of := map[string]int{}
	for _, item := range ranked {
		if of[item.Rule]++; of[item.Rule] > perRule || len(items) == total {
			omitted += item.breaches()
			continue
		}
		items = append(items, item)
	}
	return items, omitted
}

// rank puts what must be put right first.
func rank(s preflight.Severity) int {
	return slices.Index([]preflight.Severity{preflight.SeverityError, preflight.SeverityWarning, preflight.SeverityNote}, s)
}

func (i findingItem) breaches() int { return max(i.Count, 1) }

// text is what is wrong and what to do about it, without the place.
func (i findingItem) text() string {
	text := i.Message
	switch bare := `"` + i.Column + `"`; {
	case i.Field != "":
		text = i.Field + ": " + text
	case i.Column != "" && !strings.Contains(text, bare) && !strings.Contains(text, strconv.Quote(i.Column)):
		text = "column " + bare + ": " + text
	}
	if i.Count > 1 {
		text += " (" + strconv.Itoa(i.Count) + " in all)"
	}
	if i.Remedy != "" {
		text += "; " + i.Remedy
	}
	return text
}
