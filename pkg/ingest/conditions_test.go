package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/schemas"
)

// condition is one if/then of the schema file, in the only form that they have.
// Reading refuses everything else, so that no rule of the file is passed over.
type condition struct {
	Comment string `json:"$comment"`
	If      struct {
		Properties struct {
			Category struct {
				Enum []string `json:"enum"`
			} `json:"category"`
		} `json:"properties"`
		Required []string `json:"required"`
	} `json:"if"`
	Then struct {
		Required   []string `json:"required"`
		Properties struct {
			Schema *struct {
				Required []string `json:"required"`
			} `json:"schema"`
			Label *labelRule `json:"label"`
		} `json:"properties"`
	} `json:"then"`
}

// labelRule is false, or the object form.
type labelRule struct {
	Forbidden bool
	Required  []string
}

func (l *labelRule) UnmarshalJSON(data []byte) error {
	if string(data) == "false" {
		l.Forbidden = true
		return nil
	}
	var rule struct {
		Type     string   `json:"type"`
		Required []string `json:"required"`
	}
	if err := strict(data, &rule); err != nil {
		return err
	}
	if rule.Type != "object" {
		return fmt.Errorf("a label of type %q", rule.Type)
	}
	l.Required = rule.Required
	return nil
}

// strict refuses fields that the target does not have.
func strict(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// conditions are those of the schema file.
func conditions(t *testing.T) []condition {
	t.Helper()
	var root struct {
		AllOf []json.RawMessage `json:"allOf"`
	}
	if err := json.Unmarshal(schemas.IngestV1, &root); err != nil {
		t.Fatal(err)
	}
	all := make([]condition, len(root.AllOf))
	for i, raw := range root.AllOf {
		if err := strict(raw, &all[i]); err != nil {
			t.Fatalf("condition %d: %v", i, err)
		}
		if diff := cmp.Diff([]string{"category"}, all[i].If.Required); diff != "" {
			t.Errorf("condition %d is of more than the category (-want +got):\n%s", i, diff)
		}
	}
	return all
}

// demands is what a spec must have because of its task.
type demands struct {
	Fields  []string // of the root, sorted
	Columns []string // of its schema
	Label   dataset.LabelForm
}

// schemaDemands reads the conditions of the schema file.
func schemaDemands(t *testing.T) map[string]demands {
	t.Helper()
	all := map[string]demands{}
	for i, c := range conditions(t) {
		if len(c.If.Properties.Category.Enum) == 0 {
			t.Errorf("condition %d is of no task", i)
		}
		for _, name := range c.If.Properties.Category.Enum {
			d := all[name]
			d.Fields = append(d.Fields, c.Then.Required...)
			if s := c.Then.Properties.Schema; s != nil {
				d.Columns = append(d.Columns, s.Required...)
			}
			switch l := c.Then.Properties.Label; {
			case l != nil && l.Forbidden:
				d.Label = dataset.LabelForbidden
			case l != nil && slices.Equal(l.Required, []string{"column", "policy"}):
				d.Label = dataset.LabelObject
			case l != nil:
				t.Errorf("condition %d asks for a label with %q", i, l.Required)
			case d.Label == "" && slices.Contains(c.Then.Required, "label"):
				d.Label = dataset.LabelColumn
			}
			slices.Sort(d.Fields)
			all[name] = d
		}
	}
	return all
}

// registryDemands says the same from the registry. Of what the registry asks
// for, the schema lets three things through: the file options, which have
// defaults; the schema of a task with files, which only says more than the
// ingestor needs; and the columns of forecasting, which the ingestor checks.
func registryDemands() map[string]demands {
	all := map[string]demands{}
	for _, task := range dataset.Tasks {
		d := demands{Label: task.LabelForm}
		for _, field := range task.SpecFields {
			if field != "spec.file_options" && (field != "schema" || !task.HasFiles()) {
				d.Fields = append(d.Fields, field)
			}
		}
		slices.Sort(d.Fields)
		if !task.HasFiles() && !task.Has(dataset.CheckForecasting) {
			d.Columns = task.Columns
		}
		all[task.Name] = d
	}
	return all
}

// TestConditionsAreTheRegistrys holds every conditional of the schema file
// against the registry, and everything that the registry needs against the file.
func TestConditionsAreTheRegistrys(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(schemaDemands(t), registryDemands()); diff != "" {
		t.Errorf("what specs must have (-schema +registry):\n%s", diff)
	}
}

// TestSpecFieldsAreInTheSchema: what a task needs is a field of the schema, and
// every field that a conditional names is one too.
func TestSpecFieldsAreInTheSchema(t *testing.T) {
	t.Parallel()
	schema, err := ingestV1()
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]bool{}
	for _, task := range dataset.Tasks {
		for _, field := range append(slices.Clone(task.SpecFields), task.Dir) {
			fields[field] = true
		}
		for _, s := range task.Sidecars {
			fields[s.SpecField] = true
		}
	}
	for _, c := range conditions(t) {
		for _, field := range c.Then.Required {
			fields[field] = true
		}
	}
	delete(fields, "")
	if len(fields) < 9 {
		t.Errorf("only %d fields: %v", len(fields), fields)
	}
	for field := range fields {
		if schema.outline.at(strings.Split(field, ".")) == nil {
			t.Errorf("the schema has no field %q", field)
		}
	}
}
