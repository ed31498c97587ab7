//go:build unix

package stage

import (
	"maps"
	"slices"
	"time"
)

func (v *simVolume) nameOf(node *simInode) string {
	if node == v.root || node.parent == nil {
		return ""
	}
	for name, kid := range node.parent.kids {
		if kid == node {
			return v.nameOf(node.parent) + "/" + name
		}
	}
	return ""
}

func (v *simVolume) names(base *simInode, name string) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	node, err := v.walk(base, name)
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(node.kids))
}

func (v *simVolume) files(base *simInode, name string) []simFile {
	v.mu.Lock()
	defer v.mu.Unlock()
	node, err := v.walk(base, name)
	if err != nil {
		return nil
	}
	return listFiles(nil, "", node)
}

type simFile struct {
	path string
	node *simInode
	data []byte
	at   time.Time
}

func listFiles(all []simFile, prefix string, node *simInode) []simFile {
	for _, name := range slices.Sorted(maps.Keys(node.kids)) {
		kid := node.kids[name]
		if kid.kids != nil {
			all = listFiles(all, prefix+name+"/", kid)
		} else {
			all = append(all, simFile{path: prefix + name, node: kid, data: kid.data, at: kid.mtime})
		}
	}
	return all
}

func (v *simVolume) pin(node *simInode, by int) {
	node.pinned += by
	for _, kid := range node.kids {
		v.pin(kid, by)
	}
}
