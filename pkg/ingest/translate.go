package ingest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/xeipuuv/gojsonschema"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// translator words the verdicts of gojsonschema for people: which task needs
// what, and what was probably meant, instead of which keyword did not hold.
type translator struct {
	outline  *property
	category string
	root     map[string]json.RawMessage
	partial  bool
}

func (t *translator) translate(errs []gojsonschema.ResultError) []finding {
	var findings []finding
	var rest []string
	dropped := false
	for _, e := range errs {
		path := strings.Split(e.Context().String("\x00"), "\x00")[1:]
		switch e.Type() {
		case "required":
			name, _ := e.Details()["property"].(string)
			fillable := len(path) == 0 || path[0] == "label"
			if t.partial && fillable || len(path) == 0 && (name == "csv" || name == "json") {
				dropped = true // push fills it in, or number_one_of says it for both
				continue
			}
			findings = append(findings, errorAt(t.missing(path, name), childPath(path, name)...))
		case "additional_property_not_allowed":
			name, _ := e.Details()["property"].(string)
			f := errorAt(t.unknown(path, name), childPath(path, name)...)
			f.atKey = true
			findings = append(findings, f)
		case "number_one_of":
			if f, ok := t.source(); ok {
				findings = append(findings, f)
			} else {
				dropped = true
			}
		case "false":
			f := errorAt(fmt.Sprintf("the task %q takes no %s; remove it", t.category, last(path)), path...)
			f.atKey = true
			findings = append(findings, f)
		case "number_all_of", "condition_then":
			rest = append(rest, e.Description()) // what did not hold inside is an error of its own
		default:
			findings = append(findings, errorAt(t.value(path, e), path...))
		}
	}
	if len(findings) == 0 && !dropped {
		findings = append(findings, errorAt(strings.Join(rest, "; ")))
	}
	return findings
}

// source words the rule of csv and json.
func (t *translator) source() (finding, bool) {
	if t.root["csv"] != nil && t.root["json"] != nil {
		f := errorAt("a spec has either csv or json, not both", "json")
		f.atKey = true
		return f, true
	}
	return errorAt("is missing; a spec needs the path of its CSV (or json in its place)", "csv"), !t.partial
}

// missing words a field that is not there.
func (t *translator) missing(path []string, name string) string {
	here := t.outline.at(path)
	switch field := t.outline.at(childPath(path, name)); {
	case here != nil && slices.Contains(here.Required, name):
		switch {
		case field != nil && field.Const != "":
			return fmt.Sprintf("is missing; it must be %q", field.Const)
		case field != nil && len(field.Enum) > 0 && len(field.Enum) <= 6:
			return fmt.Sprintf("is missing; it must be %s", oneOf(field.Enum))
		}
		return "is missing"
	case len(path) > 0 && path[0] == "data_id":
		return `is missing; the strategy "column" needs it`
	case len(path) > 0 && path[0] == "schema":
		return fmt.Sprintf("the column is missing; the task %q needs it", t.category)
	case last(path) == "label":
		return fmt.Sprintf("is missing; the task %q needs %s", t.category, labelForm)
	case len(path) == 0 && name == "label" && t.needsLabelObject():
		return fmt.Sprintf("is missing; the task %q needs it with column and policy", t.category)
	}
	return fmt.Sprintf("is missing; the task %q needs it", t.category)
}

// labelForm is what the regression tasks need.
const labelForm = `a column and a policy, "bucket" or "passthrough"`

// needsLabelObject tells whether the short form of the label would not do.
func (t *translator) needsLabelObject() bool {
	task, ok := dataset.TaskByName(t.category)
	return ok && task.LabelForm == dataset.LabelObject
}

// otherNames are the names that people use for a field of the root.
var otherNames = map[string]string{
	"task": "category", "name": "table", "target": "label", "columns": "schema", "label_column": "label.column",
	"label_policy": "label.policy", "num_keypoints": "number_of_keypoints", "csv_file": "csv", "split": "intent",
}

// unknown words a field that the spec does not have.
func (t *translator) unknown(path []string, name string) string {
	here := t.outline.at(path)
	if len(path) == 0 && otherNames[name] != "" {
		return fmt.Sprintf("unknown field; did you mean %s?", otherNames[name])
	}
	if guess := nearest(name, here.names()); guess != "" {
		return fmt.Sprintf("unknown field; did you mean %s?", guess)
	}
	if places := t.outline.elsewhere(name); len(places) > 0 {
		return fmt.Sprintf("unknown field here; did you mean %s?", places[0])
	}
	if names := here.names(); len(names) > 0 && len(names) <= 8 {
		return fmt.Sprintf("unknown field; there can be %s", list(names, "and"))
	}
	return "unknown field"
}

