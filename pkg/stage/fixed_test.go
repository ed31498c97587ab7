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
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
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
			var bytes int64
			report, err := l.volume().Transfer(t.Context(), p, d, func(n int64) { bytes += n })
			if err != nil {
				t.Fatal(err)
			}
			l.wantPublished(t, p, staged)
			if bytes != p.Manifest.Bytes() || report.Bytes != bytes {
				t.Errorf("onBytes saw %d of %d bytes, report %+v", bytes, p.Manifest.Bytes(), report)
			}
			if diff := cmp.Diff(files, contents(t, d.Path)); diff != "" {
				t.Errorf("dataset on disk (-before +after):\n%s", diff)
			}
		})
	}
}

// TestFixedStreams: a transfer that breaks and begins again repairs the CSV again.
func TestFixedStreams(t *testing.T) {
	t.Parallel()
	for name, options := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, options)
			files, staged := dirty()
			files["z"] = noise(2 * frameBytes)
			staged["z"] = files["z"]
			d := write(t, files)
			p := fixedPlan(t, d, filepath.Join(s.Volume, Directory))
			var once sync.Once
			report, err := s.volume.Transfer(t.Context(), p, d, func(int64) { once.Do(func() { s.Strike(podiotest.Cut) }) })
			if err != nil || report.Retries == 0 {
				t.Fatalf("report %+v, %v", report, err)
			}
			if diff := cmp.Diff(staged, contents(t, p.Dir())); diff != "" {
				t.Errorf("tree (-want +got):\n%s", diff)
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
	sh := shells(t)[0]
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
			files["a"] = noise(4 * frameBytes)
			d := write(t, files)
			p := fixedPlan(t, d, l.root())
			var once sync.Once
			_, err := l.volume().Transfer(t.Context(), p, d, func(int64) {
				once.Do(func() {
					if err := change(filepath.Join(d.Path, "labels.csv")); err != nil {
						t.Error(err)
					}
				})
			})
			var changed *dataset.ChangedError
			if !errors.As(err, &changed) || changed.Path != "labels.csv" {
				t.Errorf("got %v, want a ChangedError for labels.csv", err)
			}
			if left := l.listing(t); len(left) != 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// TestFixedOtherwise: a repair that comes out otherwise than it was checked is not published.
func TestFixedOtherwise(t *testing.T) {
	t.Parallel()
	l := newLocal(t, shells(t)[0])
	files, _ := dirty()
	d := write(t, files)
	p := fixedPlan(t, d, l.root())
	at := slices.IndexFunc(p.Manifest, func(f dataset.File) bool { return f.Path == "labels.csv" })
	p.Manifest[at].Size--
	p.TreeID = p.Manifest.TreeID()
	_, err := l.volume().Transfer(t.Context(), p, d, nil)
	var changed *dataset.ChangedError
	if !errors.As(err, &changed) || changed.Path != "labels.csv" {
		t.Errorf("got %v, want a ChangedError for labels.csv", err)
	}
	if left := l.listing(t); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}
