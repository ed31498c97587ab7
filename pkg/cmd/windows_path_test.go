package cmd

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset/datasettest"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

// planOf is the object of a dry run, without what depends on the time.
func planOf(t *testing.T, args ...string) run.IngestionRun {
	t.Helper()
	out, errOut, err := runRootCommand(t, append([]string{"push", "--dry-run=client", "-o", "json", "--idempotency-key=k"}, args...)...)
	if err != nil {
		t.Fatalf("%q: %v\n%s", args, err, errOut)
	}
	var got run.IngestionRun
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	got.Status.Durations = nil
	return got
}

// PATH is written as the system writes paths. What is sent to the cluster is the same on every system, and has slashes only.
func TestPathArgument(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "Cats and Dogs")
	if err := datasettest.Good("image_classification").WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(dir))
	sep := string(filepath.Separator)
	base := filepath.Base(dir)
	spellings := []string{dir, base, "." + sep + base, "." + sep + base + sep, base + sep + "images" + sep + "..", "." + "/" + base + "/"}
	if runtime.GOOS == "windows" {
		spellings = append(spellings, `\\?\`+dir, strings.ToLower(dir[:1])+dir[1:])
	}
	want := planOf(t, dir)
	if want.Spec.Table != "cats_and_dogs" {
		t.Errorf("table %q", want.Spec.Table)
	}
	if strings.Contains(want.Spec.IngestConfig, `\`) || strings.Contains(want.Status.Staging.Path, `\`) || !strings.HasPrefix(want.Status.Staging.Path, "/") {
		t.Errorf("the paths of the cluster: %q\n%s", want.Status.Staging.Path, want.Spec.IngestConfig)
	}
	for _, spelling := range spellings {
		got := planOf(t, spelling)
		if got.Spec.Path != spelling {
			t.Errorf("%q became %q", spelling, got.Spec.Path)
		}
		got.Spec.Path = want.Spec.Path
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q:\n%s", spelling, diff)
		}
	}
	t.Chdir(dir)
	if got := planOf(t, "."); got.Spec.Table != want.Spec.Table || got.Status.Staging.Path != want.Status.Staging.Path {
		t.Errorf(". is table %q in %q", got.Spec.Table, got.Status.Staging.Path)
	}
}

// A CSV and a spec that were written on Windows, with CR and LF, are taken as those without.
func TestFilesWithCRLF(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	const spec = "apiVersion: tracebloc.io/v1\nkind: IngestConfig\ncategory: tabular_classification\nlabel: churned\n"
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(strings.ReplaceAll(text, "\n", "\r\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("churn.csv", "age,churned\n41,yes\n29,no\n35,no\n52,yes\n")
	write("spec.yaml", spec)
	got := planOf(t, "."+string(filepath.Separator)+"churn.csv", "-f", "."+string(filepath.Separator)+"spec.yaml")
	if got.Spec.Table != "churn" || got.Status.Dataset.Rows != 4 || got.Status.Dataset.Classes != 2 || strings.Contains(got.Spec.IngestConfig, "\r") {
		t.Errorf("%+v of %q", got.Status.Dataset, got.Spec.IngestConfig)
	}
}

// init writes beside the data, and says where in the words of the system; a path that ends in a separator is a directory.
func TestInitTarget(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "my data")
	if err := datasettest.Good("image_classification").WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(dir))
	sep := string(filepath.Separator)
	out, errOut, err := runRootCommand(t, "init", "."+sep+"my data"+sep)
	if want := "my data" + sep + dataset.SpecFile + "\n"; err != nil || out != want {
		t.Fatalf("%v, %q, want %q\n%s", err, out, want, errOut)
	}
	if _, err := os.Stat(filepath.Join(dir, dataset.SpecFile)); err != nil {
		t.Error(err)
	}
	for _, output := range []string{"my data" + sep, "my data/", "none" + sep, "none/", "my data" + sep + ".."} {
		if _, _, err := runRootCommand(t, "init", dir, "--output", output); ExitCode(err) != exitDataset {
			t.Errorf("--output=%q: %v", output, err)
		}
	}
	if _, _, err := runRootCommand(t, "push", dir+sep, "--dry-run=client"); err != nil {
		t.Errorf("with the spec that was written: %v", err)
	}
}

// A path of Windows in a spec names nothing in a Pod, and is not taken for a file in the dataset.
func TestWindowsPathInSpec(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"churn.csv": "age,churned\n41,yes\n29,no\n", "data/churn.csv": "age,churned\n41,yes\n29,no\n"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{`C:\data\churn.csv`, `.\churn.csv`, `data\churn.csv`, `\\server\share\churn.csv`} {
		spec := "apiVersion: tracebloc.io/v1\nkind: IngestConfig\ncategory: tabular_classification\nlabel: churned\ncsv: '" + path + "'\n"
		if err := os.WriteFile("spec.yaml", []byte(spec), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := runRootCommand(t, "push", "data", "-f", "spec.yaml", "--dry-run=client")
		if ExitCode(err) != exitSpec || !strings.Contains(err.Error(), fmt.Sprintf("%q", path)) {
			t.Errorf("csv: %s: %v", path, err)
		}
	}
}
