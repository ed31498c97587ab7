package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// MaxBytes is the largest spec that a run can carry: jobs-manager keeps it in
// a ConfigMap, and the API server refuses a ConfigMap with more than 1 MiB of
// data.
const MaxBytes = 1 << 20

// YAML is the canonical form: the fields in the order of the contract, two
// spaces of indentation, every string in quotes that any YAML reader, old or
// new, could take for something else. Equal specs have equal bytes. Strings
// that are not UTF-8 are an error.
func (c *Config) YAML() ([]byte, error) {
	root, err := c.node()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(root), encoder.Close()); err != nil {
		return nil, fmt.Errorf("encoding the spec: %w", err)
	}
	return b.Bytes(), nil
}

// node is the spec as YAML, with its fields in order.
func (c *Config) node() (*yaml.Node, error) {
	encoded, err := c.json()
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	root, err := nodeFromJSON(decoder)
	if err != nil {
		return nil, fmt.Errorf("encoding the spec: %w", err)
	}
	return root, nil
}

// json encodes the spec with its fields in order.
func (c *Config) json() ([]byte, error) {
	// encoding/json would replace what is not UTF-8 without a word, and the
	// ingestor would then look for a column that no CSV has.
	for _, column := range c.Schema {
		if !utf8.ValidString(column.Name) || !utf8.ValidString(column.Type) {
			return nil, fmt.Errorf("column %q of the schema is not valid UTF-8", column.Name)
		}
	}
	for _, s := range c.strings() {
		if !utf8.ValidString(s) {
			return nil, fmt.Errorf("%q is not valid UTF-8", s)
		}
	}
	encoded, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encoding the spec: %w", err)
	}
	return encoded, nil
}

// strings are the single strings of a spec that can come from file names and
// flags.
func (c *Config) strings() []string {
	all := []string{
		c.APIVersion, c.Kind, c.Category, c.Table, c.Intent, c.CSV, c.JSON, c.Images,
		c.Annotations, c.Masks, c.Texts, c.Sequences, c.TimeColumn,
	}
	if c.Label != nil {
		all = append(all, c.Label.Column, c.Label.Policy)
	}
	if c.DataID != nil {
		all = append(all, c.DataID.Strategy, c.DataID.Column)
	}
	return all
}

// nodeFromJSON reads one JSON value into a YAML node, keeping the order of the
// fields.
func nodeFromJSON(decoder *json.Decoder) (*yaml.Node, error) {
	token, err := decoder.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	switch value := token.(type) {
	case json.Delim:
		return collectionFromJSON(decoder, value)
	case string:
		return stringNode(value), nil
	case json.Number:
		tag := "!!int"
		if bytes.ContainsAny([]byte(value), ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value.String()}, nil
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(value)}, nil
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
	}
}

// collectionFromJSON reads the rest of an object or array. Arrays of scalars
// stand on one line.
func collectionFromJSON(decoder *json.Decoder, open json.Delim) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	if open == '[' {
		node = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
	}
	for decoder.More() {
		child, err := nodeFromJSON(decoder)
		if err != nil {
			return nil, err
		}
		if child.Kind != yaml.ScalarNode && node.Kind == yaml.SequenceNode {
			node.Style = 0
		}
		node.Content = append(node.Content, child)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	if len(node.Content) == 0 {
		node.Style = yaml.FlowStyle
	}
	return node, nil
}

// stringNode quotes a string unless it is safe without.
func stringNode(s string) *yaml.Node {
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if !isPlain(s) {
		node.Style = yaml.DoubleQuotedStyle
	}
	return node
}
