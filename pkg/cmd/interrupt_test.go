package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset/datasettest"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

// cutContext is one that is interrupted when it is looked at for the n-th time.
type cutContext struct {
	context.Context
	left   atomic.Int64
	cancel context.CancelFunc
}

func (c *cutContext) Err() error {
	if c.left.Add(-1) < 0 {
		c.cancel()
	}
	return c.Context.Err()
}

// cutAfter runs a command line that is interrupted after n looks at its context.
func cutAfter(t *testing.T, n int, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cut := &cutContext{Context: ctx, cancel: cancel}
	cut.left.Store(int64(n))
	var out, errOut bytes.Buffer
	root := NewRootCommand("v1.2.3", genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut})
	root.SetArgs(args)
	if err = root.ExecuteContext(cut); err != nil {
		PrintError(&errOut, err)
	}
	return out.String(), errOut.String(), err
}

// TestInterruptedAnywhere: wherever a command that only reads is cut, it says what was interrupted and what that means, and prints no
// verdict.
func TestInterruptedAnywhere(t *testing.T) {
	dir := datasettest.Good("image_classification").Write(t)
	spec := filepath.Join(t.TempDir(), "ingest.yaml")
	if _, _, err := runRootCommand(t, "init", dir, "--table=t", "-o", spec); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args  []string
		says  string
		clean bool // prints nothing at all to stdout
	}{
		{[]string{"push", dir, "--table=t", "--dry-run=client", "-o", "json"}, "; nothing was sent\n", false},
		{[]string{"push", dir, "-f", spec, "--dry-run=client"}, "; nothing was sent\n", true},
		{[]string{"validate", spec, "--data", dir}, "; it is not known whether it ", true},
		{[]string{"init", dir, "--table=t", "-o", "-"}, "; no spec was written\n", true},
	} {
		cuts := 0
		for n := 0; n < 1000; n++ {
			out, errOut, err := cutAfter(t, n, tt.args...)
			if err == nil {
				break
			}
			cuts++
			last := errOut[strings.LastIndex("\n"+strings.TrimSuffix(errOut, "\n"), "\n"):]
			if ExitCode(err) != exitInterrupted || !strings.HasPrefix(last, "interrupted while ") || !strings.Contains(last, tt.says) || tt.clean && out != "" {
				t.Fatalf("%q cut after %d: exit code %d, %q, output %q", tt.args, n, ExitCode(err), errOut, out)
			}
			if tt.clean {
				continue
			}
			var result run.IngestionRun
			if err := json.Unmarshal([]byte(out), &result); err != nil {
				t.Fatal(err)
			}
			if s := result.Status; s.Message+"\n" != last || s.ExitCode == nil || *s.ExitCode != exitInterrupted || s.Phase != run.PhaseRefused {
				t.Fatalf("cut after %d: phase %q, exit code %d, message %q; stderr has %q", n, s.Phase, ExitCode(err), s.Message, last)
			}
		}
		if cuts == 0 || cuts == 1000 {
			t.Errorf("%q was cut %d times", tt.args, cuts)
		}
	}
}

func TestInterruption(t *testing.T) {
	t.Parallel()
	p := newPush(&pushOptions{path: "pets"})
	cut := fmt.Errorf("some call: %w", context.Canceled)
	for step, want := range map[string]string{
		"spec":        `interrupted while looking through "pets"; nothing was sent`,
		"dataset":     `interrupted while checking "pets"; nothing was sent`,
		"destination": `interrupted while asking the cluster whether "pets" can be pushed; nothing was sent`,
		"stage":       `interrupted while staging "pets"; no run was submitted`,
		"submit":      "some call: context canceled",
	} {
		if got := p.interruption(step, cut); got.Error() != want || ExitCode(got) != exitInterrupted {
			t.Errorf("%s: exit code %d, %v", step, ExitCode(got), got)
		}
	}
	other := errors.New("another")
	if got := p.interruption("dataset", other); got != other { //nolint:errorlint // the very same is meant
		t.Errorf("an error that is no interruption became %v", got)
	}
}
