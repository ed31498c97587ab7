//go:build linux

package slowfs

import (
	"maps"
	"sync"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// slow waits before each operation on metadata and counts it. What it does not name goes straight through.
type slow struct {
	fuse.RawFileSystem
	delay time.Duration

	mu     sync.Mutex
	counts map[string]int64
}

// pay counts an operation and takes its time, which many operations can do at once.
func (s *slow) pay(operation string) {
	s.mu.Lock()
	if s.counts == nil {
		s.counts = map[string]int64{}
	}
	s.counts[operation]++
	s.mu.Unlock()
	time.Sleep(s.delay)
}

func (s *slow) snapshot() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

func (s *slow) Lookup(cancel <-chan struct{}, header *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	s.pay("lookup")
	return s.RawFileSystem.Lookup(cancel, header, name, out)
}

func (s *slow) GetAttr(cancel <-chan struct{}, input *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	s.pay("getattr")
	return s.RawFileSystem.GetAttr(cancel, input, out)
}

func (s *slow) SetAttr(cancel <-chan struct{}, input *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	s.pay("setattr")
	return s.RawFileSystem.SetAttr(cancel, input, out)
}

func (s *slow) Mknod(cancel <-chan struct{}, input *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	s.pay("mknod")
	return s.RawFileSystem.Mknod(cancel, input, name, out)
}

func (s *slow) Mkdir(cancel <-chan struct{}, input *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	s.pay("mkdir")
	return s.RawFileSystem.Mkdir(cancel, input, name, out)
}

func (s *slow) Unlink(cancel <-chan struct{}, header *fuse.InHeader, name string) fuse.Status {
	s.pay("unlink")
	return s.RawFileSystem.Unlink(cancel, header, name)
}

func (s *slow) Rmdir(cancel <-chan struct{}, header *fuse.InHeader, name string) fuse.Status {
	s.pay("rmdir")
	return s.RawFileSystem.Rmdir(cancel, header, name)
}

func (s *slow) Rename(cancel <-chan struct{}, input *fuse.RenameIn, from, to string) fuse.Status {
	s.pay("rename")
	return s.RawFileSystem.Rename(cancel, input, from, to)
}

func (s *slow) Link(cancel <-chan struct{}, input *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	s.pay("link")
	return s.RawFileSystem.Link(cancel, input, name, out)
}

func (s *slow) Symlink(cancel <-chan struct{}, header *fuse.InHeader, to, name string, out *fuse.EntryOut) fuse.Status {
	s.pay("symlink")
	return s.RawFileSystem.Symlink(cancel, header, to, name, out)
}

func (s *slow) Readlink(cancel <-chan struct{}, header *fuse.InHeader) ([]byte, fuse.Status) {
	s.pay("readlink")
	return s.RawFileSystem.Readlink(cancel, header)
}

func (s *slow) Create(cancel <-chan struct{}, input *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	s.pay("create")
	return s.RawFileSystem.Create(cancel, input, name, out)
}

func (s *slow) Open(cancel <-chan struct{}, input *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	s.pay("open")
	return s.RawFileSystem.Open(cancel, input, out)
}

// Flush is a close, at which network file systems bring what was written to the server.
func (s *slow) Flush(cancel <-chan struct{}, input *fuse.FlushIn) fuse.Status {
	s.pay("flush")
	return s.RawFileSystem.Flush(cancel, input)
}

func (s *slow) Fsync(cancel <-chan struct{}, input *fuse.FsyncIn) fuse.Status {
	s.pay("fsync")
	return s.RawFileSystem.Fsync(cancel, input)
}

func (s *slow) FsyncDir(cancel <-chan struct{}, input *fuse.FsyncIn) fuse.Status {
	s.pay("fsyncdir")
	return s.RawFileSystem.FsyncDir(cancel, input)
}

func (s *slow) OpenDir(cancel <-chan struct{}, input *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	s.pay("opendir")
	return s.RawFileSystem.OpenDir(cancel, input, out)
}

func (s *slow) ReadDir(cancel <-chan struct{}, input *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	s.pay("readdir")
	return s.RawFileSystem.ReadDir(cancel, input, out)
}

func (s *slow) ReadDirPlus(cancel <-chan struct{}, input *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	s.pay("readdirplus")
	return s.RawFileSystem.ReadDirPlus(cancel, input, out)
}

func (s *slow) StatFs(cancel <-chan struct{}, input *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	s.pay("statfs")
	return s.RawFileSystem.StatFs(cancel, input, out)
}
