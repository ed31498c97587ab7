package explain

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xeipuuv/gojsonschema"
	"go.yaml.in/yaml/v3"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/schemas"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(file, []byte(got), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); run the test with -update if this is meant:\n%s", file, diff)
	}
}

func parsed(t testing.TB) *Schema {
	t.Helper()
	s, err := Parse(schemas.IngestV1)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func printed(t testing.TB, s *Schema, path string, recursive bool) string {
	t.Helper()
	f, err := s.Lookup(path)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.Print(&b, f, recursive); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPrint(t *testing.T) {
	t.Parallel()
	s := parsed(t)
	for _, tt := range []struct {
		path, file string
		recursive  bool
	}{
		{"", "root.txt", false},
		{"", "root_recursive.txt", true},
		{"label", "label.txt", false},
		{"label.policy", "label_policy.txt", false},
		{"csv", "csv.txt", false},
		{"schema", "schema.txt", false},
		{"target_size", "target_size.txt", false},
		{"data_id.column", "data_id_column.txt", false},
		{"spec.csv_options.delimiter", "delimiter.txt", false},
		{"spec.file_options.extension", "extension.txt", false},
		{"spec.sidecars", "sidecars.txt", false},
		{"spec.sidecars", "sidecars_recursive.txt", true},
	} {
		golden(t, tt.file, printed(t, s, tt.path, tt.recursive))
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	s := parsed(t)
	for path, want := range map[string]string{
		"":                               "",
		"ingestconfig":                   "",
		"$":                              "",
		".label":                         "label",
		"label.":                         "label",
		"IngestConfig.label.policy":      "label.policy",
		"$.spec.file_options":            "spec.file_options",
		"spec.sidecars.column":           "spec.sidecars.column",
		"spec.sidecars[0].column":        "spec.sidecars.column",
		"spec.sidecars[*]":               "spec.sidecars",
		"spec.sidecars.transform.resize": "spec.sidecars.transform.resize",
		"schema.age":                     "schema.age",
		`schema["a.b[\"0]"]`:             `schema.a.b["0]`,
		"target_size[1]":                 "target_size",
	} {
		f, err := s.Lookup(path)
		if err != nil || f.Path != want {
			t.Errorf("Lookup(%q) = %q, %v; want %q", path, f.Path, err, want)
		}
	}
}

func TestLookupUnknown(t *testing.T) {
	t.Parallel()
	s := parsed(t)
	for path, want := range map[string]string{
		"lable":                      `field "lable" does not exist; did you mean "label", "table"?`,
		"Label":                      `field "Label" does not exist; did you mean "label"`,
		"task":                       `field "task" does not exist; did you mean "category"?`,
		"extension":                  `field "extension" does not exist; did you mean "spec.file_options.extension"?`,
		"spec.extension":             `field "spec.extension" does not exist; did you mean "spec.file_options.extension"?`,
		"spec.file_option.extention": `field "spec.file_option.extention" does not exist; did you mean "spec.file_options.extension"`,
		"targetSize":                 `field "targetSize" does not exist; did you mean "target_size", "spec.file_options.target_size"?`,
		"label.colum":                `field "label.colum" does not exist; did you mean "label.column", `,
		"data_id.qqq":                `field "data_id.qqq" does not exist; there are data_id.strategy and data_id.column`,
		"table.qqq":                  `field "table.qqq" does not exist; there are apiVersion, kind, `,
		"x\x1b[31m\n":                `field "x\x1b[31m\n" does not exist; there are apiVersion, kind, `,
	} {
		_, err := s.Lookup(path)
		var unknown *UnknownFieldError
		if !errors.As(err, &unknown) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Lookup(%q): %v; want %s", path, err, want)
		}
	}
}

// TestExamplesAreValid holds every example against the part of the schema that it stands in, and the whole ones against
// all of it.
func TestExamplesAreValid(t *testing.T) {
	t.Parallel()
	s := parsed(t)
	var root map[string]any
	if err := json.Unmarshal(schemas.IngestV1, &root); err != nil {
		t.Fatal(err)
	}
	fields := append([]Field{{node: s.root}}, s.Fields()...)
	for _, f := range fields {
		if len(f.node.Examples) == 0 {
			t.Errorf("field %q has no example", f.Path)
		}
		part, err := gojsonschema.NewSchema(gojsonschema.NewGoLoader(partOf(root, f.names)))
		if err != nil {
			t.Fatalf("field %q: %v", f.Path, err)
		}
		for _, example := range f.node.Examples {
			var value any
			if err := example.Decode(&value); err != nil {
				t.Fatal(err)
			}
			result, err := part.Validate(gojsonschema.NewGoLoader(value))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range result.Errors() {
				t.Errorf("the example %v of field %q: %s", value, f.Path, e)
			}
		}
	}
}

// partOf is the schema of one field, written without the code under test.
func partOf(root map[string]any, names []string) map[string]any {
	part := root
	for _, name := range names {
		for part["items"] != nil {
			part = part["items"].(map[string]any)
		}
		part = part["properties"].(map[string]any)[name].(map[string]any)
	}
	return part
}

// TestShownExamplesAreYAML reads every example as it is printed: it must hold the value at the path of its field.
func TestShownExamplesAreYAML(t *testing.T) {
	t.Parallel()
	s := parsed(t)
	for _, f := range s.Fields() {
		lines, err := s.example(f)
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range strings.Split(strings.Join(lines, "\n"), "\n\n") {
			var got, want any
			if err := errors.Join(yaml.Unmarshal([]byte(text), &got), f.node.Examples[i].Decode(&want)); err != nil {
				t.Fatalf("field %q: %v", f.Path, err)
			}
			for _, name := range f.names {
				if items, ok := got.([]any); ok {
					got = items[0]
				}
				got = got.(map[string]any)[name]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("field %q (-schema +shown):\n%s", f.Path, diff)
			}
		}
	}
}

// TestTasksAgreeWithTheRegistry holds what is told about tasks against the table that push goes by.
func TestTasksAgreeWithTheRegistry(t *testing.T) {
	t.Parallel()
	s := parsed(t)
	verdictOf := func(path, task string) string {
		f, err := s.Lookup(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range s.verdicts(f) {
			if v.task == task {
				return v.text
			}
		}
		return ""
	}
	labels := map[dataset.LabelForm]string{
		dataset.LabelForbidden: "not allowed", dataset.LabelColumn: "required", dataset.LabelObject: "required as Object with column and policy",
	}
	for _, task := range dataset.Tasks {
		if got := verdictOf("label", task.Name); got != labels[task.LabelForm] {
			t.Errorf("%s: label is %q, want %q", task.Name, got, labels[task.LabelForm])
		}
		for _, field := range []string{"images", "annotations", "masks", "texts", "sequences", "target_size", "number_of_keypoints"} {
			needed := slices.Contains(task.SpecFields, field)
			if got := verdictOf(field, task.Name); (got == "required") != needed {
				t.Errorf("%s: %s is %q; needed by the registry: %v", task.Name, field, got, needed)
			}
		}
		for field, uses := range map[string]bool{
			"schema":                        task.Takes("schema") || slices.Contains(task.SpecFields, "schema"),
			"time_column":                   task.Takes("time-column"),
			"json":                          !task.HasFiles() && !slices.Contains(task.Columns, "timestamp"),
			"spec.file_options.extension":   task.HasFiles(),
			"spec.file_options.target_size": task.Takes("target-size") && !slices.Contains(task.SpecFields, "target_size"),
			"spec.file_options.min_size":    task.Family == dataset.FamilyImage,
		} {
			if got := verdictOf(field, task.Name); (got != "") != uses {
				t.Errorf("%s: %s is %q; used by the registry: %v", task.Name, field, got, uses)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, schema := range []string{"", "[]", "{}", `{"properties": 1}`, `{"properties": {"a": []}}`, `{"type": 1`, "\x00"} {
		if _, err := Parse([]byte(schema)); err == nil {
			t.Errorf("Parse(%q) takes it", schema)
		}
	}
}

// FuzzLookup: whatever is asked for is answered, and what is found prints and is found again by its own path.
func FuzzLookup(f *testing.F) {
	for _, path := range []string{"", "label", "$.spec.sidecars[0].column", `schema["a b"]`, "[", `["`, "a..b", "schema.\x1b", "ingestconfig.", "\xff[]"} {
		f.Add(path)
	}
	s := parsed(f)
	f.Fuzz(func(t *testing.T, path string) {
		field, err := s.Lookup(path)
		var unknown *UnknownFieldError
		if errors.As(err, &unknown) {
			if len(unknown.Near)+len(unknown.There) == 0 {
				t.Errorf("nothing is offered for %q", path)
			}
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", path, err)
		}
		var b bytes.Buffer
		if err := s.Print(&b, field, false); err != nil {
			t.Fatalf("%q: %v", path, err)
		}
		if _, known := slices.BinarySearchFunc(sortedFields(s), field.Path, func(f Field, p string) int { return strings.Compare(f.Path, p) }); !known {
			return // a column of schema, which can have any name
		}
		again, err := s.Lookup(field.Path)
		if err != nil || again.node != field.node {
			t.Errorf("%q is found at %q, and not there: %v", path, field.Path, err)
		}
	})
}

func sortedFields(s *Schema) []Field {
	return slices.SortedFunc(slices.Values(s.Fields()), func(a, b Field) int { return strings.Compare(a.Path, b.Path) })
}
