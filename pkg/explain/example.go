package explain

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// example renders the examples of a field, inside of the fields that lead to it, as lines of YAML with a blank line
// between two examples.
func (s *Schema) example(f Field) ([]string, error) {
	var lines []string
	for _, value := range f.node.Examples {
		var b bytes.Buffer
		encoder := yaml.NewEncoder(&b)
		encoder.SetIndent(2)
		if err := errors.Join(encoder.Encode(s.around(f, plain(&value))), encoder.Close()); err != nil {
			return nil, fmt.Errorf("the example of field %q: %w", f.Path, err)
		}
		if lines != nil {
			lines = append(lines, "")
		}
		lines = append(lines, strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")...)
	}
	return lines, nil
}

// around puts a value into the objects and lists that lead to its field.
func (s *Schema) around(f Field, value *yaml.Node) *yaml.Node {
	parents := []*node{s.root}
	for _, name := range f.names {
		holder := parents[len(parents)-1].holder()
		child := holder.Properties.lookup(name)
		if child == nil {
			child = holder.values()
		}
		parents = append(parents, child)
	}
	for i, name := range slices.Backward(f.names) {
		key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}
		value = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{key, value}}
		if i > 0 { // all that the root needs would hide the field
			value.Content = parents[i].beside(key, value.Content[1])
		}
		for n := parents[i]; n.Items != nil; n = n.Items {
			value = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{value}}
		}
	}
	return value
}

// beside puts what an object cannot do without around one of its fields, as the object's own example has it.
func (n *node) beside(key, value *yaml.Node) []*yaml.Node {
	alone := []*yaml.Node{key, value}
	if len(n.Examples) == 0 {
		return alone
	}
	var content []*yaml.Node
	shown := false
	whole := n.objectExample()
	for i := 0; i+1 < len(whole); i += 2 {
		switch name := whole[i].Value; {
		case name == key.Value:
			content, shown = append(content, key, value), true
		case slices.Contains(n.holder().Required, name):
			content = append(content, plain(whole[i]), plain(whole[i+1]))
		}
	}
	if !shown {
		content = append(content, alone...)
	}
	return content
}

// objectExample is the content of the first example that is an object, or a list of objects.
func (n *node) objectExample() []*yaml.Node {
	for _, example := range n.Examples {
		object := &example
		for object.Kind == yaml.SequenceNode && len(object.Content) > 0 {
			object = object.Content[0]
		}
		if object.Kind == yaml.MappingNode {
			return object.Content
		}
	}
	return nil
}

// plain drops the quotes and braces of JSON; a list of scalars stays on one line.
func plain(n *yaml.Node) *yaml.Node {
	copied := *n
	copied.Style, copied.Content = 0, nil
	scalars := true
	for _, child := range n.Content {
		scalars = scalars && child.Kind == yaml.ScalarNode
		copied.Content = append(copied.Content, plain(child))
	}
	if n.Kind == yaml.SequenceNode && scalars {
		copied.Style = yaml.FlowStyle
	}
	return &copied
}
