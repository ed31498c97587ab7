package stage

import (
	"fmt"
	"math"
	"path"
	"regexp"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// Directory is the name of the staging directory on the shared volume.
const Directory = ".tracebloc-staging"

// DefaultRoot is where the Pods see it (contract cluster.md §1.3).
const DefaultRoot = "/data/shared/" + Directory

const (
	maxPath      = 3900 // of the 4095 bytes that a path may have, some belong to the root and the work directory
	maxComponent = 255
	blockSize    = 4096
)

var (
	tableName = regexp.MustCompile(`^[A-Za-z0-9_]{1,63}$`)
	rootPath  = regexp.MustCompile(`^(/[A-Za-z0-9_@+=:,#-][A-Za-z0-9._@+=:,#-]*)+/\.tracebloc-staging$`)
)

// Plan is what is to lie on the volume, and under which name. It is a pure function of its inputs. Make one with NewPlan, which checks
// what the other methods take for granted.
type Plan struct {
	// Table is the destination table.
	Table string
	// TreeID is the name that the manifest gives the tree: 16 hex digits.
	TreeID string
	// Manifest is every file of the tree, sorted by path.
	Manifest dataset.Manifest
	// Root is the staging directory in the Pod, an absolute path that ends in Directory.
	Root string

	limits limits
}

// NewPlan checks the names and returns the plan. root is DefaultRoot, or the staging directory below another mount path. A path that
// leaves the tree, or that no sha256sum file can carry, is refused by name; so is a path that is there twice.
func NewPlan(table string, manifest dataset.Manifest, root string) (Plan, error) {
	if !tableName.MatchString(table) {
		return Plan{}, fmt.Errorf("table %q: a staged table has letters, digits and underscores only, at most 63", table)
	}
	if !rootPath.MatchString(root) {
		return Plan{}, fmt.Errorf("staging directory %q: it must be an absolute path that ends in %q", root, "/"+Directory)
	}
	if len(manifest) > math.MaxInt32 {
		return Plan{}, fmt.Errorf("%d files are too many for one table", len(manifest))
	}
	previous := ""
	for i, f := range manifest {
		if err := checkPath(f.Path); err != nil {
			return Plan{}, fmt.Errorf("file %q: %w", f.Path, err)
		}
		if f.Size < 0 {
			return Plan{}, fmt.Errorf("file %q: size %d", f.Path, f.Size)
		}
		if i > 0 && f.Path <= previous {
			return Plan{}, fmt.Errorf("file %q: the manifest must be sorted by path and name each file once", f.Path)
		}
		previous = f.Path
	}
	return Plan{Table: table, TreeID: manifest.TreeID(), Manifest: manifest, Root: root, limits: standardLimits()}, nil
}

func checkPath(name string) error {
	if name == "" || path.IsAbs(name) || path.Clean(name) != name || name == ".." || strings.HasPrefix(name, "../") || name == "." {
		return fmt.Errorf("it must be a clean path below the dataset")
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("a control character in a name cannot be staged; rename the file")
	}
	if len(name) > maxPath {
		return fmt.Errorf("its path has %d bytes, at most %d can be staged", len(name), maxPath)
	}
	for part := range strings.SplitSeq(name, "/") {
		if len(part) > maxComponent {
			return fmt.Errorf("a name in its path has %d bytes, at most %d can be staged", len(part), maxComponent)
		}
	}
	return nil
}

// Dir is the published tree in the Pod: the directory that the spec points into.
func (p Plan) Dir() string {
	return p.Root + "/" + p.Table + "/" + p.TreeID
}

// Needs is what the volume must have room for: whole blocks, and an inode for each file and directory.
func (p Plan) Needs() (bytes, inodes int64) {
	all := make([]int32, len(p.Manifest))
	for i := range all {
		all[i] = int32(i)
	}
	return p.needs(all)
}

// needs is the same for some of the files.
func (p Plan) needs(files []int32) (bytes, inodes int64) {
	dirs := map[string]struct{}{}
	for _, i := range files {
		f := p.Manifest[i]
		bytes += (f.Size + blockSize - 1) / blockSize * blockSize
		for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
			if _, seen := dirs[dir]; seen {
				break
			}
			dirs[dir] = struct{}{}
		}
	}
	return bytes + int64(len(dirs))*blockSize, int64(len(files) + len(dirs))
}
