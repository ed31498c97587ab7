package dataset

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// link makes symbolic links in dir: target by path.
func link(t testing.TB, dir string, links map[string]string) {
	t.Helper()
	for path, target := range links {
		full := filepath.Join(dir, path)
		must(t, os.MkdirAll(filepath.Dir(full), 0o755))
		must(t, os.Symlink(target, full))
	}
}

func follow(t testing.TB, path string) *Dataset {
	t.Helper()
	d, err := OpenWith(t.Context(), path, Options{FollowSymlinks: true})
	must(t, err)
	t.Cleanup(func() { must(t, d.Close()) })
	return d
}

func TestFollow(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		files []string
		links map[string]string
		want  []string // the entries that are not in files
		dirs  []string
	}{
		{"file", []string{"images/a.png"}, map[string]string{"images/b.png": "a.png", "labels.csv": "images/a.png"}, []string{"images/b.png", "labels.csv"}, []string{"images"}},
		{"directory", []string{"raw/images/a.png", "raw/images/deep/b.png"}, map[string]string{"images": "raw/images"},
			[]string{"images/a.png", "images/deep/b.png"}, []string{"images", "raw"}},
		{"directory with a slash", []string{"raw/a.png"}, map[string]string{"images": "./raw/"}, []string{"images/a.png"}, []string{"images", "raw"}},
		{"directory deeper", []string{"pool/a.png"}, map[string]string{"images/cats": "../pool"}, []string{"images/cats/a.png"}, []string{"images", "pool"}},
		{"through other links", []string{"x/y/a.png"}, map[string]string{"z": "x/y", "images/b.png": "../z/c.png", "x/y/c.png": "a.png"},
			[]string{"images/b.png", "x/y/c.png", "z/a.png", "z/c.png"}, []string{"images", "x", "z"}},
		{"links in a linked directory", []string{"raw/a.png"}, map[string]string{"raw/b.png": "a.png", "raw/c.png": "../raw/b.png", "images": "raw"},
			[]string{"images/a.png", "images/b.png", "images/c.png", "raw/b.png", "raw/c.png"}, []string{"images", "raw"}},
		{"into a hidden directory", []string{".pool/a.png", ".pool/.b"}, map[string]string{"images/x.png": "../.pool/a.png", "masks": ".pool", "images/y.png": "../.pool/.b"},
			[]string{"images/x.png", "images/y.png", "masks/a.png"}, []string{"images", "masks"}},
		{"hidden link", []string{"images/a.png"}, map[string]string{"images/.b.png": "a.png", ".c": "images"}, nil, []string{"images"}},
		{"one directory by many links", []string{"pool/a.png"}, map[string]string{"l1": "pool", "l2": "pool", "l3": "l1", "l4": "l3"},
			[]string{"l1/a.png", "l2/a.png", "l3/a.png", "l4/a.png"}, []string{"l1", "l2", "l3", "l4", "pool"}},
		{"out and back in by names that stay inside", []string{"a/b/x.png"}, map[string]string{"a/c/y.png": "../../a/./b/../b/x.png"}, []string{"a/c/y.png"}, []string{"a"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := plant(t, c.files...)
			link(t, dir, c.links)
			d := follow(t, dir)
			if len(d.Refused) != 0 {
				t.Errorf("refused %+v", d.Refused)
			}
			var got []string
			for _, e := range d.Entries {
				content, err := readFile(d, e)
				if err != nil || content == "" || e.Size != int64(len(content)) {
					t.Errorf("entry %+v reads as %q, %v", e, content, err)
				}
				if e.linked {
					got = append(got, e.Path)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("linked entries (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.dirs, d.Dirs); diff != "" {
				t.Errorf("dirs (-want +got):\n%s", diff)
			}
			for _, have := range c.dirs {
				if !d.HasDir(have) || len(d.InDir(have)) == 0 {
					t.Errorf("directory %q: %v with %d entries", have, d.HasDir(have), len(d.InDir(have)))
				}
			}
		})
	}
}

func readFile(d *Dataset, e Entry) (string, error) {
	file, err := d.OpenFile(NewFile(e, sha256.Sum256(nil)))
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(file)
	return string(content), errors.Join(err, file.Close())
}

// TestFollowIdentity: a followed file is the one that the link leads to.
func TestFollowIdentity(t *testing.T) {
	t.Parallel()
	dir := plant(t, "images/a.png")
	link(t, dir, map[string]string{"images/b.png": "a.png"})
	d := follow(t, dir)
	a, _ := d.Entry("images/a.png")
	b, ok := d.Entry("images/b.png")
	if !ok || a.linked || !b.linked || a.id != b.id || a.Size != b.Size {
		t.Errorf("entries %+v and %+v; want one file under two paths", a, b)
	}
}

func TestFollowRefuses(t *testing.T) {
	t.Parallel()
	for target, want := range map[string][2]string{
		"":               {}, // the file that stands there otherwise
		"../../x":        {`is a symbolic link to "../../x", which leads out of the dataset`, "cp -RL"},
		"../..":          {`is a symbolic link to "../..", which leads out of the dataset`, "cp -RL"},
		"../other/out":   {`is a symbolic link to "../other/out", which leads out of the dataset`, "cp -RL"},
		"../other/etc/x": {`is a symbolic link to "../other/etc/x", which leads out of the dataset`, "cp -RL"},
		"/etc/passwd":    {`is a symbolic link to the absolute path "/etc/passwd"`, "relative"},
		"nowhere":        {`is a symbolic link to "nowhere", which leads to nothing`, "remove the link"},
		"a.png/b":        {`is a symbolic link to "a.png/b", which leads to nothing`, "remove the link"},
		"../other/none":  {`is a symbolic link to "../other/none", which leads to nothing`, "remove the link"},
		"link":           {`is a symbolic link to "link", which leads in a circle`, "remove the link"},
		"../other/back":  {`is a symbolic link to "../other/back", which leads in a circle`, "remove the link"},
		".":              {"is a symbolic link to a directory that it stands in", "remove the link"},
		"..":             {"is a symbolic link to a directory that it stands in", "remove the link"},
		"../images":      {"is a symbolic link to a directory that it stands in", "remove the link"},
		"../other/up":    {"is a symbolic link to a directory that it stands in", "remove the link"},
		"../chain/0":     {`is a symbolic link to "../chain/0", which leads through too many others`, "straight"},
	} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			dir := plant(t, "images/a.png", "other/x")
			links := map[string]string{"other/out": "../../x", "other/etc": "/etc", "other/none": "nothing", "other/back": "../images/link", "other/up": ".."}
			for i := range 12 {
				links[fmt.Sprintf("chain/%d", i)] = fmt.Sprint(i + 1)
			}
			links["chain/12"] = "../images/a.png"
			if target != "" {
				links["images/link"] = target
			}
			link(t, dir, links)
			d := follow(t, dir)
			var got []string
			for _, r := range d.Refused {
				if r.Path == "images/link" {
					got = append(got, r.Reason)
					if r.Kind != RefusedSymlink || !strings.Contains(r.Remedy, want[1]) {
						t.Errorf("refused %+v, want a symlink with %q for the remedy", r, want[1])
					}
				}
			}
			if target == "" && len(got) != 0 || target != "" && (len(got) != 1 || got[0] != want[0]) {
				t.Errorf("refused as %q, want %q once", got, want[0])
			}
			if _, ok := d.Entry("images/a.png"); !ok || len(d.InDir("images")) != 1 {
				t.Errorf("entries %q", paths(d.Entries))
			}
		})
	}
}

