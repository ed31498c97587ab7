package ingest

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// Input is what a spec is built from: flags and what the dataset says, over
// the fields of Base, a spec that the user wrote. Zero values are taken from
// Base.
type Input struct {
	Task        dataset.Task
	Table       string
	Intent      string // "" and none in Base: train
	LabelColumn string
	LabelPolicy string // "" and none in Base: the task's default
	Schema      []dataset.Column
	TimeColumn  string
	TargetSize  [2]int // width, height in pixels
	Extension   string // with its dot; every task with files needs it
	Keypoints   int
	CSV         string // slash-separated, relative to the dataset's root
	Base        *Config
}

// maskColumnType is declared for columns that name files, so that names of
// digits only stay text.
const maskColumnType = "VARCHAR(255)"

// Build makes the spec of a dataset whose files stand in dir inside the
// ingestor Pod, "/data/shared/.tracebloc-staging/<table>/<tree id>" (contract,
// the ingest spec). Fields of Base that the task has no use for are left out,
// but a label where there must be none is an error. The result is valid; what
// keeps it from being so is returned as one error that lists everything.
func Build(in Input, dir string) (*Config, error) {
	if !path.IsAbs(dir) {
		return nil, fmt.Errorf("the staged directory %q is not an absolute path", dir)
	}
	if in.CSV == "" || path.IsAbs(in.CSV) || strings.HasPrefix(path.Clean(in.CSV), "..") {
		return nil, fmt.Errorf("the CSV %q is not a path inside the dataset", in.CSV)
	}
	c := Config{}
	if in.Base != nil {
		c = *in.Base
	}
	c.APIVersion, c.Kind, c.Category = APIVersion, Kind, in.Task.Name
	c.Table = first(in.Table, c.Table)
	c.Intent = first(in.Intent, c.Intent, "train")
	c.CSV, c.JSON = path.Join(dir, in.CSV), ""
	c.setDirs(in.Task, dir)
	err := errors.Join(
		c.setLabel(in),
		c.setTime(in),
		c.setFiles(in),
	)
	c.setSchema(in)
	if err != nil {
		return nil, err
	}
	if err := c.Validate().Err(); err != nil {
		return nil, err
	}
	return &c, nil
}

// first picks the first word that is there.
func first(words ...string) string {
	for _, word := range words {
		if word != "" {
			return word
		}
	}
	return ""
}

// setDirs names the directories of the task, and no others.
func (c *Config) setDirs(task dataset.Task, dir string) {
	fields := map[string]*string{
		"images": &c.Images, "annotations": &c.Annotations, "masks": &c.Masks, "texts": &c.Texts, "sequences": &c.Sequences,
	}
	for _, field := range fields {
		*field = ""
	}
	if field := fields[task.Dir]; field != nil {
		*field = path.Join(dir, task.Dir)
	}
	for _, sidecar := range task.Sidecars {
		if field := fields[sidecar.SpecField]; field != nil {
			*field = path.Join(dir, sidecar.Path)
		}
	}
}

// setLabel writes the label in the shortest form that the task allows.
func (c *Config) setLabel(in Input) error {
	var base Label
	if c.Label != nil {
		base = *c.Label
	}
	label := Label{Column: first(in.LabelColumn, base.Column), Policy: first(in.LabelPolicy, base.Policy, in.Task.LabelPolicy)}
	if !in.Task.HasLabel() {
		if label != (Label{}) {
			return fmt.Errorf("the task %q takes no label, and %q is given", in.Task.Name, first(label.Column, label.Policy))
		}
		return nil
	}
	if label.Column == "" {
		return fmt.Errorf("the task %q needs a label column (--label-column)", in.Task.Name)
	}
	if in.Task.LabelForm == dataset.LabelColumn && label.Policy == dataset.PolicyPassthrough {
		label.Policy = ""
	}
	c.Label = &label
	return nil
}

// setTime writes the time column of a task that has one.
func (c *Config) setTime(in Input) error {
	switch {
	case in.Task.Takes("time-column"):
		c.TimeColumn = first(in.TimeColumn, c.TimeColumn)
	case in.TimeColumn != "":
		return fmt.Errorf("the task %q has no time column, and %q is given (--time-column)", in.Task.Name, in.TimeColumn)
	default:
		c.TimeColumn = ""
	}
	return nil
}

// setSchema writes the columns. A task with files that declares a schema needs
// it for the columns that name further files.
func (c *Config) setSchema(in Input) {
	c.Schema = slices.Clone(c.Schema)
	if len(in.Schema) > 0 {
		c.Schema = slices.Clone(Columns(in.Schema))
	}
	for _, name := range c.undeclared(in.Task) {
		c.Schema = append(c.Schema, dataset.Column{Name: name, Type: maskColumnType})
	}
	c.normalize()
}

// setFiles writes what is true of every file: tasks with files always say
// their extension, and image tasks their size, because the ingestor's own
// defaults fit few datasets.
func (c *Config) setFiles(in Input) error {
	var spec SpecOptions
	if c.Spec != nil {
		spec = *c.Spec
	}
	var options FileOptions
	if spec.FileOptions != nil {
		options = *spec.FileOptions
	}
	err := errors.Join(options.setExtension(in), c.setSize(in, &options), c.setKeypoints(in))
	spec.FileOptions = &options
	if options.Extension == "" && options.TargetSize == nil && options.MinSize == nil && options.Extra == nil {
		spec.FileOptions = nil
	}
	c.Spec = &spec
	if spec.empty() {
		c.Spec = nil
	}
	return err
}

func (f *FileOptions) setExtension(in Input) error {
	if !in.Task.HasFiles() {
		f.Extension = ""
		return nil
	}
	f.Extension = strings.ToLower(first(in.Extension, f.Extension))
	if f.Extension == "" {
		return fmt.Errorf("the task %q needs the extension of the files in %q", in.Task.Name, in.Task.Dir)
	}
	return nil
}

// setSize writes the size where the task has it: at the top level, or in the
// file options, which win over the top level.
func (c *Config) setSize(in Input, options *FileOptions) error {
	size := options.TargetSize
	if size == nil {
		size = c.TargetSize
	}
	if in.TargetSize != [2]int{} {
		size = &in.TargetSize
	}
	c.TargetSize, options.TargetSize = nil, nil
	switch {
	case !in.Task.Takes("target-size"):
		options.MinSize = nil
		return nil
	case size == nil:
		return fmt.Errorf("the task %q needs the size of its images (--target-size WxH)", in.Task.Name)
	case slices.Contains(in.Task.SpecFields, "target_size"):
		c.TargetSize = size
	default:
		options.TargetSize = size
	}
	return nil
}

// setKeypoints writes the number of keypoints of a task that has them; the
// schema asks for it.
func (c *Config) setKeypoints(in Input) error {
	switch {
	case !in.Task.Takes("number-of-keypoints"):
		c.NumberOfKeypoints = 0
		if in.Keypoints != 0 {
			return fmt.Errorf("the task %q has no keypoints, and their number is given, %d (--number-of-keypoints)", in.Task.Name, in.Keypoints)
		}
	case in.Keypoints != 0:
		c.NumberOfKeypoints = in.Keypoints
	}
	return nil
}
