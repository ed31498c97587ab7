package cmd

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/explain"
	"github.com/tracebloc/kubectl-tracebloc/pkg/ingest"
	"github.com/tracebloc/kubectl-tracebloc/schemas"
)

// specOf is the spec of a dataset of the task, as push would make it.
func specOf(t *testing.T, task dataset.Task) map[string]any {
	t.Helper()
	in := ingest.Input{Task: task, Table: "a_table", CSV: "labels.csv", Extension: ".txt", Schema: []dataset.Column{{Name: "price", Type: "INT"}}}
	if task.HasLabel() {
		in.LabelColumn = "price"
	}
	if task.Family == dataset.FamilyImage {
		in.Extension, in.TargetSize = ".jpg", [2]int{224, 224}
	}
	if task.Takes("number-of-keypoints") {
		in.Keypoints = 17
	}
	for _, name := range task.Columns {
		if !dataset.ReservedColumn(name) {
			in.Schema = append(in.Schema, dataset.Column{Name: name, Type: "TIMESTAMP"})
		}
	}
	config, err := ingest.Build(in, "/data/shared/.tracebloc-staging/flowers/0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	var spec map[string]any
	if err := json.Unmarshal(text, &spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

// shownExamples are the examples of a field as explain prints them.
func shownExamples(t *testing.T, field string) []string {
	t.Helper()
	out, _, err := runRootCommand(t, "explain", field)
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(out, "\nEXAMPLE:\n")
	if !found {
		t.Fatalf("explain %s shows no example:\n%s", field, out)
	}
	block, _, _ = strings.Cut(block, "\nFIELDS:\n")
	return strings.Split(strings.TrimSpace(block), "\n\n")
}

// TestShownExamplesValidate: each example that explain shows can be pasted into the spec of some task. Some are warned of, because not
// every server takes them.
func TestShownExamplesValidate(t *testing.T) {
	s, err := explain.Parse(schemas.IngestV1)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range s.Fields() {
		for _, example := range shownExamples(t, field.Path) {
			var pasted map[string]any
			if err := yaml.Unmarshal([]byte(example), &pasted); err != nil {
				t.Fatalf("%s: %v", field.Path, err)
			}
			var refused []string
			for _, task := range dataset.Tasks {
				spec := specOf(t, task)
				if pasted["json"] != nil {
					delete(spec, "csv")
				}
				maps.Copy(spec, pasted)
				text, err := yaml.Marshal(spec)
				if err != nil {
					t.Fatal(err)
				}
				_, problems := ingest.Load("ingest.yaml", text)
				if problems.Errors() == 0 {
					refused = nil
					break
				}
				refused = append(refused, task.Name+": "+problems.Err().Error())
			}
			if refused != nil {
				t.Errorf("no task takes the example of %s:\n%s\n%s", field.Path, example, strings.Join(refused, "\n"))
			}
		}
	}
}
