package workflows

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// A release is made of a tag, after everything that every change must pass, from nothing but the tag's own files; krew gets only what
// was installed on every system, and no prerelease.
func TestRelease(t *testing.T) {
	w := workflows(t)["release"]
	var on struct {
		Push struct {
			Tags     []string `yaml:"tags"`
			Branches []string `yaml:"branches"`
		} `yaml:"push"`
	}
	if err := w.On.Decode(&on); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"push"}, w.triggers()); diff != "" || !slices.Equal(on.Push.Tags, []string{"v*"}) || len(on.Push.Branches) > 0 {
		t.Errorf("on %+v\n%s", on, diff)
	}
	if w.Jobs["ci"].Uses != "./.github/workflows/ci.yaml" {
		t.Errorf("the job ci uses %q", w.Jobs["ci"].Uses)
	}
	if diff := cmp.Diff(map[string][]string{
		"ci": nil, "release": {"ci"}, "smoke": {"release"}, "smoke-windows": {"release"}, "krew": {"smoke", "smoke-windows"},
	}, map[string][]string{
		"ci": w.Jobs["ci"].needs(), "release": w.Jobs["release"].needs(), "smoke": w.Jobs["smoke"].needs(),
		"smoke-windows": w.Jobs["smoke-windows"].needs(), "krew": w.Jobs["krew"].needs(),
	}); diff != "" {
		t.Error(diff)
	}
	if got, want := w.Jobs["krew"].If, "${{ !contains(github.ref_name, '-') }}"; got != want {
		t.Errorf("the job krew runs if %q, want %q", got, want)
	}
	for _, s := range w.Jobs["release"].Steps {
		if strings.HasPrefix(s.Uses, "actions/cache") || strings.HasPrefix(s.Uses, "actions/setup-go@") && s.With["cache"] != "false" {
			t.Errorf("%s brings what other workflows left behind into the release", s.Uses)
		}
	}
}

// The order of the release: signed and uploaded as a draft, attested, and only then public.
func TestReleaseOrder(t *testing.T) {
	var order []string
	for _, s := range workflows(t)["release"].Jobs["release"].Steps {
		action, _, _ := strings.Cut(s.Uses, "@")
		order = append(order, action+s.Run)
	}
	want := []string{
		"actions/checkout", "actions/setup-go", "sigstore/cosign-installer", "hack/dist.sh --publish", "actions/attest-build-provenance",
		`hack/workflows/publish.sh "$GITHUB_REF_NAME"`,
	}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Error(diff)
	}
}

// goreleaser makes a draft, and a prerelease of a tag with a hyphen.
func TestGoreleaserMakesDrafts(t *testing.T) {
	var config struct {
		Release struct {
			Draft      bool `yaml:"draft"`
			Prerelease any  `yaml:"prerelease"`
		} `yaml:"release"`
	}
	if err := yaml.Unmarshal([]byte(read(t, ".goreleaser.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	if !config.Release.Draft || config.Release.Prerelease != "auto" {
		t.Errorf("release: %+v", config.Release)
	}
}
