//go:build unix

package dataset

import (
	"crypto/sha256"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := plant(t, "labels.csv", "images/a.png", "images/new\nline.png", "images/c1\u0085.png", "other/x")
	must(t, os.Symlink("a.png", filepath.Join(dir, "images/link.png")))
	must(t, os.Symlink("/etc", filepath.Join(dir, "annotations")))
	must(t, os.Symlink("nowhere", filepath.Join(dir, "other/dangling")))
	must(t, syscall.Mkfifo(filepath.Join(dir, "images/fifo.png"), 0o644))
	socket, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(dir, "images/s.png"))
	must(t, err)
	defer func() { must(t, socket.Close()) }()
	d := open(t, dir)
	got := map[string]string{}
	for _, r := range d.Refused {
		got[r.Path] = r.Kind + ": " + r.Reason
		if r.Remedy == "" {
			t.Errorf("%q has no remedy", r.Path)
		}
	}
	want := map[string]string{
		"annotations": "symlink: is a symbolic link", "images/link.png": "symlink: is a symbolic link",
		"other/dangling": "symlink: is a symbolic link", "images/fifo.png": "special: is a FIFO", "images/s.png": "special: is a socket",
		"images/new\nline.png": "name: has the control character U+000A in its name",
		"images/c1\u0085.png":  "name: has the control character U+0085 in its name",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"images/a.png", "labels.csv", "other/x"}, paths(d.Entries)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	for task, want := range map[string]int{"image_classification": 5, "object_detection": 6, "tabular_classification": 0} {
		task, _ := TaskByName(task)
		if got := len(d.RefusedIn(task)); got != want {
			t.Errorf("%s: %d refused, want %d: %v", task.Name, got, want, d.RefusedIn(task))
		}
	}
}

func TestOpenRefusesSingle(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "fifo.csv")
	must(t, syscall.Mkfifo(fifo, 0o644))
	for path, want := range map[string]string{fifo: "FIFO", "/dev/null": "device"} {
		if d, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "is a "+want) {
			t.Errorf("Open(%q) = %v, %v; want it refused as a %s", path, d, err, want)
		}
	}
}

// TestOpenRefusesDevices walks the one directory that has devices everywhere.
func TestOpenRefusesDevices(t *testing.T) {
	t.Parallel()
	for _, options := range []Options{{}, {FollowSymlinks: true}} {
		d, err := OpenWith(t.Context(), "/dev", options)
		must(t, err)
		defer func() { must(t, d.Close()) }()
		want := Refused{Path: "null", Kind: RefusedSpecial, Reason: "is a device", Remedy: "remove it, or move it out of the dataset"}
		if !slices.Contains(d.Refused, want) {
			t.Errorf("%+v: /dev/null is not refused: %v", options, d.Refused)
		}
	}
}

// TestFollowToSpecial: neither a FIFO nor a socket behind a link is opened, which would block.
func TestFollowToSpecial(t *testing.T) {
	t.Parallel()
	dir := plant(t, "labels.csv", "images/a.png")
	must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644))
	socket, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(dir, "s"))
	must(t, err)
	defer func() { must(t, socket.Close()) }()
	link(t, dir, map[string]string{"images/f.png": "../fifo", "images/s.png": "../s"})
	d := follow(t, dir)
	for path, want := range map[string]string{"images/f.png": "is a symbolic link to a FIFO", "images/s.png": "is a symbolic link to a socket"} {
		i := slices.IndexFunc(d.Refused, func(r Refused) bool { return r.Path == path })
		if i < 0 || d.Refused[i].Kind != RefusedSpecial || d.Refused[i].Reason != want {
			t.Errorf("%q is not refused with %q: %+v", path, want, d.Refused)
		}
	}
}

