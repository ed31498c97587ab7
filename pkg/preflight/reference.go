package preflight

import (
	"slices"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// stagedAt finds a staged file by its path.
func (c *checker) stagedAt(path string) (int, bool) { return findStaged(c.staged, path) }

func findStaged(staged []dataset.Entry, path string) (int, bool) {
	return slices.BinarySearchFunc(staged, path, func(e dataset.Entry, path string) int { return strings.Compare(e.Path, path) })
}

// primaryAt finds the staged file that a file name of the CSV stands for, as the ingestor resolves names.
func (c *checker) primaryAt(name []byte) (int, bool) {
	return c.stagedAt(resolved(c.Task.Dir, name, c.extension))
}

// resolved is the path of a file name: the dataset's extension is added to a name without one.
func resolved(dir string, name []byte, extension string) string {
	path := dir + "/" + string(name)
	if !knownExtension(name) {
		path += extension
	}
	return path
}

// referenced tells which staged files of the task's directory a row names. Where the file names of the CSV are not known,
// every file may be named.
func (c *checker) referenced() func(i int) bool {
	if c.table == nil || c.table.names == nil || len(c.primary) == 0 {
		return func(int) bool { return true }
	}
	first, _ := c.stagedAt(c.primary[0].Path)
	refs := c.table.names.refs
	return func(i int) bool { return i >= first && i-first < len(refs) && refs[i-first] > 0 }
}
