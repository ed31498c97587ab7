package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
	"github.com/tracebloc/kubectl-tracebloc/pkg/stage"
)

// The exit codes are a contract with scripts; docs/exit-codes.md lists them.
const (
	exitOK          = 0
	exitError       = 1
	exitSpec        = 2
	exitDataset     = 3
	exitRelease     = 4
	exitAuth        = 5
	exitExists      = 6
	exitStage       = 7
	exitSubmit      = 8
	exitRun         = 9
	exitInterrupted = 130
)

// exitMeanings is the one list of exit codes, in order: help, docs and tests
// read it.
var exitMeanings = []struct {
	Code    int
	Meaning string
}{
	{exitOK, "done"},
	{exitError, "an error without a code of its own"},
	{exitSpec, "the spec or the flags are wrong"},
	{exitDataset, "the dataset or the local environment is wrong"},
	{exitRelease, "no usable tracebloc release or PVC"},
	{exitAuth, "no token, or not allowed"},
	{exitExists, "the destination exists already"},
	{exitStage, "staging the files failed"},
	{exitSubmit, "the submit was refused or could not be made"},
	{exitRun, "the run failed, lost rows, or its outcome is unknown"},
	{exitInterrupted, "interrupted"},
}

// codedError carries the exit code of a failure to main.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// fail gives err the exit code of the step that it ended. An error that
// already has a code keeps it: the innermost step knows best.
func fail(code int, err error) error {
	var coded *codedError
	if err == nil || errors.As(err, &coded) {
		return err
	}
	return &codedError{code: code, err: err}
}

// failf is fail over fmt.Errorf.
func failf(code int, format string, args ...any) error {
	return fail(code, fmt.Errorf(format, args...))
}

// ExitCode maps the error of a command to the exit code of the process. An
// interrupt wins over everything, a refusal by the API server over the step
// that met it, until a run may exist: from then on that is what counts.
func ExitCode(err error) int {
	var coded *codedError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case isDenied(err) && (!errors.As(err, &coded) || coded.code != exitSubmit && coded.code != exitRun):
		return exitAuth
	case errors.As(err, &coded):
		return coded.code
	default:
		return exitError
	}
}

// isDenied tells a missing permission from an admission rule (quota,
// PodSecurity) that turned the stage Pod down; the API server answers 403 to
// both.
func isDenied(err error) bool {
	var start *stage.StartError
	if errors.As(err, &start) && start.Policy {
		return false
	}
	return apierrors.IsUnauthorized(err) || apierrors.IsForbidden(err)
}

// silentError marks a failure whose report is already printed: main sets the
// exit code and adds no text.
type silentError struct{ error }

func (e silentError) Unwrap() error { return e.error }

// PrintError writes err to w the way kubectl words its errors. The commands in
// it are those of the kubectl that started the plugin.
func PrintError(w io.Writer, err error) {
	var silent silentError
	var worded *interruptedError
	if err == nil {
		return
	}
	text := progress.Escape(asStarted(err.Error()))
	switch {
	case errors.As(err, &silent):
	case errors.As(err, &worded):
		_, _ = fmt.Fprintln(w, text)
	case ExitCode(err) == exitInterrupted:
		_, _ = fmt.Fprintf(w, "interrupted: %s\n", text)
	default:
		_, _ = fmt.Fprintf(w, "error: %s\n", text)
		writeAccessHelp(w, err)
	}
}

// exitCodes renders the block that ends the help of every command: the codes
// that it can return, besides 0 and 1 which every command has.
func exitCodes(codes ...int) string {
	var b strings.Builder
	b.WriteString("Exit codes:\n")
	for _, m := range exitMeanings {
		if m.Code == exitOK || m.Code == exitError || slices.Contains(codes, m.Code) {
			fmt.Fprintf(&b, "\n  * %d: %s", m.Code, m.Meaning)
		}
	}
	return b.String()
}