// TestFollowWithoutTheFlag: the refusal names both ways out.
func TestFollowWithoutTheFlag(t *testing.T) {
	t.Parallel()
	dir := plant(t, "raw/a.png")
	link(t, dir, map[string]string{"images": "raw"})
	d := open(t, dir)
	if len(d.Refused) != 1 || d.HasDir("images") || !strings.Contains(d.Refused[0].Remedy, "--follow-symlinks") || !strings.Contains(d.Refused[0].Remedy, "cp -RL") {
		t.Errorf("refused %+v, dirs %q", d.Refused, d.Dirs)
	}
}

// TestFollowEnds: links between directories neither go on for ever nor multiply without a bound.
func TestFollowEnds(t *testing.T) {
	t.Parallel()
	dir := plant(t, "a/1.png", "b/2.png")
	link(t, dir, map[string]string{"a/b": "../b", "b/a": "../a"})
	d := follow(t, dir)
	if diff := cmp.Diff([]string{"a/1.png", "a/b/2.png", "b/2.png", "b/a/1.png"}, paths(d.Entries)); diff != "" {
		t.Errorf("two directories with links to each other (-want +got):\n%s", diff)
	}
	const directories, bound = 12, 2000
	dir = t.TempDir()
	for i := range directories {
		must(t, os.Mkdir(filepath.Join(dir, fmt.Sprint(i)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, fmt.Sprint(i), "x.png"), []byte("x"), 0o644))
		for j := range directories {
			link(t, dir, map[string]string{fmt.Sprintf("%d/to%d", i, j): fmt.Sprintf("../%d", j)})
		}
	}
	d = open(t, dir)
	*d = Dataset{Root: d.Root}
	w := newWalker(d, Options{FollowSymlinks: true})
	w.trail.left = bound
	must(t, w.all(t.Context()))
	if w.seen > 2*bound || w.seen < bound {
		t.Errorf("%d names were read; want about %d", w.seen, bound)
	}
	stopped := 0
	for _, r := range d.Refused {
		if strings.Contains(r.Reason, "over and over again") {
			stopped++
		}
	}
	if stopped == 0 || len(w.trail.above) != 0 {
		t.Errorf("%d directories refused, %d left on the trail", stopped, len(w.trail.above))
	}
}

