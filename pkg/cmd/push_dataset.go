package cmd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/ingest"
	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight"
)

var (
	digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	sizeForm   = regexp.MustCompile(`^([1-9][0-9]{0,5})[xX]([1-9][0-9]{0,5})$`)
)

// source is where a value came from, for the block that shows the plan.
type source string

const (
	fromFlag    source = "flag"
	fromSpec    source = "spec"
	fromData    source = "inferred"
	fromDefault source = "default"
)

// walkPatience is how long a dataset may be listed before something is said: hundreds of thousands of files on a network
// file system take their time.
const walkPatience = 5 * time.Second

// openDataset finds the files of the dataset.
func (p *push) openDataset(ctx context.Context) (*dataset.Dataset, error) {
	return dataset.OpenWith(ctx, p.path, dataset.Options{FollowSymlinks: p.followLinks, OnEntries: p.slowWalk()})
}

// slowWalk says once that the dataset is still being listed.
func (p *push) slowWalk() func(n int) {
	started, said := time.Now(), false
	return func(n int) {
		if said || time.Since(started) < walkPatience {
			return
		}
		said = true
		p.progress.Printf("Listing the files in %q, %d so far; this can take a while", p.path, n)
	}
}

// checkDataset settles what the data is and reads every file once.
func (p *push) checkDataset(ctx context.Context) error {
	params, err := p.params()
	if err != nil {
		return err
	}
	p.progress.Start("Checking", p.stagedBytes())
	checked, err := preflight.Check(ctx, p.data, params, p.progress.Add)
	p.progress.Stop()
	if err != nil {
		return err
	}
	p.checked = checked
	p.chosen.policy = params.LabelPolicy
	p.result.Status.Findings = checked.Findings
	p.noteDataset()
	p.showDataset()
	if n := checked.Errors(); n > 0 {
		return fmt.Errorf("%q cannot be ingested as it is: %s; nothing was sent", p.path, plural(int64(n), "error"))
	}
	return nil
}

func (p *push) stagedBytes() (n int64) {
	for _, e := range p.data.Staged(p.chosen.task) {
		n += e.Size
	}
	return n
}

// params merges flags, spec and inference, in this order of precedence.
func (p *push) params() (preflight.Params, error) {
	config := ingest.Config{}
	if p.base != nil {
		config = *p.base
	}
	if err := p.chooseTask(config.Category); err != nil {
		return preflight.Params{}, err
	}
	if err := p.chooseTable(config.Table); err != nil {
		return preflight.Params{}, err
	}
	p.chosen.intent, p.chosen.from["intent"] = pick(p.intent, config.Intent, "train")
	config.Category, config.Table = p.chosen.task.Name, p.chosen.table
	params, err := preflightParams(&config)
	if err != nil {
		return params, err
	}
	return params, p.applyFlags(&params)
}

// applyFlags lets the flags win over what the spec says.
func (p *push) applyFlags(params *preflight.Params) error {
	p.chosen.from["schema"], p.chosen.from["size"] = fromData, fromData
	if len(params.Schema) > 0 {
		p.chosen.from["schema"] = fromSpec
	}
	if params.TargetSize != [2]int{} {
		p.chosen.from["size"] = fromSpec
	}
	params.Fix = p.fix
	params.LabelColumn, p.chosen.from["label"] = pick(p.labelColumn, params.LabelColumn, "")
	params.TimeColumn, p.chosen.from["time"] = pick(p.timeColumn, params.TimeColumn, p.chosen.task.DefaultTimeColumn)
	p.chosen.time = params.TimeColumn
	if p.labelPolicy != "" {
		params.LabelPolicy = p.labelPolicy
	}
	p.chosen.from["keypoints"] = fromData
	if params.Keypoints > 0 {
		p.chosen.from["keypoints"] = fromSpec
	}
	if p.keypoints > 0 {
		params.Keypoints, p.chosen.from["keypoints"] = p.keypoints, fromFlag
	}
	if p.schema != "" {
		columns, err := ingest.ParseSchema(p.schema)
		if err != nil {
			return failf(exitSpec, "--schema: %w", err)
		}
		params.Schema, p.chosen.from["schema"] = columns, fromFlag
	}
	if p.targetSize != "" {
		m := sizeForm.FindStringSubmatch(p.targetSize)
		if m == nil {
			return failf(exitSpec, "--target-size=%q: must be WIDTHxHEIGHT in pixels, such as 224x224", p.targetSize)
		}
		for i := range params.TargetSize {
			params.TargetSize[i], _ = strconv.Atoi(m[i+1]) // sizeForm lets digits through only
		}
		p.chosen.from["size"] = fromFlag
	}
	return nil
}

// chooseTask settles the task and holds the flags against it.
func (p *push) chooseTask(fromFile string) error {
	name, from := pick(p.task, fromFile, "")
	p.chosen.from["task"] = from
	if name == "" {
		t, err := p.data.InferTask()
		var ambiguous *dataset.AmbiguousTaskError
		if errors.As(err, &ambiguous) && len(ambiguous.Candidates) > 0 {
			return fail(exitSpec, err)
		}
		if err != nil {
			return fail(exitDataset, err)
		}
		p.chosen.task, p.chosen.from["task"] = t, fromData
	} else {
		t, err := dataset.LookupTask(name)
		if err != nil {
			return fail(exitSpec, err)
		}
		p.chosen.task = t
	}
	p.result.Spec.Task = p.chosen.task.Name
	for _, flag := range p.taskFlags {
		if !p.chosen.task.Takes(flag) {
			return failf(exitSpec, "--%s does not fit task %q; leave it out, or name the task it is for with --task", flag, p.chosen.task.Name)
		}
	}
	return nil
}

// chooseTable settles the table: by default it has the name of the dataset.
func (p *push) chooseTable(fromFile string) error {
	name, from := pick(p.table, fromFile, "")
	p.chosen.from["table"] = from
	if name == "" {
		path, err := filepath.Abs(p.path)
		if err != nil {
			return fail(exitDataset, err)
		}
		if p.data.Single {
			path = strings.TrimSuffix(path, filepath.Ext(path))
		}
		if name, err = ingest.TableFromName(filepath.Base(path)); err != nil {
			return fail(exitSpec, err)
		}
		p.chosen.from["table"] = fromData
	}
	if err := ingest.CheckTable(name); err != nil {
		return fail(exitSpec, err)
	}
	p.chosen.table, p.result.Spec.Table = name, name
	return nil
}

// pick returns the first value that is set, and where it came from.
func pick(flag, spec, fallback string) (string, source) {
	switch {
	case flag != "":
		return flag, fromFlag
	case spec != "":
		return spec, fromSpec
	case fallback != "":
		return fallback, fromDefault
	}
	return "", fromData
}

// noteDataset puts what was found into the result.
func (p *push) noteDataset() {
	p.result.Status.Dataset = datasetStatus(p.checked)
	p.result.Spec.Intent = p.chosen.intent
}

// showDataset prints the findings, most of a rule cut, with the totals.
func (p *push) showDataset() {
	if p.quiet && p.checked.Errors() == 0 {
		return
	}
	writeFindings(escapeWriter{p.ErrOut}, p.checked)
}

func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.FormatInt(n, 10) + " " + noun + "s"
}

// size renders width and height as the flag takes them.
func size(wh [2]int) string { return fmt.Sprintf("%dx%d", wh[0], wh[1]) }
