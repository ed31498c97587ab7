package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

const (
	// maxAgain bounds the names that are read in directories which were read freeReads times before. A few links to one
	// directory cost nothing of it, however many files that has; links that multiply each other are stopped by it.
	maxAgain  = 1 << 16
	freeReads = 4
	// maxLinks is how many links are followed to tell where one of them ends. os.Root follows fewer, Linux as many.
	maxLinks = 40
)

const resolveLinks = "copy the dataset with its links resolved (cp -RL) and push the copy"

// trail keeps a walk through links finite: no directory is entered below itself, and none too often.
type trail struct {
	above []step            // the directories that the walk stands in, from the root
	read  map[[2]uint64]int // how often a directory was entered, by device and inode
	left  int               // of maxAgain
}

// step is a directory that the walk stands in.
type step struct {
	path string
	info fs.FileInfo
}

func newTrail() trail { return trail{read: map[[2]uint64]int{}, left: maxAgain} }

// enter notes that the walk stands in a directory, and reports whether links led it there again and again. Where the
// system tells no inodes, every way through a link counts as one of many.
func (t *trail) enter(dir found, info fs.FileInfo) (again bool) {
	t.above = append(t.above, step{path: dir.path, info: info})
	id := fileID(info)
	t.read[id]++
	return dir.linked && t.read[id] > freeReads
}

// leave is for every directory, also for one that could not be entered.
func (t *trail) leave(path string) {
	if last := len(t.above) - 1; last >= 0 && t.above[last].path == path {
		t.above = t.above[:last]
	}
}

// holds reports whether the walk stands in a directory.
func (t *trail) holds(info fs.FileInfo) bool {
	return slices.ContainsFunc(t.above, func(s step) bool { return os.SameFile(s.info, info) })
}

// follow returns what a symbolic link leads to, a regular file or a directory to walk; everything else it refuses. It is
// os.Root that lets no link lead out of the dataset.
func (w *walker) follow(rel string) (fs.FileInfo, bool) {
	if !w.options.FollowSymlinks {
		w.refuse(rel, RefusedSymlink, "is a symbolic link", "push with --follow-symlinks if its target stays inside the dataset, else "+resolveLinks)
		return nil, false
	}
	info, err := w.dataset.Root.Stat(rel)
	switch {
	case err != nil:
		if r := w.dataset.brokenLink(rel, err); r.Kind != "" {
			w.dataset.Refused = append(w.dataset.Refused, r)
		}
	case info.IsDir() && w.trail.holds(info):
		w.refuse(rel, RefusedSymlink, "is a symbolic link to a directory that it stands in", "remove the link")
	case info.IsDir(), info.Mode().IsRegular():
		return info, true
	default:
		w.refuse(rel, RefusedSpecial, "is a symbolic link to a "+kindOf(info.Mode()), "remove it, or move it out of the dataset")
	}
	return nil, false
}

// brokenLink says why a symbolic link could not be followed. It is the zero Refused for a link that is not there any more.
func (d *Dataset) brokenLink(rel string, cause error) Refused {
	target, err := d.Root.Readlink(rel)
	if errors.Is(err, fs.ErrNotExist) {
		return Refused{}
	}
	link := fmt.Sprintf("is a symbolic link to %q", target)
	refused := func(reason, remedy string) Refused {
		return Refused{Path: rel, Kind: RefusedSymlink, Reason: reason, Remedy: remedy}
	}
	end := d.linkEnd(rel)
	switch {
	case isAbsolute(target):
		return refused(fmt.Sprintf("is a symbolic link to the absolute path %q", target),
			"make the link relative if its target stays inside the dataset, else "+resolveLinks)
	case end == endsOutside:
		return refused(link+", which leads out of the dataset", resolveLinks)
	case end == endsNowhere:
		return refused(link+", which leads to nothing", "put there what it leads to, or remove the link")
	case end == endsNever:
		return refused(link+", which leads in a circle", "remove the link")
	case errors.Is(cause, syscall.ELOOP):
		return refused(link+", which leads through too many others", "let it lead straight to its target")
	}
	return Refused{Path: rel, Kind: RefusedUnreadable, Reason: fmt.Sprintf("%s, whose target cannot be read: %v", link, reason(cause)),
		Remedy: "give yourself read permission"}
}

// linkEnd is where a path with links in it ends.
type linkEnd int

const (
	endsInside linkEnd = iota // or where it cannot be told, because a directory on the way cannot be read
	endsOutside
	endsNowhere
	endsNever
)

// linkEnd takes a path one name at a time. It is for a good message only: what it finds may have changed before it returns.
func (d *Dataset) linkEnd(rel string) linkEnd {
	var done []string // without a link
	rest := strings.Split(rel, "/")
	links := 0
	for len(rest) > 0 {
		name := rest[0]
		rest = rest[1:]
		switch {
		case name == "" || name == ".":
			continue
		case name == ".." && len(done) == 0:
			return endsOutside
		case name == "..":
			done = done[:len(done)-1]
			continue
		}
		done = append(done, name)
		here := path.Join(done...)
		info, err := d.Root.Lstat(here)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return endsNowhere
		case err != nil:
			return endsInside
		case info.Mode()&fs.ModeSymlink == 0 && !info.IsDir() && len(rest) > 0:
			return endsNowhere // a file is taken for a directory
		case info.Mode()&fs.ModeSymlink == 0:
			continue
		}
		target, err := d.Root.Readlink(here)
		if err != nil {
			return endsInside
		}
		if isAbsolute(target) {
			return endsOutside
		}
		if links++; links > maxLinks {
			return endsNever
		}
		done = done[:len(done)-1]
		rest = append(strings.Split(filepath.ToSlash(target), "/"), rest...)
	}
	return endsInside
}

// isAbsolute is wider than filepath.IsAbs: on Windows, \x and C:x are not absolute, and lead out just as well.
func isAbsolute(target string) bool {
	return filepath.IsAbs(target) || filepath.VolumeName(target) != "" || strings.HasPrefix(filepath.ToSlash(target), "/")
}
