package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// goreleaser builds what is rendered here.
func TestGoreleaserBuildsEveryPlatform(t *testing.T) {
	var config struct {
		Builds []struct {
			Targets []string `json:"targets"`
		} `json:"builds"`
	}
	readYAML(t, "../../.goreleaser.yaml", &config)
	if len(config.Builds) != 1 {
		t.Fatalf("%d builds, want 1", len(config.Builds))
	}
	var targets []string
	for _, target := range config.Builds[0].Targets {
		targets = append(targets, strings.TrimSuffix(target, "_6"))
	}
	slices.Sort(targets)
	if diff := cmp.Diff(platforms[:], targets); diff != "" {
		t.Errorf("targets of .goreleaser.yaml (-hack/dist +goreleaser):\n%s", diff)
	}
}

// The bot reads .krew.yaml in the repository's root, which must not differ from the template that was tried out here.
// Where a checkout has no symbolic links, the link is a file with the name of what it leads to.
func TestBotReadsTheSameTemplate(t *testing.T) {
	template, err := os.ReadFile("../../plugins/krew-manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	bots, err := os.ReadFile("../../.krew.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if string(bots) != "plugins/krew-manifest.yaml" && string(bots) != string(template) {
		t.Error(".krew.yaml is not plugins/krew-manifest.yaml")
	}
}

type manifest struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Version          string `json:"version"`
		Homepage         string `json:"homepage"`
		ShortDescription string `json:"shortDescription"`
		Description      string `json:"description"`
		Caveats          string `json:"caveats"`
		Platforms        []struct {
			Selector struct {
				MatchLabels struct {
					OS   string `json:"os"`
					Arch string `json:"arch"`
				} `json:"matchLabels"`
			} `json:"selector"`
			URI    string `json:"uri"`
			SHA256 string `json:"sha256"`
			Bin    string `json:"bin"`
		} `json:"platforms"`
	} `json:"spec"`
}

func rendered(t *testing.T) (manifest, map[string]string) {
	t.Helper()
	b := newBuilt(t)
	if _, err := b.run(); err != nil {
		t.Fatal(err)
	}
	sums, err := parseSums(b.read("SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	readYAML(t, filepath.Join(b.dir, "tracebloc.yaml"), &m)
	return m, sums
}

func TestManifestPlatforms(t *testing.T) {
	m, sums := rendered(t)
	if m.APIVersion != "krew.googlecontainertools.github.com/v1alpha2" || m.Kind != "Plugin" || m.Metadata.Name != "tracebloc" || m.Spec.Version != "v1.2.3" {
		t.Errorf("manifest %+v", m)
	}
	var selected []string
	for _, p := range m.Spec.Platforms {
		labels := p.Selector.MatchLabels
		platform := labels.OS + "_" + labels.Arch
		selected = append(selected, platform)
		name := filepath.Base(p.URI)
		if !strings.Contains(name, "_"+platform+".") || p.URI != downloads+"/v1.2.3/"+name {
			t.Errorf("%s is installed from %s", platform, p.URI)
		}
		if p.SHA256 != sums[name] {
			t.Errorf("%s has sum %q, SHA256SUMS has %q", platform, p.SHA256, sums[name])
		}
		if _, ok := wanted(platform)[p.Bin]; !ok {
			t.Errorf("%s runs %q, which is not in its archive", platform, p.Bin)
		}
	}
	slices.Sort(selected)
	if diff := cmp.Diff(platforms[:], selected); diff != "" {
		t.Errorf("platforms of the manifest (-built +selected):\n%s", diff)
	}
}

// What the reviewers of krew-index ask for, beyond what krew's own validation finds.
func TestManifestText(t *testing.T) {
	m, _ := rendered(t)
	short := m.Spec.ShortDescription
	if len(short) > 50 || strings.HasSuffix(short, ".") {
		t.Errorf("shortDescription %q has %d characters; 50 are allowed, and no full stop", short, len(short))
	}
	for _, word := range []string{"kubectl", "kubernetes"} {
		if strings.Contains(strings.ToLower(short), word) {
			t.Errorf("shortDescription %q says %q, which every plugin could", short, word)
		}
	}
	for line := range strings.Lines(m.Spec.Description) {
		if len(strings.TrimSuffix(line, "\n")) > 80 {
			t.Errorf("line of the description is longer than 80: %q", line)
		}
	}
	if strings.Contains(m.Spec.Description, "kubectl ") {
		t.Errorf("the description tells usage, which belongs into --help:\n%s", m.Spec.Description)
	}
	if !strings.Contains(m.Spec.Caveats, "kubectl_complete-tracebloc") {
		t.Errorf("the caveats do not say how completion comes about:\n%s", m.Spec.Caveats)
	}
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
