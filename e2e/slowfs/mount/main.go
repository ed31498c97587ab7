//go:build linux

// Command mount shows the directory SOURCE at DIR as a volume whose metadata operations each take a time, until it gets
// SIGINT or SIGTERM. SIGUSR1 prints how many operations there were so far; so does the end:
//
//	go run ./slowfs/mount [-delay 1ms] SOURCE DIR
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/e2e/slowfs"
)

func main() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGUSR1)
	err := run(os.Args[1:], signals, os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		_, _ = fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string, signals <-chan os.Signal, out, errOut io.Writer) error {
	flags := flag.NewFlagSet("mount", flag.ContinueOnError)
	flags.SetOutput(errOut)
	delay := flags.Duration("delay", time.Millisecond, "how long each operation on metadata takes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 2 {
		return errors.New("name the directory to show, and the one to show it at")
	}
	volume, err := slowfs.Mount(flags.Arg(0), flags.Arg(1), *delay)
	if err != nil {
		return err
	}
	fmt.Fprintf(errOut, "mounted at %s, %s for each operation on metadata\n", flags.Arg(1), *delay)
	gone := make(chan struct{})
	go func() {
		volume.Wait()
		close(gone)
	}()
	for {
		select {
		case s := <-signals:
			if s == syscall.SIGUSR1 {
				fmt.Fprintln(out, counts(volume))
				continue
			}
			if err := volume.Unmount(); err != nil {
				fmt.Fprintf(errOut, "still in use, so still mounted: %v\n", err)
			}
		case <-gone:
			fmt.Fprintln(out, counts(volume))
			return nil
		}
	}
}

// counts is one line, "total=7 create=3 lookup=4".
func counts(volume *slowfs.Volume) string {
	counted := volume.Counts()
	total, words := int64(0), []string{}
	for _, operation := range slices.Sorted(maps.Keys(counted)) {
		total += counted[operation]
		words = append(words, fmt.Sprintf("%s=%d", operation, counted[operation]))
	}
	return strings.Join(append([]string{fmt.Sprintf("total=%d", total)}, words...), " ")
}
