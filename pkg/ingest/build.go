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
	Extension   string // with its dot
	Keypoints   int
	CSV         string // slash-separated, relative to the dataset's root
	Base        *Config
}

// maskColumnType is declared for columns that name files, so that names of
// digits only stay text.
const maskColumnType = "VARCHAR(255)"

// Build makes the spec of a dataset whose files stand in dir inside the
// ingestor Pod, "/data/shared/.tracebloc-staging/<table>/<tree id>" (contract,
// the ingest spec). The result is valid; what keeps it from being so is
// returned as one error that lists everything.
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
	if in.TimeColumn != "" && !in.Task.Takes("time-column") {
		return fmt.Errorf("the task %q has no time column, and %q is given (--time-column)", in.Task.Name, in.TimeColumn)
	}
	c.TimeColumn = first(in.TimeColumn, c.TimeColumn)
	return nil
}

// setSchema writes the columns. A task with files that declares a schema needs
// it for the columns that name further files.
func (c *Config) setSchema(in Input) {
	columns := slices.Clone(c.Schema)
	if len(in.Schema) > 0 {
		columns = slices.Clone(Columns(in.Schema))
	}
	if in.Task.HasFiles() && slices.Contains(in.Task.SpecFields, "schema") {
		for _, name := range in.Task.Columns {
			if _, declared := columns.Lookup(name); !declared && !slices.Contains(reservedColumns, name) {
				columns = append(columns, dataset.Column{Name: name, Type: maskColumnType})
			}
		}
	}
	c.Schema = columns
	c.normalize()
}

// setFiles writes what is true of every file: image tasks always say their
// extension and size, because the ingestor's own defaults fit few datasets.
func (c *Config) setFiles(in Input) error {
	var options FileOptions
	if c.Spec != nil && c.Spec.FileOptions != nil {
		options = *c.Spec.FileOptions
	}
	if in.Task.HasFiles() {
		options.Extension = strings.ToLower(first(in.Extension, options.Extension))
	}
	var err error
	if in.Task.Family == dataset.FamilyImage {
		err = c.setImage(in, &options)
	}
	if in.Keypoints != 0 {
		c.NumberOfKeypoints = in.Keypoints
	}
	if c.Spec == nil && options.Extension == "" && options.TargetSize == nil {
		return err
	}
	var spec SpecOptions
	if c.Spec != nil {
		spec = *c.Spec
	}
	if options.Extension != "" || options.TargetSize != nil || options.MinSize != nil || options.Extra != nil {
		spec.FileOptions = &options
	}
	c.Spec = &spec
	return err
}

// setImage writes the size where the task has it: at the top level, or in the
// file options, which win over the top level.
func (c *Config) setImage(in Input, options *FileOptions) error {
	size := options.TargetSize
	if size == nil {
		size = c.TargetSize
	}
	if in.TargetSize != [2]int{} {
		size = &in.TargetSize
	}
	var err error
	if size == nil {
		err = fmt.Errorf("the task %q needs the size of its images (--target-size WxH)", in.Task.Name)
	}
	if options.Extension == "" {
		err = errors.Join(err, fmt.Errorf("the task %q needs the extension of its images", in.Task.Name))
	}
	c.TargetSize, options.TargetSize = nil, size
	if slices.Contains(in.Task.SpecFields, "target_size") {
		c.TargetSize, options.TargetSize = size, nil
	}
	return err
}