// TestOpenFileSpecial: what was put in a file's place, or in that of what a link leads to, is named and not waited for.
func TestOpenFileSpecial(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"images/a.png", "images/link.png"} {
		dir := plant(t, "labels.csv", "images/a.png")
		link(t, dir, map[string]string{"images/link.png": "a.png"})
		d := follow(t, dir)
		e, _ := d.Entry(path)
		target := filepath.Join(dir, "images/a.png")
		must(t, replace(target, func() error { return syscall.Mkfifo(target, 0o644) }))
		var changed *ChangedError
		_, err := d.OpenFile(NewFile(e, sha256.Sum256(nil)))
		if !errors.As(err, &changed) || changed.Path != path || changed.What != "it is now a FIFO" {
			t.Errorf("OpenFile(%q) = %v, want it named as a FIFO", path, err)
		}
	}
}

// TestListReplaced: a FIFO or a link in the place of a directory that is about to be listed.
func TestListReplaced(t *testing.T) {
	t.Parallel()
	dir := plant(t, "labels.csv", "images/a.png", "other/x")
	must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644))
	link(t, dir, map[string]string{"inside": "images", "outside": "/etc", "around": "around"})
	for _, options := range []Options{{}, {FollowSymlinks: true}} {
		w := newWalker(open(t, dir), options)
		for _, path := range []string{"fifo", "labels.csv", "inside", "outside", "around"} {
			var changed *ChangedError
			if err := w.directory(t.Context(), found{path: path}); !errors.As(err, &changed) || changed.Path != path {
				t.Errorf("%q in the place of a directory gave %v, want a ChangedError", path, err)
			}
		}
		must(t, w.directory(t.Context(), found{path: "gone"}))
	}
}

// TestOpenRefusesUnreadable: root reads everything, so the thread gives up being root where it is.
func TestOpenRefusesUnreadable(t *testing.T) {
	t.Parallel()
	dir := plant(t, "labels.csv", "images/a.png", "closed/b.png", "images/listed/c.png")
	must(t, os.Chmod(filepath.Join(dir, "images/a.png"), 0))
	must(t, os.Chmod(filepath.Join(dir, "closed"), 0))
	must(t, os.Chmod(filepath.Join(dir, "images/listed"), 0o444))
	t.Cleanup(func() { must(t, os.Chmod(filepath.Join(dir, "closed"), 0o700)) })
	t.Cleanup(func() { must(t, os.Chmod(filepath.Join(dir, "images/listed"), 0o700)) })
	link(t, dir, map[string]string{"images/link.png": "../closed/b.png", "images/peek.png": "listed/c.png"})
	type outcome struct {
		refused []string
		entries []string
		read    error
	}
	d := open(t, dir)
	*d = Dataset{Root: d.Root} // nobody need not be able to reach the directory, which is open
	must(t, os.Chmod(dir, 0o755))
	done := make(chan outcome)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		beNobody()
		var o outcome
		defer func() { done <- o }()
		if o.read = newWalker(d, Options{FollowSymlinks: true}).all(t.Context()); o.read != nil {
			return
		}
		for _, r := range d.Refused {
			o.refused = append(o.refused, r.Path+": "+r.Kind+": "+r.Reason)
		}
		o.entries = paths(d.Entries)
		e, _ := d.Entry("images/a.png")
		_, o.read = d.OpenEntry(e)
	}()
	o := <-done
	wantRefused := []string{
		"closed: unreadable: is a directory that cannot be read: permission denied",
		`images/link.png: unreadable: is a symbolic link to "../closed/b.png", whose target cannot be read: permission denied`,
		"images/listed: unreadable: is a directory that cannot be read: permission denied",
		`images/peek.png: unreadable: is a symbolic link to "listed/c.png", whose target cannot be read: permission denied`,
	}
	if diff := cmp.Diff(wantRefused, o.refused); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"images/a.png", "labels.csv"}, o.entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if !errors.Is(o.read, os.ErrPermission) {
		t.Errorf("OpenEntry() of an unreadable file = %v, want permission denied", o.read)
	}
}
