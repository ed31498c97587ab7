package dataset

import (
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// These run on every system: what they expect of Windows they expect of others as well, or it follows from what the file system of the
// machine has made of a name.

// manifestOf hashes every file of a dataset.
func manifestOf(t *testing.T, d *Dataset) Manifest {
	t.Helper()
	var m Manifest
	for _, e := range d.Entries {
		file, err := d.OpenEntry(e)
		must(t, err)
		must(t, file.Close())
		data, err := os.ReadFile(filepath.Join(d.Root.Name(), filepath.FromSlash(e.Path)))
		must(t, err)
		m = append(m, NewFile(e, sha256.Sum256(data)))
	}
	m.Sort()
	return m
}

// spellings are ways to name a directory that a user of this system may type or paste.
func spellings(dir string) []string {
	sep := string(filepath.Separator)
	parent, name := filepath.Split(dir)
	all := []string{dir, dir + sep, dir + sep + ".", parent + "." + sep + name, dir + sep + ".." + sep + name, filepath.ToSlash(dir), filepath.ToSlash(dir) + "/"}
	if runtime.GOOS == "windows" {
		all = append(all, strings.ToUpper(dir), strings.ToLower(dir[:1])+dir[1:], `\\?\`+dir, `\\.\`+dir)
	}
	return all
}

// Paths of a dataset have slashes on every system, whatever way the dataset was named, so that equal data has an equal tree id.
func TestPathsOnEverySystem(t *testing.T) {
	dir := plant(t, "labels.csv", "images/a.png", "images/deep/er/b.png", "IMAGES.txt")
	want := []string{"IMAGES.txt", "images/a.png", "images/deep/er/b.png", "labels.csv"}
	const treeID = "3f88f7e470ce97ac"
	for _, spelling := range spellings(dir) {
		d := open(t, spelling)
		if diff := cmp.Diff(want, paths(d.Entries)); diff != "" {
			t.Errorf("%q:\n%s", spelling, diff)
		}
		if got := manifestOf(t, d).TreeID(); got != treeID {
			t.Errorf("%q: tree id %q, on every system it is %q", spelling, got, treeID)
		}
		if diff := cmp.Diff([]string{"images"}, d.Dirs); diff != "" || d.Path != spelling {
			t.Errorf("%q: path %q\n%s", spelling, d.Path, diff)
		}
		for _, e := range d.Entries {
			if !fs.ValidPath(e.Path) {
				t.Errorf("%q: path %q", spelling, e.Path)
			}
		}
	}
	t.Chdir(filepath.Dir(dir))
	d := open(t, "."+string(filepath.Separator)+filepath.Base(dir))
	if diff := cmp.Diff(want, paths(d.Entries)); diff != "" {
		t.Errorf("a relative path:\n%s", diff)
	}
}

// One CSV is named in the same ways.
func TestSingleCSVOnEverySystem(t *testing.T) {
	dir := plant(t, "my data/churn.csv")
	for _, spelling := range spellings(filepath.Join(dir, "my data")) {
		d := open(t, filepath.Join(spelling, "churn.csv"))
		if d.CSV != "churn.csv" || !d.Single {
			t.Errorf("%q: CSV %q", spelling, d.CSV)
		}
	}
}

// A name that Windows does not have, or reads as a device, or shortens, is taken as the directory lists it; what no file came of is no
// part of the dataset. Everything that a directory of any system can list, a cluster can have.
func TestNamesOfEverySystem(t *testing.T) {
	names := []string{
		"CON.png", "aux.png", "nul.csv", "COM1", "lpt9.txt", "name.", "name. .", "blank ", " blank", "a b.png", "a:b.png", "star*.png", "quote\".png", "pipe|.png",
		"less<more>.png", `back\slash.png`, "q?.png", "ümlaut.png", "日本.png", "PROGRA~1", "a%20b.png", "$RECYCLE", "~$draft.xlsx", "a.tar.gz",
	}
	if runtime.GOOS == "windows" {
		// What stands behind a colon is a stream of the file before it there, and never listed.
		names = slices.DeleteFunc(names, func(name string) bool { return strings.Contains(name, ":") })
	}
	dir := t.TempDir()
	for _, name := range names {
		// On Windows some of these are refused, and some change: the listing below tells.
		_ = os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600)
	}
	listed, err := os.ReadDir(dir)
	must(t, err)
	var want []string
	for _, e := range listed {
		want = append(want, e.Name())
	}
	slices.Sort(want)
	d := open(t, dir)
	if diff := cmp.Diff(want, paths(d.Entries)); diff != "" {
		t.Error(diff)
	}
	if len(d.Refused) > 0 || len(d.Ignored) > 0 {
		t.Errorf("refused %+v, ignored %+v", d.Refused, d.Ignored)
	}
	if runtime.GOOS != "windows" && len(want) != len(names) {
		t.Errorf("%d of %d names could be written", len(want), len(names))
	}
	for _, e := range d.Entries {
		file, err := d.OpenEntry(e)
		if err != nil {
			t.Errorf("%q: %v", e.Path, err)
			continue
		}
		must(t, file.Close())
	}
}

// The cluster tells upper from lower case. On a file system that does not, a file is known by the name that it is listed under, and by
// no other.
func TestCaseOnEverySystem(t *testing.T) {
	dir := plant(t, "Images/A.PNG", "Labels.CSV", "Ingest.YAML")
	d := open(t, dir)
	for path, there := range map[string]bool{
		"Images/A.PNG": true, "images/A.PNG": false, "Images/a.png": false, `Images\A.PNG`: false, "Labels.CSV": true, "labels.csv": false,
	} {
		if _, got := d.Entry(path); got != there {
			t.Errorf("entry %q: %t", path, got)
		}
	}
	if d.HasDir("images") || !d.HasDir("Images") || d.SpecFile != "" || d.CSV != "Labels.CSV" {
		t.Errorf("directories %q, spec %q, CSV %q", d.Dirs, d.SpecFile, d.CSV)
	}
	// Two names that Windows takes for one are two files of a cluster; where the file system has both, so has the dataset.
	both := plant(t, "images/a.png", "images/A.png")
	listed, err := os.ReadDir(filepath.Join(both, "images"))
	must(t, err)
	if got := paths(open(t, both).Entries); len(got) != len(listed) {
		t.Errorf("%q of %v", got, listed)
	}
}

// What Windows leaves in a directory is no data, whatever case it has.
func TestWindowsJunk(t *testing.T) {
	d := open(t, plant(t, "labels.csv", "images/a.png", "images/Thumbs.db", "images/THUMBS.DB.png", "Desktop.ini", "images/ehthumbs.DB"))
	if diff := cmp.Diff([]string{"images/THUMBS.DB.png", "images/a.png", "labels.csv"}, paths(d.Entries)); diff != "" {
		t.Error(diff)
	}
}

// A device is no dataset; neither is a drive or a share that is not there. On other systems these are names of nothing.
func TestDevicesAreNoDatasets(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, path := range []string{"NUL", "nul.csv", "COM9", `\\.\NUL`, `\\.\pipe\none`, `Q:\none`, "Q:none", `..\none`, `.\none`, "none\\", "none/"} {
		if d, err := Open(t.Context(), path); err == nil {
			t.Errorf("%q is a dataset: %q", path, paths(d.Entries))
			must(t, d.Close())
		} else if !strings.Contains(err.Error(), "dataset") {
			t.Errorf("%q: %v", path, err)
		}
	}
}
