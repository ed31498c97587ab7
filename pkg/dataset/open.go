package dataset

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
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

// fileID is what stays of the identity of a directory while files come and go in it.
func fileID(info fs.FileInfo) [2]uint64 {
	dev, ino := inode(info)
	return [2]uint64{dev, ino}
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

// OpenEntry opens a walked file, as it is on disk, with the checks of OpenFile. A symbolic link is followed only where the
// walk followed it, and only to the file that it led to then.
func (d *Dataset) OpenEntry(e Entry) (*os.File, error) {
	// os.Root follows a link that stays inside, and what was put in the file's place may mind being opened: a tape, say.
	if err := d.look(e); err != nil {
		return nil, err
	}
	// Without O_NONBLOCK a FIFO put in the file's place since then would block here for ever.
	file, err := d.Root.OpenFile(e.Path, os.O_RDONLY|openFlags, 0)
	if err != nil {
		if changed := d.look(e); changed != nil {
			return nil, changed
		}
		return nil, lost(e, err)
	}
	// Only on the open file nothing can be swapped in between.
	if err := d.Recheck(e, file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// Recheck tells whether a file that was opened and read is still what the walk found. It gives a *ChangedError if not.
func (d *Dataset) Recheck(e Entry, file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("stat %q: %w", e.Path, reason(err))
	}
	return e.unchanged(info)
}

// look tells by its name whether a file is still what the walk found.
func (d *Dataset) look(e Entry) error {
	info, err := d.stat(e.Path, e.linked)
	if err != nil {
		return lost(e, err)
	}
	return e.unchanged(info)
}

// stat follows a link at path only where linked.
func (d *Dataset) stat(path string, linked bool) (fs.FileInfo, error) {
	if linked {
		return d.Root.Stat(path)
	}
	return d.Root.Lstat(path)
}

// lost explains why a walked file cannot be reached: a *ChangedError where the dataset has changed.
func lost(e Entry, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &ChangedError{Path: e.Path, What: "it is gone"}
	case !ledElsewhere(err):
		return fmt.Errorf("open %q: %w", e.Path, reason(err))
	case e.linked:
		return &ChangedError{Path: e.Path, What: "the link to it leads elsewhere now"}
	}
	return &ChangedError{Path: e.Path, What: "the directory it stands in was replaced"}
}

// ledElsewhere tells the errors of a path whose directories are none any more, or lead out of the dataset, from those of a
// file system. os.Root's own refusal to leave has no number.
func ledElsewhere(err error) bool {
	var number syscall.Errno
	return !errors.As(err, &number) && !errors.Is(err, fs.ErrClosed) || number == syscall.ELOOP || number == syscall.ENOTDIR
}

// unchanged gives a *ChangedError when what stands at the path now is not the walked file.
func (e Entry) unchanged(info fs.FileInfo) error {
	now := identify(info)
	what := ""
	switch {
	case !info.Mode().IsRegular():
		what = "it is now a " + kindOf(info.Mode())
	case e.id != identity{} && (now.dev != e.id.dev || now.ino != e.id.ino):
		what = "another file stands in its place"
	case info.Size() > e.Size:
		what = fmt.Sprintf("it grew from %d to %d bytes", e.Size, info.Size())
	case info.Size() < e.Size:
		what = fmt.Sprintf("it shrank from %d to %d bytes", e.Size, info.Size())
	case e.id != identity{} && now.mtime != e.id.mtime:
		what = "it was written again"
	}
	if what == "" {
		return nil
	}
	return &ChangedError{Path: e.Path, What: what}
}
