package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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

type walker struct {
	dataset *Dataset
}

// directory walks one directory, given relative to the root; "" is the root. Only the root must be readable.
func (w *walker) directory(ctx context.Context, rel string) error {
	names, err := w.names(rel)
	if err != nil {
		if rel == "" {
			return err
		}
		w.refuse(rel, RefusedUnreadable, fmt.Sprintf("is a directory that cannot be read: %v", reason(err)), "give yourself read permission")
		return nil
	}
	for _, name := range names {
		if err := w.entry(ctx, path.Join(rel, name)); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) names(rel string) (names []string, err error) {
	if rel == "" {
		rel = "."
	}
	dir, err := w.dataset.Root.Open(rel)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	names, err = dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	return names, nil
}

// entry records one name. path.Join in the caller cleans nothing away: names from a directory hold no slash and are
// neither "." nor "..". It fails only when ctx ends.
func (w *walker) entry(ctx context.Context, rel string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	d := w.dataset
	if why := junk(path.Base(rel)); why != "" {
		d.Ignored = append(d.Ignored, Ignored{Path: rel, Reason: why})
		return nil
	}
	info, err := d.Root.Lstat(rel)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // gone since the directory was listed: not part of the dataset
	}
	if err != nil {
		w.refuse(rel, RefusedUnreadable, fmt.Sprintf("cannot be read: %v", reason(err)), "give yourself read permission")
		return nil
	}
	if why := badName(rel); why != "" {
		w.refuse(rel, RefusedName, why, "rename it")
		return nil
	}
	mode := info.Mode()
	switch {
	case mode.IsDir():
		if !strings.Contains(rel, "/") {
			d.Dirs = append(d.Dirs, rel)
		}
		return w.directory(ctx, rel)
	case mode.IsRegular():
		d.Entries = append(d.Entries, Entry{Path: rel, Size: info.Size(), id: identify(info)})
	case mode&fs.ModeSymlink != 0:
		w.refuse(rel, RefusedSymlink, "is a symbolic link",
			"copy the dataset with its links resolved (cp -RL) and push the copy")
	default:
		w.refuse(rel, RefusedSpecial, "is a "+kindOf(mode), "remove it, or move it out of the dataset")
	}
	return nil
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
