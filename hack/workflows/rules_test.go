package workflows

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// writers are the only jobs that may write anything, and what.
func writers() map[string]map[string]string {
	return map[string]map[string]string{
		"release/release": {"contents": "write", "id-token": "write", "attestations": "write"},
	}
}

// A token can read the code and nothing else, but where a job has to write; and no code of others runs with more.
func TestPermissions(t *testing.T) {
	allowed := writers()
	for file, w := range workflows(t) {
		if diff := cmp.Diff(map[string]string{"contents": "read"}, w.Permissions); diff != "" {
			t.Errorf("%s: permissions\n%s", file, diff)
		}
		for name, j := range w.Jobs {
			if diff := cmp.Diff(allowed[file+"/"+name], j.Permissions); diff != "" {
				t.Errorf("%s: permissions of job %s\n%s", file, name, diff)
			}
			delete(allowed, file+"/"+name)
		}
		for _, event := range w.triggers() {
			if !slices.Contains([]string{"push", "pull_request", "workflow_call", "workflow_dispatch", "schedule"}, event) {
				t.Errorf("%s: on %s", file, event)
			}
		}
	}
	if len(allowed) > 0 {
		t.Errorf("no such job: %v", slices.Collect(maps.Keys(allowed)))
	}
}

// A job ends, a newer push ends the older's, and no token stays in the work tree.
func TestJobs(t *testing.T) {
	for file, w := range workflows(t) {
		called := slices.Equal(w.triggers(), []string{"workflow_call"})
		if w.Concurrency.Group == "" && !called || w.Concurrency.Cancel == nil && !called {
			t.Errorf("%s: no concurrency", file)
		}
		for name, j := range w.Jobs {
			if (j.Timeout > 0) == (j.Uses != "") {
				t.Errorf("%s: job %s has a timeout of %d minutes", file, name, j.Timeout)
			}
		}
	}
	each(t, func(t *testing.T, file, name string, _ job, s step) {
		if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != "false" {
			t.Errorf("%s: job %s leaves its token in the work tree", file, name)
		}
	})
	if cancel := workflows(t)["release"].Concurrency.Cancel; cancel != false {
		t.Errorf("a release may be cut off: cancel-in-progress is %v", cancel)
	}
}

// secretly is what only the job with permission to write may know.
var secretly = regexp.MustCompile(`secrets\.|github\.token|GITHUB_TOKEN`)

// What an event says, such as a title or the name of a branch, never becomes part of a command.
func TestNothingIsInjected(t *testing.T) {
	each(t, func(t *testing.T, file, name string, _ job, s step) {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("%s: job %s: %q: put the value into env", file, name, s.Run)
		}
		for key, value := range s.Env {
			if strings.Contains(value, "github.event") || strings.Contains(value, "github.head_ref") {
				t.Errorf("%s: job %s: %s=%s", file, name, key, value)
			}
			if secretly.MatchString(key+value) && writers()[file+"/"+name] == nil {
				t.Errorf("%s: job %s: %s=%s", file, name, key, value)
			}
		}
	})
}

var (
	makeTarget = regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):(?:[^=]|$)`)
	makeStep   = regexp.MustCompile(`^make ([a-z0-9-]+)$`)
	scriptStep = regexp.MustCompile(`^(hack/[\w./-]+\.(?:sh|ps1))(?: [\w./-]+| --[a-z]+| "\$(?:env:)?[A-Z_]+")*$`)
)

// A step runs what anybody can run here: a target of the Makefile, or a script of the repository.
func TestStepsAreLocalCommands(t *testing.T) {
	var targets []string
	for _, m := range makeTarget.FindAllStringSubmatch(read(t, "Makefile"), -1) {
		targets = append(targets, m[1])
	}
	each(t, func(t *testing.T, file, name string, j job, s step) {
		if s.Run == "" {
			return
		}
		if m := makeStep.FindStringSubmatch(s.Run); m != nil {
			if !slices.Contains(targets, m[1]) {
				t.Errorf("%s: job %s: the Makefile has no target %q", file, name, m[1])
			}
			return
		}
		m := scriptStep.FindStringSubmatch(s.Run)
		if m == nil {
			t.Errorf("%s: job %s: %q is neither make TARGET nor a script in hack with its arguments", file, name, s.Run)
			return
		}
		if script := read(t, m[1]); strings.HasSuffix(m[1], ".sh") && !strings.HasPrefix(script, "#!") {
			t.Errorf("%s: job %s: %s is no script", file, name, m[1])
		}
		windows := strings.Contains(name, "windows")
		if ps := strings.HasSuffix(m[1], ".ps1"); ps != windows || ps && s.Shell != "pwsh" && s.Shell != "powershell" {
			t.Errorf("%s: job %s: %s by shell %q on %q", file, name, m[1], s.Shell, j.RunsOn)
		}
	})
}

// The matrix goes from the oldest Kubernetes that is supported to that of the libraries, by night without a gap.
func TestMinors(t *testing.T) {
	images := kindImages(t)
	oldest, newest := 24, 0
	if _, err := fmt.Sscanf(regexp.MustCompile(`k8s\.io/client-go v0\.\d+`).FindString(read(t, "go.mod")), "k8s.io/client-go v0.%d", &newest); err != nil {
		t.Fatal(err)
	}
	var every []string
	for n := oldest; n <= newest; n++ {
		every = append(every, fmt.Sprintf("1.%d", n))
	}
	if diff := cmp.Diff(every, slices.SortedFunc(maps.Keys(images), strings.Compare)); diff != "" {
		t.Errorf("kind-images.txt\n%s", diff)
	}
	of := func(file string) (minors []string) {
		if err := yaml.Unmarshal([]byte(workflows(t)[file].Jobs["e2e"].With["minors"]), &minors); err != nil {
			t.Fatal(err)
		}
		return minors
	}
	if diff := cmp.Diff(every, of("nightly")); diff != "" {
		t.Errorf("nightly.yaml\n%s", diff)
	}
	some := of("ci")
	if len(some) < 4 || some[0] != every[0] || some[len(some)-1] != every[len(every)-1] {
		t.Errorf("ci.yaml has %q, and must begin with %s and end with %s", some, every[0], every[len(every)-1])
	}
	for _, minor := range some {
		if images[minor] == "" {
			t.Errorf("ci.yaml: no image for %q", minor)
		}
	}
}

// kindImages reads the node images by minor.
func kindImages(t testing.TB) map[string]string {
	t.Helper()
	images := map[string]string{}
	for line := range strings.Lines(read(t, "hack/workflows/kind-images.txt")) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) != 2 {
			t.Fatalf("kind-images.txt: %q", line)
		}
		images[fields[0]] = fields[1]
	}
	return images
}
