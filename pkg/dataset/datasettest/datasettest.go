// Package datasettest has a small good dataset of each task for tests.
package datasettest

import (
	"bytes"
	"image"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Tree is a dataset: content by slash-separated path. A path that ends in a slash is an empty directory.
type Tree map[string]string

// With returns the tree with another content at a path.
func (tr Tree) With(path, content string) Tree {
	out := maps.Clone(tr)
	out[path] = content
	return out
}

// Without returns the tree without a path.
func (tr Tree) Without(path string) Tree {
	out := maps.Clone(tr)
	delete(out, path)
	return out
}

// Write makes the files in a new directory, and returns it.
func (tr Tree) Write(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := tr.WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// WriteTo makes the files in dir, which is created if need be.
func (tr Tree) WriteTo(dir string) error {
	for path, content := range tr {
		full := filepath.Join(dir, filepath.FromSlash(path))
		if strings.HasSuffix(path, "/") {
			if err := os.MkdirAll(full, 0o755); err != nil {
				return err
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Good is the smallest dataset of the task that every ingestor takes without a word; it panics for what is no task.
func Good(task string) Tree {
	tr, ok := good()[task]
	if !ok {
		panic("datasettest: no dataset of task " + task)
	}
	return tr
}

func good() map[string]Tree {
	picture, keypoints := PNG(32, 32), `,"{""k"": [1, 2], ""l"": [3, 4]}","{""k"": 1, ""l"": 0}",`
	images := func(labels string) Tree {
		return Tree{"labels.csv": labels, "images/a.png": picture, "images/b.png": picture}
	}
	texts := func(labels, a, b string) Tree {
		return Tree{"labels.csv": labels, "texts/a.txt": a, "texts/b.txt": b}
	}
	table := func(csv string) Tree { return Tree{"data.csv": csv} }
	const plain, labeled = "filename\na.txt\nb.txt\n", "filename,label\na.txt,x\nb.txt,y\n"
	return map[string]Tree{
		"image_classification": images("filename,label\na.png,cat\nb.png,dog\n"),
		"object_detection": images("filename,label\na,x\nb,y\n").
			With("annotations/a.xml", VOC("a.png")).With("annotations/b.xml", VOC("b.png")),
		"keypoint_detection": images("filename,Annotation,Visibility,label\na.png" + keypoints + "x\nb.png" + keypoints + "y\n"),
		"semantic_segmentation": images("filename,mask_id,label\na.png,a_mask,x\nb.png,b_mask,y\n").
			With("masks/a_mask.png", picture).With("masks/b_mask.png", picture),
		"text_classification":          texts(labeled, "good", "bad"),
		"token_classification":         texts("filename,label\na.txt,O B-PER\nb.txt,O\n", "by Ada", "none"),
		"sentence_pair_classification": texts(labeled, "one\ttwo", "three\tfour"),
		"masked_language_modeling": {"labels.csv": plain, "sequences/a.txt": "one", "sequences/b.txt": "two",
			"tokenizer.json": `{"model": {"vocab": {"[PAD]": 0, "[MASK]": 1, "one": 2, "two": 3}}}`},
		"causal_language_modeling": texts(plain, "prompt\tcompletion", "raw text"),
		"seq2seq":                  texts(plain, "source\ttarget", "other\tone"),
		"embeddings":               texts(plain, "anchor\tpositive", "anchor\tpositive\tnegative"),
		"tabular_classification":   table("age,label\n1,x\n2,y\n"),
		"tabular_regression":       table("age,label\n1,1.5\n2,2.5\n"),
		"time_series_forecasting":  table("timestamp,load,label\n2024-01-01 00:00:00,1,1.5\n2024-01-01 01:00:00,2,2.5\n"),
		"time_series_classification": table("sequence_id,timestamp,x,label\ns1,2024-01-01 00:00:00,1,u\ns1,2024-01-01 01:00:00,2,u\n" +
			"s2,2024-01-01 00:00:00,1,d\ns2,2024-01-01 01:00:00,2,d\n"),
		"time_to_event_prediction": table("time,age,label\n1.5,30,0\n2,40,1\n"),
	}
}

// VOC is the least Pascal VOC annotation of an image of 32x32 pixels.
func VOC(image string) string {
	return `<annotation><folder>images</folder><filename>` + image + `</filename><source><database>d</database><annotation>a</annotation></source>` +
		`<size><width>32</width><height>32</height><depth>3</depth></size><segmented>0</segmented>` +
		`<object><name>cat</name><pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>` +
		`<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>`
}

// PNG is a whole gray PNG of the size in pixels.
func PNG(width, height int) string {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		panic(err)
	}
	return b.String()
}
