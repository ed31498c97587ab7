// bench times a push beside its yardsticks, in one run on one machine: kubectl cp of the same files into the same volume,
// and sha256sum of the same bytes. It prints medians and ratios; absolute times mean nothing on another machine.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

type options struct {
	namespace string
	rounds    int
	images    int
	rows      int
}

func main() {
	var o options
	flag.StringVar(&o.namespace, "namespace", "tracebloc", "namespace of the release")
	flag.IntVar(&o.rounds, "rounds", 5, "runs of each measurement, of which the median counts")
	flag.IntVar(&o.images, "images", 2000, "images of 128x128 noise, about 50 KiB each")
	flag.IntVar(&o.rows, "rows", 100_000, "rows of the CSV, about 80 bytes each")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	pod, remove, err := sleeper(o.namespace)
	if err != nil {
		return err
	}
	defer remove()

	images, table := filepath.Join(dir, "images_bench"), filepath.Join(dir, "table_bench")
	if err := makeImages(images, o.images); err != nil {
		return err
	}
	if err := makeTable(table, o.rows); err != nil {
		return err
	}
	fmt.Printf("%-10s %-28s %10s %10s\n", "DATASET", "MEASUREMENT", "MEDIAN", "RATIO")
	for _, d := range []struct{ name, path, task string }{
		{"images", images, "image_classification"},
		{"table", table, "tabular_classification"},
	} {
		if err := measure(o, pod, d.name, d.path, d.task); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
	}
	return nil
}

// steps are the measurements of one dataset: seconds of each round.
type steps map[string][]float64

func measure(o options, pod, name, path, task string) error {
	times := steps{}
	for round := range o.rounds {
		if err := oneRound(o, pod, path, task, round, times); err != nil {
			return err
		}
	}
	row := func(what, yardstick string) {
		ratio := ""
		if yardstick != "" {
			ratio = fmt.Sprintf("%.2f", median(times[what])/median(times[yardstick]))
		}
		fmt.Printf("%-10s %-28s %9.2fs %10s\n", name, what, median(times[what]), ratio)
	}
	row("sha256sum", "")
	row("check", "sha256sum")
	row("kubectl cp", "")
	row("stage, pod and publishing", "kubectl cp")
	row("push, ingestion included", "")
	return nil
}

// oneRound measures everything once, interleaved, so that the machine's moods meet all of them alike.
func oneRound(o options, pod, path, task string, round int, times steps) error {
	add := func(what string, f func() error) error {
		started := time.Now()
		err := f()
		times[what] = append(times[what], time.Since(started).Seconds())
		return err
	}
	if err := add("sha256sum", func() error {
		return command("sh", "-c", `find "$0" -type f -print0 | xargs -0 sha256sum`, path)
	}); err != nil {
		return err
	}
	target := fmt.Sprintf("%s/%s:/data/shared/bench-%d", o.namespace, pod, round)
	if err := add("kubectl cp", func() error { return command("kubectl", "cp", path, target) }); err != nil {
		return err
	}
	if err := command("kubectl", "exec", "-n", o.namespace, pod, "--", "rm", "-rf", fmt.Sprintf("/data/shared/bench-%d", round)); err != nil {
		return err
	}
	// A table of its own for each round: nothing is there to be taken over.
	name := fmt.Sprintf("bench_%d_%d", time.Now().Unix(), round)
	return add("push, ingestion included", func() error {
		durations, err := push(o.namespace, path, task, name)
		times["check"] = append(times["check"], durations["dataset"])
		times["stage, pod and publishing"] = append(times["stage, pod and publishing"], durations["stage"])
		return err
	})
}

// push pushes the dataset to rows, and returns the seconds that each step took by its own count.
func push(namespace, path, task, table string) (map[string]float64, error) {
	var out, errOut bytes.Buffer
	c := exec.Command("kubectl", "tracebloc", "push", path, "-n", namespace, "--task", task, "--table", table, "--quiet", "-o", "json")
	c.Stdout, c.Stderr = &out, &errOut
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("push: %w: %s", err, errOut.String())
	}
	var result struct {
		Status struct {
			Durations map[string]float64 `json:"durations"`
		} `json:"status"`
	}
	err := json.Unmarshal(out.Bytes(), &result)
	return result.Status.Durations, err
}

func command(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
