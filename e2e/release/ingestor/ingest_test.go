package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/e2e/gen"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/pyyaml"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

// memory is a store that keeps rows, and refuses what MySQL refuses: text over 255 characters in the label.
type memory struct {
	created []column
	rows    []row
}

func (m *memory) CreateTable(_ context.Context, _ string, features []column) error {
	m.created = features
	return checkColumns(features)
}

func (m *memory) Insert(_ context.Context, _ string, _ []column, rows []row) error {
	for _, r := range rows {
		if s, ok := r.label.(string); ok && len([]rune(s)) > 255 {
			return errors.New("1406 (22001): Data too long for column 'label' at row 1")
		}
	}
	m.rows = append(m.rows, rows...)
	return nil
}

// fixture is a run over files of the test, with the clock and the ids fixed.
type fixture struct {
	*ingestor
	store    *memory
	out, err *bytes.Buffer
}

func newFixture(t *testing.T, document string) *fixture {
	t.Helper()
	schema, err := spec.Compile()
	if err != nil {
		t.Fatal(err)
	}
	v, err := pyyaml.Decode([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	if problems := schema.Check(v.(pyyaml.Map)); len(problems) > 0 {
		t.Fatal(problems)
	}
	cfg, err := resolve(v.(pyyaml.Map))
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{store: &memory{}, out: &bytes.Buffer{}, err: &bytes.Buffer{}}
	n := 0
	f.ingestor = &ingestor{
		config: cfg, store: f.store, storage: t.TempDir(), id: "the-ingestor",
		newID:    func() string { n++; return fmt.Sprintf("id-%d", n) },
		now:      func() time.Time { return time.Date(2026, 11, 23, 9, 5, 12, 0, time.UTC) },
		pause:    func(time.Duration) {},
		hostname: "pod", out: f.out, err: f.err,
	}
	return f
}

func (f *fixture) end(t *testing.T) (code int, stdout, stderr string) {
	t.Helper()
	code = report(f.run(t.Context()), f.err)
	return code, ansi.ReplaceAllString(f.out.String(), ""), ansi.ReplaceAllString(f.err.String(), "")
}

func imageSpec(dir, table, extension string, w, h int) string {
	return fmt.Sprintf("apiVersion: tracebloc.io/v1\nkind: IngestConfig\ncategory: image_classification\ntable: %s\nintent: train\ncsv: %s/labels.csv\nimages: %s/images/\nlabel: label\nspec:\n  file_options: {target_size: [%d, %d], extension: %s}\n",
		table, dir, dir, w, h, extension)
}

func images(t *testing.T, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "src")
	if _, err := (gen.Images{Count: n, Width: 8, Height: 6, Format: ".png"}).Write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestImagesToRows(t *testing.T) {
	f := newFixture(t, imageSpec(images(t, 5), "cats", ".png", 8, 6))
	code, stdout, stderr := f.end(t)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	want := "File Type Validator Validator successfully passed\nImage Resolution Validator Validator successfully passed\nTable Name Validator Validator successfully passed\nDuplicate Validator Validator successfully passed\nAll validations passed successfully\n"
	if !strings.HasPrefix(stdout, want) {
		t.Errorf("stdout:\n%s", stdout)
	}
	if len(f.store.rows) != 5 {
		t.Fatalf("%d rows", len(f.store.rows))
	}
	first := f.store.rows[0]
	got := []any{first.label, first.intent, first.dataID, first.filename, first.extension, first.ingestor}
	if diff := cmp.Diff([]any{"cat", "train", "id-1", "img_00000", ".png", "the-ingestor"}, got); diff != "" {
		t.Error(diff)
	}
	copied, err := os.ReadFile(filepath.Join(f.destination(), "img_00004.png"))
	if err != nil {
		t.Fatal(err)
	}
	original, err := os.ReadFile(filepath.Join(f.config.source, "images", "img_00004.png"))
	if err != nil || !bytes.Equal(copied, original) {
		t.Errorf("the copy differs (%v)", err)
	}
	if left, err := filepath.Glob(filepath.Join(f.storage, ".tracebloc-ingest-*")); err != nil || len(left) > 0 {
		t.Errorf("lock left: %q %v", left, err)
	}
	if !strings.Contains(f.err.String(), "\rValidating table names: 100%|██████████| 1/1") {
		t.Errorf("no progress line in %q", f.err.String())
	}
	if code, _, stderr := newSame(t, f).end(t); code != exitFailed || !strings.Contains(stderr, "Ingestion failed: Duplicate Validator Validator failed: ") {
		t.Errorf("a second run: exit %d %s", code, stderr)
	}
}

// newSame is a second run into the storage of the first.
func newSame(t *testing.T, first *fixture) *fixture {
	t.Helper()
	again := *first.ingestor
	f := &fixture{ingestor: &again, store: first.store, out: &bytes.Buffer{}, err: &bytes.Buffer{}}
	again.out, again.err, again.counts = f.out, f.err, counts{}
	return f
}

func TestAMissingFileIsAPartialRun(t *testing.T) {
	dir := images(t, 4)
	if err := os.Remove(filepath.Join(dir, "images", "img_00003.png")); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, imageSpec(dir, "cats", ".png", 8, 6))
	code, stdout, _ := f.end(t)
	if code != exitFailed || len(f.store.rows) != 3 {
		t.Fatalf("exit %d, %d rows", code, len(f.store.rows))
	}
	want := "All validations passed successfully\n" +
		"2026-11-23 09:05:12 | ERROR    | tracebloc_ingestor.file_transfer | file_transfer.py:144 | Source image not found: " + dir + "/images/img_00003.png\n" +
		"2026-11-23 09:05:12 | WARNING  | tracebloc_ingestor.ingestors.base | base.py:809 | Skipping record due to file transfer failure: img_00003.png\n"
	if !strings.Contains(stdout, want) {
		t.Errorf("stdout:\n%s", stdout)
	}
	banner := strings.Replace(read(t, "banner_partial.txt"), "1fce71a8-ff93-408c-a435-fae7043a9b53", "the-ingestor", 1)
	if !strings.HasSuffix(stdout, banner+"2026-11-23 09:05:12 | WARNING  | tracebloc_ingestor.cli.run | run.py:159 | 1 record(s) failed during ingestion; see logs for details.\n") {
		t.Errorf("stdout:\n%s", stdout)
	}
}

func TestWrongResolutionIsTheContractsText(t *testing.T) {
	dir := images(t, 3)
	other := filepath.Join(t.TempDir(), "other")
	if _, err := (gen.Images{Count: 1, Width: 4, Height: 6, Format: ".png"}).Write(other); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(other, "images", "img_00000.png"), filepath.Join(dir, "images", "img_00002.png")); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, imageSpec(dir, "cats", ".png", 8, 6))
	code, stdout, _ := f.end(t)
	if code != exitFailed || strings.Contains(stdout, "SUMMARY") {
		t.Fatalf("exit %d\n%s", code, stdout)
	}
	want := "\nIngestion failed: \x1b[91m\x1b[1mImage Resolution Validator Validator failed: \x1b[0m \n \x1b[91m\n" +
		"Multiple image resolutions found: [(4, 6), (8, 6)]. All images must have the same resolution.\n" +
		"Expected resolution: [8, 6]\nInvalid files: []\n" +
		"Resolution errors: ['" + dir + "/images/img_00002.png: (4, 6) (expected: [8, 6])']\n\x1b[0m\x1b[0m\n"
	if !strings.HasSuffix(f.err.String(), want) {
		t.Errorf("stderr: %q", f.err.String())
	}
	if _, err := os.Stat(f.destination()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the destination was made: %v", err)
	}
}

