package gen

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"image"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func dataset(t *testing.T, task string) Dataset {
	t.Helper()
	d, err := Make(task, DefaultCount)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// names is the files in a directory of the dataset, without their extension.
func (d Dataset) names(dir string) []string {
	var out []string
	for _, f := range d.Files {
		if path.Dir(f.Path) == dir {
			out = append(out, strings.TrimSuffix(path.Base(f.Path), path.Ext(f.Path)))
		}
	}
	return out
}

func (d Dataset) file(t *testing.T, name string) []byte {
	t.Helper()
	at := slices.IndexFunc(d.Files, func(f File) bool { return f.Path == name })
	if at < 0 {
		t.Fatalf("%s: no file %q", d.Task, name)
	}
	return d.Files[at].Data
}

func TestSixteenTasks(t *testing.T) {
	if n := len(Tasks()); n != 16 {
		t.Errorf("%d tasks", n)
	}
	for _, task := range Tasks() {
		t.Run(task, func(t *testing.T) {
			t.Parallel()
			d := dataset(t, task)
			if d.Task != task || len(d.Rows) != DefaultCount {
				t.Errorf("task %q, %d rows", d.Task, len(d.Rows))
			}
			for i, row := range d.Rows {
				if len(row) != len(d.Header) {
					t.Errorf("row %d has %d cells under %d names", i, len(row), len(d.Header))
				}
			}
			if d.Label != "" {
				if classes := slices.Compact(slices.Sorted(slices.Values(d.Column(d.Label)))); len(classes) < 2 || classes[0] == "" {
					t.Errorf("labels %q", classes)
				}
			}
			again := dataset(t, task)
			if diff := cmp.Diff(d, again); diff != "" {
				t.Errorf("made twice:\n%s", diff)
			}
		})
	}
}

func TestFilesBelongToRows(t *testing.T) {
	for _, tc := range []struct{ task, dir, sidecars, suffix string }{
		{"image_classification", "images", "", ""},
		{"object_detection", "images", "annotations", ""},
		{"keypoint_detection", "images", "", ""},
		{"semantic_segmentation", "images", "masks", "_mask"},
		{"text_classification", "texts", "", ""},
		{"token_classification", "texts", "", ""},
		{"sentence_pair_classification", "texts", "", ""},
		{"masked_language_modeling", "sequences", "", ""},
		{"causal_language_modeling", "texts", "", ""},
		{"seq2seq", "texts", "", ""},
		{"embeddings", "texts", "", ""},
	} {
		t.Run(tc.task, func(t *testing.T) {
			t.Parallel()
			d := dataset(t, tc.task)
			var rows, twins []string
			for _, name := range d.Column("filename") {
				stem := strings.TrimSuffix(name, path.Ext(name))
				rows, twins = append(rows, stem), append(twins, stem+tc.suffix)
			}
			if diff := cmp.Diff(rows, d.names(tc.dir)); diff != "" {
				t.Errorf("files of %s:\n%s", tc.dir, diff)
			}
			if tc.sidecars != "" {
				if diff := cmp.Diff(twins, d.names(tc.sidecars)); diff != "" {
					t.Errorf("files of %s:\n%s", tc.sidecars, diff)
				}
			}
			for _, f := range d.Files {
				if tc.dir != "images" || path.Ext(f.Path) == ".xml" {
					continue
				}
				decoded, _, err := image.Decode(bytes.NewReader(f.Data))
				if err != nil {
					t.Fatalf("%s: %v", f.Path, err)
				}
				if got := decoded.Bounds().Size(); got != d.Size || got.X < 32 || got.Y < 32 {
					t.Errorf("%s is %v, want %v", f.Path, got, d.Size)
				}
			}
		})
	}
}

func TestKeypointsAreInThePicture(t *testing.T) {
	d := dataset(t, "keypoint_detection")
	for i, row := range d.Rows {
		var at map[string]image.Point
		var raw map[string][2]int
		var visible map[string]int
		if err := json.Unmarshal([]byte(row[2]), &raw); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(row[3]), &visible); err != nil {
			t.Fatal(err)
		}
		at = map[string]image.Point{}
		for name, xy := range raw {
			at[name] = image.Pt(xy[0], xy[1])
			if !at[name].In(image.Rectangle{Max: d.Size}) {
				t.Errorf("row %d: %s at %v", i, name, at[name])
			}
		}
		if len(at) != d.Keypoints || !slices.Equal(slices.Sorted(maps.Keys(at)), slices.Sorted(maps.Keys(visible))) {
			t.Errorf("row %d: %v and %v", i, at, visible)
		}
	}
}

