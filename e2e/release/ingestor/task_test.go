package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/e2e/gen"
)

// bucketed are the tasks whose target never reaches the table as it is.
func bucketed(task string) bool {
	return slices.Contains([]string{"tabular_regression", "time_series_forecasting", "time_to_event_prediction"}, task)
}

func generated(t *testing.T, task string) gen.Dataset {
	t.Helper()
	d, err := gen.Make(task, 8)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// documentFor is the spec of a dataset that stands in dir.
func documentFor(d gen.Dataset, dir, more string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: tracebloc.io/v1\nkind: IngestConfig\ncategory: %s\ntable: things\nintent: train\ncsv: %s/%s\n", d.Task, dir, d.CSV)
	extension := ""
	dirs := map[string]bool{}
	for _, f := range d.Files {
		sub := path.Dir(f.Path)
		if sub == "." || dirs[sub] {
			continue
		}
		dirs[sub] = true
		fmt.Fprintf(&b, "%s: %s/%s/\n", sub, dir, sub)
		if sub != "annotations" && sub != "masks" {
			extension = path.Ext(f.Path)
		}
	}
	switch {
	case bucketed(d.Task):
		fmt.Fprintf(&b, "label: {column: %s, policy: bucket}\n", d.Label)
	case d.Label != "":
		fmt.Fprintf(&b, "label: %s\n", d.Label)
	}
	if d.Schema != nil {
		b.WriteString("schema:\n")
	}
	for _, c := range d.Schema {
		fmt.Fprintf(&b, "  %s: %s\n", c[0], c[1])
	}
	options := "extension: " + extension
	switch {
	case d.Keypoints > 0:
		fmt.Fprintf(&b, "number_of_keypoints: %d\ntarget_size: [%d, %d]\n", d.Keypoints, d.Size.X, d.Size.Y)
	case d.Size.X > 0:
		options += fmt.Sprintf(", target_size: [%d, %d]", d.Size.X, d.Size.Y)
	}
	if extension != "" {
		fmt.Fprintf(&b, "spec:\n  file_options: {%s}\n", options)
	}
	return b.String() + more
}

// ingestion is a run over a dataset, which is written first.
func ingestion(t *testing.T, d gen.Dataset, more string) *fixture {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "src")
	if err := d.Write(dir); err != nil {
		t.Fatal(err)
	}
	return newFixture(t, documentFor(d, dir, more))
}

// columnsOf are the values that were inserted, by column.
func (f *fixture) columnsOf() map[string][]any {
	out := map[string][]any{}
	for _, r := range f.store.rows {
		for name, v := range map[string]any{"label": r.label, "filename": r.filename, "extension": r.extension, "annotation": r.annotation} {
			out[name] = append(out[name], v)
		}
		for i, c := range f.store.created {
			out[c.name] = append(out[c.name], r.features[i])
		}
	}
	return out
}

func TestEveryTaskToRows(t *testing.T) {
	for _, task := range gen.Tasks() {
		t.Run(task, func(t *testing.T) {
			t.Parallel()
			d := generated(t, task)
			f := ingestion(t, d, "")
			code, stdout, stderr := f.end(t)
			if code != exitOK || !strings.Contains(stdout, "🎉 Ingestion completed successfully!") || len(f.store.rows) != len(d.Rows) {
				t.Fatalf("exit %d, %d rows\n%s%s", code, len(f.store.rows), stdout, stderr)
			}
			got := f.columnsOf()
			want := wantedColumns(t, d)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			var copied, staged []string
			entries, err := os.ReadDir(f.destination())
			if err != nil && d.Files != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				copied = append(copied, e.Name())
			}
			for _, file := range d.Files {
				if path.Dir(file.Path) != "." {
					staged = append(staged, path.Base(file.Path))
				}
			}
			slices.Sort(staged)
			if diff := cmp.Diff(staged, copied); diff != "" {
				t.Errorf("files in the destination (-want +got):\n%s", diff)
			}
		})
	}
}

// wantedColumns is what a good dataset becomes in the table.
func wantedColumns(t *testing.T, d gen.Dataset) map[string][]any {
	t.Helper()
	want := map[string][]any{}
	for i := range d.Rows {
		for _, standard := range []string{"label", "filename", "extension", "annotation"} {
			want[standard] = append(want[standard], nil)
		}
		if names := d.Column("filename"); names != nil {
			want["filename"][i] = strings.TrimSuffix(names[i], path.Ext(names[i]))
			want["extension"][i] = path.Ext(d.Files[0].Path)
		}
		if d.Keypoints > 0 {
			want["annotation"][i] = d.Column("Annotation")[i]
		}
		if d.Label != "" {
			want["label"][i] = d.Column(d.Label)[i]
		}
		if bucketed(d.Task) {
			want["label"][i] = bucketOf(t, d.Column(d.Label)[i])
		}
	}
	for _, c := range d.Schema {
		if c[0] == d.Label {
			continue
		}
		for _, cell := range d.Column(c[0]) {
			want[c[0]] = append(want[c[0]], wantedCell(t, c[1], cell))
		}
	}
	return want
}

// bucketOf are the classes that Python computed for the targets of the generated datasets.
func bucketOf(t *testing.T, target string) int {
	t.Helper()
	class, known := map[string]int{
		"998.75": 22, "1143": 8, "544.25": 55, "995.75": 40, "1035.25": 23, "1103.25": 43,
		"1162.5": 51, "965.5": 18, "178.75": 18, "148": 4, "109.75": 59, "61.5": 40,
		"118.25": 1, "156.5": 15, "63.5": 57, "45": 43, "0": 56, "1": 33,
	}[target]
	if !known {
		t.Errorf("no class is known for the target %q", target)
	}
	return class
}

func wantedCell(t *testing.T, sqlType, cell string) any {
	t.Helper()
	if cell == "" {
		return nil
	}
	switch sqlType {
	case "INT":
		n, err := strconv.ParseInt(cell, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		// A blank beside them makes floats of integers, which the cast undoes.
		return n
	case "FLOAT", "DOUBLE":
		n, err := strconv.ParseFloat(cell, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return cell
}
