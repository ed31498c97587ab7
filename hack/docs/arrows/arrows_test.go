// Package arrows holds the page about the architecture against the import clauses of the code.
package arrows

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	module = "github.com/tracebloc/kubectl-tracebloc/"
	top    = "../../.."
)

// pure are the packages that know neither a cluster nor a command line, and banned what they must not import.
var (
	pure   = []string{"pkg/dataset", "pkg/preflight", "pkg/ingest", "pkg/explain", "pkg/progress", "schemas"}
	banned = []string{"k8s.io/", "sigs.k8s.io/", "github.com/spf13/", module + "pkg/cmd"}
)

// imports is what each package imports outside of its tests: package directory to import paths, sorted.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, dir := range []string{"cmd", "pkg", "schemas"} {
		err := filepath.WalkDir(filepath.Join(top, dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				if entry != nil && entry.Name() == "testdata" {
					return fs.SkipDir
				}
				return err
			}
			if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(top, filepath.Dir(path))
			if err != nil {
				return err
			}
			of := filepath.ToSlash(rel)
			found[of] = append(found[of], []string{}...)
			for _, clause := range file.Imports {
				imported, err := strconv.Unquote(clause.Path.Value)
				if err != nil {
					return err
				}
				if !slices.Contains(found[of], imported) {
					found[of] = append(found[of], imported)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, list := range found {
		slices.Sort(list)
	}
	return found
}

// own are those of this module, by their directories.
func own(imported []string) []string {
	list := []string{}
	for _, path := range imported {
		if rest, ok := strings.CutPrefix(path, module); ok {
			list = append(list, rest)
		}
	}
	return list
}

// arrow is a line of the page: "pkg/run -> pkg/preflight, pkg/progress", or "-> nothing".
var arrow = regexp.MustCompile(`^([a-z0-9/-]+) +-> (.+)$`)

// drawn reads the block of arrows from the page.
func drawn(t *testing.T, page string) map[string][]string {
	t.Helper()
	_, rest, ok := strings.Cut(page, "<!-- arrows -->\n```\n")
	block, _, closed := strings.Cut(rest, "\n```\n")
	if !ok || !closed {
		t.Fatal("the page has no block of arrows")
	}
	found := map[string][]string{}
	for line := range strings.SplitSeq(block, "\n") {
		m := arrow.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("%q is no arrow", line)
		}
		if _, twice := found[m[1]]; twice {
			t.Errorf("%s stands twice on the page", m[1])
		}
		found[m[1]] = []string{}
		if m[2] != "nothing" {
			found[m[1]] = strings.Split(m[2], ", ")
		}
		if !slices.IsSorted(found[m[1]]) {
			t.Errorf("what %s imports is not in order: %s", m[1], m[2])
		}
	}
	return found
}

// The page has every package with exactly the arrows that the code has.
func TestPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(top, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	code := map[string][]string{}
	for of, imported := range imports(t) {
		code[of] = own(imported)
	}
	if diff := cmp.Diff(code, drawn(t, string(page))); diff != "" {
		t.Errorf("docs/architecture.md (-code +page):\n%s", diff)
	}
}

// Arrows go down only: what a package imports stands below it on the page.
func TestArrowsGoDown(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(top, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	place := map[string]int{}
	for i, line := range strings.Split(string(page), "\n") {
		if m := arrow.FindStringSubmatch(line); m != nil {
			place[m[1]] = i
		}
	}
	for from, list := range drawn(t, string(page)) {
		for _, to := range list {
			if place[to] <= place[from] {
				t.Errorf("%s imports %s, which stands above it", from, to)
			}
		}
	}
}

// .golangci.yaml says the same to whoever runs the linter.
func TestPurePackages(t *testing.T) {
	all := imports(t)
	for _, name := range pure {
		if _, ok := all[name]; !ok {
			t.Errorf("there is no package %s", name)
		}
	}
	for of, imported := range all {
		if !slices.ContainsFunc(pure, func(name string) bool { return of == name || strings.HasPrefix(of, name+"/") }) {
			continue
		}
		for _, path := range imported {
			for _, prefix := range banned {
				if strings.HasPrefix(path, prefix) {
					t.Errorf("%s imports %s", of, path)
				}
			}
		}
	}
}

// The linter's list of pure packages is the one that is held here.
func TestLinterAgrees(t *testing.T) {
	config, err := os.ReadFile(filepath.Join(top, ".golangci.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	rule := regexp.MustCompile(`(?m)^ +pure:\n +list-mode: lax\n +files: \[(.*)\]$`).FindStringSubmatch(string(config))
	if rule == nil {
		t.Fatal("there is no rule \"pure\"")
	}
	var listed []string
	for word := range strings.SplitSeq(rule[1], ", ") {
		if dir, ok := strings.CutPrefix(strings.Trim(word, `"`), "**/"); ok {
			listed = append(listed, strings.TrimSuffix(dir, "/**"))
		}
	}
	if diff := cmp.Diff(pure, listed); diff != "" {
		t.Errorf("-test +linter:\n%s", diff)
	}
	for _, prefix := range banned[:3] {
		if !strings.Contains(string(config), "- pkg: "+prefix+"\n") {
			t.Errorf("the linter does not refuse %s", prefix)
		}
	}
}
