//go:build linux

// Package slowfs is a file system whose metadata operations take time, as those of a network file system do: it passes
// everything through to a directory, and waits before each operation that costs such a volume a round trip.
package slowfs

import (
	"fmt"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// cached is how long the kernel keeps names, attributes and the lack of names before it asks again; NFS clients start with seconds.
const cached = time.Second

// Volume is a mounted file system.
type Volume struct {
	server *fuse.Server
	slow   *slow
}

// Mount shows the directory source at the directory dir, to every user of the machine and under the usual rules of
// permission; what a user makes belongs to that user. It mounts without the help of other programs, which needs root and
// /dev/fuse.
func Mount(source, dir string, delay time.Duration) (*Volume, error) {
	root, err := fs.NewLoopbackRoot(source)
	if err != nil {
		return nil, fmt.Errorf("mount %q: %w", source, err)
	}
	timeout := cached
	options := &fs.Options{EntryTimeout: &timeout, AttrTimeout: &timeout, NegativeTimeout: &timeout}
	s := &slow{RawFileSystem: fs.NewNodeFS(root, options), delay: delay}
	server, err := fuse.NewServer(s, dir, &fuse.MountOptions{
		AllowOther:        true,
		Options:           []string{"default_permissions"},
		FsName:            "slowfs",
		Name:              "slowfs",
		MaxWrite:          1 << 20,
		DirectMountStrict: true,
		DisableXAttrs:     true,
	})
	if err != nil {
		return nil, fmt.Errorf("mount %q at %q: %w", source, dir, err)
	}
	go server.Serve()
	if err := server.WaitMount(); err != nil {
		return nil, fmt.Errorf("mount %q at %q: %w", source, dir, err)
	}
	return &Volume{server: server, slow: s}, nil
}

// Unmount takes it away. It fails while a file of it is open.
func (v *Volume) Unmount() error { return v.server.Unmount() }

// Wait waits until it is unmounted, by Unmount or by anybody else.
func (v *Volume) Wait() { v.server.Wait() }

// Counts are the operations that were asked for, by their names in FUSE. Those on data, such as read and write, take no
// extra time and are not counted.
func (v *Volume) Counts() map[string]int64 { return v.slow.snapshot() }
