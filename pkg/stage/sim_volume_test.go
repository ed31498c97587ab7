//go:build unix

package stage

import (
	"bytes"
	"errors"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// words are what a tool says, as it says it.
type words string

func (w words) Error() string { return string(w) }

// What a file system says.
var (
	errSimNoEntry  = words("No such file or directory")
	errSimExists   = words("File exists")
	errSimNotDir   = words("Not a directory")
	errSimIsDir    = words("Is a directory")
	errSimNotEmpty = words("Directory not empty")
	errSimNoSpace  = words("No space left on device")
	errSimNoLinks  = words("Operation not permitted")
)

// simInode is a file, or a directory when it has kids. A process that is inside a directory, or has a file open, holds the inode.
type simInode struct {
	parent *simInode // of a directory; nil when it was removed
	kids   map[string]*simInode
	data   []byte
	links  int
	mtime  time.Time
	pinned int // published trees that it belongs to: it must not change
}

// simVolume is a file system in memory. Each method is one system call.
type simVolume struct {
	mu       sync.Mutex
	root     *simInode
	used     int64
	capacity int64 // of bytes; a file or directory takes simInodeBytes
	noLinks  bool
	// broken is told of what must never happen.
	broken func(format string, arguments ...any)
	// renamed sees each rename of a directory before others can.
	renamed func(from, to string, node *simInode)
}

const simInodeBytes = 64

func newSimVolume() *simVolume {
	return &simVolume{root: &simInode{kids: map[string]*simInode{}}, capacity: 1 << 50}
}

// walk finds what path names, from a directory or from the root.
func (v *simVolume) walk(base *simInode, name string) (*simInode, error) {
	node := base
	if base == nil || strings.HasPrefix(name, "/") {
		node = v.root
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "" || part == ".":
			continue
		case node.kids == nil:
			return nil, errSimNotDir
		case part == "..":
			if node = node.parent; node == nil {
				return nil, errSimNoEntry
			}
			continue
		}
		next, there := node.kids[part]
		if !there {
			return nil, errSimNoEntry
		}
		node = next
	}
	return node, nil
}

// parent finds the directory in which path names something.
func (v *simVolume) parent(base *simInode, name string) (*simInode, string, error) {
	dir, last := path.Split(name)
	node, err := v.walk(base, dir)
	switch {
	case err != nil:
		return nil, "", err
	case node.kids == nil:
		return nil, "", errSimNotDir
	case node != v.root && node.parent == nil:
		return nil, "", errSimNoEntry // it was removed
	}
	return node, last, nil
}

func (v *simVolume) find(base *simInode, name string) *simInode {
	v.mu.Lock()
	defer v.mu.Unlock()
	node, _ := v.walk(base, name)
	return node
}

func (v *simVolume) put(dir *simInode, name string, node *simInode) {
	if dir.pinned > 0 {
		v.broken("an entry %q was made in a published tree", name)
	}
	dir.kids[name] = node
	if node.kids != nil {
		node.parent = dir
	} else {
		node.links++
	}
}

// drop takes an entry away.
func (v *simVolume) drop(dir *simInode, name string) {
	if dir.pinned > 0 {
		v.broken("an entry %q was removed from a published tree", name)
	}
	node := dir.kids[name]
	delete(dir.kids, name)
	if node.kids != nil {
		node.parent = nil
		v.used -= simInodeBytes
		return
	}
	if node.links--; node.links == 0 {
		v.used -= simInodeBytes + int64(len(node.data))
	}
}

func (v *simVolume) take(bytes int64) bool {
	if v.used+bytes > v.capacity {
		return false
	}
	v.used += bytes
	return true
}

func (v *simVolume) mkdir(base *simInode, name string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	dir, last, err := v.parent(base, name)
	switch {
	case err != nil:
		return err
	case last == "" || last == "." || dir.kids[last] != nil:
		return errSimExists
	case !v.take(simInodeBytes):
		return errSimNoSpace
	}
	v.put(dir, last, &simInode{kids: map[string]*simInode{}, mtime: time.Now()})
	return nil
}

// mkdirAll is mkdir -p.
func (v *simVolume) mkdirAll(base *simInode, name string) error {
	made := ""
	for part := range strings.SplitSeq(name, "/") {
		made += part
		if part != "" && part != ".." && part != "." {
			if err := v.mkdir(base, made); err != nil && !errors.Is(err, errSimExists) {
				return err
			}
			if node := v.find(base, made); node != nil && node.kids == nil {
				return errSimNotDir
			}
		}
		made += "/"
	}
	return nil
}

