package preflight

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// Params are what the user or the spec says about the dataset. Zero values ask for inference.
type Params struct {
	Task dataset.Task
	// Table is checked when it is not "".
	Table string
	// LabelColumn is the exact name; "" takes the only column called label, target or class.
	LabelColumn string
	// LabelPolicy is passthrough or bucket; "" is the task's default.
	LabelPolicy string
	// Schema is the declared schema; nil infers one for tabular tasks.
	Schema []dataset.Column
	// TargetSize is width and height in pixels; zero takes the size that most images have.
	TargetSize [2]int
	// MinSize is spec.file_options.min_size, width and height; zero is the ingestor's default of 32x32.
	MinSize [2]int
	// Extension is the extension of the files, with the dot; "" takes the one that most files have.
	Extension string
	// TimeColumn is the column with the time of an event; "" is the ingestor's default, time.
	TimeColumn string
	// Keypoints is the number of keypoints of each image; 0 takes the number that the first row has.
	Keypoints int
	// Now is the time that timestamps must lie before the day of; the zero time is the clock's.
	Now time.Time
	// IDColumn is the column that data_id names, "" for ids that the ingestor makes.
	IDColumn string
	// Fix repairs the CSV, in what is staged and never on disk, where that has one safe meaning (dataset.Fixer).
	Fix bool
	// Delimiter, Quote and Escape are spec.csv_options; "" are the ingestor's defaults: comma, double quote, backslash.
	Delimiter, Quote, Escape string
}

func (p Params) labelPolicy() string { return cmp.Or(p.LabelPolicy, p.Task.LabelPolicy) }

// Result is what the preflight found.
type Result struct {
	// Findings are errors, then warnings, then notes, in a stable order; at most 100,000 of each rule.
	Findings []Finding `json:"findings"`
	// Totals counts the breaches of each rule, the kept findings and the others.
	Totals map[string]int `json:"totals"`
	// Manifest is exactly what will be staged.
	Manifest dataset.Manifest `json:"-"`
	// Rows is the number of data rows.
	Rows int64 `json:"rows"`
	// LabelColumn is the exact name of the label column; "" if there is none.
	LabelColumn string `json:"labelColumn,omitempty"`
	// Classes is the number of different labels; 65536 stands for that many or more.
	Classes int64 `json:"classes,omitempty"`
	// Schema is the declared or inferred schema, in the order of the columns; nil where the task needs none.
	Schema []dataset.Column `json:"schema,omitempty"`
	// Skipped are the reserved columns that an inferred schema leaves out.
	Skipped []string `json:"skipped,omitempty"`
	// TargetSize is width and height of the images; zero for tasks without images.
	TargetSize [2]int `json:"targetSize,omitzero"`
	// Extension is the extension of the files of the task's directory, lower case with the dot.
	Extension string `json:"extension,omitempty"`
	// Keypoints is the number of keypoints of each image: the given one, else that of the first row; 0 for other tasks.
	Keypoints int `json:"keypoints,omitempty"`
}

// Errors is the number of breaches that the ingestor would not forgive.
func (r *Result) Errors() int { return r.count(SeverityError) }

// Warnings is the number of breaches that cost something, but not the ingestion.
func (r *Result) Warnings() int { return r.count(SeverityWarning) }

func (r *Result) count(severity Severity) int {
	n := 0
	for _, rule := range Rules {
		if rule.Severity == severity {
			n += r.Totals[rule.ID]
		}
	}
	return n
}

// checker is one run of Check.
type checker struct {
	Params
	dataset *dataset.Dataset
	report  *report
	staged  []dataset.Entry
	primary []dataset.Entry // what is staged of the task's directory
	// extension is what the ingestor appends to names without one.
	extension string
	read      func(n int64)

	// files are what will be staged, by index into staged; each gets its digest when it is read.
	files      dataset.Manifest
	sizes      []size        // by index into staged; zero for what is no image
	targetSize [2]int        // width and height, once all images were read
	checks     []taskCheck   // of the task
	scratch    scratch       // for what does not fit into memory
	keypoints  int           // of each image, once the CSV was read
	fixed      *dataset.File // the CSV, if it is staged repaired
	table      *table
}

