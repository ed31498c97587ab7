package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

const (
	goodSpec = `apiVersion: tracebloc.io/v1
kind: IngestConfig
category: tabular_classification
table: flowers
intent: train
csv: flowers.csv
label: species
schema: {petal: DOUBLE, species: VARCHAR(20)}
`
	warnedSpec = goodSpec + "time_column: \"off\"\n"
	badSpec    = `apiVersion: tracebloc.io/v1
kind: IngestConfig
category: tabular_clasification
tabel: flowers
table: flowers
intent: train
csv: flowers.csv
`
)

// inSpecs writes files into a new directory and returns it.
func inSpecs(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// runValidate runs the command in dir, whose name it takes out of the output.
func runValidate(t *testing.T, dir, stdin string, args ...string) (code int, out, errOut string) {
	t.Helper()
	streams, in, stdout, stderr := genericiooptions.NewTestIOStreams()
	in.WriteString(stdin)
	c := newValidateCommand("v1.2.3", streams)
	c.SilenceErrors, c.SilenceUsage = true, true
	for i, arg := range args {
		args[i] = strings.ReplaceAll(arg, "DIR", dir)
	}
	c.SetArgs(append([]string{}, args...))
	err := c.ExecuteContext(t.Context())
	if err != nil {
		PrintError(stderr, err)
	}
	clean := func(s string) string { return strings.ReplaceAll(s, dir, "DIR") }
	return ExitCode(err), clean(stdout.String()), clean(stderr.String())
}

func TestValidate(t *testing.T) {
	t.Parallel()
	const (
		taskLine  = `3:11: category: unknown task "tabular_clasification": did you mean "tabular_classification"` + "\n"
		fieldLine = `4:1: tabel: unknown field; did you mean table?` + "\n"
	)
	for _, tt := range []struct {
		name   string
		args   []string
		stdin  string
		code   int
		out    string
		errOut string
	}{
		{name: "good", args: []string{"DIR/good.yaml"}, errOut: "no problems in 1 spec\n"},
		{name: "bad", args: []string{"DIR/bad.yaml"}, code: exitSpec,
			out:    "DIR/bad.yaml:" + taskLine + "DIR/bad.yaml:" + fieldLine,
			errOut: "2 errors, 0 warnings in 1 spec\n"},
		{name: "several and standard input", args: []string{"DIR/good.yaml", "-", "DIR/bad.yaml"}, stdin: warnedSpec, code: exitSpec,
			out: `<stdin>:9:14: time_column: warning: the task "tabular_classification" does not use it` + "\n" +
				"DIR/bad.yaml:" + taskLine + "DIR/bad.yaml:" + fieldLine,
			errOut: "2 errors, 1 warning in 3 specs\n"},
		{name: "warnings only", args: []string{"-"}, stdin: warnedSpec,
			out:    `<stdin>:9:14: time_column: warning: the task "tabular_classification" does not use it` + "\n",
			errOut: "0 errors, 1 warning in 1 spec\n"},
		{name: "JSON", args: []string{"-"}, stdin: `{"apiVersion": "tracebloc.io/v1", "kind": "IngestConfig", "category": "seq2seq", "table": "a",
			"intent": "test", "csv": "labels.csv", "texts": "texts"}`, errOut: "no problems in 1 spec\n"},
		{name: "empty standard input", args: []string{"-"}, code: exitSpec,
			out:    "<stdin>:1:1: the file is empty; a spec starts with apiVersion: tracebloc.io/v1\n",
			errOut: "1 error, 0 warnings in 1 spec\n"},
		{name: "not there", args: []string{"DIR/nope.yaml", "DIR/good.yaml"}, code: exitSpec,
			out: "DIR/nope.yaml: no such file or directory\n", errOut: "1 error, 0 warnings in 2 specs\n"},
		{name: "a directory", args: []string{"DIR"}, code: exitSpec,
			out: "DIR: not a regular file; use - to read standard input\n", errOut: "1 error, 0 warnings in 1 spec\n"},
		{name: "control characters", args: []string{"-"}, stdin: "\"a\\e[31mb\": \"c\\u202ed\"\nkind: \"\\e]0;x\\a\"\n", code: exitSpec,
			out: `<stdin>:1:1: ["a\x1b[31mb"]: unknown field` + "\n" +
				`<stdin>:1:1: apiVersion: is missing; it must be "tracebloc.io/v1"` + "\n" +
				"<stdin>:1:1: category: is missing\n" +
				"<stdin>:1:1: csv: is missing; a spec needs the path of its CSV (or json in its place)\n" +
				`<stdin>:1:1: intent: is missing; it must be "train" or "test"` + "\n" +
				"<stdin>:1:1: table: is missing\n" +
				`<stdin>:2:7: kind: "\x1b]0;x\a" is not an ingest spec; it must be "IngestConfig"` + "\n",
			errOut: "7 errors, 0 warnings in 1 spec\n"},
		{name: "no spec", code: exitSpec, errOut: "error: validate needs at least one SPEC: a file, or - for standard input\n"},
		{name: "standard input twice", args: []string{"-", "-"}, code: exitSpec,
			errOut: "error: standard input can only be read once, and - is given twice\n"},
		{name: "unknown format", args: []string{"-", "-o", "xml"}, code: exitSpec, errOut: "error: --output=\"xml\": must be json, yaml, sarif or github, or left out\n"},
		{name: "data for two", args: []string{"-", "DIR/good.yaml", "--data", "DIR"}, code: exitSpec, errOut: "error: --data goes with one SPEC, got 2\n"},
		{name: "data, but a bad spec", args: []string{"DIR/bad.yaml", "--data", "DIR/nope"}, code: exitSpec,
			out: "DIR/bad.yaml:" + taskLine + "DIR/bad.yaml:" + fieldLine, errOut: "2 errors, 0 warnings in 1 spec\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := inSpecs(t, map[string]string{"good.yaml": goodSpec, "bad.yaml": badSpec})
			code, out, errOut := runValidate(t, dir, tt.stdin, tt.args...)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if diff := cmp.Diff(tt.out, out); diff != "" {
				t.Errorf("stdout (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.errOut, errOut); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
		})
	}
}

func TestValidateData(t *testing.T) {
	t.Parallel()
	dir := inSpecs(t, map[string]string{
		"spec.yaml":        goodSpec,
		"good/flowers.csv": "petal,species\n1.5,rose\n2.5,tulip\n",
		"bad/flowers.csv":  "petal,species\n1.5,rose\nlong,tulip\n2,rose\n",
	})
	t.Run("good", func(t *testing.T) {
		t.Parallel()
		code, out, errOut := runValidate(t, dir, "", "DIR/spec.yaml", "--data", "DIR/good/flowers.csv")
		if code != exitOK || out != "" || errOut != "no problems in 1 spec\nno problems in the dataset: 1 file, 2 rows\n" {
			t.Errorf("exit code %d, stdout %q, stderr %q", code, out, errOut)
		}
	})
	t.Run("bad", func(t *testing.T) {
		t.Parallel()
		code, out, _ := runValidate(t, dir, "", "DIR/spec.yaml", "--data", "DIR/bad")
		if code != exitDataset || !strings.Contains(out, "petal") || !strings.Contains(out, "long") {
			t.Errorf("exit code %d, stdout %q", code, out)
		}
	})
	t.Run("bad as JSON", func(t *testing.T) {
		t.Parallel()
		code, out, errOut := runValidate(t, dir, "", "DIR/spec.yaml", "--data", "DIR/bad", "-o", "json")
		var got validationReport
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%v in %q", err, out)
		}
		status := got.Status
		if code != exitDataset || errOut != "" || status.ExitCode != code || status.Dataset == nil || status.Dataset.Valid || status.Errors != 1 || len(status.Items) != 1 {
			t.Fatalf("exit code %d, stderr %q, %s", code, errOut, out)
		}
		if f := status.Items[0]; f.Row != 2 || f.Column != "petal" || f.Value != "long" || !strings.HasSuffix(f.File, "/bad/flowers.csv") {
			t.Errorf("finding %+v", f)
		}
	})
	t.Run("not there", func(t *testing.T) {
		t.Parallel()
		code, _, errOut := runValidate(t, dir, "", "DIR/spec.yaml", "--data", "DIR/nope")
		if code != exitDataset || !strings.Contains(errOut, "nope") {
			t.Errorf("exit code %d, stderr %q", code, errOut)
		}
	})
}