func TestValidatorTexts(t *testing.T) {
	for _, tc := range []struct {
		name      string
		prepare   func(t *testing.T, dir string)
		table     string
		extension string
		want      string
	}{
		{"two extensions", func(t *testing.T, dir string) { write(t, dir+"/images/x.jpg", "x") }, "cats", ".png", "Multiple file extensions found: ['.jpg', '.png']. All files must have the same extension.\nAllowed extensions: ['.png']\n"},
		{"wrong extension", func(*testing.T, string) {}, "cats", ".jpg", "Files with invalid extensions found: ['"},
		{"hidden files do not count", func(t *testing.T, dir string) { write(t, dir+"/images/._a.jpg", "x") }, "9cats", ".png", "Invalid table names found: [\"'9cats' (contains invalid characters)\"]\nTable names must contain only"},
		{"empty image", func(t *testing.T, dir string) { write(t, dir+"/images/img_00000.png", "") }, "cats", ".png", "Files that could not be processed: ['"},
		{"corrupt image", func(t *testing.T, dir string) { write(t, dir+"/images/img_00000.png", "no image") }, "cats", ".png", "img_00000.png: not a valid image (corrupt or unsupported format)']"},
		{"no images", func(t *testing.T, dir string) { empty(t, dir+"/images") }, "cats", ".png", "No files found to validate"},
		{"not UTF-8", func(t *testing.T, dir string) { write(t, dir+"/labels.csv", "filename,label\na\xff,b\n") }, "cats", ".png", "'labels.csv' is not valid UTF-8 — a non-UTF-8 byte was found at byte 16."},
		{"ragged", func(t *testing.T, dir string) { write(t, dir+"/labels.csv", "filename,label\na,b\nc,d,e\n") }, "cats", ".png", "Ingestion failed: Error tokenizing data. C error: Expected 2 fields in line 3, saw 3"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := images(t, 2)
			tc.prepare(t, dir)
			code, _, stderr := newFixture(t, imageSpec(dir, tc.table, tc.extension, 8, 6)).end(t)
			if code != exitFailed || !strings.Contains(stderr, tc.want) {
				t.Errorf("exit %d\n%s\nwant %q", code, stderr, tc.want)
			}
		})
	}
}

