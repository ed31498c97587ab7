package dataset

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// identity is what a file on disk is recognized by. A zero identity recognizes every file.
type identity struct {
	mtime    int64 // nanoseconds since 1970
	dev, ino uint64
}

func identify(info fs.FileInfo) identity {
	dev, ino := inode(info)
	return identity{mtime: info.ModTime().UnixNano(), dev: dev, ino: ino}
}

// ChangedError says that a file is not what the walk found: the dataset changed while it was read.
type ChangedError struct {
	// Path is relative to the dataset's root.
	Path string
	// What says what happened to it.
	What string
}

func (e *ChangedError) Error() string {
	return fmt.Sprintf("file %q changed while it was read: %s; push again when nothing writes to the dataset", e.Path, e.What)
}

// OpenFile opens a file of a manifest for reading what is staged of it. It gives a *ChangedError when the file is gone,
// is no regular file any more, or differs from the walked one in size, modification time or identity; for a repaired
// file the read that meets its end gives one, too. A File made by hand, without a walk, is checked by kind and size only.
func (d *Dataset) OpenFile(f File) (io.ReadCloser, error) {
	e := f.entry()
	file, err := d.OpenEntry(e)
	if err != nil {
		return nil, err
	}
	if f.fixed == nil {
		return file, nil
	}
	return newFixedReader(d, e, file, f.fixed.options), nil
}

// OpenEntry opens a walked file, as it is on disk, with the checks of OpenFile.
func (d *Dataset) OpenEntry(e Entry) (*os.File, error) {
	return d.open(e.Path, e.Size, e.id)
}

// Recheck tells whether a file that was opened and read is still what the walk found. It gives a *ChangedError if not.
func (d *Dataset) Recheck(e Entry, file *os.File) error {
	return unchanged(file, e.Path, e.Size, e.id)
}

func (d *Dataset) open(path string, size int64, id identity) (*os.File, error) {
	// Without O_NONBLOCK a FIFO put in the file's place would block here for ever.
	file, err := d.Root.OpenFile(path, os.O_RDONLY|openFlags, 0)
	if err != nil {
		if changed := d.vanished(path, err); changed != nil {
			return nil, changed
		}
		return nil, fmt.Errorf("open %q: %w", path, reason(err))
	}
	if err := unchanged(file, path, size, id); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// vanished explains a failed open by what stands in the file's place now; nil when the file is still there.
func (d *Dataset) vanished(path string, cause error) error {
	info, err := d.Root.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(cause, fs.ErrNotExist) && err != nil:
		return &ChangedError{Path: path, What: "it is gone"}
	case err == nil && !info.Mode().IsRegular():
		return &ChangedError{Path: path, What: "it is now a " + kindOf(info.Mode())}
	}
	return nil
}

// unchanged works on the open file, so that nothing can be swapped in between.
func unchanged(file *os.File, path string, size int64, id identity) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("stat %q: %w", path, reason(err))
	}
	now := identify(info)
	what := ""
	switch {
	case !info.Mode().IsRegular():
		what = "it is now a " + kindOf(info.Mode())
	case info.Size() > size:
		what = fmt.Sprintf("it grew from %d to %d bytes", size, info.Size())
	case info.Size() < size:
		what = fmt.Sprintf("it shrank from %d to %d bytes", size, info.Size())
	case id == identity{}:
	case now.dev != id.dev || now.ino != id.ino:
		what = "another file stands in its place"
	case now.mtime != id.mtime:
		what = "it was written again"
	}
	if what == "" {
		return nil
	}
	return &ChangedError{Path: path, What: what}
}
