package ingest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// compareGolden holds got against a file under testdata.
func compareGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

const stagedDir = "/data/shared/.tracebloc-staging/my_table/0123456789abcdef"

// inputFor is what a push of a good dataset of the task knows.
func inputFor(task dataset.Task) Input {
	in := Input{Task: task, Table: "my_table", CSV: "labels.csv"}
	if task.HasLabel() {
		in.LabelColumn = "label"
	}
	switch task.Family {
	case dataset.FamilyImage:
		in.TargetSize, in.Extension = [2]int{640, 480}, ".JPG"
		if task.Takes("number-of-keypoints") {
			in.Keypoints = 17
		}
	case dataset.FamilyText:
		in.Extension = ".txt"
	case dataset.FamilyTabular:
		in.CSV = "data set/größe.csv"
		in.LabelColumn = "yes"
		in.Schema = []dataset.Column{{Name: "age", Type: "int"}, {Name: "price in €", Type: "decimal(10, 2)"}}
		for _, name := range task.Columns {
			in.Schema = append(in.Schema, dataset.Column{Name: name, Type: "TIMESTAMP"})
		}
		in.Schema = append(in.Schema, dataset.Column{Name: "yes", Type: "VARCHAR(3)"})
	}
	if task.Takes("time-column") {
		in.TimeColumn = "age"
	}
	return in
}

func TestBuildEveryTask(t *testing.T) {
	t.Parallel()
	for _, task := range dataset.Tasks {
		t.Run(task.Name, func(t *testing.T) {
			t.Parallel()
			config, err := Build(inputFor(task), stagedDir)
			if err != nil {
				t.Fatal(err)
			}
			text, err := config.YAML()
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, filepath.Join("build", task.Name+".yaml"), text)

			again, problems := Load("spec.yaml", text)
			if problems.Errors() > 0 {
				t.Fatalf("the canonical form is not valid: %v", problems)
			}
			if diff := cmp.Diff(config, again); diff != "" {
				t.Errorf("read back (-built +read):\n%s", diff)
			}
		})
	}
}

func TestBuildKeepsBase(t *testing.T) {
	t.Parallel()
	const text = `
apiVersion: tracebloc.io/v1
kind: IngestConfig
category: image_classification
table: from_file
intent: test
csv: labels.csv
images: images
label: {column: species, policy: bucket}
data_id: {strategy: column, column: key}
spec:
  csv_options: {chunk_size: 500}
  file_options: {target_size: [64, 32], min_size: [1, 2], extension: .png, note: {b: 1, a: [1, two]}}
  validators: [file_type]
  processors: [{script: a.py, class: A, args: {x: 1.5}}]
`
	base, problems := Load("base.yaml", []byte(text))
	if base == nil {
		t.Fatal(problems)
	}
	before, err := base.YAML()
	if err != nil {
		t.Fatal(err)
	}
	task, _ := dataset.TaskByName("image_classification")
	config, err := Build(Input{Task: task, CSV: "labels.csv", TargetSize: [2]int{100, 50}, LabelColumn: "genus", Base: base}, stagedDir)
	if err != nil {
		t.Fatal(err)
	}
	after, err := config.YAML()
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, filepath.Join("build", "over_base.golden"), after)
	unchanged, err := base.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(before), string(unchanged)); diff != "" {
		t.Errorf("Build changed its base (-before +after):\n%s", diff)
	}
}

// TestBuildLeavesOutWhatIsNotOfTheTask builds every task over a base that has
// the fields of all others: the result is that of no base, and what is of no
// task.
func TestBuildLeavesOutWhatIsNotOfTheTask(t *testing.T) {
	t.Parallel()
	base := &Config{
		Table: "other", Intent: "test", JSON: "/x/records.json",
		Images: "/x/images", Annotations: "/x/annotations", Masks: "/x/masks", Texts: "/x/texts", Sequences: "/x/sequences",
		TimeColumn: "age", TargetSize: &[2]int{1, 2}, NumberOfKeypoints: 17, DataID: &DataID{Strategy: "uuid"},
		Spec: &SpecOptions{FileOptions: &FileOptions{TargetSize: &[2]int{3, 4}, Extension: ".xml"}},
	}
	before, err := base.YAML()
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range dataset.Tasks {
		in := inputFor(task)
		in.Intent = "test"
		want, err := Build(in, stagedDir)
		if err != nil {
			t.Fatal(err)
		}
		want.DataID = &DataID{Strategy: "uuid"}
		in.Base = base
		got, err := Build(in, stagedDir)
		if err != nil {
			t.Fatalf("%s: %v", task.Name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-without base +with base):\n%s", task.Name, diff)
		}
	}
	after, err := base.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(before), string(after)); diff != "" {
		t.Errorf("Build changed its base (-before +after):\n%s", diff)
	}
}

