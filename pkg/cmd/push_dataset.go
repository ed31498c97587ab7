package cmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

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

// readSpec opens the dataset and reads the spec that goes with it: --filename,
// else an ingest.yaml in the dataset.
func (p *push) readSpec(context.Context) error {
	d, err := dataset.Open(p.path)
	if err != nil {
		return fail(exitDataset, err)
	}
	p.data = d
	name, text, err := p.specText()
	if err != nil || text == nil {
		return err
	}
	config, problems := ingest.LoadPartial(name, text)
	for _, problem := range problems {
		p.say("%s", problem)
	}
	if problems.Errors() > 0 {
		return fmt.Errorf("spec %q has %s", name, plural(int64(problems.Errors()), "error"))
	}
	p.base = config
	return nil
}

// specText returns the name and text of the spec, or no text when there is none.
func (p *push) specText() (string, []byte, error) {
	switch {
	case p.filename == "" && p.data.SpecFile == "":
		return "", nil, nil
	case p.filename == "":
		file, err := p.data.Root.Open(p.data.SpecFile)
		if err != nil {
			return "", nil, fail(exitDataset, err)
		}
		defer func() { _ = file.Close() }()
		text, err := readSpec(file)
		return filepath.Join(p.path, p.data.SpecFile), text, err
	default:
		return readSpecFile(p.filename, p.In)
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
	p.labelPolicy = params.LabelPolicy
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
	params.LabelColumn, p.chosen.from["label"] = pick(p.labelColumn, params.LabelColumn, "")
	params.TimeColumn, _ = pick(p.timeColumn, params.TimeColumn, "")
	if p.labelPolicy != "" {
		params.LabelPolicy = p.labelPolicy
	}
	if p.keypoints > 0 {
		params.Keypoints = p.keypoints
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
		if err != nil {
			return fail(exitSpec, err)
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
	if !p.chosen.task.Ready {
		return failf(exitSpec, "task %q cannot be pushed by this version; it can push %s", p.chosen.task.Name, quoted(readyTasks()))
	}
	return nil
}

func readyTasks() (names []string) {
	for _, t := range dataset.Tasks {
		if t.Ready {
			names = append(names, t.Name)
		}
	}
	return names
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

// readSpecFile reads a spec by name; "-" is standard input.
func readSpecFile(name string, stdin io.Reader) (string, []byte, error) {
	if name == "-" {
		text, err := readSpec(stdin)
		return "<stdin>", text, err
	}
	file, err := openRegular(name)
	if err != nil {
		return name, nil, err
	}
	defer func() { _ = file.Close() }()
	text, err := readSpec(file)
	return name, text, err
}

// readSpec reads at most one byte more than a spec may have: the loader says
// what is wrong with a larger one.
func readSpec(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, ingest.MaxBytes+1))
	if text == nil && err == nil {
		text = []byte{}
	}
	return text, err
}

// openRegular opens a file that a flag names, without waiting on a FIFO.
func openRegular(name string) (*os.File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is not a regular file; use - to read standard input", name)
	}
	return os.Open(name)
}

func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.FormatInt(n, 10) + " " + noun + "s"
}

// size renders width and height as the flag takes them.
func size(wh [2]int) string { return fmt.Sprintf("%dx%d", wh[0], wh[1]) }
