package preflight

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// tree is a dataset: content by path. A path that ends in a slash is an empty directory.
type tree map[string]string

func (tr tree) with(path, content string) tree {
	out := maps.Clone(tr)
	out[path] = content
	return out
}

func (tr tree) without(path string) tree {
	out := maps.Clone(tr)
	delete(out, path)
	return out
}

func (tr tree) write(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for path, content := range tr {
		full := filepath.Join(dir, path)
		if path[len(path)-1] == '/' {
			must(t, os.MkdirAll(full, 0o755))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(full), 0o755))
		must(t, os.WriteFile(full, []byte(content), 0o644))
	}
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func task(t testing.TB, name string) dataset.Task {
	t.Helper()
	task, ok := dataset.TaskByName(name)
	if !ok {
		t.Fatalf("no task %q", name)
	}
	return task
}

// checkPath runs the preflight on a directory or a CSV.
func checkPath(t *testing.T, path string, p Params) *Result {
	t.Helper()
	d, err := dataset.Open(t.Context(), path)
	must(t, err)
	defer func() { must(t, d.Close()) }()
	r, err := Check(context.Background(), d, p, nil)
	must(t, err)
	return r
}

func imageParams(t testing.TB) Params { return Params{Task: task(t, "image_classification")} }

func tabularParams(t testing.TB) Params { return Params{Task: task(t, "tabular_classification")} }

// pngOf is a whole PNG of the size.
func pngOf(w, h int) string {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		panic(err)
	}
	return b.String()
}

func jpegOf(w, h int) string {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil); err != nil {
		panic(err)
	}
	return b.String()
}

// pngHeaderOf is the beginning of a PNG that claims a size.
func pngHeaderOf(w, h uint32) string {
	ihdr := []byte("IHDR")
	ihdr = binary.BigEndian.AppendUint32(ihdr, w)
	ihdr = binary.BigEndian.AppendUint32(ihdr, h)
	ihdr = append(ihdr, 8, 0, 0, 0, 0)
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d")
	b = append(b, ihdr...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(ihdr))
	return string(b) + "\x00\x00\x00\x01IDAT"
}

// images is the smallest good dataset of image_classification.
func images() tree {
	return tree{
		"labels.csv":   "filename,label\na.png,cat\nb.png,dog\n",
		"images/a.png": pngOf(32, 32),
		"images/b.png": pngOf(32, 32),
	}
}

func csvOf(content string) tree { return tree{"data.csv": content} }

// rulesOf are the rules that were broken, sorted, without notes.
func rulesOf(r *Result) []string {
	var ids []string
	for id := range r.Totals {
		if ruleByID(id).Severity != SeverityNote {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
