package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/schemas"
)

// commentWidth is the longest comment line, in characters, without its indentation.
const commentWidth = 98

// shortEnum is how many values of a field its comment counts at most.
const shortEnum = 4

// offered are the fields that an annotated spec shows as comments where they are not set. Those that the ingestor does not
// look at, and those that Build always sets, are not worth a line.
var offered = []string{
	"schema", "time_column", "data_id", "spec", "spec.csv_options", "spec.file_options", "spec.file_options.min_size",
}

// BuildLocal makes the spec that stands in a dataset's own directory: Build with paths relative to it. Push and validate
// take them; push puts the paths of the staged copy in their place.
func BuildLocal(in Input) (*Config, error) {
	c, err := Build(in, "/")
	if err != nil {
		return nil, err
	}
	for _, path := range []*string{&c.CSV, &c.Images, &c.Annotations, &c.Masks, &c.Texts, &c.Sequences} {
		*path = strings.TrimPrefix(*path, "/")
	}
	return c, nil
}

// Annotate is the spec as YAML for people: the fields of the canonical form, each below a comment from the schema, and the
// optional fields that fit the task as comments with an example. A comment is "# " and text; a field that is commented out
// has no blank behind its #, so that taking away that one character sets it. The label is written with its policy. Head is
// text for the top of the file; no foreign string is in any comment.
func (c *Config) Annotate(head string) ([]byte, error) {
	whole := *c
	if c.Label != nil && c.Label.Policy == "" {
		whole.Label = &Label{Column: c.Label.Column, Policy: dataset.PolicyPassthrough}
	}
	root, err := whole.node()
	if err != nil {
		return nil, err
	}
	var schema yaml.Node
	if err := yaml.Unmarshal(schemas.IngestV1, &schema); err != nil {
		return nil, fmt.Errorf("reading the schema of the spec: %w", err)
	}
	a := annotator{task: c.Category}
	lines, err := a.object(schema.Content[0], root, nil)
	if err != nil {
		return nil, fmt.Errorf("encoding the spec: %w", err)
	}
	return []byte(strings.Join(append(comment(head), lines...), "\n") + "\n"), nil
}

// annotator writes the fields of a spec for one task.
type annotator struct{ task string }

// object renders the fields of one object in the order of the schema. Fields of the root have a blank line in front.
func (a *annotator) object(schema, value *yaml.Node, path []string) ([]string, error) {
	var lines []string
	properties := member(schema, "properties")
	for name, field := range members(properties) {
		at := childPath(path, name)
		set := member(value, name)
		hash := ""
		if set == nil {
			set, hash = a.example(field, at), "#"
		}
		if set == nil {
			continue
		}
		body, err := a.field(name, field, set, at)
		if err != nil {
			return nil, err
		}
		if len(path) == 0 {
			lines = append(lines, "")
		}
		lines = append(lines, explanation(field)...)
		for _, line := range body {
			lines = append(lines, hash+line)
		}
	}
	for name, extra := range members(value) {
		if member(properties, name) != nil {
			continue
		}
		body, err := encodeField(name, extra)
		if err != nil {
			return nil, err
		}
		lines = append(lines, body...)
	}
	return lines, nil
}

// field renders one field without its own comment.
func (a *annotator) field(name string, schema, value *yaml.Node, path []string) ([]string, error) {
	if member(schema, "properties") == nil || value.Kind != yaml.MappingNode {
		return encodeField(name, value)
	}
	inner, err := a.object(schema, value, path)
	if err != nil {
		return nil, err
	}
	lines := []string{name + ":"}
	for _, line := range inner {
		lines = append(lines, "  "+line)
	}
	return lines, nil
}

// encodeField is one field as lines of YAML.
func encodeField(name string, value *yaml.Node) ([]string, error) {
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	field := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{stringNode(name), value}}
	if err := errors.Join(encoder.Encode(field), encoder.Close()); err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n"), nil
}

// example is what an optional field is shown with; nil for a field that is not offered, or not for this task. An object
// with fields that are offered themselves has those and no others.
func (a *annotator) example(schema *yaml.Node, path []string) *yaml.Node {
	at := strings.Join(path, ".")
	if !slices.Contains(offered, at) {
		return nil
	}
	if tasks := member(schema, "x-tasks"); tasks != nil && !slices.ContainsFunc(tasks.Content, func(n *yaml.Node) bool { return n.Value == a.task }) {
		return nil
	}
	if slices.ContainsFunc(offered, func(other string) bool { return strings.HasPrefix(other, at+".") }) {
		object := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for name, field := range members(member(schema, "properties")) {
			if inner := a.example(field, childPath(path, name)); inner != nil {
				object.Content = append(object.Content, stringNode(name), inner)
			}
		}
		if len(object.Content) == 0 {
			return nil
		}
		return object
	}
	examples := member(schema, "examples")
	if examples == nil || len(examples.Content) == 0 {
		return nil
	}
	return canonicalNode(examples.Content[0])
}

// canonicalNode brings a node of the schema file, which is JSON, into the style of canonical YAML.
func canonicalNode(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" {
		return stringNode(n.Value)
	}
	styled := *n
	styled.Style, styled.Content = 0, nil
	if n.Kind == yaml.SequenceNode {
		styled.Style = yaml.FlowStyle
	}
	for _, child := range n.Content {
		styled.Content = append(styled.Content, canonicalNode(child))
	}
	return &styled
}

// explanation is the comment of a field: the first sentence of its description, and its values where they are few.
func explanation(schema *yaml.Node) []string {
	description := member(schema, "description")
	if description == nil {
		return nil
	}
	text, _, cut := strings.Cut(description.Value, ". ")
	if cut {
		text += "."
	}
	if enum := member(schema, "enum"); enum != nil && len(enum.Content) <= shortEnum {
		var values []string
		for _, value := range enum.Content {
			values = append(values, value.Value)
		}
		text += " One of: " + strings.Join(values, ", ") + "."
	}
	return comment(text)
}

// comment breaks text into comment lines.
func comment(text string) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := "#"
		for _, word := range strings.Fields(paragraph) {
			if line != "#" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > commentWidth {
				lines = append(lines, line)
				line = "#"
			}
			line += " " + word
		}
		if line != "#" {
			lines = append(lines, line)
		}
	}
	return lines
}

// member is the value of one key of a mapping; nil where there is none.
func member(object *yaml.Node, name string) *yaml.Node {
	for key, value := range members(object) {
		if key == name {
			return value
		}
	}
	return nil
}

// members goes through a mapping in its order.
func members(object *yaml.Node) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		if object == nil || object.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(object.Content); i += 2 {
			if !yield(object.Content[i].Value, object.Content[i+1]) {
				return
			}
		}
	}
}
