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
		for n := parents[i]; n.Items != nil; n = n.Items {
			value = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{value}}
		}
	}
	return value
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
