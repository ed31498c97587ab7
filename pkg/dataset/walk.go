package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of the names that a tar stream and a Linux file system carry.
const (
	maxComponent = 255
	maxPath      = 4095
)

// namesAtOnce is how many names are read of a directory before they are judged: a directory may hold millions, and a walk
// must end soon after its ctx.
const namesAtOnce = 2048

type walker struct {
	dataset *Dataset
	options Options
	seen    int // names so far
	trail   trail
}

// found is a directory to walk.
type found struct {
	path   string // relative to the dataset's root; "" is the root
	linked bool   // found through a symbolic link
}

func newWalker(d *Dataset, options Options) *walker {
	return &walker{dataset: d, options: options, trail: newTrail()}
}

// all walks the dataset, and sorts what it finds.
func (w *walker) all(ctx context.Context) error {
	if err := w.directory(ctx, found{}); err != nil {
		return err
	}
	d := w.dataset
	slices.SortFunc(d.Entries, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(d.Ignored, func(a, b Ignored) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(d.Refused, func(a, b Refused) int { return strings.Compare(a.Path, b.Path) })
	slices.Sort(d.Dirs)
	return nil
}

// directory walks one directory, and those below it when it is closed again: however deep they stand, few are open at a
// time. Only the root must be readable.
func (w *walker) directory(ctx context.Context, dir found) error {
	below, err := w.list(ctx, dir)
	var changed *ChangedError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &changed), err != nil && dir.path == "":
		return err
	case errors.Is(err, fs.ErrNotExist): // gone since its parent was listed: not part of the dataset
	case err != nil:
		w.refuse(dir.path, RefusedUnreadable, fmt.Sprintf("is a directory that cannot be read: %v", reason(err)), "give yourself read permission")
	}
	slices.SortFunc(below, func(a, b found) int { return strings.Compare(a.path, b.path) })
	for _, b := range below {
		if err := w.directory(ctx, b); err != nil {
			return err
		}
	}
	if w.options.FollowSymlinks {
		w.trail.leave(dir.path)
	}
	return nil
}

// list judges what a directory holds, and returns the directories in it.
func (w *walker) list(ctx context.Context, dir found) (below []found, err error) {
	at, info, err := w.enter(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, at.Close()) }()
	again := w.options.FollowSymlinks && w.trail.enter(dir, info)
	names, err := at.Open(".")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, names.Close()) }()
	for ctx.Err() == nil {
		if again && w.trail.left <= 0 {
			w.refuse(dir.path, RefusedSymlink, "stands behind links that lead to the same directories over and over again",
				"remove links, until few lead to one directory")
			return nil, nil
		}
		batch, err := names.Readdirnames(namesAtOnce)
		for _, name := range batch {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if sub, ok := w.entry(at, dir, name); ok {
				below = append(below, sub)
			}
		}
		if again {
			w.trail.left -= len(batch)
		}
		if w.seen += len(batch); w.options.OnEntries != nil {
			w.options.OnEntries(w.seen)
		}
		switch {
		case errors.Is(err, io.EOF):
			return below, nil
		case err != nil:
			return below, err
		}
	}
	return nil, context.Cause(ctx)
}

// enter opens a directory, and gives a *ChangedError when that is not what the walk found.
func (w *walker) enter(dir found) (at *os.Root, info fs.FileInfo, err error) {
	name := path.Join(".", dir.path)
	// The dot makes the directory one on the way: what was put in its place, such as a FIFO, is not opened.
	at, err = w.dataset.Root.OpenRoot(name + "/.")
	switch {
	case err != nil && ledElsewhere(err):
		return nil, nil, &ChangedError{Path: dir.path, What: "it is no directory of the dataset any more"}
	case err != nil:
		return nil, nil, err
	}
	// os.Root follows a link that stays inside. While the directory is open, its inode tells whether it did.
	info, err = at.Stat(".")
	if err == nil {
		var now fs.FileInfo
		now, err = w.dataset.stat(name, dir.linked)
		if err == nil && (!now.IsDir() || fileID(now) != fileID(info)) || err != nil && ledElsewhere(err) {
			err = &ChangedError{Path: dir.path, What: "another directory stands in its place"}
		}
	}
	if err != nil {
		return nil, nil, errors.Join(err, at.Close())
	}
	return at, info, nil
}

