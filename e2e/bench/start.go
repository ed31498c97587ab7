package main

import (
	"context"
	"debug/elf"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	// sizeLimit is what the stripped binary may have, in bytes.
	sizeLimit = 56_000_000
	// startLimit is the CPU time, of all cores, that a command may use which has next to nothing to do, in seconds.
	startLimit = 0.040
)

// startSpec is a small spec that validate has nothing to say about.
const startSpec = `apiVersion: tracebloc.io/v1
kind: IngestConfig
category: tabular_classification
table: churn
intent: train
csv: /data/shared/.tracebloc-staging/churn/churn.csv
label: churned
schema:
  age: INT
  churned: VARCHAR(8)
`

type startOptions struct {
	plugin, kubectl, doc string
	rounds               int
}

// startRow is one line of the table: what was measured beside kubectl doing the like. Values are bytes, or seconds of CPU time.
type startRow struct {
	work            string
	limit, measured float64 // a limit of 0 is none
	yardstick       float64
	beside          string
	format          func(float64) string
}

func (r startRow) verdict() string {
	switch {
	case r.limit == 0:
		return "-"
	case r.measured <= r.limit:
		return "yes"
	}
	return "no"
}

// benchStart measures the size of the plugin and the CPU time of commands that only start. CPU time depends on the machine, as any time
// does; the size does not.
func benchStart(ctx context.Context, args []string, out io.Writer) ([]startRow, error) {
	var o startOptions
	flags := flag.NewFlagSet("bench start", flag.ContinueOnError)
	flags.StringVar(&o.plugin, "plugin", "../bin/kubectl-tracebloc", "the plugin's stripped binary")
	flags.StringVar(&o.kubectl, "kubectl", "kubectl", "the kubectl to measure beside it")
	flags.StringVar(&o.doc, "doc", "", "page whose section "+strings.TrimSpace(startHead)+" is written")
	flags.IntVar(&o.rounds, "rounds", 21, "runs of each command, of which the median counts")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if o.rounds < 1 {
		return nil, fmt.Errorf("-rounds=%d: must be at least 1", o.rounds)
	}
	plugin, err := filepath.Abs(o.plugin)
	if err != nil {
		return nil, err
	}
	kubectl, err := exec.LookPath(o.kubectl)
	if err != nil {
		return nil, fmt.Errorf("the yardstick: %w (put kubectl on the PATH, or name one with -kubectl)", err)
	}
	size, err := strippedSize(plugin)
	if err != nil {
		return nil, err
	}
	rows, err := startTimes(ctx, plugin, kubectl, o.rounds)
	if err != nil {
		return nil, err
	}
	yardstick, err := os.Stat(kubectl)
	if err != nil {
		return nil, err
	}
	rows = append([]startRow{{
		work: "stripped binary", limit: sizeLimit, measured: float64(size), yardstick: float64(yardstick.Size()), beside: "kubectl", format: megabytes,
	}}, rows...)
	where := fmt.Sprintf("%s%s; medians of %d runs", machine(), load(), o.rounds)
	printStart(out, where, rows)
	if o.doc == "" {
		return rows, nil
	}
	return rows, writeStart(o.doc, where, rows)
}

// strippedSize is the size of the plugin in bytes. Symbols would be a third of it, and no release has them.
func strippedSize(plugin string) (int64, error) {
	info, err := os.Stat(plugin)
	if err != nil {
		return 0, fmt.Errorf("the plugin: %w (make build)", err)
	}
	file, err := elf.Open(plugin)
	var format *elf.FormatError
	switch {
	case errors.As(err, &format): // of another system, where make build strips as well
		return info.Size(), nil
	case err != nil:
		return 0, err
	}
	defer func() { _ = file.Close() }()
	if file.Section(".symtab") != nil || file.Section(".debug_info") != nil || file.Section(".zdebug_info") != nil {
		return 0, fmt.Errorf("%q is not stripped; build it with make build", plugin)
	}
	return info.Size(), nil
}

// startTimes measures the commands in turns, so that the machine's moods meet all of them alike.
func startTimes(ctx context.Context, plugin, kubectl string, rounds int) ([]startRow, error) {
	dir, err := os.MkdirTemp("", "bench-start")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	spec := filepath.Join(dir, "ingest.yaml")
	if err := os.WriteFile(spec, []byte(startSpec), 0o600); err != nil {
		return nil, err
	}
	const ownHelp, kubectlHelp, ownVersion, kubectlVersion, validate = "kubectl-tracebloc --help", "kubectl --help", "kubectl-tracebloc version --client",
		"kubectl version --client", "kubectl-tracebloc validate SPEC"
	commands := []struct {
		name string
		argv []string
	}{
		{ownHelp, []string{plugin, "--help"}},
		{kubectlHelp, []string{kubectl, "--help"}},
		{ownVersion, []string{plugin, "version", "--client"}},
		{kubectlVersion, []string{kubectl, "version", "--client"}},
		{validate, []string{plugin, "validate", spec}},
	}
	cpu := series{}
	for range rounds + 1 {
		for _, c := range commands {
			run := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
			if err := runCommand(run); err != nil {
				return nil, err
			}
			cpu[c.name] = append(cpu[c.name], cpuSeconds(run))
		}
	}
	for name := range cpu {
		cpu[name] = cpu[name][1:] // the first reads the files from the disk
	}
	row := func(what string, limit float64, beside string) startRow {
		return startRow{work: "CPU time of `" + what + "`", limit: limit, measured: cpu.median(what), yardstick: cpu.median(beside), beside: beside, format: milliseconds}
	}
	return []startRow{row(ownHelp, startLimit, kubectlHelp), row(ownVersion, 0, kubectlVersion), row(validate, startLimit, kubectlVersion)}, nil
}

func megabytes(bytes float64) string { return fmt.Sprintf("%.1f MB", bytes/1e6) }

func milliseconds(seconds float64) string { return fmt.Sprintf("%.0f ms", seconds*1e3) }
