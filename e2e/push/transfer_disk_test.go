package push

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// onDisk turns a path of the Pods into one of the node.
func (l *lab) onDisk(path string) string { return l.disk + strings.TrimPrefix(path, "/data/shared") }

// root is the staging directory of a table, on the node.
func (l *lab) root(table string) string { return l.onDisk("/data/shared/.tracebloc-staging/" + table) }

// sh runs a shell script on the node, with positional arguments.
func (l *lab) sh(t *testing.T, script string, args ...string) string {
	t.Helper()
	out, err := l.node.Run(context.WithoutCancel(t.Context()), nil, append([]string{"sh", "-c", script, "sh"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// tree reads a directory of the node: the sha256 of each file by its path, and everything that is neither file nor directory.
func (l *lab) tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := l.sh(t, `cd "$1" || exit; find . -type f -exec sha256sum {} +; find . ! -type f ! -type d -exec echo "special  {}" \;`, dir)
	got := map[string]string{}
	for line := range strings.Lines(out) {
		sum, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ./")
		got[name] = sum
	}
	return got
}

// holds compares every byte of the published tree with the dataset.
func (l *lab) holds(t *testing.T, dir string, s staging) {
	t.Helper()
	want := sums(t, dir)
	if diff := cmp.Diff(want, l.tree(t, l.onDisk(s.Path))); diff != "" {
		t.Fatalf("the tree %s is not the dataset (-want +got):\n%s", s.Path, diff)
	}
	if s.Files+s.TakenOverFiles != int64(len(want)) && !s.Reused {
		t.Errorf("%d files were sent and %d taken over, of %d", s.Files, s.TakenOverFiles, len(want))
	}
}

// sums reads a dataset of this machine as tree does one of the node.
func sums(t *testing.T, dir string) map[string]string {
	t.Helper()
	want := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		h := sha256.New()
		if _, err := io.Copy(h, file); err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		want[filepath.ToSlash(name)] = hex.EncodeToString(h.Sum(nil))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return want
}

// published lists the published trees of a table.
func (l *lab) published(t *testing.T, table string) []string {
	t.Helper()
	names := strings.Fields(l.sh(t, `[ ! -d "$1" ] || ls -A "$1"`, l.root(table)))
	var trees []string
	for _, name := range names {
		if regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(name) {
			trees = append(trees, name)
		}
	}
	return trees
}

// onlyTrees fails the test when a table has any published trees but those at the paths.
func (l *lab) onlyTrees(t *testing.T, table string, paths ...string) {
	t.Helper()
	var want []string
	for _, p := range paths {
		want = append(want, filepath.Base(p))
	}
	if got := l.published(t, table); !cmp.Equal(sorted(want), sorted(got)) {
		t.Errorf("table %s has the trees %q, want %q", table, got, want)
	}
}

// earlier is a tree that was published before, with everything about it that must not change.
type earlier struct {
	path  string
	state string
}

// remember looks at a published tree. The number of links may change: later trees share its files.
func (l *lab) remember(t *testing.T, path string) earlier {
	t.Helper()
	return earlier{path: path, state: l.sh(t, `cd "$1" && find . -exec stat -c '%n %s %i %Y %f %u' {} + | sort && find . -type f -exec sha256sum {} + | sort`, l.onDisk(path))}
}

// untouched fails the test when the tree has changed.
func (l *lab) untouched(t *testing.T, e earlier) {
	t.Helper()
	if diff := cmp.Diff(e.state, l.remember(t, e.path).state); diff != "" {
		t.Errorf("the earlier tree %s has changed:\n%s", e.path, diff)
	}
}