// entry judges one name in a directory. A directory that must be walked is returned. path.Join cleans nothing away: names
// from a directory hold no slash and are neither "." nor "..".
func (w *walker) entry(at *os.Root, dir found, name string) (sub found, ok bool) {
	d := w.dataset
	rel := path.Join(dir.path, name)
	if why := junk(name); why != "" {
		d.Ignored = append(d.Ignored, Ignored{Path: rel, Reason: why})
		return found{}, false
	}
	info, err := at.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return found{}, false // gone since the directory was listed: not part of the dataset
	}
	if err != nil {
		w.refuse(rel, RefusedUnreadable, fmt.Sprintf("cannot be read: %v", reason(err)), "give yourself read permission")
		return found{}, false
	}
	if why := badName(rel); why != "" {
		w.refuse(rel, RefusedName, why, "rename it")
		return found{}, false
	}
	sub = found{path: rel, linked: dir.linked}
	if info.Mode()&fs.ModeSymlink != 0 {
		sub.linked = true
		if info, ok = w.follow(rel); !ok {
			return found{}, false
		}
	}
	switch mode := info.Mode(); {
	case mode.IsDir():
		if dir.path == "" {
			d.Dirs = append(d.Dirs, rel)
		}
		return sub, true
	case mode.IsRegular():
		d.Entries = append(d.Entries, Entry{Path: rel, Size: info.Size(), id: identify(info), linked: sub.linked})
	default:
		w.refuse(rel, RefusedSpecial, "is a "+kindOf(mode), "remove it, or move it out of the dataset")
	}
	return found{}, false
}

func (w *walker) refuse(rel, kind, reason, remedy string) {
	w.dataset.Refused = append(w.dataset.Refused, Refused{Path: rel, Kind: kind, Reason: reason, Remedy: remedy})
}

// junk says why a name is never part of a dataset, "" if it is. The ingestor skips hidden files by itself; the others
// are what desktops leave behind, and would count as a second file extension.
func junk(name string) string {
	switch {
	case strings.HasPrefix(name, "."):
		return "hidden"
	case strings.EqualFold(name, "Thumbs.db"), strings.EqualFold(name, "ehthumbs.db"), strings.EqualFold(name, "desktop.ini"):
		return "left by Windows"
	case name == "__MACOSX", name == "Icon\r":
		return "left by macOS"
	}
	return ""
}

// badName says why a path cannot be carried, "" if it can. The remote checks sums line by line, so a line break in a
// name is impossible and every other control character is asking for trouble.
func badName(rel string) string {
	switch {
	case len(rel) > maxPath:
		return fmt.Sprintf("has a path of %d bytes; %d is the limit", len(rel), maxPath)
	case len(path.Base(rel)) > maxComponent:
		return fmt.Sprintf("has a name of %d bytes; %d is the limit", len(path.Base(rel)), maxComponent)
	}
	for i := 0; i < len(rel); {
		r, size := utf8.DecodeRuneInString(rel[i:])
		if unicode.IsControl(r) {
			return fmt.Sprintf("has the control character %U in its name", r)
		}
		i += size
	}
	return ""
}

// kindOf names a file mode in words.
func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "directory"
	case mode.IsRegular():
		return "regular file"
	case mode&fs.ModeSymlink != 0:
		return "symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "FIFO"
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeDevice != 0:
		return "device"
	}
	return "file of an unknown kind"
}

// reason strips the path from a path error, which the caller names already.
func reason(err error) error {
	var perr *fs.PathError
	if errors.As(err, &perr) {
		return perr.Err
	}
	return err
}
