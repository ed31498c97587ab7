package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

// Faults between the rows and the summary, and a summary of nothing.
func TestMishaps(t *testing.T) {
	for _, tc := range []struct {
		name     string
		faults   fault.Ingestor
		code     int
		rows     int
		has, not string
	}{
		{"lines", fault.Ingestor{Lines: 2}, exitOK, 4, fault.Line(1) + "\n" + fault.Line(2) + "\n", fault.Line(3)},
		{"no summary", fault.Ingestor{NoSummary: true}, exitOK, 4, "successfully passed", "SUMMARY"},
		{"empty", fault.Ingestor{Empty: true}, exitOK, 0, "📈 Total Records Found:     0", "Success Rate"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t, imageSpec(images(t, 4), "cats", ".png", 8, 6))
			f.faults = tc.faults
			code, stdout, _ := f.end(t)
			if code != tc.code || len(f.store.rows) != tc.rows || !strings.Contains(stdout, tc.has) || strings.Contains(stdout, tc.not) {
				t.Errorf("exit %d, %d rows\n%s", code, len(f.store.rows), stdout)
			}
		})
	}
}

func TestLongLine(t *testing.T) {
	const n = 100_000
	f := newFixture(t, imageSpec(images(t, 4), "cats", ".png", 8, 6))
	f.faults = fault.Ingestor{LongLine: n}
	_, stdout, _ := f.end(t)
	longest := 0
	for line := range strings.Lines(stdout) {
		longest = max(longest, len(line))
	}
	if longest != n+1 {
		t.Errorf("the longest line has %d bytes, want %d and its end", longest, n)
	}
}

// A container that is restarted in its Pod finds out which life it has.
func TestLives(t *testing.T) {
	dir := t.TempDir()
	value, err := fault.Ingestor{Fail: true, Lives: 2}.Env()
	if err != nil {
		t.Fatal(err)
	}
	for life, want := range []bool{true, true, false, false} {
		f, err := faultsOfLife(env(fault.EnvIngestor, value), dir)
		if err != nil || f.Fail != want {
			t.Errorf("life %d: %+v %v, want fail %v", life+1, f, err, want)
		}
	}
	if _, err := faultsOfLife(env(fault.EnvIngestor, value), filepath.Join(dir, "missing")); err == nil {
		t.Error("lives were counted where nothing can be written")
	}
	if _, err := faultsOfLife(env(fault.EnvIngestor, "{"), dir); err == nil {
		t.Error("broken faults were accepted")
	}
	if f, err := faultsOfLife(env(), filepath.Join(dir, "missing")); err != nil || f != (fault.Ingestor{}) {
		t.Errorf("without faults: %+v %v", f, err)
	}
}

func TestFailBeforeTheSpec(t *testing.T) {
	var errOut bytes.Buffer
	if code := report(begin(t.Context(), fault.Ingestor{Fail: true}), &errOut); code != exitFailed || !strings.Contains(errOut.String(), "Traceback") {
		t.Errorf("exit %d %q", code, errOut.String())
	}
	if err := begin(t.Context(), fault.Ingestor{}); err != nil {
		t.Error(err)
	}
}
