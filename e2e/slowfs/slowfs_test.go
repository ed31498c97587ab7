//go:build linux

package slowfs

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func mount(t *testing.T, delay time.Duration) (*Volume, string) {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil || os.Getuid() != 0 {
		t.Fatalf("this test mounts a file system: it needs root and /dev/fuse (%v)", err)
	}
	dir := t.TempDir()
	source, at := filepath.Join(dir, "source"), filepath.Join(dir, "at")
	for _, d := range []string{source, at} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	v, err := Mount(source, at, delay)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Unmount(); err != nil {
			t.Error(err)
		}
		v.Wait()
	})
	return v, at
}

func TestPassesThrough(t *testing.T) {
	v, at := mount(t, 0)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	data := bytes.Repeat([]byte("data"), 1<<20)
	a, b, c := filepath.Join(at, "dir", "a"), filepath.Join(at, "dir", "b"), filepath.Join(at, "c")
	must(os.Mkdir(filepath.Join(at, "dir"), 0o755))
	must(os.WriteFile(a, data, 0o644))
	must(os.Link(a, b))
	must(os.Rename(b, c))
	must(os.Chmod(c, 0o600))
	must(os.Remove(a))
	if got, err := os.ReadFile(c); err != nil || !bytes.Equal(got, data) {
		t.Errorf("read %d bytes of %d, %v", len(got), len(data), err)
	}
	if info, err := os.Stat(filepath.Join(filepath.Dir(at), "source", "c")); err != nil || info.Mode() != 0o600 {
		t.Errorf("the source has %v, %v", info, err)
	}
	counts := v.Counts()
	for operation, least := range map[string]int64{"mkdir": 1, "create": 1, "link": 1, "rename": 1, "setattr": 1, "unlink": 1, "open": 1, "flush": 2, "lookup": 4} {
		if counts[operation] < least {
			t.Errorf("%s was counted %d times, want %d or more: %v", operation, counts[operation], least, counts)
		}
	}
}

// Two names of a hard link are one file.
func TestHardLinks(t *testing.T) {
	_, at := mount(t, 0)
	a, b := filepath.Join(at, "a"), filepath.Join(at, "b")
	if err := os.WriteFile(a, []byte("first"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(a, b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b, []byte("second"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(a); err != nil || string(got) != "second" {
		t.Errorf("got %q, %v", got, err)
	}
	one, err := os.Stat(a)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.Stat(b)
	if err != nil {
		t.Fatal(err)
	}
	if links := one.Sys().(*syscall.Stat_t).Nlink; !os.SameFile(one, other) || links != 2 {
		t.Errorf("the same file: %t, %d links", os.SameFile(one, other), links)
	}
}

// Every counted operation takes the time that it was given, or longer.
func TestDelay(t *testing.T) {
	const delay = 5 * time.Millisecond
	v, at := mount(t, delay)
	sum := func() (n int64) {
		for _, count := range v.Counts() {
			n += count
		}
		return n
	}
	before, started := sum(), time.Now()
	for _, name := range []string{"a", "b", "c"} {
		if err := os.WriteFile(filepath.Join(at, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	spent, n := time.Since(started), sum()-before
	if n < 3*2 || spent < time.Duration(n)*delay {
		t.Errorf("three files took %d operations and %s", n, spent)
	}
}
