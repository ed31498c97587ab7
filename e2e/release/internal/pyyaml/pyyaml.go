// Package pyyaml reads a YAML document into plain JSON-like values with the scalar rules of Python's yaml.safe_load, which
// the real jobs-manager and ingestor use: YAML 1.1 words such as yes and off are booleans (contract/ingestor.md §3.1).
package pyyaml

import (
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	boolWord  = regexp.MustCompile(`^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$`)
	nullWord  = regexp.MustCompile(`^(?:~|null|Null|NULL|)$`)
	decimal   = regexp.MustCompile(`^[-+]?(?:0|[1-9][0-9_]*)$`)
	octal     = regexp.MustCompile(`^[-+]?0[0-7_]+$`)
	hex       = regexp.MustCompile(`^[-+]?0x[0-9a-fA-F_]+$`)
	floating  = regexp.MustCompile(`^[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)$`)
	infinity  = regexp.MustCompile(`^[-+]?\.(?:inf|Inf|INF)$`)
	notNumber = regexp.MustCompile(`^\.(?:nan|NaN|NAN)$`)
)

// Map is a mapping with its keys in the order of the document.
type Map struct {
	Keys   []string
	Values map[string]any
}

// Decode reads the only document of data: a Map, []any, string, bool, int64, float64 or nil. It refuses aliases, several
// documents, merge keys and duplicate keys, none of which an ingest spec needs.
func Decode(data []byte) (any, error) {
	dec := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, err
	}
	var next yaml.Node
	if err := dec.Decode(&next); !errors.Is(err, io.EOF) {
		return nil, errors.New("expected a single document in the stream, but found another document")
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	return value(doc.Content[0])
}

func value(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		return scalar(n)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			v, err := value(c)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.MappingNode:
		return mapping(n)
	default:
		return nil, fmt.Errorf("line %d: aliases are not supported", n.Line)
	}
}

func mapping(n *yaml.Node) (Map, error) {
	m := Map{Values: map[string]any{}}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, err := value(n.Content[i])
		if err != nil {
			return Map{}, err
		}
		key, ok := k.(string)
		if !ok {
			return Map{}, fmt.Errorf("line %d: mapping key %q is not a string", n.Content[i].Line, n.Content[i].Value)
		}
		if _, dup := m.Values[key]; dup {
			return Map{}, fmt.Errorf("line %d: found duplicate key %q", n.Content[i].Line, key)
		}
		v, err := value(n.Content[i+1])
		if err != nil {
			return Map{}, err
		}
		m.Keys = append(m.Keys, key)
		m.Values[key] = v
	}
	return m, nil
}

func scalar(n *yaml.Node) (any, error) {
	quoted := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	if quoted || n.Style&yaml.TaggedStyle != 0 && n.Tag == "!!str" {
		return n.Value, nil
	}
	if n.Style&yaml.TaggedStyle != 0 {
		return nil, fmt.Errorf("line %d: could not determine a constructor for the tag %q", n.Line, n.Tag)
	}
	return plain(n.Value), nil
}

// plain resolves an unquoted scalar; timestamps and sexagesimal numbers stay strings, as a spec has no place for them.
func plain(s string) any {
	digits := strings.ReplaceAll(s, "_", "")
	switch {
	case nullWord.MatchString(s):
		return nil
	case boolWord.MatchString(s):
		w := strings.ToLower(s)
		return w == "yes" || w == "true" || w == "on"
	case decimal.MatchString(s), octal.MatchString(s), hex.MatchString(s):
		base := 10
		if octal.MatchString(s) {
			base = 8
		}
		if hex.MatchString(s) {
			base, digits = 16, strings.Replace(strings.ToLower(digits), "0x", "", 1)
		}
		if v, err := strconv.ParseInt(digits, base, 64); err == nil {
			return v
		}
		return s
	case floating.MatchString(s):
		if v, err := strconv.ParseFloat(digits, 64); err == nil {
			return v
		}
		return s
	case infinity.MatchString(s):
		if strings.HasPrefix(s, "-") {
			return math.Inf(-1)
		}
		return math.Inf(1)
	case notNumber.MatchString(s):
		return math.NaN()
	default:
		return s
	}
}

// Plain turns each Map inside v into a map[string]any, the form that JSON Schema validators take.
func Plain(v any) any {
	switch v := v.(type) {
	case Map:
		m := make(map[string]any, len(v.Keys))
		for k, e := range v.Values {
			m[k] = Plain(e)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = Plain(e)
		}
		return list
	default:
		return v
	}
}
