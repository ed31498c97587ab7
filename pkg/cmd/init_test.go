package cmd

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset/datasettest"
	"github.com/tracebloc/kubectl-tracebloc/pkg/ingest"
)

const planned = "jsonpath={.spec.ingestConfig}"

// TestInitEveryTask: what init writes is valid without a warning, and push makes the same spec with it and without.
func TestInitEveryTask(t *testing.T) {
	for _, task := range dataset.Tasks {
		t.Run(task.Name, func(t *testing.T) {
			dir := datasettest.Good(task.Name).Write(t)
			flags := []string{dir, "--task=" + task.Name, "--table=a_table", "--intent=test"}
			if task.Takes("number-of-keypoints") {
				flags = append(flags, fmt.Sprintf("--number-of-keypoints=%d", inited(t, flags...).NumberOfKeypoints))
			}
			bare, _, err := runRootCommand(t, append([]string{"push", "--dry-run=client", "-o", planned}, flags...)...)
			if err != nil {
				t.Fatal(err)
			}
			out, errOut, err := runRootCommand(t, append([]string{"init"}, flags...)...)
			file := filepath.Join(dir, "ingest.yaml")
			if err != nil || out != file+"\n" || !strings.Contains(errOut, "next: kubectl tracebloc push "+dir+" --dry-run=client") {
				t.Fatalf("error %v, output %q, chatter %q", err, out, errOut)
			}
			if out, errOut, err := runRootCommand(t, "validate", file); err != nil || out != "" {
				t.Errorf("validate: %v\n%s%s", err, out, errOut)
			}
			if out, errOut, err := runRootCommand(t, "validate", file, "--data", dir); err != nil {
				t.Errorf("validate --data: %v\n%s%s", err, out, errOut)
			}
			with, _, err := runRootCommand(t, "push", "--dry-run=client", dir, "-o", planned)
			if diff := cmp.Diff(bare, with); err != nil || diff != "" {
				t.Errorf("push with the spec (-without +with): %v\n%s", err, diff)
			}
		})
	}
}

