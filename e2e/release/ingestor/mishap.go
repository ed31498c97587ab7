package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

// scratch is a volume of the Pod that outlives its containers.
const scratch = "/tmp"

// faultsOfLife reads the faults of this life of the container. Lives are counted only when it matters.
func faultsOfLife(getenv func(string) string, scratch string) (fault.Ingestor, error) {
	f, err := fault.FromEnv(getenv(fault.EnvIngestor))
	if err != nil || f.Lives == 0 {
		return f, err
	}
	life, err := countLife(filepath.Join(scratch, "standin-lives"))
	if err != nil {
		return f, err
	}
	if life > f.Lives {
		f.Fail, f.Memory, f.Crash = false, false, false
	}
	return f, nil
}

// countLife adds a byte to the file, and returns how many it has.
func countLife(path string) (int, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, fmt.Errorf("count the lives of the container: %w", err)
	}
	_, err = f.WriteString(".")
	info, statErr := f.Stat()
	if err = errors.Join(err, statErr, f.Close()); err != nil {
		return 0, fmt.Errorf("count the lives of the container: %w", err)
	}
	return int(info.Size()), nil
}

// begin is what goes wrong before the spec is read.
func begin(ctx context.Context, f fault.Ingestor) error {
	select {
	case <-time.After(time.Duration(f.Sleep)):
	case <-ctx.Done():
		return ctx.Err()
	}
	if f.Fail {
		return raise("the stand-in was told to fail")
	}
	return nil
}

// mishap is what goes wrong between the rows and the summary.
func (in *ingestor) mishap(ctx context.Context) error {
	if n := in.faults.LongLine; n > 0 {
		// In pieces, as a program writes that never ends its line.
		piece := strings.Repeat("long ", 1<<12)
		for ; n > 0; n -= len(piece) {
			_, _ = fmt.Fprint(in.out, piece[:min(n, len(piece))])
		}
		_, _ = fmt.Fprintln(in.out)
	}
	for i := range in.faults.Lines {
		_, _ = fmt.Fprintln(in.out, fault.Line(i+1))
		in.pause(time.Duration(in.faults.Pause))
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if in.faults.Memory {
		return exhaust()
	}
	if in.crash {
		return errors.New("the stand-in was told to crash")
	}
	return nil
}

// exhaust takes memory until the kernel steps in. Without a limit of the container it gives up before the node suffers.
func exhaust() error {
	const most, step = 1 << 30, 4 << 20
	var taken [][]byte
	for size := 0; size < most; size += step {
		block := make([]byte, step)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1 // memory counts when it is written to
		}
		taken = append(taken, block)
	}
	runtime.KeepAlive(taken)
	return errors.New("the stand-in was told to run out of memory, and its container has no small limit")
}
