//go:build unix

package stage

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// dirty is a dataset whose CSV needs every repair, and what is staged of it.
func dirty() (files, staged map[string]string) {
	const rows = 20000
	files = map[string]string{
		"images/a.png": noise(100),
		"labels.csv":   "\xef\xbb\xbf filename ,label,\r" + strings.Repeat(" a.png,cat,\r\na.png,dog,\n", rows),
	}
	staged = maps.Clone(files)
	staged["labels.csv"] = "filename,label\n" + strings.Repeat("a.png,cat\na.png,dog\n", rows)
	return files, staged
}

// fixedPlan is a plan whose CSV is repaired.
func fixedPlan(t testing.TB, d *dataset.Dataset, root string) Plan {
	t.Helper()
	fix := dataset.FixOptions{
		CSV:      dataset.CSVOptions{Delimiter: ',', Quote: '"', Escape: '\\'},
		Filename: "filename",
		Known:    func(name []byte) bool { return string(name) == "a.png" },
	}
	entry, _ := d.Entry("labels.csv")
	content, err := d.Root.ReadFile("labels.csv")
	if err != nil {
		t.Fatal(err)
	}
	var repaired bytes.Buffer
	fixer := dataset.NewFixer(fix, &repaired)
	if _, err := fixer.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := fixer.Close(); err != nil {
		t.Fatal(err)
	}
	m := manifest(t, d)
	at := slices.IndexFunc(m, func(f dataset.File) bool { return f.Path == "labels.csv" })
	m[at] = dataset.NewFixedFile(entry, int64(repaired.Len()), sha256.Sum256(repaired.Bytes()), fix)
	p, err := NewPlan("cats", m, root)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFixedIsPublished(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			files, staged := dirty()
			d := write(t, files)
			p := fixedPlan(t, d, l.root())
			report, err := l.volume().Transfer(t.Context(), p, d, watched(t, Options{}))
			if err != nil {
				t.Fatal(err)
			}
			l.wantPublished(t, p, staged)
			if report.Bytes != p.Manifest.Bytes() {
				t.Errorf("report %+v", report)
			}
			if diff := cmp.Diff(files, contents(t, d.Path)); diff != "" {
				t.Errorf("dataset on disk (-before +after):\n%s", diff)
			}
		})
	}
}

// TestFixedSourceChanges: a CSV that is written to after the check is not published, even where its repair stays the same.
func TestFixedSourceChanges(t *testing.T) {
	t.Parallel()
	sh := shellOf(t, 0)
	for name, change := range map[string]func(path string) error{
		"removed": os.Remove,
		"same repair": func(path string) error {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			files, _ := dirty()
			d := write(t, files)
			p := fixedPlan(t, d, l.root())
			_, err := l.volume().Transfer(t.Context(), p, d, Options{Admit: func(Probe) error { return change(filepath.Join(d.Path, "labels.csv")) }})
			var changed *dataset.ChangedError
			if !errors.As(err, &changed) || changed.Path != "labels.csv" {
				t.Errorf("got %v, want a ChangedError for labels.csv", err)
			}
			l.wantLeft(t)
		})
	}
}

// TestFixedOtherwise: a repair that comes out otherwise than it was checked is not published.
func TestFixedOtherwise(t *testing.T) {
	t.Parallel()
	l := newLocal(t, shellOf(t, 1))
	files, _ := dirty()
	d := write(t, files)
	p := fixedPlan(t, d, l.root())
	at := slices.IndexFunc(p.Manifest, func(f dataset.File) bool { return f.Path == "labels.csv" })
	p.Manifest[at].Size--
	p.TreeID = p.Manifest.TreeID()
	_, err := l.volume().Transfer(t.Context(), p, d, Options{})
	var changed *dataset.ChangedError
	if !errors.As(err, &changed) || changed.Path != "labels.csv" {
		t.Errorf("got %v, want a ChangedError for labels.csv", err)
	}
	l.wantLeft(t)
}
