package dataset

import (
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOpenFile(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		change func(path string) error
		want   string // "" when the file opens
	}{
		{"as it was", func(string) error { return nil }, ""},
		{"other permissions", func(p string) error { return os.Chmod(p, 0o600) }, ""},
		{"gone", os.Remove, "it is gone"},
		{"directory gone", func(p string) error { return os.RemoveAll(filepath.Dir(p)) }, "it is gone"},
		{"grown", func(p string) error { return os.WriteFile(p, []byte("a.png and more"), 0o644) }, "it grew from 5 to 14 bytes"},
		{"shrunk", func(p string) error { return os.Truncate(p, 2) }, "it shrank from 5 to 2 bytes"},
		{"written again", func(p string) error { return os.Chtimes(p, time.Time{}, time.Unix(1e9, 0)) }, "it was written again"},
		{"replaced", func(p string) error { return replaceKeepingTime(p) }, "another file stands in its place"},
		{"replaced by a link out", func(p string) error { return replace(p, func() error { return os.Symlink("/etc/hostname", p) }) }, "it is now a symbolic link"},
		{"replaced by a link inside", func(p string) error { return replace(p, func() error { return os.Symlink("b.png", p) }) }, "it is now a symbolic link"},
		{"replaced by a link to itself, moved", func(p string) error {
			return errors.Join(os.Rename(p, p+".moved"), os.Symlink("a.png.moved", p))
		}, "it is now a symbolic link"},
		{"directory replaced by a link out", func(p string) error {
			return errors.Join(os.Rename(filepath.Dir(p), filepath.Dir(p)+"2"), os.Symlink("/etc", filepath.Dir(p)))
		}, "the directory it stands in was replaced"},
		{"directory replaced by a file", func(p string) error {
			return errors.Join(os.RemoveAll(filepath.Dir(p)), os.WriteFile(filepath.Dir(p), nil, 0o644))
		}, "the directory it stands in was replaced"},
		{"replaced by a longer file", func(p string) error {
			return errors.Join(os.WriteFile(p+".new", []byte("another file"), 0o644), os.Rename(p+".new", p))
		}, "another file stands in its place"},
		{"replaced by a directory", func(p string) error { return replace(p, func() error { return os.Mkdir(p, 0o755) }) }, "it is now a directory"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := plant(t, "labels.csv", "images/a.png", "images/b.png")
			d := open(t, dir)
			e, _ := d.Entry("images/a.png")
			must(t, c.change(filepath.Join(dir, "images", "a.png")))
			file, err := d.OpenFile(NewFile(e, sha256.Sum256([]byte("a.png"))))
			if c.want == "" {
				must(t, err)
				data, err := io.ReadAll(file)
				if err != nil || string(data) != "a.png" {
					t.Errorf("read %q, %v", data, err)
				}
				must(t, file.Close())
				return
			}
			var changed *ChangedError
			if !errors.As(err, &changed) || changed.Path != "images/a.png" || changed.What != c.want {
				t.Errorf("OpenFile() = %v, want %q", err, c.want)
			}
		})
	}
}

func replace(path string, by func() error) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	return by()
}

// replaceKeepingTime puts another file of the same size and time in the place of path.
func replaceKeepingTime(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", []byte("z.png"), 0o644); err != nil {
		return err
	}
	if err := os.Chtimes(path+".new", info.ModTime(), info.ModTime()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func TestOpenFileMadeByHand(t *testing.T) {
	t.Parallel()
	d := open(t, plant(t, "a.csv"))
	file, err := d.OpenFile(File{Path: "a.csv", Size: 5})
	must(t, err)
	must(t, file.Close())
	if _, err := d.OpenFile(File{Path: "a.csv", Size: 6}); err == nil || !strings.Contains(err.Error(), "shrank") {
		t.Errorf("OpenFile() with another size = %v", err)
	}
	if _, err := d.OpenFile(File{Path: "../a.csv", Size: 5}); err == nil {
		t.Error("OpenFile() left the root")
	}
}

func TestRecheck(t *testing.T) {
	t.Parallel()
	dir := plant(t, "a.csv")
	d := open(t, dir)
	e, _ := d.Entry("a.csv")
	file, err := d.OpenEntry(e)
	must(t, err)
	defer func() { must(t, file.Close()) }()
	must(t, d.Recheck(e, file))
	must(t, os.WriteFile(filepath.Join(dir, "a.csv"), []byte("a.csv, longer"), 0o644))
	var changed *ChangedError
	if err := d.Recheck(e, file); !errors.As(err, &changed) {
		t.Errorf("Recheck() after a write = %v", err)
	}
}

func TestManifest(t *testing.T) {
	t.Parallel()
	m := Manifest{
		{Path: "labels.csv", Size: 3, SHA256: sha256.Sum256([]byte("abc"))},
		{Path: "images/z\xff.png", Size: 0, SHA256: sha256.Sum256(nil)},
		{Path: "images/a b.png", Size: 0, SHA256: sha256.Sum256(nil)},
	}
	m.Sort()
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	want := empty + "  0  images/a b.png\n" + empty + "  0  images/z\xff.png\n" + abc + "  3  labels.csv\n"
	if got := string(m.Canonical()); got != want {
		t.Errorf("Canonical() =\n%q, want\n%q", got, want)
	}
	if got := m.TreeID(); got != "20150a7d98b2b5c8" {
		t.Errorf("TreeID() = %q", got)
	}
	if got := m.Bytes(); got != 3 {
		t.Errorf("Bytes() = %d, want 3", got)
	}
}
