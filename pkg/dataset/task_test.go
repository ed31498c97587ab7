package dataset

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTasks holds the registry against the tables of contract/spec.md.
func TestTasks(t *testing.T) {
	t.Parallel()
	const table = `
image_classification         image   labels.csv images    -                     filename                       column            passthrough
object_detection             image   labels.csv images    annotations!          filename                       column            passthrough
keypoint_detection           image   labels.csv images    -                     filename,Annotation,Visibility column            passthrough
semantic_segmentation        image   labels.csv images    masks!                filename,mask_id               column            passthrough
text_classification          text    labels.csv texts     tokenizer.json        filename                       column            passthrough
token_classification         text    labels.csv texts     tokenizer.json        filename                       column            passthrough
sentence_pair_classification text    labels.csv texts     tokenizer.json        filename                       column            passthrough
masked_language_modeling     text    labels.csv sequences tokenizer.json!       filename                       forbidden         -
causal_language_modeling     text    labels.csv texts     tokenizer.json        filename                       forbidden         -
seq2seq                      text    labels.csv texts     tokenizer.json        filename                       forbidden         -
embeddings                   text    labels.csv texts     tokenizer.json        filename                       forbidden         -
tabular_classification       tabular data_CSV   -         -                     -                              column            passthrough
tabular_regression           tabular data_CSV   -         -                     -                              column_and_policy bucket
time_series_forecasting      tabular data_CSV   -         -                     timestamp                      column_and_policy bucket
time_series_classification   tabular data_CSV   -         -                     sequence_id,timestamp          column            passthrough
time_to_event_prediction     tabular data_CSV   -         -                     -                              column_and_policy bucket`
	var got []string
	for _, task := range Tasks {
		var sidecars []string
		for _, s := range task.Sidecars {
			name := s.Path
			if s.Required {
				name += "!"
			}
			sidecars = append(sidecars, name)
		}
		fields := []string{
			task.Name, string(task.Family), string(task.Manifest), task.Dir, strings.Join(sidecars, ","),
			strings.Join(task.Columns, ","), string(task.LabelForm), task.LabelPolicy,
		}
		for i, f := range fields {
			fields[i] = strings.ReplaceAll(f, " ", "_")
			if f == "" {
				fields[i] = "-"
			}
		}
		got = append(got, strings.Join(fields, " "))
	}
	if diff := cmp.Diff(rows(table), got); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
}

// TestTasksAreWhole: every task says all that the others do about the same things.
func TestTasksAreWhole(t *testing.T) {
	t.Parallel()
	for _, task := range Tasks {
		hasDir := task.Dir != ""
		if hasDir != task.HasFiles() || hasDir != (len(task.Extensions) > 0) || hasDir != (task.Family != FamilyTabular) || hasDir != slices.Contains(task.SpecFields, task.Dir) {
			t.Errorf("%s: directory %q, extensions %q, family %q and spec fields %q do not go together", task.Name, task.Dir, task.Extensions, task.Family, task.SpecFields)
		}
		if hasDir && task.Columns[0] != "filename" {
			t.Errorf("%s: first column %q", task.Name, task.Columns[0])
		}
		if task.HasLabel() != task.Takes("label-column") || task.HasLabel() != task.Takes("label-policy") || task.HasLabel() != slices.Contains(task.SpecFields, "label") {
			t.Errorf("%s: label form %q, flags %q and spec fields %q do not go together", task.Name, task.LabelForm, task.Flags, task.SpecFields)
		}
		if task.Takes("target-size") != (task.Family == FamilyImage) || task.Takes("schema") != (task.Family != FamilyImage) {
			t.Errorf("%s: flags %q", task.Name, task.Flags)
		}
		for _, s := range task.Sidecars {
			if s.Dir != (len(s.Extensions) > 0) || s.Dir != slices.Contains(task.SpecFields, s.SpecField) {
				t.Errorf("%s: sidecar %+v", task.Name, s)
			}
		}
		if task.Summary == "" || strings.HasSuffix(task.Summary, ".") {
			t.Errorf("%s: summary %q", task.Name, task.Summary)
		}
	}
	if diff := cmp.Diff([]string{"label-column", "label-policy", "schema", "time-column", "target-size", "number-of-keypoints"}, TaskFlags()); diff != "" {
		t.Errorf("TaskFlags() (-want +got):\n%s", diff)
	}
}

