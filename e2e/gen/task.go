package gen

import (
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
)

// DefaultCount is how many records a dataset has unless told otherwise.
const DefaultCount = 12

// Dataset is a good dataset of one task, in memory: what Write puts on disk, and what a test compares rows with.
type Dataset struct {
	Task   string
	CSV    string // name of the manifest or table
	Header []string
	Rows   [][]string // in the order of Header
	Files  []File     // beside the CSV

	Label     string      // column of the label, empty for the tasks without one
	Schema    [][2]string // column and SQL type, as a spec declares them; only the tabular family has types
	Size      image.Point // pixels of every image, zero without images
	Keypoints int         // of every record, zero for the other tasks
}

// File is one file beside the CSV.
type File struct {
	Path string // relative to the dataset's directory, with slashes
	Data []byte
}

// recipe says how the dataset of a task is made. A further task is one more entry.
type recipe struct {
	task string
	make func(count int) (Dataset, error)
}

func recipes() []recipe {
	return []recipe{
		{"image_classification", classifiedImages},
		{"object_detection", detectedObjects},
		{"keypoint_detection", keypoints},
		{"semantic_segmentation", segmentedImages},
		{"text_classification", classifiedTexts},
		{"token_classification", taggedWords},
		{"sentence_pair_classification", sentencePairs},
		{"masked_language_modeling", maskedSequences},
		{"causal_language_modeling", prompts},
		{"seq2seq", translations},
		{"embeddings", triplets},
		{"tabular_classification", classifiedTable},
		{"tabular_regression", regressionTable},
		{"time_series_forecasting", forecastTable},
		{"time_series_classification", sequencesTable},
		{"time_to_event_prediction", survivalTable},
	}
}

// Tasks are the names of all tasks.
func Tasks() []string {
	var names []string
	for _, r := range recipes() {
		names = append(names, r.task)
	}
	return names
}

// Make makes a dataset with count records: images, texts or rows. Two is the least, so that labels have two classes.
func Make(task string, count int) (Dataset, error) {
	at := slices.IndexFunc(recipes(), func(r recipe) bool { return r.task == task })
	if at < 0 {
		return Dataset{}, fmt.Errorf("make a dataset: unknown task %q (known: %q)", task, Tasks())
	}
	if count < 2 {
		return Dataset{}, fmt.Errorf("make a dataset for %s: %d records, want 2 or more", task, count)
	}
	d, err := recipes()[at].make(count)
	if err != nil {
		return Dataset{}, fmt.Errorf("make a dataset for %s: %w", task, err)
	}
	d.Task = task
	return d, nil
}

// Column is the cells of one column in the order of the rows; nil for a column that the dataset does not have.
func (d Dataset) Column(name string) []string {
	at := slices.Index(d.Header, name)
	if at < 0 {
		return nil
	}
	var cells []string
	for _, row := range d.Rows {
		cells = append(cells, row[at])
	}
	return cells
}

// Write makes dir, which must not exist, and fills it.
func (d Dataset) Write(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for _, f := range d.Files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			return err
		}
	}
	return writeCSV(filepath.Join(dir, d.CSV), append([][]string{d.Header}, d.Rows...))
}
