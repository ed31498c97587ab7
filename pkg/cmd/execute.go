package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"syscall"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
)

// Execute runs the command line in os.Args. Its error is nil, or for ExitCode
// and PrintError.
//
// A result that cannot be written to the end is an error, also where the
// library that writes it says nothing, as those of the tables and of the help
// do. A reader that has seen enough (| head) is none: the process ends with
// what became of the command itself.
func Execute(ctx context.Context, version string, streams genericiooptions.IOStreams) error {
	out := &resultWriter{out: streams.Out}
	streams.Out = out
	err := NewRootCommand(version, streams).ExecuteContext(ctx)
	failure := out.failed()
	switch {
	case failure == nil:
		return err
	case isOnly(err, failure), err == nil:
		if isReaderGone(failure) {
			return nil
		}
		return fmt.Errorf("write the result: %w", failure)
	case errors.Is(err, failure), isReaderGone(failure):
		return err
	}
	return errors.Join(err, fmt.Errorf("write the result: %w", failure))
}

// resultWriter remembers that its writer failed.
type resultWriter struct {
	out io.Writer

	mu  sync.Mutex
	err error
}

func (w *resultWriter) Write(p []byte) (int, error) {
	n, err := w.out.Write(p)
	if err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.err == nil {
			w.err = err
		}
		return n, w.err
	}
	return n, nil
}

func (w *resultWriter) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// helpWriter is where cobra writes help to. On a terminal that is the terminal
// itself, whose width kubectl's templates look up; elsewhere an error, which
// they would print and forget, is left to Execute.
func helpWriter(out io.Writer) io.Writer {
	result, ok := out.(*resultWriter)
	if !ok {
		return out
	}
	if progress.IsTerminal(result.out) {
		return result.out
	}
	return silentWriter{result}
}

// silentWriter takes everything.
type silentWriter struct{ out io.Writer }

func (w silentWriter) Write(p []byte) (int, error) {
	_, _ = w.out.Write(p) // a resultWriter remembers it
	return len(p), nil
}

// isReaderGone reports whether a write failed because nobody reads the other
// end of the pipe any more.
func isReaderGone(err error) bool {
	const (
		brokenPipe  = syscall.Errno(109) // ERROR_BROKEN_PIPE of Windows
		closingPipe = syscall.Errno(232) // ERROR_NO_DATA of Windows
	)
	return errors.Is(err, syscall.EPIPE) || runtime.GOOS == "windows" && (errors.Is(err, brokenPipe) || errors.Is(err, closingPipe))
}

// isOnly reports whether err says nothing but cause.
func isOnly(err, cause error) bool {
	if err == cause { //nolint:errorlint // this very error, and not one that has it inside beside others
		return true
	}
	switch e := any(err).(type) {
	case interface{ Unwrap() error }:
		return isOnly(e.Unwrap(), cause)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if !isOnly(inner, cause) {
				return false
			}
		}
		return true
	}
	return false
}
