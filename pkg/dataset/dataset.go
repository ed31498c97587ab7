package dataset

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// SpecFile is the spec that push uses by itself when a dataset has it. It is never staged.
const SpecFile = "ingest.yaml"

// labelsFile is the CSV that wins over others in a directory.
const labelsFile = "labels.csv"

// Dataset is a dataset on disk as one walk found it. Its files are opened through Root only.
type Dataset struct {
	// Path is what the user named.
	Path string
	// Root is the dataset's directory, or the directory of the CSV when the dataset is a single file.
	Root *os.Root
	// CSV is the CSV of the dataset, relative to Root: labels.csv, else the only CSV in the root, else "".
	CSV string
	// CSVs are all CSV files in the root, sorted.
	CSVs []string
	// Entries are all regular files but hidden ones and junk, sorted bytewise by path.
	Entries []Entry
	// Dirs are the directories in the root, sorted, without hidden ones; a symbolic link to one is among them where links
	// are followed.
	Dirs []string
	// Ignored is what the walk left out because no ingestor would look at it.
	Ignored []Ignored
	// Refused is what cannot be carried. It matters only where it would be staged: see RefusedIn.
	Refused []Refused
	// SpecFile is "ingest.yaml" if that file is in the root, else "".
	SpecFile string
	// Single is true when the dataset is one CSV file.
	Single bool
}

// Entry is one regular file that the walk found. It is small, because there may be very many.
type Entry struct {
	// Path is relative to the root, with slashes, in the bytes that the file system has. Of a file that a link leads to, it
	// is the path of the link.
	Path string
	// Size is in bytes.
	Size int64

	id     identity
	linked bool // found through a symbolic link, its own or that of a directory on its way
}

// ModTime is the file's modification time at the walk.
func (e Entry) ModTime() time.Time { return time.Unix(0, e.id.mtime) }

// Ignored is a file or directory that is never staged.
type Ignored struct {
	Path   string
	Reason string
}

// Refused is something in the dataset that cannot be carried to a cluster.
type Refused struct {
	Path string
	// Kind is one of the Refused constants.
	Kind string
	// Reason says what it is, Remedy what to do about it.
	Reason, Remedy string
}

// Kinds of what a walk refuses.
const (
	RefusedSymlink    = "symlink"
	RefusedSpecial    = "special"
	RefusedName       = "name"
	RefusedUnreadable = "unreadable"
)

// Options say how a dataset is walked.
type Options struct {
	// FollowSymlinks takes a relative symbolic link for the file or directory that it leads to inside the dataset. A link
	// that leads out, nowhere or in a circle is refused all the same.
	FollowSymlinks bool
	// OnEntries is told now and then how many names were looked at so far, in the goroutine that walks; nil for nobody.
	OnEntries func(n int)
}

// Open walks a dataset: a directory, or one CSV file. It follows a symbolic link only in path itself. What it cannot
// carry is listed in Refused, not an error: a socket beside the images hurts nobody. The walk ends with the cause of ctx
// when ctx does; ctx is not needed afterwards.
func Open(ctx context.Context, path string) (*Dataset, error) {
	return OpenWith(ctx, path, Options{})
}

// OpenWith is Open with options.
func OpenWith(ctx context.Context, path string, options Options) (*Dataset, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, notFound(path, err)
	}
	switch {
	case info.IsDir():
		return openDirectory(ctx, path, options)
	case info.Mode().IsRegular():
		return openSingle(ctx, path, options)
	}
	return nil, fmt.Errorf("dataset %q is a %s, and data must be read more than once; save it as a .csv file and push that", path, kindOf(info.Mode()))
}

func openDirectory(ctx context.Context, path string, options Options) (*Dataset, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open dataset: %w", err)
	}
	d := &Dataset{Path: path, Root: root}
	if err := newWalker(d, options).all(ctx); err != nil {
		return nil, closing(root, fmt.Errorf("walk dataset %q: %w", path, err))
	}
	for _, e := range d.Entries {
		switch {
		case strings.Contains(e.Path, "/"):
		case isCSVName(e.Path):
			d.CSVs = append(d.CSVs, e.Path)
		case e.Path == SpecFile:
			d.SpecFile = e.Path
		}
	}
	switch {
	case slices.Contains(d.CSVs, labelsFile):
		d.CSV = labelsFile
	case len(d.CSVs) == 1:
		d.CSV = d.CSVs[0]
	}
	return d, nil
}

// openSingle resolves links first: the user named the file, so the link is meant, but Root would not leave its
// directory to reach the target.
func openSingle(ctx context.Context, path string, options Options) (*Dataset, error) {
	if !isCSVName(path) {
		return nil, fmt.Errorf("dataset %q is %s", path, notCSV(path))
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("dataset %q: %w", path, err)
	}
	root, err := os.OpenRoot(filepath.Dir(real))
	if err != nil {
		return nil, fmt.Errorf("open dataset: %w", err)
	}
	d := &Dataset{Path: path, Root: root, Single: true}
	if ctx.Err() != nil {
		return nil, closing(root, fmt.Errorf("dataset %q: %w", path, context.Cause(ctx)))
	}
	newWalker(d, options).entry(root, found{}, filepath.Base(real))
	if len(d.Refused) > 0 {
		r := d.Refused[0]
		return nil, closing(root, fmt.Errorf("dataset %q %s: %s", path, r.Reason, r.Remedy))
	}
	if len(d.Entries) == 0 {
		return nil, closing(root, fmt.Errorf("dataset %q is a hidden file: rename it without the leading dot", path))
	}
	d.CSV = d.Entries[0].Path
	d.CSVs = []string{d.CSV}
	return d, nil
}

// closing gives back err after closing root, with the error of the closing if there is one.
func closing(root *os.Root, err error) error {
	if cerr := root.Close(); cerr != nil {
		return fmt.Errorf("%w (and closing it: %w)", err, cerr)
	}
	return err
}

// Close releases the root.
func (d *Dataset) Close() error { return d.Root.Close() }

// HasDir reports whether the root has a directory of that name; a symbolic link counts only where it was followed.
func (d *Dataset) HasDir(name string) bool {
	_, ok := slices.BinarySearch(d.Dirs, name)
	return ok
}

// Entry returns the entry of a path.
func (d *Dataset) Entry(path string) (Entry, bool) {
	i, ok := slices.BinarySearchFunc(d.Entries, path, func(e Entry, p string) int { return strings.Compare(e.Path, p) })
	if !ok {
		return Entry{}, false
	}
	return d.Entries[i], true
}

// InDir returns the entries below a directory, at any depth, sorted.
func (d *Dataset) InDir(dir string) []Entry {
	byPath := func(e Entry, p string) int { return strings.Compare(e.Path, p) }
	from, _ := slices.BinarySearchFunc(d.Entries, dir+"/", byPath)
	to, _ := slices.BinarySearchFunc(d.Entries, dir+"0", byPath) // '0' follows '/'
	return d.Entries[from:to]
}

func isCSVName(path string) bool { return strings.EqualFold(filepath.Ext(path), ".csv") }
