package cmd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

func existsError(path string) error {
	return failf(exitExists, "%q exists already; write over it with --force, or elsewhere with --output", path)
}

// checkTarget says what stands in the way of writing a file, as far as that
// can be seen without writing.
func checkTarget(path string, force bool) error {
	root, err := openDir(path)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	return checkName(root, path, force)
}

// openDir opens the directory that a file is to be written to.
func openDir(path string) (*os.Root, error) {
	dir := filepath.Dir(path)
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, failf(exitDataset, "%q cannot be written: there is no directory %q; make it first, or write elsewhere with --output", path, dir)
	}
	if err != nil {
		return nil, writeError(path, err)
	}
	return root, nil
}

// checkName looks at what has the name already. A link is never followed, and
// what is no file never replaced, with force neither.
func checkName(root *os.Root, path string, force bool) error {
	isDir := failf(exitDataset, "%q is a directory; name the file to write, such as --output=%s", path, shellWord(filepath.Join(path, dataset.SpecFile)))
	if path != "" && os.IsPathSeparator(path[len(path)-1]) || filepath.Base(path) == ".." {
		return isDir
	}
	info, err := root.Lstat(filepath.Base(path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return writeError(path, err)
	case info.IsDir():
		return isDir
	case strings.HasPrefix(path, "/dev/"):
		return failf(exitDataset, "%q is not a regular file; write to standard output with --output=-", path)
	case info.Mode()&fs.ModeSymlink != 0:
		return failf(exitDataset, "%q is a symbolic link, which is not written through; remove it, or write elsewhere with --output", path)
	case !info.Mode().IsRegular():
		return failf(exitDataset, "%q is not a regular file; remove it, or write elsewhere with --output", path)
	case !force:
		return existsError(path)
	}
	return nil
}

// writeError words why a file could not be written. The name in err may be
// that of a temporary file, which tells the user nothing.
func writeError(path string, err error) error {
	if opened := (*fs.PathError)(nil); errors.As(err, &opened) {
		err = opened.Err
	}
	if renamed := (*os.LinkError)(nil); errors.As(err, &renamed) {
		err = renamed.Err
	}
	remedy := "write elsewhere with --output, or to standard output with --output=-"
	if errors.Is(err, fs.ErrPermission) {
		remedy = fmt.Sprintf("give yourself write permission in %q, or %s", filepath.Dir(path), remedy)
	}
	return failf(exitDataset, "%q cannot be written: %w (%s)", path, err, remedy)
}

// writeSpec makes the file in one step; what was there is seen whole or not at all.
func writeSpec(path string, text []byte, force bool) error {
	root, err := openDir(path)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	if err := checkName(root, path, force); err != nil {
		return err
	}
	name := filepath.Base(path)
	temporary := "." + dataset.SpecFile + "." + rand.Text()
	if !force {
		temporary = name // nothing to keep: O_EXCL alone decides who makes it
	}
	if err := createFile(root, temporary, text); errors.Is(err, fs.ErrExist) {
		return existsError(path)
	} else if err != nil {
		return writeError(path, err)
	}
	if !force {
		return nil
	}
	if err := root.Rename(temporary, name); err != nil {
		_ = root.Remove(temporary) // the renaming is what went wrong
		return writeError(path, err)
	}
	return nil
}

// createFile makes a file that does not exist; a half of it does not stay.
func createFile(root *os.Root, name string, text []byte) error {
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Close()); err != nil {
		_ = root.Remove(name) // the writing is what went wrong
		return err
	}
	return nil
}
