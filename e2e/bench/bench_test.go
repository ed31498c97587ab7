package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// The whole of it once, with little data: every row is measured, everything that was pushed arrived, and nothing is left.
func TestQuick(t *testing.T) {
	if os.Getenv("KUBECONFIG") == "" {
		t.Fatal("KUBECONFIG is not set: this test needs a cluster and the built plugin (make e2e brings both)")
	}
	t.Setenv("TMPDIR", t.TempDir())
	var out, log bytes.Buffer
	rows, err := benchStage(t.Context(), []string{"-quick", "-plugin", "../../bin/kubectl-tracebloc"}, &out, &log)
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out.String(), log.String())
	}
	var measured []string
	for _, r := range rows {
		measured = append(measured, r.name)
		if r.value <= 0 {
			t.Errorf("row %s: %s measured %g", r.name, r.work, r.value)
		}
		if r.name != "memory" && (r.staging <= 0 || r.stage < r.staging || r.whole < r.stage) {
			t.Errorf("row %s: %g s of transfer in a step of %g s in a command of %g s", r.name, r.staging, r.stage, r.whole)
		}
	}
	for _, name := range append(rowNames(), "memory") {
		if !slices.Contains(measured, name) {
			t.Errorf("row %s is missing from\n%s", name, out.String())
		}
	}
	for _, text := range []string{"tar | tar", "busybox sha256sum"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("%q is missing from\n%s", text, out.String())
		}
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestWrongFlags(t *testing.T) {
	for _, args := range [][]string{{"-run", "big,huge"}, {"-rounds", "0"}, {"-rounds", "few"}, {"-unknown"}} {
		if _, err := benchStage(t.Context(), args, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

func TestAims(t *testing.T) {
	for _, c := range []struct {
		aim   aim
		value float64
		want  string
		text  string
	}{
		{aim{unit: timesCopy, limit: 1}, 1, "yes", "at most 1.00 times kubectl cp"},
		{aim{unit: timesCopy, limit: 1}, 1.001, "no", "at most 1.00 times kubectl cp"},
		{aim{unit: faster, limit: 2.5, atLeast: true}, 2.5, "yes", "at least 2.50 times faster than kubectl cp"},
		{aim{unit: faster, limit: 2.5, atLeast: true}, 2.4, "no", "at least 2.50 times faster than kubectl cp"},
		{aim{unit: ofFirst, limit: 0.03}, 0.02, "yes", "at most 3.0 % of the first push"},
		{aim{unit: timesData, limit: 1.1}, 1.2, "no", "at most 1.100 times the data"},
		{aim{unit: resident, limit: 160}, 133, "yes", "at most 160 MiB"},
		{aim{unit: cpuSecPerG, none: true}, 4, "-", "none"},
	} {
		if got := (row{aim: c.aim, value: c.value}).verdict(); got != c.want || c.aim.String() != c.text {
			t.Errorf("%s, measured %g: %q, want %q", c.aim, c.value, got, c.want)
		}
	}
}

func TestReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "benchmarks.md")
	rows := []row{
		{name: "big", work: "one file", transport: spdy, aim: aim{unit: timesCopy, limit: 1}, value: 0.9, staging: 9, stage: 10, whole: 11, copied: 10, notes: []string{"a", "b"}},
		{name: "again", work: "again", transport: webSocket, aim: aim{unit: ofFirst, limit: 0.03}, value: 0.04, staging: 0.4, stage: 1, whole: 2},
		{name: "memory", work: "memory", aim: aim{unit: resident, limit: 160}, value: 100, notes: []string{"most for it"}},
	}
	if err := writeReport(path, "2 cores", 5, rows, []limit{{"tar | tar", "1.00 s"}}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "report.md")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}

// A round that was slow for both tools does not show in the ratio.
func TestRatios(t *testing.T) {
	s := series{"a": {1, 20, 3}, "b": {2, 40, 3}}
	if got := s.ratio("a", "b"); got != 0.5 {
		t.Errorf("the ratio is %g", got)
	}
	if got := s.median("a"); got != 3 {
		t.Errorf("the median is %g", got)
	}
}

// The files are real pictures of the size that was asked for, and nothing can compress them.
func TestNoise(t *testing.T) {
	dir := t.TempDir()
	if err := writeNoise(dir, []int64{50 << 10, 5 << 10}, 1); err != nil {
		t.Fatal(err)
	}
	for i, size := range []int64{50 << 10, 5 << 10} {
		data, err := os.ReadFile(noisePath(dir, i))
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.Decode(bytes.NewReader(data))
		if err != nil || int64(len(data)) != size {
			t.Fatalf("file %d has %d bytes, want %d; %v", i, len(data), size, err)
		}
		if b := picture.Bounds(); b.Dx() != 32 || b.Dy() != 32 {
			t.Errorf("file %d is %s", i, b)
		}
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		if _, err := z.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil || packed.Len() < len(data) {
			t.Errorf("file %d packs to %d of %d bytes, %v", i, packed.Len(), len(data), err)
		}
	}
	before, err := os.ReadFile(noisePath(dir, 0))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := changeSome(dataset{dir: dir}, 2, 50<<10, 0); err != nil || n != 1 {
		t.Fatalf("changed %d, %v", n, err)
	}
	if after, err := os.ReadFile(noisePath(dir, 0)); err != nil || len(after) != len(before) || bytes.Equal(before, after) {
		t.Errorf("the file has %d bytes of %d and is the same: %t, %v", len(after), len(before), bytes.Equal(before, after), err)
	}
}

func TestPerFile(t *testing.T) {
	before, err := parseCounts("total=10 create=4 lookup=6\n")
	if err != nil {
		t.Fatal(err)
	}
	after, err := parseCounts("total=110 create=24 lookup=85 statfs=1\n")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := perFile(before, after, 20), "5.0 (lookup 4.0, create 1.0, statfs 0.1)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := parseCounts("total=many"); err == nil {
		t.Error("no error")
	}
}
