// bench times the plugin beside its yardsticks, in one run on one machine. It prints medians and ratios; absolute times
// mean nothing on another machine.
//
//	bench check   a check of a big CSV and of many images beside sha256sum of the same bytes, with its peak memory; no cluster
//	bench start   the size of the binary, and the CPU time of commands that only start, beside kubectl; no cluster
//	bench stage   the transfer of a push beside kubectl cp of the same data into the same volume; needs a cluster
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("bench needs one of check, start and stage, and its flags behind it")
	}
	switch args[0] {
	case "check":
		return benchCheck(args[1:])
	case "start":
		_, err := benchStart(ctx, args[1:], os.Stdout)
		return err
	case "stage":
		_, err := benchStage(ctx, args[1:], os.Stdout, os.Stderr)
		return err
	}
	return fmt.Errorf("bench %q: must be check, start or stage", args[0])
}

// machine says what the numbers were measured on.
func machine() string {
	return fmt.Sprintf("%d cores, %s, %s/%s", runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// load is how many processes waited for a core over the last minute, where the system tells.
func load() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(data), " ")
	return ", load " + first
}

// series holds the seconds of each round by measurement.
type series map[string][]float64

// add times f, and counts it when it succeeds.
func (s series) add(what string, f func() error) error {
	started := time.Now()
	if err := f(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	s[what] = append(s[what], time.Since(started).Seconds())
	return nil
}

func (s series) median(what string) float64 {
	v := slices.Sorted(slices.Values(s[what]))
	if len(v) == 0 {
		return 0
	}
	return v[len(v)/2]
}

// ratio is the median of the ratios of each round: what slows a whole round down does not show in it.
func (s series) ratio(what, yardstick string) float64 {
	ratios := series{}
	for i := range min(len(s[what]), len(s[yardstick])) {
		ratios[what] = append(ratios[what], s[what][i]/s[yardstick][i])
	}
	return ratios.median(what)
}

// sha256sum reads every file below a path as cheaply as a shell can.
func sha256sum(path string) *exec.Cmd {
	return exec.Command("sh", "-c", `find "$0" -type f -print0 | xargs -0 sha256sum`, path)
}

// treeSize counts the files below a path and their bytes.
func treeSize(path string) (files int, size int64, err error) {
	err = filepath.WalkDir(path, func(_ string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		files, size = files+1, size+info.Size()
		return nil
	})
	return files, size, err
}

// runCommand runs a command; what it says on stderr is part of the error.
func runCommand(c *exec.Cmd) error {
	var errOut strings.Builder
	c.Stderr = &errOut
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(c.Args, " "), err, strings.TrimSpace(errOut.String()))
	}
	return nil
}

// cpuSeconds is what an ended command, and what it started, used of all cores.
func cpuSeconds(c *exec.Cmd) float64 {
	return (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()
}
