package preflight

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/jpeg"
	"slices"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset/datasettest"
)

type tree = datasettest.Tree

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

func pngOf(w, h int) string { return datasettest.PNG(w, h) }

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
func images() tree { return datasettest.Good("image_classification") }

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
