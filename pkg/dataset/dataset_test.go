package dataset

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// plant writes files into a new directory. A path that ends in a slash is an empty directory.
func plant(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		full := filepath.Join(dir, f)
		if strings.HasSuffix(f, "/") {
			must(t, os.MkdirAll(full, 0o755))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(full), 0o755))
		must(t, os.WriteFile(full, []byte(filepath.Base(f)), 0o644))
	}
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, path string) *Dataset {
	t.Helper()
	d, err := Open(t.Context(), path)
	must(t, err)
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func paths(entries []Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Path)
	}
	return out
}

func TestOpenWalks(t *testing.T) {
	t.Parallel()
	odd := []string{
		"images/ a b.png", "images/-rf.png", "images/\"q\".png", "images/'$(x)'.png", "images/*.png", "images/a\\b.png",
		"images/caf\xe9.png", "images/caf\u00e9.png", "images/deep/er/x.png", "images/img[1].png", "images/..x..png",
		"images-2/y.png", "imagesz.png",
	}
	dir := plant(t, append(odd, "labels.csv", "other.csv", "ingest.yaml", ".DS_Store", ".git/config", "images/._a.png",
		"images/Thumbs.db", "desktop.ini", "__MACOSX/x", "empty/")...)
	d := open(t, dir)
	want := append(slices.DeleteFunc(slices.Clone(odd), func(p string) bool { return p == "images/..x..png" }), "labels.csv", "other.csv", "ingest.yaml")
	slices.Sort(want)
	if diff := cmp.Diff(want, paths(d.Entries)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	var ignored []string
	for _, i := range d.Ignored {
		ignored = append(ignored, i.Path+": "+i.Reason)
	}
	slices.Sort(ignored)
	wantIgnored := []string{
		".DS_Store: hidden", ".git: hidden", "__MACOSX: left by macOS", "desktop.ini: left by Windows",
		"images/..x..png: hidden", "images/._a.png: hidden", "images/Thumbs.db: left by Windows",
	}
	if diff := cmp.Diff(wantIgnored, ignored); diff != "" {
		t.Errorf("ignored (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"empty", "images", "images-2"}, d.Dirs); diff != "" {
		t.Errorf("dirs (-want +got):\n%s", diff)
	}
	if d.CSV != "labels.csv" || d.SpecFile != SpecFile || d.Single || len(d.Refused) != 0 {
		t.Errorf("CSV %q, spec %q, single %v, refused %v", d.CSV, d.SpecFile, d.Single, d.Refused)
	}
	if got := len(d.InDir("images")); got != 10 {
		t.Errorf("%d entries in images, want 10: %q", got, paths(d.InDir("images")))
	}
	e, ok := d.Entry("labels.csv")
	if !ok || e.Size != int64(len("labels.csv")) || e.ModTime().IsZero() {
		t.Errorf("entry of labels.csv: %+v, %v", e, ok)
	}
}

func TestBadName(t *testing.T) {
	t.Parallel()
	for path, bad := range map[string]bool{
		"images/a.png": false, "a\tb": true, "a\x7fb": true, "\x1b[31m": true, "caf\xe9": false,
		strings.Repeat("x", 255):           false,
		strings.Repeat("x", 256):           true,
		strings.Repeat("x/", 2047) + "x":   false,
		strings.Repeat("x/", 2047) + "xyz": true,
	} {
		if got := badName(path) != ""; got != bad {
			t.Errorf("badName(%q) = %q, want bad %v", path, badName(path), bad)
		}
	}
}

func TestOpenSingle(t *testing.T) {
	t.Parallel()
	dir := plant(t, "data.csv", "more.csv", "images/a.png", "ingest.yaml", ".hidden.csv", "notes.txt")
	d := open(t, filepath.Join(dir, "data.csv"))
	if diff := cmp.Diff([]string{"data.csv"}, paths(d.Entries)); diff != "" || d.CSV != "data.csv" || !d.Single || d.SpecFile != "" {
		t.Errorf("CSV %q, single %v, spec %q, entries:\n%s", d.CSV, d.Single, d.SpecFile, diff)
	}
	must(t, os.Symlink(filepath.Join(dir, "data.csv"), filepath.Join(dir, "images", "link.csv")))
	linked := open(t, filepath.Join(dir, "images", "link.csv"))
	if linked.CSV != "data.csv" {
		t.Errorf("CSV behind a link is %q, want data.csv", linked.CSV)
	}
	for path, want := range map[string]string{
		"notes.txt": "does not end in .csv", ".hidden.csv": "hidden", "absent.csv": "no such file",
	} {
		if _, err := Open(t.Context(), filepath.Join(dir, path)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q) = %v, want %q", path, err, want)
		}
	}
}

func TestStaged(t *testing.T) {
	t.Parallel()
	dir := plant(t, "labels.csv", "images/a.png", "images/sub/b.png", "masks/a_mask.png", "annotations/a.xml", "texts/t.txt",
		"sequences/s.txt", "tokenizer.json", "other.csv", "ingest.yaml", "README.md")
	cases := map[string][]string{
		"image_classification":     {"images/a.png", "images/sub/b.png", "labels.csv"},
		"object_detection":         {"annotations/a.xml", "images/a.png", "images/sub/b.png", "labels.csv"},
		"semantic_segmentation":    {"images/a.png", "images/sub/b.png", "labels.csv", "masks/a_mask.png"},
		"text_classification":      {"labels.csv", "texts/t.txt", "tokenizer.json"},
		"masked_language_modeling": {"labels.csv", "sequences/s.txt", "tokenizer.json"},
		"tabular_regression":       {"labels.csv"},
	}
	d := open(t, dir)
	for name, want := range cases {
		task, ok := TaskByName(name)
		if !ok {
			t.Fatalf("no task %q", name)
		}
		staged := paths(d.Staged(task))
		if diff := cmp.Diff(want, staged); diff != "" {
			t.Errorf("%s stages (-want +got):\n%s", name, diff)
		}
		rest := paths(d.NotStaged(task))
		if len(staged)+len(rest)+1 != len(d.Entries) || slices.Contains(rest, SpecFile) {
			t.Errorf("%s: staged %q and not staged %q are not all but the spec", name, staged, rest)
		}
	}
	single := open(t, filepath.Join(dir, "other.csv"))
	task, _ := TaskByName("tabular_classification")
	if diff := cmp.Diff([]string{"other.csv"}, paths(single.Staged(task))); diff != "" {
		t.Errorf("single file stages (-want +got):\n%s", diff)
	}
}

func TestOpenCanceled(t *testing.T) {
	t.Parallel()
	dir := plant(t, "labels.csv", "images/a.png")
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("interrupted")
	cancel(cause)
	for _, path := range []string{dir, filepath.Join(dir, "labels.csv")} {
		if d, err := Open(ctx, path); !errors.Is(err, cause) {
			t.Errorf("Open(%q) = %v, %v, want the cause", path, d, err)
		}
	}
}

// TestOpenCanceledMidway: a walk in a directory of very many names ends when its ctx does, not at the directory's end.
func TestOpenCanceledMidway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const files = 3*namesAtOnce + 1
	for i := range files {
		must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.png", i)), nil, 0o644))
	}
	var told []int
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("interrupted")
	d, err := OpenWith(ctx, dir, Options{OnEntries: func(n int) {
		told = append(told, n)
		cancel(cause)
	}})
	if !errors.Is(err, cause) || len(told) != 1 || told[0] > namesAtOnce {
		t.Errorf("OpenWith() = %v, %v, told %v; want the cause after one batch", d, err, told)
	}
	told = nil
	d, err = OpenWith(t.Context(), dir, Options{OnEntries: func(n int) { told = append(told, n) }})
	must(t, err)
	must(t, d.Close())
	if !slices.IsSorted(told) || len(told) < 4 || told[len(told)-1] != files || len(d.Entries) != files {
		t.Errorf("told %v of %d entries; want several numbers up to %d", told, len(d.Entries), files)
	}
}
