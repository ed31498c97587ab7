package workflows

import (
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var (
	pinned  = regexp.MustCompile(`^[\w.-]+(?:/[\w.-]+)+@[0-9a-f]{40}$`)
	version = regexp.MustCompile(`^# v\d+\.\d+\.\d+$`)
	digest  = regexp.MustCompile(`^[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$`)
)

// pins collects every uses of a YAML tree, with the comment behind it.
func pins(n *yaml.Node, found map[string][]string) {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if key, value := n.Content[i], n.Content[i+1]; key.Value == "uses" && value.Kind == yaml.ScalarNode {
				found[value.Value] = append(found[value.Value], value.LineComment)
			}
		}
	}
	for _, child := range n.Content {
		pins(child, found)
	}
}

// Every action is a commit, with the version that it is said to be, and one action has one version everywhere: in the examples too.
func TestActionsArePinned(t *testing.T) {
	of := map[string]string{}
	for _, path := range append(workflowFiles(t), "docs/examples/ci/github-actions.yaml") {
		var tree yaml.Node
		if err := yaml.Unmarshal([]byte(read(t, path)), &tree); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		found := map[string][]string{}
		pins(&tree, found)
		for uses, comments := range found {
			if strings.HasPrefix(uses, "./") {
				if _, err := os.Stat(filepath.Join(root, uses)); err != nil {
					t.Errorf("%s: %s: %v", path, uses, err)
				}
				continue
			}
			action, _, _ := strings.Cut(uses, "@")
			for _, comment := range comments {
				if !pinned.MatchString(uses) || !version.MatchString(comment) {
					t.Errorf("%s: %q %q: an action is named by its commit, with its version in a comment", path, uses, comment)
				}
				if other := of[action]; other != "" && other != uses+comment {
					t.Errorf("%s: %s%s, elsewhere %s", path, uses, comment, other)
				}
				of[action] = uses + comment
			}
		}
	}
	if len(of) < 6 {
		t.Errorf("only these actions were found: %q", slices.Sorted(maps.Keys(of)))
	}
}

func TestContainersArePinned(t *testing.T) {
	for file, w := range workflows(t) {
		for name, j := range w.Jobs {
			if j.Container != "" && !digest.MatchString(j.Container) {
				t.Errorf("%s: job %s: container %q has no digest", file, name, j.Container)
			}
		}
	}
	for minor, image := range kindImages(t) {
		if !digest.MatchString(image) || !strings.HasPrefix(image, "kindest/node:v"+minor+".") {
			t.Errorf("%s: image %q", minor, image)
		}
	}
}

// Every module is kept up to date.
func TestDependabot(t *testing.T) {
	var config struct {
		Updates []struct {
			Ecosystem   string   `yaml:"package-ecosystem"`
			Directory   string   `yaml:"directory"`
			Directories []string `yaml:"directories"`
		} `yaml:"updates"`
	}
	if err := yaml.Unmarshal([]byte(read(t, ".github/dependabot.yml")), &config); err != nil {
		t.Fatal(err)
	}
	var patterns []string
	actions := false
	for _, u := range config.Updates {
		if u.Ecosystem == "gomod" {
			patterns = append(append(patterns, u.Directories...), u.Directory)
		}
		actions = actions || u.Ecosystem == "github-actions" && u.Directory == "/"
	}
	if !actions {
		t.Error("nobody looks after the actions")
	}
	modules := 0
	err := filepath.WalkDir(root, func(at string, e os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && slices.Contains([]string{".git", "bin", "dist"}, e.Name()) && filepath.Dir(at) == filepath.Clean(root):
			return filepath.SkipDir
		case e.Name() != "go.mod" || strings.Contains(filepath.ToSlash(at), "/testdata/"):
			return nil
		}
		modules++
		rel, err := filepath.Rel(root, filepath.Dir(at))
		if err != nil {
			return err
		}
		dir := strings.TrimSuffix("/"+strings.TrimPrefix(filepath.ToSlash(rel), "."), "/")
		if !slices.ContainsFunc(patterns, func(p string) bool { ok, _ := path.Match(strings.TrimSuffix(p, "/"), dir); return ok }) {
			t.Errorf("dependabot.yml does not look after the module in %q", dir)
		}
		return nil
	})
	if err != nil || modules < 5 {
		t.Errorf("%d modules, %v", modules, err)
	}
}