func empty(t *testing.T, dir string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestNamesThatPandasTakesForNumbersFailSilently(t *testing.T) {
	dir := images(t, 1)
	write(t, dir+"/labels.csv", "filename,label\n001,a\n002,b\n")
	f := newFixture(t, imageSpec(dir, "cats", ".png", 8, 6))
	code, stdout, _ := f.end(t)
	if code != exitFailed || !strings.Contains(stdout, "❌ Failed DB Insertion:     2") || strings.Contains(stdout, "ERROR") {
		t.Errorf("exit %d\n%s", code, stdout)
	}
}

func TestLockOfAnotherRun(t *testing.T) {
	f := newFixture(t, imageSpec(images(t, 1), "cats", ".png", 8, 6))
	lock := filepath.Join(f.storage, ".tracebloc-ingest-cats.lock")
	write(t, lock, `{"pid": 7}`)
	old := f.now().Add(-11 * time.Hour)
	if err := os.Chtimes(lock, old, old); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := f.end(t)
	if code != exitFailed || !strings.Contains(stderr, "Another ingest is already running for table 'cats' (lock at "+lock+`). Holder: {"pid": 7}.`) {
		t.Errorf("exit %d %s", code, stderr)
	}
	old = f.now().Add(-13 * time.Hour)
	if err := os.Chtimes(lock, old, old); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := newSame(t, f).end(t); code != exitOK {
		t.Errorf("with a stale lock: exit %d %s", code, stderr)
	}
}

func TestFaults(t *testing.T) {
	t.Run("skip", func(t *testing.T) {
		f := newFixture(t, imageSpec(images(t, 4), "cats", ".png", 8, 6))
		f.skip = 1
		code, stdout, _ := f.end(t)
		if code != exitOK || len(f.store.rows) != 3 || !strings.Contains(stdout, "⏭️  Skipped Records:        1") {
			t.Errorf("exit %d, %d rows\n%s", code, len(f.store.rows), stdout)
		}
	})
	t.Run("crash", func(t *testing.T) {
		f := newFixture(t, imageSpec(images(t, 4), "cats", ".png", 8, 6))
		f.crash = true
		code, stdout, stderr := f.end(t)
		if code != exitFailed || strings.Contains(stdout, "SUMMARY") || !strings.Contains(stderr, "Traceback (most recent call last):") || len(f.store.rows) != 4 {
			t.Errorf("exit %d\n%s\n%s", code, stdout, stderr)
		}
	})
	t.Run("newer", func(t *testing.T) {
		f := newFixture(t, imageSpec(images(t, 4), "cats", ".png", 8, 6))
		staged := filepath.Join(f.storage, ".tracebloc-staging", "cats", "1")
		if err := os.MkdirAll(filepath.Dir(staged), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(f.config.source, staged); err != nil {
			t.Fatal(err)
		}
		f.config.source, f.config.csv = staged, filepath.Join(staged, "labels.csv")
		f.newer, f.runID = true, "run-1"
		code, stdout, stderr := f.end(t)
		if code != exitOK || !strings.HasPrefix(stdout, "Correlation id: run-1 (ingestor_id: the-ingestor)\n") || !strings.Contains(stdout, "Destination table:          cats\n") {
			t.Errorf("exit %d\n%s\n%s", code, stdout, stderr)
		}
		if _, err := os.Stat(staged); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the staged source is still there: %v", err)
		}
	})
}