// open opens a file for writing, and makes it where it is not there.
func (v *simVolume) open(base *simInode, name string, truncate bool) (*simInode, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	dir, last, err := v.parent(base, name)
	if err != nil {
		return nil, err
	}
	node := dir.kids[last]
	if node == nil {
		if !v.take(simInodeBytes) {
			return nil, errSimNoSpace
		}
		node = &simInode{mtime: time.Now()}
		v.put(dir, last, node)
	}
	if node.kids != nil {
		return nil, errSimIsDir
	}
	if truncate && len(node.data) > 0 {
		v.touched(node)
		v.used -= int64(len(node.data))
		node.data = nil
	}
	return node, nil
}

// touched is called before the content of a file changes.
func (v *simVolume) touched(node *simInode) {
	if node.pinned > 0 {
		v.broken("a file of a published tree was written to")
	}
	node.mtime = time.Now()
}

// writeAt writes to an open file, whatever its name is by now. A volume that becomes full takes a part.
func (v *simVolume) writeAt(node *simInode, data []byte, offset int64) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	var err error
	if node.links > 0 { // what has no name any more takes no room in this model
		if free := v.capacity - v.used; offset+int64(len(data))-int64(len(node.data)) > max(0, free) {
			data = data[:min(int64(len(data)), max(0, int64(len(node.data))+max(0, free)-offset))]
			err = errSimNoSpace
		}
	}
	end := offset + int64(len(data))
	if len(data) == 0 {
		return err
	}
	if int64(len(node.data)) >= end && bytes.Equal(node.data[offset:end], data) {
		return err
	}
	v.touched(node)
	grown := slices.Clone(node.data)
	if more := end - int64(len(grown)); more > 0 {
		grown = append(grown, make([]byte, more)...)
		if node.links > 0 {
			v.used += more
		}
	}
	copy(grown[offset:], data)
	node.data = grown
	return err
}

// read gives the content of a file by its name.
func (v *simVolume) read(base *simInode, name string) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	node, err := v.walk(base, name)
	switch {
	case err != nil:
		return nil, err
	case node.kids != nil:
		return nil, errSimIsDir
	}
	return node.data, nil
}

// link makes another name for a file; an existing one is replaced, as tar does it.
func (v *simVolume) link(base *simInode, old, name string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	node, err := v.walk(base, old)
	if err != nil {
		return err
	}
	dir, last, err := v.parent(base, name)
	switch {
	case err != nil:
		return err
	case node.kids != nil || v.noLinks:
		return errSimNoLinks
	}
	if there := dir.kids[last]; there != nil {
		if there.kids != nil {
			return errSimExists
		}
		v.drop(dir, last)
	}
	v.put(dir, last, node)
	return nil
}

// rename is mv -f -T.
func (v *simVolume) rename(base *simInode, old, name string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	from, first, err := v.parent(base, old)
	if err != nil {
		return err
	}
	node := from.kids[first]
	to, last, err := v.parent(base, name)
	switch {
	case node == nil:
		return errSimNoEntry
	case err != nil:
		return err
	}
	if there := to.kids[last]; there != nil {
		switch {
		case there == node:
			return nil
		case there.kids == nil && node.kids != nil:
			return errSimNotDir
		case there.kids != nil && node.kids == nil:
			return errSimIsDir
		case len(there.kids) > 0:
			return errSimNotEmpty
		}
		v.drop(to, last)
	}
	if node.kids != nil && v.renamed != nil {
		v.renamed(v.nameOf(from)+"/"+first, v.nameOf(to)+"/"+last, node)
	}
	delete(from.kids, first)
	if from.pinned > 0 {
		v.broken("an entry %q was moved out of a published tree", first)
	}
	node.links--
	if node.kids != nil {
		node.links = 0
	}
	v.put(to, last, node)
	return nil
}

// nameOf is the path of a directory; it is for whoever holds mu.
// remove is rm -f of one file.
func (v *simVolume) remove(base *simInode, name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	dir, last, err := v.parent(base, name)
	if err != nil || dir.kids[last] == nil || dir.kids[last].kids != nil {
		return
	}
	v.drop(dir, last)
}

func (v *simVolume) rmdir(base *simInode, name string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	dir, last, err := v.parent(base, name)
	switch {
	case err != nil:
		return err
	case dir.kids[last] == nil:
		return errSimNoEntry
	case dir.kids[last].kids == nil:
		return errSimNotDir
	case len(dir.kids[last].kids) > 0:
		return errSimNotEmpty
	}
	v.drop(dir, last)
	return nil
}

// names lists a directory, sorted.
// files lists the regular files below a directory, with their paths in it, in order.
// pin marks a tree as published, or with -1 as not any more; it is for whoever holds mu.
