package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/schemas"
)

// secondOpinion is the schema in another library's hands.
func secondOpinion(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemas.IngestV1))
	if err != nil {
		t.Fatal(err)
	}
	const url = "https://tracebloc.io/schemas/ingest.v1.json"
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(url, document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(url)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// mutator turns good specs into mostly bad ones, the same ones every time.
type mutator struct {
	*rand.Rand
	names  []string
	values []any
}

func newMutator(seed uint64) *mutator {
	m := &mutator{Rand: rand.New(rand.NewPCG(seed, 1))}
	m.names = []string{
		"csv", "json", "images", "annotations", "masks", "texts", "sequences", "label", "schema", "time_column", "target_size",
		"number_of_keypoints", "data_id", "spec", "column", "policy", "strategy", "csv_options", "file_options", "validators",
		"sidecars", "processors", "chunk_size", "delimiter", "min_size", "extension", "source", "dest", "transform", "script",
		"class", "args", "timestamp", "sequence_id", "category", "table", "Label", "", "a b", "nope",
	}
	m.values = []any{
		nil, true, 0, 1, -1, 1.5, 224.0, 1e20, "", "x", "train", "test", "bucket", "passthrough", "uuid", "column", "content_hash", ".jpg", ".gif",
		[]any{}, []any{1, 2}, []any{224.0, 1}, []any{0, 1}, []any{1, 2, 3}, []any{"a"}, []any{map[string]any{"column": "a", "source": "b"}},
		[]any{map[string]any{"script": "a", "class": "b", "args": map[string]any{"x": nil}}}, []any{map[string]any{"script": "a"}},
		map[string]any{}, map[string]any{"column": "x"}, map[string]any{"column": "x", "policy": "bucket"}, map[string]any{"a": "INT"},
		map[string]any{"strategy": "column"}, map[string]any{"strategy": "column", "column": "x"}, map[string]any{"sequence_id": "INT", "timestamp": "DATE"},
		map[string]any{"csv_options": map[string]any{"chunk_size": 1}}, map[string]any{"file_options": map[string]any{"anything": 1, "min_size": []any{1, 1}}},
	}
	for _, task := range dataset.Tasks {
		m.values = append(m.values, task.Name)
	}
	return m
}

func (m *mutator) name() string { return m.names[m.IntN(len(m.names))] }

// value draws a value of its own, for later mutations change it.
func (m *mutator) value() any { return copyTree(m.values[m.IntN(len(m.values))]) }

func copyTree(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, child := range v {
			out[name] = copyTree(child)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, child := range v {
			out[i] = copyTree(child)
		}
		return out
	}
	return v
}

// mutate makes one change at a place somewhere in the tree.
func (m *mutator) mutate(fields map[string]any) {
	keys := slices.Sorted(maps.Keys(fields))
	if len(keys) > 0 && m.IntN(3) == 0 {
		if child, ok := fields[keys[m.IntN(len(keys))]].(map[string]any); ok {
			m.mutate(child)
			return
		}
	}
	switch {
	case len(keys) > 0 && m.IntN(3) == 0:
		delete(fields, keys[m.IntN(len(keys))])
	case len(keys) > 0 && m.IntN(2) == 0:
		fields[keys[m.IntN(len(keys))]] = m.value()
	default:
		fields[m.name()] = m.value()
	}
}

// corpus is a good spec of every task, each of them with one field taken away
// or replaced, with each form of the label, and as a spec of every other task;
// and random changes of all of them.
func corpus(t *testing.T) []map[string]any {
	t.Helper()
	var all []map[string]any
	for _, task := range dataset.Tasks {
		good := fieldsOf(t, task)
		all = append(all, good)
		change := func(edit func(fields map[string]any)) {
			fields := copyTree(good).(map[string]any)
			edit(fields)
			all = append(all, fields)
		}
		for _, name := range slices.Sorted(maps.Keys(good)) {
			change(func(fields map[string]any) { delete(fields, name) })
			change(func(fields map[string]any) { fields[name] = nil })
		}
		for _, label := range []any{"x", map[string]any{"column": "x"}, map[string]any{"policy": "bucket"}, map[string]any{"column": "x", "policy": "bucket"}} {
			change(func(fields map[string]any) { fields["label"] = label })
		}
		for _, column := range []string{"sequence_id", "timestamp"} {
			change(func(fields map[string]any) { fields["schema"] = map[string]any{column: "INT"} })
		}
		for _, other := range dataset.Tasks {
			change(func(fields map[string]any) { fields["category"] = other.Name })
		}
	}
	m := newMutator(20240229)
	for i := range 1600 {
		fields := fieldsOf(t, dataset.Tasks[i%len(dataset.Tasks)])
		for range m.IntN(4) {
			m.mutate(fields)
		}
		all = append(all, fields)
	}
	return all
}

// TestValidatorsAgree holds gojsonschema's verdicts against another library's
// over two thousand specs, and the wording of its refusals against what people
// can use.
func TestValidatorsAgree(t *testing.T) {
	t.Parallel()
	other := secondOpinion(t)
	type verdict struct {
		category string
		good     bool
	}
	verdicts := map[verdict]int{}
	seen := newCoverage(t)
	for _, fields := range corpus(t) {
		encoded, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		findings, err := judge(encoded, false)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
		if err != nil {
			t.Fatal(err)
		}
		want := other.Validate(value)
		if (want == nil) != (len(findings) == 0) {
			t.Errorf("verdicts differ on %s:\ngojsonschema: %v\njsonschema: %v", encoded, findings, want)
		}
		category, _ := fields["category"].(string)
		verdicts[verdict{category, want == nil}]++
		seen.add(category, value)
		for _, f := range findings {
			checkWording(t, f)
		}
		// What the schema refuses is refused by Load too, and nothing crashes it.
		if config, problems := Load("spec.json", encoded); want != nil && (config != nil || problems.Errors() == 0) {
			t.Errorf("Load let through %s", encoded)
		}
	}
	for _, task := range dataset.Tasks {
		for _, good := range []bool{true, false} {
			if n := verdicts[verdict{task.Name, good}]; n < 20 {
				t.Errorf("the corpus has %d specs of %s with the verdict %v", n, task.Name, good)
			}
		}
	}
	seen.report(t)
}

// coverage counts for each conditional of the schema and each of its tasks how
// often a corpus kept and broke it.
type coverage struct {
	conditions []condition
	rules      []*jsonschema.Schema
	counts     map[string]int
}

func newCoverage(t *testing.T) *coverage {
	t.Helper()
	var root struct {
		AllOf []json.RawMessage `json:"allOf"`
	}
	if err := json.Unmarshal(schemas.IngestV1, &root); err != nil {
		t.Fatal(err)
	}
	c := &coverage{conditions: conditions(t), counts: map[string]int{}}
	for i, raw := range root.AllOf {
		rule, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		rule.(map[string]any)["$schema"] = "http://json-schema.org/draft-07/schema#"
		compiler := jsonschema.NewCompiler()
		name := fmt.Sprintf("condition%d.json", i)
		if err := compiler.AddResource(name, rule); err != nil {
			t.Fatal(err)
		}
		schema, err := compiler.Compile(name)
		if err != nil {
			t.Fatal(err)
		}
		c.rules = append(c.rules, schema)
	}
	return c
}

func (c *coverage) add(category string, spec any) {
	for i, condition := range c.conditions {
		if slices.Contains(condition.If.Properties.Category.Enum, category) {
			c.counts[fmt.Sprint(i, category, c.rules[i].Validate(spec) == nil)]++
		}
	}
}

func (c *coverage) report(t *testing.T) {
	t.Helper()
	for i, condition := range c.conditions {
		for _, category := range condition.If.Properties.Category.Enum {
			for _, kept := range []bool{true, false} {
				if n := c.counts[fmt.Sprint(i, category, kept)]; n < 5 {
					t.Errorf("%d specs of the corpus are of %s and have the condition %q kept %v", n, category, condition.Comment, kept)
				}
			}
		}
	}
}

// checkWording refuses the jargon of JSON Schema.
func checkWording(t *testing.T, f finding) {
	t.Helper()
	text := fmt.Sprint(displayPath(f.path), ": ", f.message)
	for _, jargon := range []string{"validate", "(root)", "'then'", "allOf", "Additional property", "Invalid type", "must be one of the following", "%!"} {
		if strings.Contains(text, jargon) {
			t.Errorf("the message %q is not for people", text)
		}
	}
	if f.message == "" {
		t.Errorf("no message at %q", text)
	}
}