// value words what is wrong with a value that is there.
func (t *translator) value(path []string, e gojsonschema.ResultError) string {
	switch e.Type() {
	case "invalid_type":
		return t.wrongType(path, e)
	case "const":
		field := t.outline.at(path)
		if field == nil {
			break
		}
		if last(path) == "kind" {
			return fmt.Sprintf("%s is not an ingest spec; it must be %q", show(e.Value()), field.Const)
		}
		return fmt.Sprintf("must be %q, is %s", field.Const, show(e.Value()))
	case "enum":
		return t.wrongChoice(path, e.Value())
	case "string_gte":
		return "must not be empty"
	case "number_gte":
		return fmt.Sprintf("must be at least %v, is %v", e.Details()["min"], e.Value())
	case "array_min_items", "array_max_items":
		items, _ := e.Value().([]any)
		return fmt.Sprintf("must be [width, height], two integers; has %d", len(items))
	case "array_min_properties":
		return "must have at least one column"
	}
	return e.Description()
}

// wrongType says what a value is and what it must be.
func (t *translator) wrongType(path []string, e gojsonschema.ResultError) string {
	expected, _ := e.Details()["expected"].(string)
	given, _ := e.Details()["given"].(string)
	if len(path) == 1 && path[0] == "label" && expected == "object" {
		return fmt.Sprintf("the task %q needs %s: {column: %s, policy: bucket}", t.category, labelForm, show(e.Value()))
	}
	wanted := map[string]string{
		"string": "a string", "integer": "an integer", "array": "a list", "object": "a mapping",
	}
	// Several types come as "[string,object]".
	types := strings.Split(strings.Trim(expected, "[]"), ",")
	var kinds []string
	for _, kind := range types {
		if wanted[kind] != "" {
			kind = wanted[kind]
		}
		kinds = append(kinds, kind)
	}
	message := "must be " + list(kinds, "or")
	if last(path) == "target_size" || last(path) == "min_size" || last(path) == "resize" {
		message = "must be [width, height], a list of two integers"
	}
	switch given {
	case "null":
		return message + "; it has no value"
	case "array":
		return message + ", is a list"
	case "object":
		return message + ", is a mapping"
	}
	message += fmt.Sprintf(", is the %s %s", given, show(e.Value()))
	switch {
	case given != "string" && slices.Contains(types, "string"):
		message += "; put it in quotes"
	case given == "string" && expected == "integer" && isInteger(e.Value()):
		message += "; write it without quotes"
	}
	return message
}

func isInteger(value any) bool {
	word, _ := value.(string)
	_, err := strconv.Atoi(word)
	return err == nil
}

// wrongChoice lists what a value may be and picks the nearest.
func (t *translator) wrongChoice(path []string, value any) string {
	word, isString := value.(string)
	field := t.outline.at(path)
	if field == nil {
		return fmt.Sprintf("%s is not allowed here", show(value))
	}
	if len(path) == 1 && path[0] == "category" && isString {
		if _, err := dataset.LookupTask(word); err != nil {
			return err.Error()
		}
	}
	message := fmt.Sprintf("must be %s, is %s", oneOf(field.Enum), show(value))
	if guess := nearest(word, field.Enum); guess != "" {
		message += fmt.Sprintf("; did you mean %q?", guess)
	}
	return message
}

func last(path []string) string {
	if len(path) == 0 {
		return ""
	}
	return path[len(path)-1]
}

// show writes a foreign value on one line, cut where it is long.
func show(value any) string {
	switch v := value.(type) {
	case string:
		if runes := []rune(v); len(runes) > 80 {
			return fmt.Sprintf("%q...", string(runes[:80]))
		}
		return fmt.Sprintf("%q", v)
	case map[string]any:
		return "a mapping"
	case []any:
		return "a list"
	case nil:
		return "empty"
	}
	return fmt.Sprint(value)
}

// oneOf lists quoted words with "or".
func oneOf(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = fmt.Sprintf("%q", word)
	}
	return list(quoted, "or")
}

// list joins words as a sentence does.
func list(words []string, conjunction string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + conjunction + " " + words[len(words)-1]
}
