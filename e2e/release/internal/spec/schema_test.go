package spec

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/pyyaml"
)

const good = `apiVersion: tracebloc.io/v1
kind: IngestConfig
category: image_classification
table: cats
intent: train
csv: /data/shared/.tracebloc-staging/cats/1/labels.csv
images: /data/shared/.tracebloc-staging/cats/1/images
label: label
spec:
  file_options:
    target_size: [8, 8]
    extension: .png
`

func TestCheck(t *testing.T) {
	schema, err := Compile()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		doc  string
		want []string
	}{
		{"good", good, nil},
		{"unknown category", strings.Replace(good, "image_classification", "masked_things", 1), []string{"category: 'masked_things' is not one of ['image_classification'"}},
		{"unknown field", good + "colour: red\n", []string{"(root): Additional properties are not allowed ('colour' was unexpected)"}},
		{"two unknown fields", good + "b: 1\na: 2\n", []string{"(root): Additional properties are not allowed ('a', 'b' were unexpected)"}},
		{"no table", strings.Replace(good, "table: cats\n", "", 1), []string{"(root): 'table' is a required property"}},
		{"both sources", good + "json: /data/shared/x.json\n", []string{"(root): 'csv' and 'json' must not be given together"}},
		{"no source", strings.Replace(good, "csv: ", "data_id: {strategy: uuid} #", 1), []string{"(root): one of 'csv', 'json' is a required property"}},
		{"yes is a boolean", strings.Replace(good, "table: cats", "table: yes", 1), []string{"table: value is not of type 'string'"}},
		{"intent", strings.Replace(good, "intent: train", "intent: Train", 1), []string{"intent: 'Train' is not one of ['train', 'test']"}},
		{"images needed", strings.Replace(good, "images: ", "masks: ", 1), []string{"(root): 'images' is a required property"}},
		{"size", strings.Replace(good, "[8, 8]", "[8, 0]", 1), []string{"spec.file_options.target_size.1: value is less than the minimum of 1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, err := pyyaml.Decode([]byte(tc.doc))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range schema.Check(v.(pyyaml.Map)) {
				got = append(got, p.String())
			}
			if len(got) != len(tc.want) {
				t.Fatalf("got %q, want %q", got, tc.want)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], tc.want[i]) {
					t.Errorf("got %q, want it to start with %q", got[i], tc.want[i])
				}
			}
		})
	}
}

func TestPyString(t *testing.T) {
	got := PyList([]string{"a", "it's", `it's "b"`, "tab\there", "\x1b[0m", "é"})
	want := `['a', "it's", 'it\'s "b"', 'tab\there', '\x1b[0m', 'é']`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
