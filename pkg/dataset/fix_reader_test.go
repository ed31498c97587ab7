package dataset

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// fixedFile writes a CSV, and makes the manifest's record of what becomes of it.
func fixedFile(t *testing.T, content string) (d *Dataset, f File, want string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "labels.csv")
	must(t, os.WriteFile(path, []byte(content), 0o600))
	d = open(t, path)
	fix := FixOptions{CSV: backslash()}
	want, _ = fixedCSV(t, content, fix, 1000)
	return d, NewFixedFile(d.Entries[0], int64(len(want)), sha256.Sum256([]byte(want)), fix), want
}

func TestOpenFixedFile(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"empty":   "",
		"shorter": "\xef\xbb\xbfa,b,\r\n1,2,\r\n",
		"longer":  "a,b\r\n" + strings.Repeat("1,2\n", fixedBlock),
		"as long": "a\r" + strings.Repeat("1\r", fixedBlock),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, f, want := fixedFile(t, content)
			if f.Size != int64(len(want)) || (Manifest{f}).Bytes() != f.Size {
				t.Errorf("size %d, want %d", f.Size, len(want))
			}
			plain := Manifest{{Path: f.Path, Size: f.Size, SHA256: f.SHA256}}
			if plain.TreeID() != (Manifest{f}).TreeID() {
				t.Error("the tree id depends on more than what is staged")
			}
			for range 2 { // a second transfer reads it again
				file, err := d.OpenFile(f)
				must(t, err)
				must(t, iotest.TestReader(file, []byte(want)))
				must(t, file.Close())
			}
			disk, err := d.Root.ReadFile("labels.csv")
			must(t, err)
			if string(disk) != content {
				t.Error("the file on disk was changed")
			}
		})
	}
}

func TestFixedFileChanges(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(path string) error{
		"grown":         func(p string) error { return os.WriteFile(p, []byte("a,b\r1,2\r3,4\r"), 0o600) },
		"shrunk":        func(p string) error { return os.Truncate(p, 2) },
		"written again": func(p string) error { return os.Chtimes(p, time.Time{}, time.Unix(1e9, 0)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, f, _ := fixedFile(t, "a,b\r1,2\r")
			var changed *ChangedError
			file, err := d.OpenFile(f)
			must(t, err)
			defer func() { must(t, file.Close()) }()
			must(t, change(filepath.Join(d.Root.Name(), "labels.csv")))
			if _, err := io.Copy(io.Discard, file); !errors.As(err, &changed) {
				t.Errorf("read to the end: %v, want that the file changed", err)
			}
			if n, err := file.Read(make([]byte, 9)); n != 0 || !errors.As(err, &changed) {
				t.Errorf("Read() behind the error = %d, %v", n, err)
			}
			if _, err := d.OpenFile(f); !errors.As(err, &changed) {
				t.Errorf("OpenFile() = %v, want that the file changed", err)
			}
		})
	}
}

// TestFixedReaderFails: an error of the disk is told, behind what was read before it.
func TestFixedReaderFails(t *testing.T) {
	t.Parallel()
	d, f, _ := fixedFile(t, "a,b\r1,2\r")
	file, err := d.OpenEntry(d.Entries[0])
	must(t, err)
	r := newFixedReader(d, d.Entries[0], file, f.fixed.options)
	must(t, r.Close())
	if _, err := io.Copy(&bytes.Buffer{}, r); !errors.Is(err, os.ErrClosed) {
		t.Errorf("read of a closed file: %v", err)
	}
}
