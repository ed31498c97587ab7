package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/e2e/gen"
)

func TestFlagsReachTheDataset(t *testing.T) {
	dir := t.TempDir()
	table, pictures := filepath.Join(dir, "table"), filepath.Join(dir, "pictures")
	if err := run([]string{"tabular", "--rows", "3", table}, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(table, "data.csv"))
	if err != nil || strings.Count(string(data), "\n") != 4 {
		t.Errorf("%d lines, %v", strings.Count(string(data), "\n"), err)
	}
	if err := run([]string{"images", "--count", "2", "--size", "5x4", "--format", ".jpg", pictures}, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(pictures, "images", "*.jpg"))
	if err != nil || len(found) != 2 {
		t.Errorf("%q, %v", found, err)
	}
}

func TestEveryTask(t *testing.T) {
	for _, name := range gen.Tasks() {
		dir := filepath.Join(t.TempDir(), name)
		if err := run([]string{name, "--count", "5", dir}, &bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
		found, err := filepath.Glob(filepath.Join(dir, "*.csv"))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %q, %v", name, found, err)
		}
		data, err := os.ReadFile(found[0])
		if err != nil || strings.Count(string(data), "\n") != 6 {
			t.Errorf("%s: %d lines, %v", name, strings.Count(string(data), "\n"), err)
		}
	}
}

func TestWrongArguments(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x")
	for _, args := range [][]string{{}, {"video", dir}, {"tabular"}, {"tabular", dir, dir}, {"images", "--size", "big", dir}, {"tabular", "--rows", "0", dir}, {"seq2seq", "--count", "1", dir}, {"seq2seq", "--size", "4x4", dir}} {
		if err := run(args, &bytes.Buffer{}); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
