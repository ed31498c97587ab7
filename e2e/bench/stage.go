package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

type stageOptions struct {
	plugin, doc, only string
	rounds            int
	quick             bool
	seed              uint64
}

// sizes are how much data there is to push.
type sizes struct {
	big         int64 // bytes of the big file
	files       int   // of 50 KiB
	small       int   // files of 5 KiB
	table       int64 // bytes of the CSV
	slow        int   // files of 50 KiB for the slow volume
	fileSize    int64
	smallSize   int64
	megabits    int64
	trip, delay time.Duration
}

func (o stageOptions) sizes() sizes {
	s := sizes{big: 1 << 30, files: 20_000, small: 2_000, table: 200 << 20, slow: 4_000}
	if o.quick {
		s = sizes{big: 4 << 20, files: 300, small: 60, table: 2 << 20, slow: 60}
	}
	s.fileSize, s.smallSize = 50<<10, 5<<10
	s.megabits, s.trip, s.delay = 50, 100*time.Millisecond, time.Millisecond
	return s
}

// bench is one run of the yardsticks.
type bench struct {
	o      stageOptions
	sizes  sizes
	dir    string // for generated data and files of its own, gone at the end
	module string // the directory of the e2e module
	out    io.Writer
	log    io.Writer
	cloud  *cloud
	pushes int
	peak   peak
}

// peak is the most memory that a push held.
type peak struct {
	resident int64 // bytes
	row      string
}

// benchStage measures pushes into a cluster beside kubectl cp. The rows are returned, the ones that failed among them.
func benchStage(ctx context.Context, args []string, out, log io.Writer) (rows []row, err error) {
	var o stageOptions
	flags := flag.NewFlagSet("bench stage", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.StringVar(&o.plugin, "plugin", "../bin/kubectl-tracebloc", "the plugin's binary")
	flags.StringVar(&o.doc, "doc", "", "file to write the table to, in Markdown, when all rows were measured")
	flags.StringVar(&o.only, "run", "", "rows to measure, separated by commas; all by default: "+strings.Join(names(), ", "))
	flags.IntVar(&o.rounds, "rounds", 5, "runs of each measurement, of which the median counts")
	flags.BoolVar(&o.quick, "quick", false, "small data and one round, to see that everything works; the numbers mean nothing")
	flags.Uint64Var(&o.seed, "seed", 1, "of the positions at which connections are cut")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	b := &bench{o: o, sizes: o.sizes(), out: out, log: log}
	if b.o.plugin, err = filepath.Abs(o.plugin); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if err := b.open(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.cloud.remove()) }()
	return b.measure(ctx)
}

func (o *stageOptions) check() error {
	if o.quick {
		o.rounds = 1
	}
	if o.rounds < 1 {
		return fmt.Errorf("-rounds %d: must be 1 or more", o.rounds)
	}
	for _, name := range o.selected() {
		if !slices.Contains(names(), name) {
			return fmt.Errorf("-run %q: must be of %s", name, strings.Join(names(), ", "))
		}
	}
	return nil
}

// limitsName selects what the machine itself can do.
const limitsName = "limits"

// names are all that can be selected.
func names() []string { return append(rowNames(), limitsName) }

// selected are what to measure.
func (o *stageOptions) selected() []string {
	if o.only == "" {
		return names()
	}
	return strings.Split(o.only, ",")
}

// measure measures the rows one after the other. One that fails leaves the others alone.
func (b *bench) measure(ctx context.Context) ([]row, error) {
	fmt.Fprintf(b.out, "%s%s at the start; medians of %d rounds\n", machine(), load(), b.o.rounds)
	printHead(b.out)
	var rows []row
	for _, y := range yardsticks() {
		if !y.wanted(b.o.selected()) {
			continue
		}
		got, err := y.measure(b, ctx)
		if err != nil {
			got = []row{{name: y.rows[0], work: "not measured", err: err}}
		}
		for _, r := range got {
			r.print(b.out)
		}
		rows = append(rows, got...)
		if ctx.Err() != nil {
			return rows, ctx.Err()
		}
	}
	if b.peak.resident > 0 {
		r := b.memory()
		r.print(b.out)
		rows = append(rows, r)
	}
	return rows, errors.Join(b.report(ctx, rows), failures(rows))
}

// report measures the machine as well, and writes the document, when there is one to write and all of it was measured.
func (b *bench) report(ctx context.Context, rows []row) error {
	if !slices.Contains(b.o.selected(), limitsName) {
		return nil
	}
	limits, err := b.limits(ctx)
	if err != nil {
		return fmt.Errorf("measure the machine: %w", err)
	}
	for _, l := range limits {
		fmt.Fprintf(b.out, "%-60s %s\n", l.what, l.value)
	}
	switch {
	case b.o.doc == "":
		return nil
	case b.o.quick || b.o.only != "" || failures(rows) != nil:
		fmt.Fprintf(b.log, "%s stays as it is: not all rows were measured\n", filepath.Base(b.o.doc))
		return nil
	}
	return writeReport(b.o.doc, machine(), b.o.rounds, rows, limits)
}

// failures is nil when all rows were measured; it does not matter whether they meet their aims.
func failures(rows []row) error {
	var errs []error
	for _, r := range rows {
		if r.err != nil {
			errs = append(errs, fmt.Errorf("row %s: %w", r.name, r.err))
		}
	}
	return errors.Join(errs...)
}
