package run

import (
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
)

func TestSpecOf(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		data map[string]string
		want storedSpec
		ok   bool
	}{
		"empty":             {nil, storedSpec{}, false},
		"no spec":           {map[string]string{"a": "- x", "b": "text", "c": ": [", "d": "kind: Other"}, storedSpec{}, false},
		"a table alone":     {map[string]string{"b": "table: cats"}, storedSpec{text: "table: cats", table: "cats"}, true},
		"a kind wins":       {map[string]string{"a": "table: no", "b": "kind: IngestConfig\ntable: cats"}, storedSpec{text: "kind: IngestConfig\ntable: cats", table: "cats"}, true},
		"JSON":              {map[string]string{"a": `{"table": "cats", "category": "c", "intent": "test"}`}, storedSpec{`{"table": "cats", "category": "c", "intent": "test"}`, "cats", "c", "test"}, true},
		"the last one wins": {map[string]string{"a": "table: dogs\ntable: cats"}, storedSpec{text: "table: dogs\ntable: cats", table: "cats"}, true},
		"an alias":          {map[string]string{"a": "x: &t cats\ntable: *t"}, storedSpec{text: "x: &t cats\ntable: *t", table: "cats"}, true},
		"no scalar":         {map[string]string{"a": "table: [cats]"}, storedSpec{}, false},
	} {
		got, ok := specOf(&corev1.ConfigMap{Data: test.data})
		if ok != test.ok || got != test.want {
			t.Errorf("%s: got %+v, %t", name, got, ok)
		}
	}
}

func TestReads(t *testing.T) {
	t.Parallel()
	const spec = `
kind: IngestConfig
table: cats
csv: /data/shared/.tracebloc-staging/cats/0123456789abcdef/labels.csv
images: "/data/shared/.tracebloc-staging/cats/0123456789abcdef/images/"
masks: /data/shared/.tracebloc-staging/old/../cats/1111111111111111
more: {deep: [/mnt/x/.tracebloc-staging/dogs, relative/.tracebloc-staging/fish, "/data/shared/.tracebloc-staging/my cats/a"]}
`
	r := &IngestionRun{Spec: IngestionRunSpec{IngestConfig: spec}}
	want := []string{
		"/data/shared/.tracebloc-staging/cats/0123456789abcdef/images",
		"/data/shared/.tracebloc-staging/cats/0123456789abcdef/labels.csv",
		"/data/shared/.tracebloc-staging/cats/1111111111111111",
		"/data/shared/.tracebloc-staging/my cats/a",
		"/mnt/x/.tracebloc-staging/dogs",
	}
	if diff := cmp.Diff(want, r.StagedPaths()); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	for dir, want := range map[string]bool{
		"/data/shared/.tracebloc-staging/cats/0123456789abcdef":  true,
		"/data/shared/.tracebloc-staging/cats/0123456789abcdef/": true,
		"/mnt/.tracebloc-staging/cats/0123456789abcdef":          true, // another mount
		"/data/shared/.tracebloc-staging/cats/0123456789abcde":   false,
		"/data/shared/.tracebloc-staging/cats/1111111111111111":  true,
		"/data/shared/.tracebloc-staging/cats/2222222222222222":  false,
		"/data/shared/.tracebloc-staging/cats":                   true,
		"/data/shared/.tracebloc-staging":                        true,
		"/data/shared/.tracebloc-staging/dogs/2222222222222222":  true, // the directory above is named
		"/data/shared/.tracebloc-staging/my cats":                true,
		"/data/shared/.tracebloc-staging/fish":                   false, // relative paths are of no Pod
		"/data/shared/.tracebloc-staging/old":                    false,
	} {
		if got := r.Reads(dir); got != want {
			t.Errorf("%s: %t", dir, got)
		}
	}
	whole := &IngestionRun{Spec: IngestionRunSpec{IngestConfig: "images: /data/shared"}}
	if !whole.Reads("/data/shared/.tracebloc-staging/cats/0123456789abcdef") || len(whole.StagedPaths()) > 0 {
		t.Error("the whole volume is named")
	}
	for _, unknown := range []string{"", " \n", ": ["} {
		if r := (&IngestionRun{Spec: IngestionRunSpec{IngestConfig: unknown}}); !r.Reads("/data/shared/.tracebloc-staging/cats/x") || r.StagedPaths() != nil {
			t.Errorf("%q may read anything", unknown)
		}
	}
}

// The text of a ConfigMap of another program must not crash us; a table is found
// whatever stands before it in the spec, and so is the path that it reads.
func FuzzSpec(f *testing.F) {
	f.Add("table: cats\n", "x")
	f.Add("a: &a [*a]\ntable: *a", "0123456789abcdef")
	f.Add("table: {x: y}\n---\ntable: z", "a b")
	f.Fuzz(func(t *testing.T, text, tree string) {
		readSpec(text)
		(&IngestionRun{Spec: IngestionRunSpec{IngestConfig: text}}).Reads("/data/shared/.tracebloc-staging/cats/x")
		if !utf8.ValidString(text) || !utf8.ValidString(tree) || tree == "" || strings.Contains(tree, "/") || path.Clean(tree) != tree || tree == ".." || tree == "." {
			return
		}
		dir := "/data/shared/.tracebloc-staging/cats/" + tree
		spec, err := yaml.Marshal(map[string]string{"label": text, "table": "cats", "csv": dir + "/labels.csv"})
		if err != nil {
			return
		}
		if got, _ := readSpec(string(spec)); got.table != "cats" {
			t.Errorf("table of %s is %q", spec, got.table)
		}
		if r := (&IngestionRun{Spec: IngestionRunSpec{IngestConfig: string(spec)}}); !r.Reads(dir) {
			t.Errorf("%s does not read %q", spec, dir)
		}
	})
}
