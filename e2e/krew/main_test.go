// Package krew proves what `make dist` left in dist/ with the real krew and the real kubectl: the archives, the manifest, and the
// way from an index to a plugin that runs, completes, upgrades and goes. It needs git and loopback, no cluster and no internet.
package krew

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"sigs.k8s.io/yaml"
)

const (
	distDir  = "../../dist"
	scripts  = "../../hack"
	releases = "https://github.com/tracebloc/kubectl-tracebloc/releases/download"
)

// dist is what the tests of this package share; it is read once, by TestMain.
var dist struct {
	text     string // tracebloc.yaml, as users get it
	manifest manifest
	sums     map[string]string // SHA256SUMS: the hex digest by the archive's name
	archives []string          // the names of the archives that are there, sorted
}

// manifest is all that tracebloc.yaml may say. Fields are those of krew's v1alpha2.
type manifest struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Version          string     `json:"version"`
		Homepage         string     `json:"homepage"`
		ShortDescription string     `json:"shortDescription"`
		Description      string     `json:"description"`
		Caveats          string     `json:"caveats"`
		Platforms        []platform `json:"platforms"`
	} `json:"spec"`
}

type platform struct {
	Selector struct {
		MatchLabels struct {
			OS   string `json:"os"`
			Arch string `json:"arch"`
		} `json:"matchLabels"`
	} `json:"selector"`
	URI    string `json:"uri"`
	SHA256 string `json:"sha256"`
	Bin    string `json:"bin"`
}

func (p platform) os() string     { return p.Selector.MatchLabels.OS }
func (p platform) arch() string   { return p.Selector.MatchLabels.Arch }
func (p platform) String() string { return p.os() + "_" + p.arch() }

// archive is the name of the file that the platform's uri ends with.
func (p platform) archive() string { return p.URI[strings.LastIndex(p.URI, "/")+1:] }

// files are what an archive of the platform holds and krew installs, sorted.
func (p platform) files() []string {
	if p.os() == "windows" {
		return []string{"LICENSE", "kubectl-tracebloc.exe", "kubectl_complete-tracebloc.cmd"}
	}
	return []string{"LICENSE", "kubectl-tracebloc", "kubectl_complete-tracebloc"}
}

func TestMain(m *testing.M) {
	if err := load(); err != nil {
		fmt.Fprintln(os.Stderr, "these tests prove the archives and the manifest in dist/; make dist builds them:", err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, "testing", dist.manifest.Spec.Version)
	os.Exit(m.Run())
}

func load() error {
	text, err := os.ReadFile(filepath.Join(distDir, "tracebloc.yaml"))
	if err != nil {
		return err
	}
	dist.text = string(text)
	if err := yaml.UnmarshalStrict(text, &dist.manifest); err != nil {
		return fmt.Errorf("tracebloc.yaml: %w", err)
	}
	for _, pattern := range []string{"*.tar.gz", "*.zip"} {
		found, err := filepath.Glob(filepath.Join(distDir, pattern))
		if err != nil {
			return err
		}
		for _, path := range found {
			dist.archives = append(dist.archives, filepath.Base(path))
		}
	}
	slices.Sort(dist.archives)
	dist.sums, err = readSums(filepath.Join(distDir, "SHA256SUMS"))
	return err
}

// readSums reads what sha256sum writes.
func readSums(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok || sums[name] != "" {
			return nil, fmt.Errorf("%s: line %q is not a sum of one more file", path, line)
		}
		sums[name] = sum
	}
	return sums, nil
}

// here is the platform of the machine that runs the tests.
func here(t *testing.T) platform {
	t.Helper()
	for _, p := range dist.manifest.Spec.Platforms {
		if runsHere(p) {
			return p
		}
	}
	t.Fatal("no archive is for the platform of this machine")
	return platform{}
}

// The programs that the tests run, each found or built once.
var (
	kubectl   = program("kubectl.sh")
	krew      = program("tool.sh", "krew")
	validator = program("tool.sh", "validate-krew-manifest")
	busyboxes = program("busybox.sh") // with colons between them
)

// program asks a script of hack/ for the path of a program; the script says on stderr what it builds.
func program(script string, args ...string) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		c := exec.Command(filepath.Join(scripts, script), args...)
		c.Stderr = os.Stderr
		out, err := c.Output()
		path := strings.TrimSuffix(string(out), "\n")
		if err != nil {
			return "", fmt.Errorf("hack/%s %s: %w", script, strings.Join(args, " "), err)
		}
		return path, nil
	})
}

// paths are the files, links and empty directories below dir, sorted.
func paths(t *testing.T, dir string) []string {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(dir, path)
		if rel != "." {
			delete(found, filepath.Dir(rel))
			found[rel] = true
		}
		return errors.Join(err, relErr)
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(found))
}