func TestTextsHaveTheFieldsOfTheirTask(t *testing.T) {
	words := dataset(t, "token_classification")
	for i, tags := range words.Column("label") {
		text := string(words.Files[i].Data)
		if len(strings.Fields(text)) != len(strings.Fields(tags)) {
			t.Errorf("%q has the tags %q", text, tags)
		}
	}
	for task, fields := range map[string][]int{"sentence_pair_classification": {2}, "seq2seq": {2}, "embeddings": {2, 3}, "causal_language_modeling": {1, 2}} {
		d := dataset(t, task)
		var seen []int
		for _, f := range d.Files {
			record := strings.TrimSuffix(string(f.Data), "\n")
			seen = append(seen, len(strings.Split(record, "\t")))
			if strings.Contains(record, "\n") {
				t.Errorf("%s: %s has more than one record", task, f.Path)
			}
		}
		slices.Sort(seen)
		if got := slices.Compact(seen); !slices.Equal(got, fields) {
			t.Errorf("%s: %v fields, want %v", task, got, fields)
		}
	}
	var vocabulary struct {
		Model struct{ Vocab map[string]int }
	}
	if err := json.Unmarshal(dataset(t, "masked_language_modeling").file(t, "tokenizer.json"), &vocabulary); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"[PAD]", "[MASK]"} {
		if _, ok := vocabulary.Model.Vocab[token]; !ok {
			t.Errorf("the tokenizer lacks %s", token)
		}
	}
}

func TestSeriesAreOrdered(t *testing.T) {
	forecast := dataset(t, "time_series_forecasting")
	times := forecast.Column("timestamp")
	if !slices.IsSorted(times) {
		t.Errorf("timestamps %q", times)
	}
	if last, err := time.Parse(time.DateTime, times[len(times)-1]); err != nil || !last.Before(time.Now().AddDate(0, 0, -1)) {
		t.Errorf("the last timestamp is %v, %v", last, err)
	}
	d := dataset(t, "time_series_classification")
	last, label := map[string]string{}, map[string]string{}
	for _, row := range d.Rows {
		id := row[0]
		if row[1] <= last[id] {
			t.Errorf("%s: %s after %s", id, row[1], last[id])
		}
		if label[id] != "" && label[id] != row[4] {
			t.Errorf("%s is both %s and %s", id, label[id], row[4])
		}
		last[id], label[id] = row[1], row[4]
	}
	if slices.IsSorted(d.Column("timestamp")) {
		t.Error("the sequences do not overlap")
	}
}

func TestWriteIsWhatIsInMemory(t *testing.T) {
	d := dataset(t, "semantic_segmentation")
	dir := filepath.Join(t.TempDir(), "d")
	if err := d.Write(dir); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, d.CSV))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append([][]string{d.Header}, d.Rows...), rows); diff != "" {
		t.Error(diff)
	}
	for _, file := range d.Files {
		if data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file.Path))); err != nil || !bytes.Equal(data, file.Data) {
			t.Errorf("%s: %v", file.Path, err)
		}
	}
	if err := d.Write(dir); err == nil {
		t.Error("wrote into an existing directory")
	}
}

func TestNoSuchDataset(t *testing.T) {
	if _, err := Make("instance_segmentation", 3); err == nil {
		t.Error("made a dataset of an unknown task")
	}
	if _, err := Make("seq2seq", 1); err == nil {
		t.Error("made a dataset with one record")
	}
}
