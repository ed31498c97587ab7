// Package spec reads an ingest spec as the two servers of a release do: Python's YAML rules, then the JSON Schema. Its
// messages have the wording of Python's jsonschema, which users of a real release see (contract/cluster.md §2.3).
package spec

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/pyyaml"
	"github.com/tracebloc/kubectl-tracebloc/schemas"
)

// Schema is the compiled JSON Schema of the ingest spec.
type Schema struct{ compiled *jsonschema.Schema }

// Compile compiles the schema that the repository ships, contract/spec.md.
func Compile() (*Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemas.IngestV1))
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	const url = "https://tracebloc.io/schemas/ingest.v1.json"
	c := jsonschema.NewCompiler()
	if err := c.AddResource(url, doc); err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	compiled, err := c.Compile(url)
	if err != nil {
		return nil, fmt.Errorf("compile the schema: %w", err)
	}
	return &Schema{compiled: compiled}, nil
}

// Problem is one violation of the schema.
type Problem struct {
	Path    string // dotted, "(root)" for the document itself
	Message string // Python's jsonschema wording
}

func (p Problem) String() string { return p.Path + ": " + p.Message }

// Check lists what the schema has against doc, in the order of paths; none when it is valid.
func (s *Schema) Check(doc pyyaml.Map) []Problem {
	err := s.compiled.Validate(pyyaml.Plain(doc))
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		if err != nil {
			return []Problem{{Path: "(root)", Message: err.Error()}}
		}
		return nil
	}
	var problems []Problem
	collect(invalid, &problems)
	slices.SortStableFunc(problems, func(a, b Problem) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(problems)
}

// collect walks to the causes that have no causes: they carry the facts.
func collect(e *jsonschema.ValidationError, out *[]Problem) {
	if oneOf, ok := e.ErrorKind.(*kind.OneOf); ok && len(e.InstanceLocation) == 0 {
		*out = append(*out, Problem{Path: "(root)", Message: sourceMessage(oneOf)})
		return
	}
	if len(e.Causes) > 0 {
		for _, c := range e.Causes {
			collect(c, out)
		}
		return
	}
	path := strings.Join(e.InstanceLocation, ".")
	if path == "" {
		path = "(root)"
	}
	for _, m := range messages(e.ErrorKind) {
		*out = append(*out, Problem{Path: path, Message: m})
	}
}

// sourceMessage words the only oneOf of the root, "exactly one of csv and json".
func sourceMessage(k *kind.OneOf) string {
	if len(k.Subschemas) == 0 {
		return "one of 'csv', 'json' is a required property"
	}
	return "'csv' and 'json' must not be given together"
}

func messages(k jsonschema.ErrorKind) []string {
	switch k := k.(type) {
	case *kind.Enum:
		return []string{fmt.Sprintf("%s is not one of %s", repr(k.Got), repr(k.Want))}
	case *kind.Const:
		return []string{fmt.Sprintf("%s was expected", repr(k.Want))}
	case *kind.Required:
		var out []string
		for _, m := range k.Missing {
			out = append(out, fmt.Sprintf("%s is a required property", repr(m)))
		}
		return out
	case *kind.AdditionalProperties:
		return []string{additional(k.Properties)}
	case *kind.Type:
		return []string{fmt.Sprintf("value is not of type %s", strings.Join(quoted(k.Want), ", "))}
	case *kind.MinLength, *kind.MinProperties, *kind.MinItems:
		return []string{"value is too short or should be non-empty"}
	case *kind.MaxItems:
		return []string{"value is too long"}
	case *kind.Minimum:
		return []string{fmt.Sprintf("value is less than the minimum of %s", k.Want.RatString())}
	case *kind.Not, *kind.FalseSchema:
		return []string{"value is not allowed here"}
	default:
		return []string{fmt.Sprintf("value violates %s", strings.Join(k.KeywordPath(), "/"))}
	}
}

func additional(names []string) string {
	names = slices.Sorted(slices.Values(names))
	verb := "was"
	if len(names) > 1 {
		verb = "were"
	}
	return fmt.Sprintf("Additional properties are not allowed (%s %s unexpected)", strings.Join(quoted(names), ", "), verb)
}

func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = repr(n)
	}
	return out
}

// repr writes v as Python's repr does, for the values that a spec can hold.
func repr(v any) string {
	switch v := v.(type) {
	case string:
		return PyString(v)
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = repr(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, repr(k)+": "+repr(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	default:
		return fmt.Sprint(v)
	}
}

// PyString writes s as Python's repr of a str: single quotes unless s has one and no double quote.
func PyString(s string) string {
	quote := "'"
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = `"`
	}
	var b strings.Builder
	b.WriteString(quote)
	for _, r := range s {
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case string(r) == quote:
			b.WriteString(`\` + quote)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteString(quote)
	return b.String()
}

// PyList writes a list of strings as Python prints it.
func PyList(list []string) string {
	return "[" + strings.Join(quoted(list), ", ") + "]"
}
