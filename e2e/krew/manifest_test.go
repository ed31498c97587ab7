package krew

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPlatforms wants an archive for each platform that is promised, and nothing in dist/ that no platform uses.
func TestPlatforms(t *testing.T) {
	var got, archives []string
	for _, p := range dist.manifest.Spec.Platforms {
		got = append(got, p.String())
		archives = append(archives, p.archive())
	}
	slices.Sort(got)
	slices.Sort(archives)
	want := []string{"darwin_amd64", "darwin_arm64", "linux_386", "linux_amd64", "linux_arm", "linux_arm64", "windows_amd64", "windows_arm64"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("platforms (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(dist.archives, archives); diff != "" {
		t.Errorf("archives in dist/ (-) and in the manifest (+):\n%s", diff)
	}
	if diff := cmp.Diff(dist.archives, slices.Sorted(maps.Keys(dist.sums))); diff != "" {
		t.Errorf("archives in dist/ (-) and in SHA256SUMS (+):\n%s", diff)
	}
}

// TestDownloads holds the manifest, SHA256SUMS and the archives against each other, and the uris against where a release puts them.
func TestDownloads(t *testing.T) {
	version := dist.manifest.Spec.Version
	for _, p := range dist.manifest.Spec.Platforms {
		t.Run(p.String(), func(t *testing.T) {
			ext, bin := ".tar.gz", "kubectl-tracebloc"
			if p.os() == "windows" {
				ext, bin = ".zip", bin+".exe"
			}
			name := "kubectl-tracebloc_" + version + "_" + p.String() + ext
			if want := releases + "/" + version + "/" + name; p.URI != want {
				t.Errorf("uri %q, want %q", p.URI, want)
			}
			if p.Bin != bin {
				t.Errorf("bin %q, want %q", p.Bin, bin)
			}
			sum := digest(t, filepath.Join(distDir, name))
			if p.SHA256 != sum || dist.sums[name] != sum {
				t.Errorf("the archive's sum is %s; the manifest says %s and SHA256SUMS %s", sum, p.SHA256, dist.sums[name])
			}
		})
	}
}

func digest(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// semver is what krew takes for a version: SemVer with a leading v.
var semver = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)

// TestIndexRules are the rules by which krew-index takes a manifest, as far as krew's own validator leaves them to people.
func TestIndexRules(t *testing.T) {
	m := dist.manifest
	spec := m.Spec
	for _, rule := range []struct {
		name string
		kept bool
		got  any
	}{
		{"the apiVersion that krew reads", m.APIVersion == "krew.googlecontainertools.github.com/v1alpha2", m.APIVersion},
		{"the kind that krew reads", m.Kind == "Plugin", m.Kind},
		{"the name is that of the file", m.Metadata.Name == "tracebloc", m.Metadata.Name},
		{"the version is SemVer with a v", semver.MatchString(spec.Version), spec.Version},
		{"the homepage is the repository", spec.Homepage == "https://github.com/tracebloc/kubectl-tracebloc", spec.Homepage},
		{"a short description of 1 to 50 characters", 0 < len(spec.ShortDescription) && len(spec.ShortDescription) <= 50, spec.ShortDescription},
		{"a short description without words that every plugin could say",
			!regexp.MustCompile(`(?i)kubectl|kubernetes|plugin|k8s`).MatchString(spec.ShortDescription), spec.ShortDescription},
		{"a short description that is one line, not a sentence", !strings.ContainsAny(spec.ShortDescription, "\r\n."), spec.ShortDescription},
		{"a description", len(spec.Description) > len(spec.ShortDescription), spec.Description},
		{"a description wrapped at 80", widest(spec.Description) <= 80, spec.Description},
		{"a description without usage, which --help has", !regexp.MustCompile(`kubectl |(^|\s)--?[a-z]`).MatchString(spec.Description), spec.Description},
		{"caveats wrapped at 80 but for the command", widest(prose(spec.Caveats)) <= 80, spec.Caveats},
		{"no white space at the end of a line", !regexp.MustCompile(`[ \t]\n`).MatchString(dist.text), dist.text},
		{"nothing left of the template", !strings.Contains(dist.text, "{{") && !strings.Contains(dist.text, "<no value>"), dist.text},
	} {
		if !rule.kept {
			t.Errorf("not kept: %s: %q", rule.name, rule.got)
		}
	}
}

func widest(text string) int {
	most := 0
	for line := range strings.Lines(text) {
		most = max(most, len(strings.TrimRight(line, "\n")))
	}
	return most
}

// prose is the text without what is indented, which are commands.
func prose(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, " ") {
			out.WriteString(line)
		}
	}
	return out.String()
}

// completionCommand is the command of the caveats that sets up completion in a POSIX shell.
func completionCommand(t *testing.T) string {
	t.Helper()
	var commands []string
	for line := range strings.Lines(dist.manifest.Spec.Caveats) {
		if command := strings.TrimSpace(line); strings.HasPrefix(command, "sh -c ") {
			commands = append(commands, command)
		}
	}
	if len(commands) != 1 {
		t.Fatalf("the caveats have %d lines that set up completion, want one:\n%s", len(commands), dist.manifest.Spec.Caveats)
	}
	return commands[0]
}
