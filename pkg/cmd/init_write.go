package cmd

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

func existsError(path string) error {
	return failf(exitExists, "%q exists already; write over it with --force, or elsewhere with --output", path)
}

// writeSpec makes the file in one step; what was there is seen whole or not at all. A link is never followed, and with
// force never replaced either.
func writeSpec(path string, text []byte, force bool) (err error) {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return failf(exitDataset, "write %q: %w", path, err)
	}
	defer func() { _ = root.Close() }()
	name := filepath.Base(path)
	info, err := root.Lstat(name)
	switch {
	case err == nil && !force:
		return existsError(path)
	case err == nil && !info.Mode().IsRegular():
		return failf(exitDataset, "%q is not a regular file; remove it, or write elsewhere with --output", path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return failf(exitDataset, "write %q: %w", path, err)
	}
	temporary := "." + dataset.SpecFile + "." + rand.Text()
	if !force {
		temporary = name // nothing to keep: O_EXCL alone decides who makes it
	}
	if err := createFile(root, temporary, text); errors.Is(err, fs.ErrExist) {
		return existsError(path)
	} else if err != nil {
		return failf(exitDataset, "write %q: %w", path, err)
	}
	if !force {
		return nil
	}
	if err := root.Rename(temporary, name); err != nil {
		return failf(exitDataset, "write %q: %w", path, errors.Join(err, root.Remove(temporary)))
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
		return errors.Join(err, root.Remove(name))
	}
	return nil
}