func inited(t *testing.T, args ...string) *ingest.Config {
	t.Helper()
	out, _, err := runRootCommand(t, append([]string{"init", "-o", "-"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	config, problems := ingest.Load("-", []byte(out))
	if len(problems) > 0 {
		t.Fatalf("%v\n%s", problems, out)
	}
	return config
}

// TestInitFlags: each flag of push means the same to init, and wins over the data.
func TestInitFlags(t *testing.T) {
	churn := filepath.Join(inSpecs(t, map[string]string{"churn.csv": "days,class,gone\n1,a,0\n2,b,1\n"}), "churn.csv")
	for _, tt := range []struct {
		args []string
		want ingest.Config
	}{
		{[]string{"--task=tabular_classification"}, ingest.Config{Category: "tabular_classification", Table: "churn", Intent: "train",
			Label:  &ingest.Label{Column: "class", Policy: "passthrough"},
			Schema: ingest.Columns{{Name: "days", Type: "INT"}, {Name: "class", Type: "VARCHAR(1)"}, {Name: "gone", Type: "INT"}}}},
		{[]string{"--category=tabular_regression", "--label-column=gone", "--label-policy=passthrough", "--table=T", "--intent=test", "--schema=days:BIGINT,gone:INT"},
			ingest.Config{Category: "tabular_regression", Table: "T", Intent: "test", Label: &ingest.Label{Column: "gone", Policy: "passthrough"},
				Schema: ingest.Columns{{Name: "days", Type: "BIGINT"}, {Name: "gone", Type: "INT"}}}},
		{[]string{"--task=time_to_event_prediction", "--label-column=gone", "--time-column=days", "--schema=days:INT,gone:INT"},
			ingest.Config{Category: "time_to_event_prediction", Table: "churn", Intent: "train", Label: &ingest.Label{Column: "gone", Policy: "bucket"},
				Schema: ingest.Columns{{Name: "days", Type: "INT"}, {Name: "gone", Type: "INT"}}, TimeColumn: "days"}},
	} {
		tt.want.APIVersion, tt.want.Kind, tt.want.CSV = ingest.APIVersion, ingest.Kind, "churn.csv"
		if diff := cmp.Diff(&tt.want, inited(t, append(tt.args, churn)...), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("init %q (-want +got):\n%s", tt.args, diff)
		}
	}
	if got := inited(t, datasettest.Good("keypoint_detection").Write(t), "--task=keypoint_detection", "--table=t", "--target-size=50x60", "--number-of-keypoints=3"); *got.TargetSize != [2]int{50, 60} || got.NumberOfKeypoints != 3 {
		t.Errorf("the flags' numbers are lost: %v, %d", got.TargetSize, got.NumberOfKeypoints)
	}
}

// TestInitAsks: where the data does not tell what the spec needs, the error names the flag that does.
func TestInitAsks(t *testing.T) {
	dir := inSpecs(t, map[string]string{
		"plain.csv":         "a,b\n1,x\n2,y\n",
		"two.csv":           "label,target\n1,x\n2,y\n",
		"empty.csv":         "",
		"bare/images/x":     "",
		"bare/labels.csv":   "filename,label\nx,1\n",
		"none/labels.csv":   "filename,label\nx,1\n",
		"broken/labels.csv": "filename,label\nx.png,a\ny.png,b\n", "broken/images/x.png": "x", "broken/images/y.png": "y",
		"pose/labels.csv": "filename,label,Annotation,Visibility\nx.png,a,?,?\n", "pose/images/x.png": datasettest.PNG(64, 64),
	})
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"plain.csv", exitSpec, "choose one with --task"},
		{"plain.csv --task=tabular", exitSpec, "unknown task"},
		{"plain.csv --task=instance_segmentation", exitSpec, "semantic_segmentation"},
		{"plain.csv --task=tabular_classification", exitSpec, "--label-column (the columns are \"a\" and \"b\")"},
		{"two.csv --task=tabular_classification", exitSpec, "--label-column"},
		{"plain.csv --task=tabular_classification --label-column=c", exitSpec, "no such column"},
		{"plain.csv --task=tabular_classification --label-column=b --target-size=1x1", exitSpec, "--target-size does not fit"},
		{"plain.csv --task=tabular_classification --label-column=b --table=1", exitSpec, "table name"},
		{"plain.csv --task=tabular_classification --label-column=b --schema=a", exitSpec, "--schema"},
		{"plain.csv --task=time_to_event_prediction --label-column=b", exitSpec, "--time-column"},
		{"plain.csv --intent=eval", exitSpec, "--intent"},
		{"broken", exitSpec, "--target-size"},
		{"pose --task=keypoint_detection", exitSpec, "--number-of-keypoints"},
		{"none --task=image_classification", exitDataset, "images"},
		{"empty.csv --task=tabular_classification", exitDataset, "cannot be read"},
		{"nope.csv", exitDataset, "no such file"},
		{"plain.csv two.csv", exitSpec, "one PATH"},
	} {
		args := strings.Fields(tt.args)
		for i, arg := range args {
			if !strings.HasPrefix(arg, "-") {
				args[i] = filepath.Join(dir, arg)
			}
		}
		out, _, err := runRootCommand(t, append([]string{"init", "-o", "-"}, args...)...)
		if ExitCode(err) != tt.code || !strings.Contains(fmt.Sprint(err), tt.want) || out != "" {
			t.Errorf("init %s: exit code %d, %v, output %q; want %d and %q", tt.args, ExitCode(err), err, out, tt.code, tt.want)
		}
	}
}

// TestInitTellsOfProblems: a dataset that push would refuse gets its spec, and the number of problems.
func TestInitTellsOfProblems(t *testing.T) {
	dir := datasettest.Good("image_classification").With("images/other.txt", "x").Write(t)
	out, errOut, err := runRootCommand(t, "init", dir, "--table=t")
	if err != nil || out != filepath.Join(dir, "ingest.yaml")+"\n" || !strings.Contains(errOut, "the dataset has 1 error and 1 warning yet; to see them: kubectl tracebloc push") {
		t.Errorf("error %v, output %q, chatter %q", err, out, errOut)
	}
	if _, _, err := runRootCommand(t, "push", dir, "--dry-run=client"); ExitCode(err) != exitDataset {
		t.Errorf("push: %v", err)
	}
}

// TestInitHostileNames: names of columns, files and directories come out of the spec as they went in.
func TestInitHostileNames(t *testing.T) {
	names := []string{"yes", "1", "a: b", "#x", "- z", "größe", "名前", `q"uote`, "it's", "[list]", "{map}", "null", "2024-01-01", "&anchor", "a\u202eb", "😀"}
	quote := func(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
	header, row := "label", "x"
	for _, name := range names {
		header, row = header+","+quote(name), row+",1"
	}
	csv := header + "\n" + row + "\n" + strings.Replace(row, "x", "y", 1) + "\n"
	for _, name := range []string{"a: b #c", "new\nline", "esc\x1b[31m", "it's $(x)", "yes"} {
		file := name + ".csv"
		if strings.ContainsAny(name, "\n\x1b") {
			file = "data.csv" // no file of such a name can be carried; its directory is not
		}
		dir := filepath.Join(inSpecs(t, map[string]string{name + "/" + file: csv}), name)
		_, errOut, err := runRootCommand(t, "init", dir, "--task=tabular_classification", "--table=t")
		if err != nil || strings.Contains(errOut, "\x1b") {
			t.Errorf("%q: %v, chatter %q", name, err, errOut)
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, "ingest.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		config, problems := ingest.Load("ingest.yaml", text)
		if len(problems) > 0 {
			t.Fatalf("%q: %v", name, problems)
		}
		got := []string{config.CSV}
		for _, column := range config.Schema {
			got = append(got, column.Name)
		}
		if diff := cmp.Diff(append([]string{file, "label"}, names...), got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", name, diff)
		}
		if _, _, err := runRootCommand(t, "push", dir, "--dry-run=client"); err != nil {
			t.Errorf("push of %q: %v", name, err)
		}
	}
}

func TestWriteSpec(t *testing.T) {
	t.Parallel()
	read := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, tt := range []struct {
		name  string
		there func(path string) error
		force bool
		code  int
		keeps string // what a link points to, or what the file holds afterwards
	}{
		{name: "new", keeps: "new"},
		{name: "new with force", force: true, keeps: "new"},
		{name: "exists", there: func(path string) error { return os.WriteFile(path, []byte("old"), 0o600) }, code: exitExists, keeps: "old"},
		{name: "replaced", there: func(path string) error { return os.WriteFile(path, []byte("old"), 0o600) }, force: true, keeps: "new"},
		{name: "a link", there: func(path string) error { return os.Symlink("victim", path) }, code: exitDataset, keeps: "safe"},
		{name: "a link with force", there: func(path string) error { return os.Symlink("victim", path) }, force: true, code: exitDataset, keeps: "safe"},
		{name: "a dangling link", there: func(path string) error { return os.Symlink("nowhere", path) }, code: exitDataset},
		{name: "a dangling link with force", there: func(path string) error { return os.Symlink("nowhere", path) }, force: true, code: exitDataset},
		{name: "a directory", there: func(path string) error { return os.Mkdir(path, 0o755) }, code: exitDataset},
		{name: "a directory with force", there: func(path string) error { return os.Mkdir(path, 0o755) }, force: true, code: exitDataset},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := inSpecs(t, map[string]string{"victim": "safe"})
			path := filepath.Join(dir, "ingest.yaml")
			if tt.there != nil {
				if err := tt.there(path); err != nil {
					t.Fatal(err)
				}
			}
			if err := writeSpec(path, []byte("new"), tt.force); ExitCode(err) != tt.code {
				t.Errorf("exit code %d, want %d: %v", ExitCode(err), tt.code, err)
			}
			if tt.keeps != "" && read(path) != tt.keeps {
				t.Errorf("the file holds %q, want %q", read(path), tt.keeps)
			}
			if read(filepath.Join(dir, "victim")) != "safe" {
				t.Error("a link was followed")
			}
			if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
			if _, err := os.Lstat(filepath.Join(dir, "nowhere")); err == nil {
				t.Error("a dangling link was followed")
			}
		})
	}
	if err := writeSpec(filepath.Join(t.TempDir(), "no", "such", "directory.yaml"), nil, true); ExitCode(err) != exitDataset {
		t.Errorf("in a directory that does not exist: %v", err)
	}
}

// TestWriteErrors: what the system says is worded without the names that the writing uses inside.
func TestWriteErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&fs.PathError{Op: "openat", Path: ".ingest.yaml.ABC", Err: syscall.EACCES},
			`"d/x.yaml" cannot be written: permission denied (give yourself write permission in "d", or write elsewhere with --output, or to standard output with --output=-)`},
		{&fs.PathError{Op: "openat", Path: ".ingest.yaml.ABC", Err: syscall.EROFS},
			`"d/x.yaml" cannot be written: read-only file system (write elsewhere with --output, or to standard output with --output=-)`},
		{&os.LinkError{Op: "renameat", Old: ".ingest.yaml.ABC", New: "x.yaml", Err: syscall.ENOSPC},
			`"d/x.yaml" cannot be written: no space left on device (write elsewhere with --output, or to standard output with --output=-)`},
	} {
		if got := writeError("d/x.yaml", tt.err); got.Error() != tt.want || ExitCode(got) != exitDataset {
			t.Errorf("exit code %d, %v\nwant %s", ExitCode(got), got, tt.want)
		}
	}
}

func TestShellWord(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"./a-b_c.csv": "./a-b_c.csv", "a b": "'a b'", "it's": `'it'\''s'`, "$(x)": "'$(x)'", "": "''", "größe": "'größe'",
	} {
		if got := shellWord(word); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", word, got, want)
		}
	}
}
