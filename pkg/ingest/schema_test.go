package ingest

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/schemas"
)

func TestTasksAreTheSchemasCategories(t *testing.T) {
	t.Parallel()
	schema, err := ingestV1()
	if err != nil {
		t.Fatal(err)
	}
	var tasks []string
	for _, task := range dataset.Tasks {
		tasks = append(tasks, task.Name)
	}
	if diff := cmp.Diff(schema.outline.Properties["category"].Enum, tasks); diff != "" {
		t.Errorf("categories of the schema and tasks of the registry differ (-schema +registry):\n%s", diff)
	}
}

// fieldsOf is the good spec of a task as a tree.
func fieldsOf(t *testing.T, task dataset.Task) map[string]any {
	t.Helper()
	config, err := Build(inputFor(task), stagedDir)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(encoded, &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

// valid asks the schema alone.
func valid(t *testing.T, fields any) bool {
	t.Helper()
	encoded, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	findings, err := judge(encoded, false)
	if err != nil {
		t.Fatal(err)
	}
	return len(findings) == 0
}

// TestTasksMatchTheSchemasConditionals takes each field away from a good spec
// and adds each field to it: what the schema then refuses must be what the
// registry says that the task needs, or must not have.
func TestTasksMatchTheSchemasConditionals(t *testing.T) {
	t.Parallel()
	always := []string{"apiVersion", "kind", "category", "table", "intent", "csv"}
	for _, task := range dataset.Tasks {
		t.Run(task.Name, func(t *testing.T) {
			t.Parallel()
			whole := fieldsOf(t, task)
			if !valid(t, whole) {
				t.Fatalf("the good spec is not valid: %v", whole)
			}
			for name, value := range whole {
				delete(whole, name)
				required := !valid(t, whole)
				whole[name] = value
				// mask_id is declared to stay text, which the schema does not ask for.
				optional := name == "schema" && task.HasFiles() || name == "spec" || name == "time_column"
				known := slices.Contains(always, name) || slices.Contains(task.SpecFields, name)
				if required != (known && !optional) {
					t.Errorf("field %q: required by the schema: %v, by the registry: %v", name, required, known && !optional)
				}
			}
			checkLabelForm(t, task, whole)
			for _, name := range task.Columns {
				checkRequiredColumn(t, task, whole, name)
			}
		})
	}
}

func checkLabelForm(t *testing.T, task dataset.Task, whole map[string]any) {
	t.Helper()
	before, had := whole["label"]
	for form, label := range map[string]any{
		"plain":  "x",
		"column": map[string]any{"column": "x"},
		"object": map[string]any{"column": "x", "policy": "bucket"},
	} {
		whole["label"] = label
		want := task.LabelForm == dataset.LabelColumn || task.LabelForm == dataset.LabelObject && form == "object"
		if got := valid(t, whole); got != want {
			t.Errorf("label in the form %q: valid %v, want %v", form, got, want)
		}
	}
	delete(whole, "label")
	if had {
		whole["label"] = before
	}
}

// checkRequiredColumn holds the columns that a tabular task needs against the
// schema, which asks for those of time_series_classification only; for
// forecasting the check beyond the schema does.
func checkRequiredColumn(t *testing.T, task dataset.Task, whole map[string]any, name string) {
	t.Helper()
	if task.HasFiles() {
		return
	}
	columns := whole["schema"].(map[string]any)
	value := columns[name]
	delete(columns, name)
	encoded, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	columns[name] = value
	if _, problems := Load("spec.json", encoded); problems.Errors() == 0 {
		t.Errorf("a schema without the column %q is let through", name)
	}
}

// TestEveryPropertyIsExplained keeps the schema file good enough to be read by
// people: explain prints it.
func TestEveryPropertyIsExplained(t *testing.T) {
	t.Parallel()
	var root map[string]any
	if err := json.Unmarshal(schemas.IngestV1, &root); err != nil {
		t.Fatal(err)
	}
	seen := 0
	var walk func(node map[string]any, path string)
	walk = func(node map[string]any, path string) {
		seen++
		for _, key := range []string{"title", "description"} {
			if text, _ := node[key].(string); text == "" {
				t.Errorf("%s has no %s", path, key)
			}
		}
		properties, _ := node["properties"].(map[string]any)
		for name, child := range properties {
			walk(child.(map[string]any), path+"."+name)
		}
		if items, ok := node["items"].(map[string]any); ok {
			properties, _ := items["properties"].(map[string]any)
			for name, child := range properties {
				walk(child.(map[string]any), path+"[]."+name)
			}
		}
	}
	walk(root, "$")
	if seen < 40 {
		t.Errorf("only %d properties seen", seen)
	}
}
