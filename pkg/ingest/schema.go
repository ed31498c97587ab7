package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/xeipuuv/gojsonschema"

	"github.com/tracebloc/kubectl-tracebloc/schemas"
)

// property is what the wording of problems reads from the schema file; the
// verdicts are gojsonschema's alone.
type property struct {
	Properties map[string]*property `json:"properties"`
	Required   []string             `json:"required"`
	Items      *property            `json:"items"`
	Enum       []string             `json:"enum"`
	Const      string               `json:"const"`
}

// loadedSchema is the schema of package schemas in both forms.
type loadedSchema struct {
	validator *gojsonschema.Schema
	outline   *property
}

var ingestV1 = sync.OnceValues(func() (*loadedSchema, error) {
	validator, err := gojsonschema.NewSchema(gojsonschema.NewBytesLoader(schemas.IngestV1))
	if err != nil {
		return nil, fmt.Errorf("compiling the schema of the spec: %w", err)
	}
	var outline property
	// A label of false, in a conditional, is not part of the outline.
	if err := json.Unmarshal(schemas.IngestV1, &outline); err != nil {
		return nil, fmt.Errorf("reading the schema of the spec: %w", err)
	}
	return &loadedSchema{validator, &outline}, nil
})

// judge holds a document's JSON against the schema. With partial, fields that
// are not there are no problem.
func judge(document []byte, partial bool) ([]finding, error) {
	schema, err := ingestV1()
	if err != nil {
		return nil, err
	}
	result, err := schema.validator.Validate(gojsonschema.NewBytesLoader(document))
	if err != nil {
		return nil, fmt.Errorf("validating the spec: %w", err)
	}
	if result.Valid() {
		return nil, nil
	}
	var root map[string]json.RawMessage
	if err := json.NewDecoder(bytes.NewReader(document)).Decode(&root); err != nil {
		return nil, fmt.Errorf("validating the spec: %w", err)
	}
	var category string
	// A category that is no string has a finding of its own.
	_ = json.Unmarshal(root["category"], &category)
	t := translator{outline: schema.outline, category: category, root: root, partial: partial}
	return t.translate(result.Errors()), nil
}

// at walks the outline; nil where the schema says nothing of a path.
func (p *property) at(path []string) *property {
	for _, segment := range path {
		if p == nil {
			return nil
		}
		if p.Items != nil && indexSegment.MatchString(segment) {
			p = p.Items
			continue
		}
		p = p.Properties[segment]
	}
	return p
}

// names are the fields that a place can have, sorted.
func (p *property) names() []string {
	if p == nil {
		return nil
	}
	var names []string
	for name := range p.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// elsewhere lists the places of the schema where a field of this name stands,
// the shortest path first.
func (p *property) elsewhere(name string) []string {
	var found []string
	var walk func(p *property, path []string)
	walk = func(p *property, path []string) {
		for _, child := range p.names() {
			at := childPath(path, child)
			if child == name {
				found = append(found, strings.Join(at, "."))
			}
			walk(p.Properties[child], at)
		}
	}
	walk(p, nil)
	slices.SortStableFunc(found, func(a, b string) int { return strings.Count(a, ".") - strings.Count(b, ".") })
	return found
}
