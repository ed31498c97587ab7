package workflows

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

const page = "docs/ci.md"

// included is a file that the page shows.
var included = regexp.MustCompile("(?s)<!-- file: ([\\w./-]+) -->\n```([a-z]+)\n(.*?)```\n")

// The page shows every example as it is.
func TestPageShowsTheExamples(t *testing.T) {
	before := read(t, page)
	after := included.ReplaceAllStringFunc(before, func(block string) string {
		m := included.FindStringSubmatch(block)
		return "<!-- file: " + m[1] + " -->\n```" + m[2] + "\n" + read(t, "docs/"+m[1]) + "```\n"
	})
	if *update {
		if err := os.WriteFile(filepath.Join(root, page), []byte(after), 0o644); err != nil {
			t.Fatal(err)
		}
		before = after
	}
	if diff := cmp.Diff(after, before); diff != "" {
		t.Errorf("%s is not what its examples are (go test ./hack/workflows -update):\n%s", page, diff)
	}
	var shown []string
	for _, m := range included.FindAllStringSubmatch(before, -1) {
		shown = append(shown, m[1])
	}
	slices.Sort(shown)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(examples(t))), shown); diff != "" {
		t.Errorf("shown and there:\n%s", diff)
	}
}

// examples are the files of docs/examples/ci, named from docs.
func examples(t testing.TB) map[string]string {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(root, "docs/examples/ci"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range files {
		name := "examples/ci/" + f.Name()
		all[name] = read(t, "docs/"+name)
	}
	return all
}

// The pipelines are YAML of the kind that they are said to be.
func TestPipelines(t *testing.T) {
	parsed := 0
	for name, text := range examples(t) {
		if filepath.Ext(name) != ".yaml" {
			continue
		}
		decoder := yaml.NewDecoder(strings.NewReader(text))
		for {
			var document map[string]any
			if err := decoder.Decode(&document); err != nil {
				if err.Error() != "EOF" {
					t.Errorf("%s: %v", name, err)
				}
				break
			}
			parsed++
		}
	}
	if parsed != 4 {
		t.Errorf("%d documents, want a workflow, a pipeline, a Task and a TaskRun", parsed)
	}
	var w workflow
	if err := yaml.Unmarshal([]byte(examples(t)["examples/ci/github-actions.yaml"]), &w); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"contents": "read"}, w.Permissions); diff != "" {
		t.Error(diff)
	}
	for name, j := range w.Jobs {
		if j.Timeout == 0 {
			t.Errorf("job %s has no timeout", name)
		}
		for _, s := range j.Steps {
			if strings.Contains(s.Run, "${{") || strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != "false" {
				t.Errorf("job %s: %+v", name, s)
			}
		}
	}
}