// TestOpenFileLinked: a followed link is followed again only to the file that it led to.
func TestOpenFileLinked(t *testing.T) {
	t.Parallel()
	point := func(link, target string) func(dir string) error {
		return func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, link)), os.Symlink(target, filepath.Join(dir, link)))
		}
	}
	cases := []struct {
		name   string
		change func(dir string) error
		want   string // "" when the file opens
	}{
		{"as it was", func(string) error { return nil }, ""},
		{"another way to the same file", point("images/l.png", "../images/../raw/a.png"), ""},
		{"another file", point("images/l.png", "../raw/b.png"), "another file stands in its place"},
		{"a longer file", point("images/l.png", "../raw/long.png"), "another file stands in its place"},
		{"out", point("images/l.png", "../../secret"), "the link to it leads elsewhere now"},
		{"out by an absolute path", point("images/l.png", "/etc/passwd"), "the link to it leads elsewhere now"},
		{"in a circle", point("images/l.png", "l.png"), "the link to it leads elsewhere now"},
		{"nowhere", point("images/l.png", "gone"), "it is gone"},
		{"a directory", point("images/l.png", "../raw"), "it is now a directory"},
		{"another link on the way", point("way", "other"), "another file stands in its place"},
		{"another link on the way, out", point("way", "/"), "the link to it leads elsewhere now"},
		{"link gone", func(dir string) error { return os.Remove(filepath.Join(dir, "images/l.png")) }, "it is gone"},
		{"target gone", func(dir string) error { return os.Remove(filepath.Join(dir, "raw/a.png")) }, "it is gone"},
		{"target written", func(dir string) error { return os.Truncate(filepath.Join(dir, "raw/a.png"), 1) }, "it shrank from 5 to 1 bytes"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := plant(t, "raw/a.png", "raw/b.png", "raw/long.png", "other/a.png")
			link(t, dir, map[string]string{"way": "raw", "images/l.png": "../way/a.png"})
			d := follow(t, dir)
			e, ok := d.Entry("images/l.png")
			if !ok {
				t.Fatalf("no entry; refused %+v", d.Refused)
			}
			must(t, c.change(dir))
			content, err := readFile(d, e)
			if c.want == "" {
				if err != nil || content != "a.png" {
					t.Errorf("read %q, %v", content, err)
				}
				return
			}
			var changed *ChangedError
			if !errors.As(err, &changed) || changed.Path != e.Path || changed.What != c.want {
				t.Errorf("OpenFile() = %q, %v, want %q", content, err, c.want)
			}
		})
	}
}
