package workflows

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the examples into docs/ci.md")

// root is the repository, seen from this package.
const root = "../.."

// workflow is what these tests ask of a workflow.
type workflow struct {
	On          yaml.Node         `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Concurrency struct {
		Group  string `yaml:"group"`
		Cancel any    `yaml:"cancel-in-progress"`
	} `yaml:"concurrency"`
	Jobs map[string]job `yaml:"jobs"`
}

type job struct {
	If          string            `yaml:"if"`
	Needs       any               `yaml:"needs"`
	RunsOn      string            `yaml:"runs-on"`
	Container   string            `yaml:"container"`
	Timeout     int               `yaml:"timeout-minutes"`
	Permissions map[string]string `yaml:"permissions"`
	Uses        string            `yaml:"uses"`
	With        map[string]string `yaml:"with"`
	Env         map[string]string `yaml:"env"`
	Steps       []step            `yaml:"steps"`
}

type step struct {
	If    string            `yaml:"if"`
	Uses  string            `yaml:"uses"`
	Run   string            `yaml:"run"`
	Shell string            `yaml:"shell"`
	With  map[string]string `yaml:"with"`
	Env   map[string]string `yaml:"env"`
}

// needs are the jobs that a job waits for.
func (j job) needs() []string {
	switch n := j.Needs.(type) {
	case string:
		return []string{n}
	case []any:
		var all []string
		for _, name := range n {
			all = append(all, name.(string))
		}
		return all
	}
	return nil
}

// triggers are the events that start a workflow.
func (w workflow) triggers() []string {
	var all []string
	for i := 0; i+1 < len(w.On.Content); i += 2 {
		all = append(all, w.On.Content[i].Value)
	}
	return all
}

func read(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// workflows reads all of .github/workflows by name.
func workflows(t testing.TB) map[string]workflow {
	t.Helper()
	all := map[string]workflow{}
	for _, path := range workflowFiles(t) {
		var w workflow
		if err := yaml.Unmarshal([]byte(read(t, path)), &w); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".yaml")] = w
	}
	return all
}

func workflowFiles(t testing.TB) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, ".github/workflows/*"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no workflows: %v", err)
	}
	for i, path := range found {
		if found[i], err = filepath.Rel(root, path); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// each calls f for every step of every job.
func each(t *testing.T, f func(t *testing.T, file, name string, j job, s step)) {
	t.Helper()
	steps := 0
	for file, w := range workflows(t) {
		for name, j := range w.Jobs {
			for _, s := range j.Steps {
				steps++
				f(t, file, name, j, s)
			}
		}
	}
	if steps < 20 {
		t.Fatalf("only %d steps were found", steps)
	}
}
