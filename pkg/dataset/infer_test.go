package dataset

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInferTask(t *testing.T) {
	t.Parallel()
	const labels = "filename,label\n"
	texts := []string{"text_classification", "token_classification", "sentence_pair_classification"}
	plainTexts := []string{"causal_language_modeling", "seq2seq", "embeddings"}
	cases := []struct {
		name   string
		files  []string
		header string
		want   []string // one: inferred; several: candidates
		why    string
	}{
		{"images", []string{"images/a.png"}, labels, []string{"image_classification"}, ""},
		{"images and annotations", []string{"images/a.png", "annotations/a.xml"}, labels, []string{"object_detection"}, ""},
		{"images and masks", []string{"images/a.png", "masks/a_mask.png"}, "filename,label,mask_id\n", []string{"semantic_segmentation"}, ""},
		{"masks without mask_id", []string{"images/a.png", "masks/a_mask.png"}, labels, []string{"semantic_segmentation"}, ""},
		{"keypoints", []string{"images/a.png"}, "filename,label,Annotation,Visibility\n", []string{"keypoint_detection"}, ""},
		{"annotations and masks", []string{"images/a.png", "annotations/a.xml", "masks/a.png"}, labels, []string{"object_detection", "semantic_segmentation"}, ""},
		{"sequences", []string{"sequences/a.txt"}, "filename\n", []string{"masked_language_modeling"}, ""},
		{"mask ids without masks", []string{"images/a.png"}, "filename,label,mask_id\n", []string{"image_classification", "semantic_segmentation"}, ""},
		{"half the keypoint columns", []string{"images/a.png"}, "filename,label,Annotation\n", []string{"image_classification", "keypoint_detection"}, ""},
		{"keypoint columns in lower case", []string{"images/a.png"}, "filename,label,annotation,visibility\n", []string{"image_classification", "keypoint_detection"}, ""},
		{"keypoints and annotations", []string{"images/a.png", "annotations/a.xml"}, "filename,label,Annotation,Visibility\n", []string{"object_detection", "keypoint_detection"}, ""},
		{"annotations and an annotation column", []string{"images/a.png", "annotations/a.xml"}, "filename,label,annotation\n", []string{"object_detection"}, ""},
		{"labels beside sequences", []string{"sequences/a.txt"}, labels, []string{"masked_language_modeling"}, ""},
		{"texts with labels", []string{"texts/a.txt"}, labels + "a,pos\nb,neg\n", texts, ""},
		{"texts with another label", []string{"texts/a.txt"}, "filename,Target\n", texts, ""},
		{"texts with a column that may be a label", []string{"texts/a.txt"}, "filename,sentiment\n", append(slices.Clone(texts), plainTexts...), ""},
		{"texts with BIO tags", []string{"texts/a.txt"}, labels + "a,O B-PER I-PER\nb,O O\n", []string{"token_classification"}, ""},
		{"texts with tags that are no entities", []string{"texts/a.txt"}, labels + "a,O\nb,O O\n", texts, ""},
		{"texts with one label that is no tag", []string{"texts/a.txt"}, labels + "a,B-PER\nb,Other\n", texts, ""},
		{"images with labels like tags", []string{"images/a.png"}, labels + "a,B-1\nb,B-2\n", []string{"image_classification"}, ""},
		{"texts without labels", []string{"texts/a.txt"}, "filename\n", plainTexts, ""},
		{"images and texts", []string{"images/a.png", "texts/a.txt"}, labels, append([]string{"image_classification"}, texts...), ""},
		{"table", nil, "age,label\n", []string{"tabular_classification", "tabular_regression", "time_to_event_prediction"}, ""},
		{"table in time", nil, "\xef\xbb\xbftimestamp , sequence_id,label\n", []string{
			"tabular_classification", "tabular_regression", "time_series_forecasting", "time_series_classification", "time_to_event_prediction",
		}, ""},
		{"table in time without sequences", nil, "timestamp,label\n", []string{
			"tabular_classification", "tabular_regression", "time_series_forecasting", "time_to_event_prediction",
		}, ""},
		{"table with file names", []string{"notes.txt"}, "filename,label\na.txt,x\n", []string{"tabular_classification", "tabular_regression", "time_to_event_prediction"}, ""},
		{"images beside their labels", []string{"a.png"}, "filename,label\n\na.png,x\n", nil, `lists the file "a.png"; it must stand in a directory named "images"`},
		{"images in another directory", []string{"photos/a.JPG"}, "label,filename\nx,a\n", nil, `lists the file "photos/a.JPG"; it must stand in a directory named "images"`},
		{"texts beside their labels", []string{"a.txt"}, "filename\na\n", nil, `it must stand in a directory named "texts" or "sequences"`},
		{"images with names only", []string{"images/a.png"}, "filename\n", nil, `"labels.csv" has no column but "filename"`},
		{"no CSV", []string{"images/a.png"}, "", nil, "no labels.csv"},
		{"nothing", []string{"readme.md"}, "", nil, "no CSV file"},
		{"several CSVs", []string{"a.csv", "b.csv"}, "", nil, `("a.csv" and "b.csv") and none is labels.csv; name one of them, or keep one`},
		{"several CSVs beside images", []string{"images/a.png", "a.csv", "b.csv"}, "", nil, `("a.csv" and "b.csv") and none is labels.csv; call one labels.csv`},
		{"annotations in the singular", []string{"images/a.png", "annotation/a.xml"}, labels, nil, `directory "annotation" must be named "annotations"`},
		{"annotations in capitals", []string{"images/a.png", "ANNOTATIONS/a.xml"}, labels, nil, `directory "ANNOTATIONS" must be named "annotations"`},
		{"masks in the singular", []string{"images/a.png", "Mask/a_mask.png"}, "filename,label,mask_id\n", nil, `directory "Mask" must be named "masks"; the ingestor knows it by no other name (if it`},
		{"annotations in two spellings", []string{"images/a.png", "annotation/a.xml", "annotations/a.xml"}, labels, []string{"object_detection"}, ""},
		{"masks beside texts", []string{"texts/a.txt", "mask/a.txt"}, "filename\n", plainTexts, ""},
		{"a misnamed sidecar beside a table", []string{"mask/a.png"}, "age,label\n", []string{"tabular_classification", "tabular_regression", "time_to_event_prediction"}, ""},
		{"misspelled directory beside labels", []string{"Images/a.png"}, labels, nil, `directory "Images" must be named "images"`},
		{"misspelled directory beside a table", []string{"Images/a.png"}, "age,label\n", []string{"tabular_classification", "tabular_regression", "time_to_event_prediction"}, ""},
		{"misspelled directory", []string{"Images/a.png", "a.csv", "b.csv"}, "", nil, `directory "Images" must be named "images"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := plant(t, c.files...)
			if c.header != "" {
				must(t, os.WriteFile(filepath.Join(dir, "labels.csv"), []byte(c.header), 0o644))
			}
			task, err := open(t, dir).InferTask()
			if len(c.want) == 1 {
				if err != nil || task.Name != c.want[0] {
					t.Errorf("InferTask() = %q, %v, want %q", task.Name, err, c.want[0])
				}
				return
			}
			var ambiguous *AmbiguousTaskError
			if !errors.As(err, &ambiguous) {
				t.Fatalf("InferTask() = %q, %v, want an ambiguous task", task.Name, err)
			}
			var got []string
			for _, candidate := range ambiguous.Candidates {
				got = append(got, candidate.Name)
				if !strings.Contains(err.Error(), "\n  --task "+candidate.Name+" ") {
					t.Errorf("error %q has no line of %q", err, candidate.Name)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("candidates (-want +got):\n%s", diff)
			}
			if !strings.Contains(err.Error(), c.why) {
				t.Errorf("error %q, want %q", err, c.why)
			}
		})
	}
}

// TestInferTaskWords holds the whole message once: it is what people choose by.
func TestInferTaskWords(t *testing.T) {
	t.Parallel()
	dir := plant(t, "texts/a.txt")
	must(t, os.WriteFile(filepath.Join(dir, "labels.csv"), []byte("filename,label\na,1\n"), 0o644))
	_, err := open(t, dir).InferTask()
	want := fmt.Sprintf("dataset %q fits several tasks; choose one with --task:", dir) + `
  --task text_classification            texts/ with a labels.csv that names each file and its class
  --task token_classification           texts/ with the BIO tags of each file in the label column
  --task sentence_pair_classification   texts/ with text_a<TAB>text_b in each file and its class in labels.csv`
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Errorf("InferTask() (-want +got):\n%s", diff)
	}
}

func TestInferTaskOfLinkedDirectory(t *testing.T) {
	t.Parallel()
	dir := plant(t, "a.csv", "b.csv")
	must(t, os.Symlink("/tmp", filepath.Join(dir, "images")))
	if _, err := open(t, dir).InferTask(); err == nil || !strings.Contains(err.Error(), "cp -RL") {
		t.Errorf("InferTask() = %v, want how to resolve the link", err)
	}
}

func TestInferTaskOfLinks(t *testing.T) {
	t.Parallel()
	dir := plant(t, "real/a.png")
	must(t, os.WriteFile(filepath.Join(dir, "labels.csv"), []byte("filename,label\n"), 0o644))
	must(t, os.Symlink("real", filepath.Join(dir, "images")))
	if _, err := open(t, dir).InferTask(); err == nil || !strings.Contains(err.Error(), `"images" is a symbolic link`) || !strings.Contains(err.Error(), "cp -RL") {
		t.Errorf("InferTask() = %v, want images named as a link", err)
	}
	dir = plant(t, "images/a.png", "elsewhere/l.csv")
	must(t, os.Symlink("elsewhere/l.csv", filepath.Join(dir, "labels.csv")))
	if _, err := open(t, dir).InferTask(); err == nil || !strings.Contains(err.Error(), `"labels.csv" is a symbolic link`) || !strings.Contains(err.Error(), "cp -RL") {
		t.Errorf("InferTask() = %v, want the CSV named as a link", err)
	}
}

func TestInferTaskOfLinkedSidecar(t *testing.T) {
	t.Parallel()
	dir := plant(t, "images/a.png", "real/a.xml")
	must(t, os.WriteFile(filepath.Join(dir, "labels.csv"), []byte("filename,label\n"), 0o644))
	must(t, os.Symlink("real", filepath.Join(dir, "annotations")))
	if task, err := open(t, dir).InferTask(); err == nil || !strings.Contains(err.Error(), `"annotations" is a symbolic link`) {
		t.Errorf("InferTask() = %q, %v, want annotations named as a link", task.Name, err)
	}
}

func TestInferTaskOfSingleLabels(t *testing.T) {
	t.Parallel()
	dir := plant(t, "images/a.png")
	file := filepath.Join(dir, "labels.csv")
	must(t, os.WriteFile(file, []byte("filename,label\n"), 0o644))
	_, err := open(t, file).InferTask()
	if err == nil || !strings.Contains(err.Error(), `"images"`) || !strings.Contains(err.Error(), fmt.Sprintf("push the directory %q", dir)) {
		t.Errorf("InferTask() = %v, want the directory suggested", err)
	}
	must(t, os.WriteFile(file, []byte("age,label\n"), 0o644))
	if _, err := open(t, file).InferTask(); err == nil || !strings.Contains(err.Error(), "tabular_classification") {
		t.Errorf("InferTask() = %v, want tabular candidates", err)
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	for content, want := range map[string][]string{
		"a, b ,\"c,d\"\n1,2,3\n":              {"a", "b", "c,d"},
		"\n\n a\r1":                           {"a"},
		"":                                    nil,
		"a,b":                                 {"a", "b"},
		"a,\"b":                               nil,
		"\"" + strings.Repeat("x", maxHeader): nil,
	} {
		dir := plant(t)
		must(t, os.WriteFile(filepath.Join(dir, "x.csv"), []byte(content), 0o644))
		got, err := open(t, dir).Header(DefaultCSV())
		if err != nil {
			t.Errorf("Header() of %.20q: %v", content, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Header() of %.20q (-want +got):\n%s", content, diff)
		}
	}
}