// Check reads every file that the task stages once, with all cores, and holds the dataset against the ingestor's rules.
// onBytes, if not nil, is told how many bytes were read since the last call; calls do not overlap. What is wrong with the
// dataset is in the result. An error means that the reading itself failed, that ctx ended, or that the dataset changed
// meanwhile (a *dataset.ChangedError).
func Check(ctx context.Context, d *dataset.Dataset, p Params, onBytes func(n int64)) (result *Result, err error) {
	c := &checker{
		Params: p, dataset: d, report: newReport(),
		staged: d.Staged(p.Task), read: serialized(onBytes), scratch: scratch{canceled: ctx.Err},
	}
	c.files = make(dataset.Manifest, len(c.staged))
	for i, e := range c.staged {
		c.files[i] = dataset.NewFile(e, [sha256.Size]byte{})
	}
	c.sizes = make([]size, len(c.staged))
	if p.Task.Dir != "" && !d.Single {
		c.primary = d.InDir(p.Task.Dir)
	}
	c.checkLayout()
	for _, name := range p.Task.Checks {
		c.checks = append(c.checks, taskChecks()[name](c))
	}
	defer func() {
		if cerr := c.scratch.close(); err == nil && cerr != nil {
			result, err = nil, fmt.Errorf("remove what did not fit into memory: %w", cerr)
		}
	}()
	if err := c.readAll(ctx); err != nil {
		return nil, err
	}
	if err := c.scratch.err(); err != nil {
		return nil, err
	}
	result = &Result{Extension: c.extension}
	c.finishCSV(result)
	for _, check := range c.checks {
		if check.files != nil {
			check.files.finish()
		}
	}
	result.TargetSize, result.Keypoints = c.targetSize, c.keypoints
	result.Manifest = c.manifest()
	result.Findings = c.report.findings()
	result.Totals = c.report.totals
	return result, nil
}

// serialized lets one caller at a time through to f.
func serialized(f func(n int64)) func(n int64) {
	if f == nil {
		return func(int64) {}
	}
	var mu sync.Mutex
	return func(n int64) {
		mu.Lock()
		defer mu.Unlock()
		f(n)
	}
}

// readAll reads the CSV on one goroutine, because its records depend on each other, and the other files on all cores.
func (c *checker) readAll(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	csv := -1
	for i, e := range c.staged {
		if e.Path == c.dataset.CSV {
			csv = i
		}
	}
	if csv >= 0 {
		group.Go(func() error { return c.readCSV(ctx, csv) })
	}
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), len(c.staged)) {
		group.Go(func() error {
			r := newFileReader(c)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(c.staged) {
					return nil
				}
				if i == csv {
					continue
				}
				if err := r.file(ctx, i); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// finishCSV applies the rules that need the whole CSV.
func (c *checker) finishCSV(result *Result) {
	t := c.table
	if t == nil {
		return
	}
	result.Rows = t.rows
	result.Skipped = t.skipped
	if t.header == nil {
		return
	}
	result.Schema = t.finishSchema()
	result.LabelColumn = t.absentLabel
	if l := t.labels; l != nil {
		result.LabelColumn = l.name
		result.Classes = int64(l.count())
		l.judge()
	}
}

func (c *checker) manifest() dataset.Manifest {
	for i, e := range c.staged {
		if c.fixed != nil && c.fixed.Path == e.Path {
			c.files[i] = *c.fixed
		}
	}
	c.files.Sort()
	return c.files
}

// unreadable reports a file that permissions or a broken disk keep from being read.
func (c *checker) unreadable(path string, err error) {
	c.report.add("file-unreadable", Finding{File: path, Message: fmt.Sprintf("the file cannot be read: %v", err)})
}