// TestBuildTakesFromBase: what flags and dataset do not say stands in the base.
func TestBuildTakesFromBase(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"keypoint_detection", "text_classification", "time_to_event_prediction", "time_series_forecasting"} {
		task, ok := dataset.TaskByName(name)
		if !ok {
			t.Fatal(name)
		}
		base, err := Build(inputFor(task), stagedDir)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Build(Input{Task: task, CSV: inputFor(task).CSV, Base: base}, stagedDir)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(base, got); diff != "" {
			t.Errorf("%s (-base +built over it):\n%s", name, diff)
		}
	}
}

func TestBuildRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		task   string
		dir    string
		change func(*Input)
		want   []string
	}{
		{"no size and extension", "image_classification", stagedDir, func(in *Input) { in.TargetSize, in.Extension = [2]int{}, "" },
			[]string{"--target-size", "extension"}},
		{"no extension of texts", "masked_language_modeling", stagedDir, func(in *Input) { in.Extension = "" }, []string{"extension", `"sequences"`}},
		{"keypoints too many", "image_classification", stagedDir, func(in *Input) { in.Keypoints = 3 }, []string{"--number-of-keypoints", "3"}},
		{"timestamp of another type", "time_series_forecasting", stagedDir, func(in *Input) { in.Schema[2].Type = "DATETIME" }, []string{"must be of type TIMESTAMP, not DATETIME"}},
		{"time as label", "time_series_forecasting", stagedDir, func(in *Input) { in.LabelColumn = "timestamp" }, []string{`needs the column "timestamp" for itself`}},
		{"groups without their column", "time_series_classification", stagedDir, func(in *Input) { in.Schema = in.Schema[:2] }, []string{"sequence_id", "timestamp"}},
		{"no label", "text_classification", stagedDir, func(in *Input) { in.LabelColumn = "" }, []string{"--label-column"}},
		{"a label too many", "embeddings", stagedDir, func(in *Input) { in.LabelColumn = "x" }, []string{`takes no label`, `"x"`}},
		{"a time column too many", "seq2seq", stagedDir, func(in *Input) { in.TimeColumn = "t" }, []string{"--time-column"}},
		{"no schema", "tabular_classification", stagedDir, func(in *Input) { in.Schema = nil }, []string{"schema: is missing"}},
		{"no keypoints", "keypoint_detection", stagedDir, func(in *Input) { in.Keypoints = 0 }, []string{"number_of_keypoints: is missing"}},
		{"bad table", "seq2seq", stagedDir, func(in *Input) { in.Table = "my-table" }, []string{`"my-table"`, `"my_table"`}},
		{"no table", "seq2seq", stagedDir, func(in *Input) { in.Table = "" }, []string{"table"}},
		{"reserved column", "tabular_classification", stagedDir,
			func(in *Input) { in.Schema = append(in.Schema, dataset.Column{Name: "Status", Type: "INT"}) }, []string{`"Status"`}},
		{"relative directory", "seq2seq", "data", func(*Input) {}, []string{`"data"`}},
		{"CSV outside", "seq2seq", stagedDir, func(in *Input) { in.CSV = "../labels.csv" }, []string{`"../labels.csv"`}},
		{"bytes that are no text", "seq2seq", stagedDir, func(in *Input) { in.CSV = "\xff.csv" }, []string{"UTF-8"}},
		{"column that is no text", "tabular_classification", stagedDir,
			func(in *Input) { in.Schema = append(in.Schema, dataset.Column{Name: "a\xff", Type: "INT"}) }, []string{`"a\xff"`, "UTF-8"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			task, ok := dataset.TaskByName(tt.task)
			if !ok {
				t.Fatal(tt.task)
			}
			in := inputFor(task)
			tt.change(&in)
			_, err := Build(in, tt.dir)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
		})
	}
}
