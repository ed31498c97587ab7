// Package explain tells what the fields of the ingest spec mean, in the look of kubectl explain. It knows nothing but the
// JSON Schema (draft-07) that it is given: what is not in there is not said. Which tasks need a field is read from the
// schema's conditionals; which tasks it is for beyond that, from the annotation x-tasks.
package explain

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Schema is a JSON Schema of one kind of document, ready to be looked up in and printed.
type Schema struct {
	root   *node
	rules  []rule
	fields []Field
}

// Field is one field of the document; its zero value is none.
type Field struct {
	// Path is its place, "spec.file_options.extension"; "" is the document itself. Items of lists have no index in it.
	Path string
	// Title is its name for people.
	Title string

	node     *node
	names    []string
	required bool // always, in the object that it belongs to
}

// node is one place of the schema, as far as it is explained.
type node struct {
	Title                string      `yaml:"title"`
	Description          string      `yaml:"description"`
	Type                 typeNames   `yaml:"type"`
	Const                yaml.Node   `yaml:"const"`
	Enum                 []yaml.Node `yaml:"enum"`
	Default              yaml.Node   `yaml:"default"`
	Examples             []yaml.Node `yaml:"examples"`
	Tasks                []string    `yaml:"x-tasks"` // an annotation: the tasks that use the field; none for all of them
	Properties           properties  `yaml:"properties"`
	Required             []string    `yaml:"required"`
	AdditionalProperties *node       `yaml:"additionalProperties"`
	Items                *node       `yaml:"items"`
	Minimum              *int        `yaml:"minimum"`
	MinLength            *int        `yaml:"minLength"`
	MinItems             *int        `yaml:"minItems"`
	MaxItems             *int        `yaml:"maxItems"`
	MinProperties        *int        `yaml:"minProperties"`
	If                   *node       `yaml:"if"`
	Then                 *node       `yaml:"then"`
	AllOf                []*node     `yaml:"allOf"`
	OneOf                []*node     `yaml:"oneOf"`

	never bool // the schema false
}

// UnmarshalYAML reads an object, or one of the schemas true and false.
func (n *node) UnmarshalYAML(y *yaml.Node) error {
	if y.Kind == yaml.ScalarNode {
		var anything bool
		err := y.Decode(&anything)
		n.never = !anything
		return err
	}
	type plain node
	return y.Decode((*plain)(n))
}

// typeNames is one type or several.
type typeNames []string

// UnmarshalYAML reads a name or a list of names.
func (t *typeNames) UnmarshalYAML(y *yaml.Node) error {
	if y.Kind == yaml.ScalarNode {
		*t = typeNames{y.Value}
		return nil
	}
	return y.Decode((*[]string)(t))
}

// properties are the fields of an object in the order of the schema file, which is the order of the document.
type properties []property

type property struct {
	name string
	node *node
}

// UnmarshalYAML reads an object without losing its order.
func (p *properties) UnmarshalYAML(y *yaml.Node) error {
	if y.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: properties must be an object", y.Line)
	}
	for i := 0; i+1 < len(y.Content); i += 2 {
		child := new(node)
		if err := y.Content[i+1].Decode(child); err != nil {
			return err
		}
		*p = append(*p, property{y.Content[i].Value, child})
	}
	return nil
}

func (p properties) lookup(name string) *node {
	for _, child := range p {
		if child.name == name {
			return child.node
		}
	}
	return nil
}

// Parse reads a JSON Schema.
func Parse(schema []byte) (*Schema, error) {
	var root node
	// JSON is YAML, and only a reader of YAML keeps the order of the fields.
	if err := yaml.Unmarshal(schema, &root); err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	if len(root.Properties) == 0 {
		return nil, fmt.Errorf("reading the schema: it has no properties")
	}
	s := &Schema{root: &root}
	s.rules = rulesOf(&root, nil)
	s.addFields(&root, nil)
	return s, nil
}

// addFields lists what stands below a place, depth first.
func (s *Schema) addFields(n *node, names []string) {
	holder := n.holder()
	for _, child := range holder.Properties {
		f := newField(child.node, below(names, child.name), holder)
		s.fields = append(s.fields, f)
		s.addFields(child.node, f.names)
	}
}

func newField(n *node, names []string, holder *node) Field {
	f := Field{Path: strings.Join(names, "."), Title: n.Title, node: n, names: names}
	for _, name := range holder.Required {
		f.required = f.required || name == names[len(names)-1]
	}
	return f
}

// below is a path that shares no memory with its parent's.
func below(names []string, name string) []string {
	return append(names[:len(names):len(names)], name)
}

// holder is the place whose properties are the fields below n: for a list, that of its items.
func (n *node) holder() *node {
	for n.Items != nil {
		n = n.Items
	}
	return n
}

// values is the place that all entries of a map share; nil for what is no map.
func (n *node) values() *node {
	if n.AdditionalProperties == nil || n.AdditionalProperties.never {
		return nil
	}
	return n.AdditionalProperties
}

// typeName is the type as kubectl explain writes it.
func (n *node) typeName() string {
	switch {
	case n.Items != nil:
		return "[]" + n.Items.typeName()
	case n.values() != nil:
		return "map[string]" + n.values().typeName()
	case len(n.Type) == 0 && n.Const.Kind == yaml.ScalarNode && n.Const.ShortTag() == "!!str":
		return "string"
	case len(n.Type) == 0:
		return "Object"
	}
	names := make([]string, len(n.Type))
	for i, name := range n.Type {
		names[i] = name
		if name == "object" {
			names[i] = "Object"
		}
	}
	return strings.Join(names, " or ")
}

// Fields are all fields, each before those below it, in the order of the document.
func (s *Schema) Fields() []Field { return s.fields }

// fixed is the value that the schema fixes for a field of the root; "" if it fixes none.
func (s *Schema) fixed(name string) string {
	if n := s.root.Properties.lookup(name); n != nil {
		return n.Const.Value
	}
	return ""
}
