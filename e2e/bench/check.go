package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

type checkOptions struct {
	plugin         string
	rounds         int
	csvMiB, wide   int64
	images         int
	keep, datasets string
}

// checkSet is one measurement of the check.
type checkSet struct {
	name, dir string
	make      func(dir string) error
	args      []string
	// fails is true for a dataset with an error in every row.
	fails bool
}

// benchCheck checks datasets on this machine only.
func benchCheck(args []string) error {
	var o checkOptions
	flags := flag.NewFlagSet("bench check", flag.ExitOnError)
	flags.StringVar(&o.plugin, "plugin", "../bin/kubectl-tracebloc", "the plugin's binary")
	flags.IntVar(&o.rounds, "rounds", 5, "runs of each measurement, of which the median counts")
	flags.Int64Var(&o.csvMiB, "csv-mib", 1024, "MiB of the CSV of mixed types")
	flags.Int64Var(&o.wide, "wide-mib", 256, "MiB of the CSV with 200 columns of numbers")
	flags.IntVar(&o.images, "images", 100_000, "JPEG images of 4 to 12 KiB")
	flags.StringVar(&o.keep, "dir", "", "directory for the generated data, which is used again when it is there; a temporary one by default")
	flags.StringVar(&o.datasets, "only", "", "measurements to make, separated by commas; all by default")
	if err := flags.Parse(args); err != nil {
		return err
	}
	plugin, err := filepath.Abs(o.plugin)
	if err != nil {
		return err
	}
	dir := o.keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "bench"); err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
	}
	startUp, err := startUpMemory(plugin)
	if err != nil {
		return err
	}
	fmt.Printf("%s; %d rounds, files in the page cache; start-up holds %.0f MiB\n", machine(), o.rounds, mib(startUp))
	fmt.Printf("%-20s %7s %6s %10s %8s %7s %10s %14s\n", "DATASET", "FILES", "MIB", "SHA256SUM", "CHECK", "RATIO", "CPU RATIO", "ABOVE START-UP")
	for _, s := range checkSets(o, dir) {
		if o.datasets != "" && !slices.Contains(strings.Split(o.datasets, ","), s.name) {
			continue
		}
		if err := measureCheck(plugin, o.rounds, s, startUp); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func checkSets(o checkOptions, dir string) []checkSet {
	table, wide, images := filepath.Join(dir, "table_bench"), filepath.Join(dir, "wide_bench"), filepath.Join(dir, "images_bench")
	makeMixed := func(dir string) error { return makeTable(dir, o.csvMiB<<20) }
	tabular := []string{"--task=tabular_classification", "--label-column=label"}
	broken := strings.Replace(mixedSchema, "city:VARCHAR(64)", "city:INT", 1)
	return []checkSet{
		{name: "csv", dir: table, make: makeMixed, args: tabular},
		{name: "csv-schema", dir: table, make: makeMixed, args: append(slices.Clone(tabular), "--schema="+mixedSchema)},
		{name: "csv-all-rows-wrong", dir: table, make: makeMixed, args: append(slices.Clone(tabular), "--schema="+broken, "-o=json"), fails: true},
		{name: "csv-wide", dir: wide, make: func(dir string) error { return makeWide(dir, o.wide<<20) }, args: tabular},
		{name: "images", dir: images, make: func(dir string) error { return makeThumbnails(dir, o.images) }, args: []string{"--task=image_classification"}},
	}
}

// measureCheck measures a dataset. The first reading by sha256sum, which does not count, brings the files into the page cache.
func measureCheck(plugin string, rounds int, s checkSet, startUp int64) error {
	if _, err := os.Stat(s.dir); errors.Is(err, os.ErrNotExist) {
		if err := s.make(s.dir); err != nil {
			return err
		}
	}
	if err := runCommand(sha256sum(s.dir)); err != nil {
		return err
	}
	times, cpu := series{}, series{}
	var most int64
	for range rounds {
		for what, c := range map[string]*exec.Cmd{
			"sha256sum": sha256sum(s.dir),
			"check":     exec.Command(plugin, append([]string{"push", s.dir, "--dry-run=client", "--quiet"}, s.args...)...),
		} {
			if err := times.add(what, func() error { return s.run(c) }); err != nil {
				return err
			}
			cpu[what] = append(cpu[what], cpuSeconds(c))
			if what == "check" {
				most = max(most, maxResident(c.ProcessState))
			}
		}
	}
	files, size, err := treeSize(s.dir)
	if err != nil {
		return err
	}
	fmt.Printf("%-20s %7d %6.0f %9.2fs %7.2fs %7.2f %10.2f %10.0f MiB\n", s.name, files, mib(size), times.median("sha256sum"), times.median("check"),
		times.ratio("check", "sha256sum"), cpu.ratio("check", "sha256sum"), mib(most-startUp))
	return nil
}

// datasetExit is the exit code of a push whose dataset is wrong.
const datasetExit = 3

// run runs a command about the dataset. A check of a dataset that is wrong must say so.
func (s checkSet) run(c *exec.Cmd) error {
	err := runCommand(c)
	if !s.fails || filepath.Base(c.Path) == "sh" {
		return err
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == datasetExit:
		return nil
	case err == nil:
		return errors.New("the check finds nothing wrong with a dataset that is")
	}
	return err
}

// startUpMemory is the least that the plugin has resident to do nothing, in bytes.
func startUpMemory(plugin string) (int64, error) {
	least := int64(0)
	for range 5 {
		c := exec.Command(plugin, "version", "--client")
		if err := runCommand(c); err != nil {
			return 0, err
		}
		if held := maxResident(c.ProcessState); least == 0 || held < least {
			least = held
		}
	}
	return least, nil
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }
