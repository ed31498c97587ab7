package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/ingest"
)

// readSpec opens the dataset and reads the spec that goes with it: --filename,
// else an ingest.yaml in the dataset.
func (p *push) readSpec(ctx context.Context) error {
	d, err := p.openDataset(ctx)
	if err != nil {
		return fail(exitDataset, err)
	}
	p.data = d
	name, text, err := p.specText(ctx)
	if err != nil || text == nil {
		return err
	}
	config, problems := ingest.LoadPartial(name, text)
	if problems.Errors() > 0 {
		return problems.Err()
	}
	for _, problem := range problems {
		p.say("%s", problem)
	}
	p.base = config
	return takeCSV(p.data, config)
}

// takeCSV lets the spec choose among the CSV files of the dataset. Its path is
// one in the ingestor's Pod; only the name can be told here.
func takeCSV(data *dataset.Dataset, config *ingest.Config) error {
	name := path.Base(config.CSV)
	switch {
	case config.JSON != "":
		return fmt.Errorf("the spec takes its data from json %q; only a CSV can be pushed", config.JSON)
	case config.CSV == "", data.Single, data.CSV == name:
		return nil
	case slices.Contains(data.CSVs, name):
		data.CSV = name
		return nil
	}
	return fmt.Errorf("the spec names the csv %q, and %q holds no %q", config.CSV, data.Path, name)
}

// specText returns the name and text of the spec, or no text when there is none.
func (p *push) specText(ctx context.Context) (string, []byte, error) {
	switch {
	case p.filename == "" && p.data.SpecFile == "":
		return "", nil, p.unusedSpec()
	case p.filename == "":
		entry, _ := p.data.Entry(p.data.SpecFile)
		file, err := p.data.OpenEntry(entry)
		if err != nil {
			return "", nil, fail(exitDataset, err)
		}
		defer func() { _ = file.Close() }()
		text, err := readAll(ctx, file)
		return filepath.Join(p.path, p.data.SpecFile), text, err
	default:
		name, text, err := readSpecFile(ctx, p.filename, p.In)
		if opening := (*fs.PathError)(nil); errors.As(err, &opening) {
			err = fmt.Errorf("the spec %q of --filename cannot be read: %w", p.filename, opening.Err)
		}
		return name, text, err
	}
}

// unusedSpec refuses a spec that is meant and would be passed over.
func (p *push) unusedSpec() error {
	for _, r := range p.data.Refused {
		if r.Path == dataset.SpecFile {
			return failf(exitDataset, "%q in the dataset cannot be used: %s (%s, or name it with --filename)", r.Path, r.Reason, r.Remedy)
		}
	}
	const near = "ingest.yml"
	if _, there := p.data.Entry(near); there {
		p.warn("%q in the dataset is not used; the plugin looks for %q, or name it with --filename", near, dataset.SpecFile)
	}
	return nil
}

// readSpecFile reads a spec by name; "-" is standard input.
func readSpecFile(ctx context.Context, name string, stdin io.Reader) (string, []byte, error) {
	if name == "-" {
		text, err := readAll(ctx, stdin)
		return "<stdin>", text, err
	}
	file, err := openRegular(name)
	if err != nil {
		return name, nil, err
	}
	defer func() { _ = file.Close() }()
	text, err := readAll(ctx, file)
	return name, text, err
}

// readAll reads at most one byte more than a spec may have: the loader says what
// is wrong with a larger one. Standard input may never end, so that ctx ends the
// waiting.
func readAll(ctx context.Context, r io.Reader) ([]byte, error) {
	type answer struct {
		text []byte
		err  error
	}
	read := make(chan answer, 1)
	go func() {
		text, err := io.ReadAll(io.LimitReader(r, ingest.MaxBytes+1))
		read <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case a := <-read:
		return a.text, a.err
	}
}

// openRegular opens a file that a flag names, without waiting on a FIFO.
func openRegular(name string) (*os.File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file; use - to read standard input")}
	}
	return os.Open(name)
}
