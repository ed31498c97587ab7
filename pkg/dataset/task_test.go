package dataset

import (
	"errors"
	"slices"
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
	var want []string
	for line := range strings.Lines(strings.TrimSpace(table)) {
		want = append(want, strings.Join(strings.Fields(line), " "))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
}

// TestTasksAreWhole: every task says all that the others do about the same things.
func TestTasksAreWhole(t *testing.T) {
	t.Parallel()
	var ready []string
	for _, task := range Tasks {
		if task.Ready {
			ready = append(ready, task.Name)
		}
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
	if diff := cmp.Diff([]string{"image_classification", "tabular_classification"}, ready); diff != "" {
		t.Errorf("ready tasks (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"label-column", "label-policy", "schema", "time-column", "target-size", "number-of-keypoints"}, TaskFlags()); diff != "" {
		t.Errorf("TaskFlags() (-want +got):\n%s", diff)
	}
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
	}{{"", "", 0}, {"a", "", 1}, {"kitten", "sitting", 3}, {"label", "Label", 1}, {strings.Repeat("x", 300), "x", 300}} {
		if got := EditDistance(c.a, c.b); got != c.want {
			t.Errorf("EditDistance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
