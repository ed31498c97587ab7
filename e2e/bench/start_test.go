package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const builtPlugin = "../../bin/kubectl-tracebloc"

// The binary that people download stays small. Its size is the same on any machine, so that it may be held to.
func TestSize(t *testing.T) {
	size, err := strippedSize(builtPlugin)
	if err != nil {
		t.Fatal(err)
	}
	if size > sizeLimit {
		t.Errorf("the plugin has %s, at most %s are allowed", megabytes(float64(size)), megabytes(sizeLimit))
	}
	if size < 1<<20 {
		t.Errorf("the plugin has %d bytes: is it one?", size)
	}
}

// A binary with its symbols is not what is released, and is not measured.
func TestNotStripped(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for flags, good := range map[string]bool{"": false, "-s -w": true} {
		built := filepath.Join(dir, "built")
		build := exec.Command("go", "build", "-ldflags", flags, "-o", built, source)
		build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
		if err := runCommand(build); err != nil {
			t.Fatal(err)
		}
		if _, err := strippedSize(built); (err == nil) != good {
			t.Errorf("-ldflags %q: %v", flags, err)
		}
	}
	if _, err := strippedSize(filepath.Join(dir, "none")); err == nil {
		t.Error("no error without a binary")
	}
}

// All of it once: every command is measured and takes some time, and the page has the section.
func TestStart(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	page := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(page, []byte("# Page\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	rows, err := benchStart(t.Context(), []string{"-plugin", builtPlugin, "-rounds", "1", "-doc", page}, &out)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 4 {
		t.Errorf("%d rows\n%s", len(rows), out.String())
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.measured <= 0 || r.yardstick <= 0 {
			t.Errorf("%s: %g beside %g", r.work, r.measured, r.yardstick)
		}
		if !strings.Contains(string(text), "| "+r.work+" |") || !strings.Contains(out.String(), strings.ReplaceAll(r.work, "`", "")) {
			t.Errorf("%s is missing from\n%s\n%s", r.work, text, out.String())
		}
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	for _, args := range [][]string{
		{"-rounds", "0"}, {"-rounds", "few"}, {"-plugin", page + "-none"}, {"-plugin", builtPlugin, "-kubectl", "no-such-kubectl"},
		{"-plugin", builtPlugin, "-rounds", "1", "-doc", page + "-none"},
	} {
		if _, err := benchStart(t.Context(), args, &out); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

// The section is written in place, and the rest of the page stays.
func TestWriteStart(t *testing.T) {
	rows := []startRow{
		{work: "stripped binary", limit: sizeLimit, measured: 40e6, yardstick: 50e6, beside: "kubectl", format: megabytes},
		{work: "CPU time of `it`", limit: startLimit, measured: 0.05, yardstick: 0.06, beside: "kubectl it", format: milliseconds},
		{work: "CPU time of `that`", measured: 0.03, yardstick: 0.06, beside: "kubectl that", format: milliseconds},
	}
	const section = startHead + `
` + "`make bench-start`" + ` writes this section. CPU time is what a command uses of all cores, in user and system mode.

Measured on 2 cores.

| work | at most | measured | met | beside |
| --- | --- | --- | --- | --- |
| stripped binary | 56.0 MB | 40.0 MB | yes | 50.0 MB of ` + "`kubectl`" + ` |
| CPU time of ` + "`it`" + ` | 40 ms | 50 ms | no | 60 ms of ` + "`kubectl it`" + ` |
| CPU time of ` + "`that`" + ` | none | 30 ms | - | 60 ms of ` + "`kubectl that`" + ` |
`
	for before, after := range map[string]string{
		"# Page\n":                                "# Page\n" + section,
		"# Page\n" + startHead + "\nold\n":        "# Page\n" + section,
		"# Page\n" + startHead + "old\n\n## B\nb": "# Page\n" + section + "\n## B\nb",
	} {
		page := filepath.Join(t.TempDir(), "page.md")
		if err := os.WriteFile(page, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := writeStart(page, "2 cores", rows); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(after, string(got)); diff != "" {
			t.Errorf("%q:\n%s", before, diff)
		}
	}
	// What make bench-stage writes leaves the section alone, and the other way round.
	page := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(page, []byte("# Page\n"+reportRest+"\nby hand\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeStart(page, "2 cores", rows); err != nil {
		t.Fatal(err)
	}
	if err := writeReport(page, "2 cores", 5, nil, nil); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(page)
	if err != nil || !strings.HasSuffix(string(got), reportRest+"\nby hand\n"+section) {
		t.Errorf("%v\n%s", err, got)
	}
}