// TestTaskRules holds what else differs between tasks against contract/spec.md ("Since", the conditionals) and
// contract/ingestor.md 2.1, 2.2 and 6: since when the task is known, whether its label is a class, the groups of rules, and
// what the spec must have beside the directories and the label.
func TestTaskRules(t *testing.T) {
	t.Parallel()
	const table = `
image_classification         -     classes images                      spec.file_options
object_detection             -     -       images,voc                  spec.file_options
keypoint_detection           -     -       images,keypoints            target_size,number_of_keypoints,spec.file_options
semantic_segmentation        -     -       images,masks                schema,spec.file_options
text_classification          -     classes text,tokenizer              -
token_classification         0.3.9 -       bio,tokenizer               -
sentence_pair_classification 0.7.0 classes sentence-pairs              -
masked_language_modeling     -     -       text,masked-tokenizer       -
causal_language_modeling     0.7.0 -       text                        -
seq2seq                      0.7.0 -       text                        -
embeddings                   0.7.0 -       contrastive-pairs           -
tabular_classification       -     classes -                           schema
tabular_regression           -     -       -                           schema
time_series_forecasting      -     -       forecasting                 schema
time_series_classification   0.7.0 classes sequences                   schema
time_to_event_prediction     -     -       time-to-event               schema`
	var got []string
	for _, task := range Tasks {
		fields := []string{task.Name, task.Since, "", strings.Join(words(task.Checks), ","), ""}
		if task.Classes {
			fields[2] = "classes"
		}
		var more []string
		for _, f := range task.SpecFields {
			beside := slices.ContainsFunc(task.Sidecars, func(s Sidecar) bool { return s.SpecField == f })
			if f != task.Dir && f != "label" && !beside {
				more = append(more, f)
			}
		}
		fields[4] = strings.Join(more, ",")
		for i, f := range fields {
			if f == "" {
				fields[i] = "-"
			}
		}
		got = append(got, strings.Join(fields, " "))
	}
	if diff := cmp.Diff(rows(table), got); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
}

// TestTaskFiles: each directory takes one of a few extensions, and each paired file has its name.
func TestTaskFiles(t *testing.T) {
	t.Parallel()
	const table = `
images      .jpg,.jpeg,.png
texts       .txt,.text
sequences   .txt,.text
annotations .xml
masks       .png            _mask`
	want := map[string]string{}
	for _, row := range rows(table) {
		dir, _, _ := strings.Cut(row, " ")
		want[dir] = row
	}
	got := map[string]string{}
	add := func(dir string, extensions []string, suffix string) {
		row := strings.TrimSpace(dir + " " + strings.Join(extensions, ",") + " " + suffix)
		if before, seen := got[dir]; seen && before != row {
			t.Errorf("%q here, %q there", row, before)
		}
		got[dir] = row
	}
	for _, task := range Tasks {
		if task.Dir != "" {
			add(task.Dir, task.Extensions, "")
		}
		for _, s := range task.Sidecars {
			if s.Dir {
				add(s.Path, s.Extensions, s.Suffix)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("directories (-want +got):\n%s", diff)
	}
}

// TestEveryCheckIsUsed reads the names of the groups of rules from the source: one that no task has is never run.
func TestEveryCheckIsUsed(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "task.go", nil, 0)
	must(t, err)
	declared := map[Check]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Names) != 1 || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Check") {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
			value, err := strconv.Unquote(literal.Value)
			must(t, err)
			declared[Check(value)] = spec.Names[0].Name
		}
		return true
	})
	if len(declared) < 10 {
		t.Fatalf("only %d groups found: %v", len(declared), declared)
	}
	for check, name := range declared {
		if !slices.ContainsFunc(Tasks, func(task Task) bool { return slices.Contains(task.Checks, check) }) {
			t.Errorf("no task has %s", name)
		}
	}
	for _, task := range Tasks {
		for _, check := range task.Checks {
			if declared[check] == "" {
				t.Errorf("%s has the unknown group %q", task.Name, check)
			}
		}
	}
}

func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// rows are the lines of a table with one space between its words.
func rows(table string) []string {
	var out []string
	for line := range strings.Lines(strings.TrimSpace(table)) {
		out = append(out, strings.Join(strings.Fields(line), " "))
	}
	return out
}

func TestLookupTask(t *testing.T) {
	t.Parallel()
	if task, err := LookupTask("seq2seq"); err != nil || task.Name != "seq2seq" {
		t.Errorf("LookupTask(seq2seq) = %q, %v", task.Name, err)
	}
	var refused *NotPushableError
	if _, err := LookupTask("instance_segmentation"); !errors.As(err, &refused) || !strings.Contains(err.Error(), "never copies its files") {
		t.Errorf("LookupTask(instance_segmentation) = %v", err)
	}
	for name, near := range map[string][]string{
		"image_clasification":  {"image_classification"},
		"Image-Classification": {"image_classification"},
		"keypoint":             {"keypoint_detection"},
		"time_series":          {"time_series_forecasting", "time_series_classification"},
		"gradient_boosting":    nil,
		"":                     nil,
	} {
		_, err := LookupTask(name)
		var unknown *UnknownTaskError
		if !errors.As(err, &unknown) {
			t.Fatalf("LookupTask(%q) = %v", name, err)
		}
		if diff := cmp.Diff(near, unknown.Near); diff != "" {
			t.Errorf("near %q (-want +got):\n%s", name, diff)
		}
		if near == nil && !strings.Contains(err.Error(), "must be one of image_classification, ") {
			t.Errorf("LookupTask(%q) = %v, want the list", name, err)
		}
	}
}

func TestEditDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"kitten", "sitting", 3}, {"label", "Label", 1}, {"lable", "label", 1}, {"größe", "grosse", 3}, {"ca", "abc", 3}, {strings.Repeat("x", 300), "x", 300}} {
		if got := EditDistance(c.a, c.b); got != c.want {
			t.Errorf("EditDistance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
