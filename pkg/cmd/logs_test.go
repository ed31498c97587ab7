package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

func TestLogs(t *testing.T) {
	s := someRuns(t)
	for _, tt := range []struct {
		name string
		args []string
		code int
		want []string // in stdout
		err  string
	}{
		{name: "of a success", args: []string{"5a3901"}, want: []string{"INGESTION SUMMARY", "Ingestion completed"}},
		{name: "of a failure", args: []string{"77aa"}, want: []string{"Ingestion failed:"}},
		{name: "to the end", args: []string{"77aa", "-f"}, want: []string{"Ingestion failed:"}},
		{name: "no life before", args: []string{"77aa", "--previous"}, code: exitError, err: "was not started before"},
		{name: "no pod", args: []string{"helm"}, code: exitError, err: "its pods are gone"},
		{name: "no pod to follow", args: []string{"helm", "-f"}, code: exitError, err: `run "helm-1700000000" has no log`},
		{name: "no job", args: []string{"0ld"}, code: exitError, err: `run "0ld" has no log any more`},
		{name: "not started", args: []string{"77ac"}, code: exitError, err: "no container has started yet"},
		{name: "summary of a success", args: []string{"5a3901", "--summary"}, want: []string{"run succeeded", "INSERTED"}},
		{name: "summary of a failure", args: []string{"77aa", "--summary"}, want: []string{"run failed: Image Resolution Validator"}},
		{name: "summary of nothing", args: []string{"0ld", "--summary"}, want: []string{"run outcome unknown"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stdout, _, err := s.tb(append([]string{"logs"}, tt.args...)...)
			if ExitCode(err) != tt.code || !strings.Contains(errorText(err), tt.err) {
				t.Errorf("exit code %d, want %d; error %v", ExitCode(err), tt.code, err)
			}
			if tt.err != "" && stdout != "" {
				t.Errorf("stdout %q", stdout)
			}
			for _, want := range tt.want {
				if !strings.Contains(stdout, want) {
					t.Errorf("stdout lacks %q:\n%s", want, stdout)
				}
			}
		})
	}
}

// Each line of the log arrives once, as the ingestor printed it.
func TestLogsAreWhole(t *testing.T) {
	s := newRunsServer(t)
	s.add(aRun{key: "77ab", table: "notes", task: "text_classification", end: batchv1.JobFailed, exit: 1, log: "traceback"})
	for _, args := range [][]string{{"77ab"}, {"77ab", "--follow"}} {
		stdout, _, err := s.tb(append([]string{"logs"}, args...)...)
		if want := readTestFile(t, "../run/testdata/logs/traceback.log"); err != nil || stdout != want {
			t.Errorf("%q: error %v, got %q, want %q", args, err, stdout, want)
		}
	}
}

func TestLogsPrevious(t *testing.T) {
	s := newRunsServer(t)
	s.add(aRun{key: "77ab", table: "notes", task: "text_classification", age: time.Hour, end: batchv1.JobComplete, log: "success"})
	pods, _, _ := serverKind("pods")
	object, err := s.tracker.Get(pods, "ml", "ingest-job-77ab-x7k2p")
	if err != nil {
		t.Fatal(err)
	}
	pod := object.(*corev1.Pod).DeepCopy()
	pod.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ContainerID: "containerd://first", ExitCode: 137}
	if err := s.tracker.Update(pods, pod, "ml"); err != nil {
		t.Fatal(err)
	}
	s.previous[pod.Name] = stamped("the life before\x1b[2J\n")
	stdout, _, err := s.tb("logs", "77ab", "-p")
	if err != nil || stdout != "the life before\n" {
		t.Errorf("error %v, stdout %q", err, stdout)
	}
}

func TestLogsFollowsAndDetaches(t *testing.T) {
	s := newRunsServer(t)
	s.add(aRun{key: "77ab", table: "notes", task: "text_classification", log: "success"})
	ctx, interrupt := context.WithCancel(t.Context())
	stdout, _, end := s.start(ctx, nil, "logs", "77ab", "-f")
	stdout.shows(t, "Ingestion completed")
	interrupt()
	err := end()
	want := `interrupted while following run "77ab". The run goes on in the cluster: kubectl tracebloc logs 77ab -n ml -f`
	if ExitCode(err) != exitInterrupted || !strings.HasPrefix(errorText(err), want) {
		t.Errorf("exit code %d, error %v", ExitCode(err), err)
	}
}

// Nobody reads on: the command ends, though the run does not.
func TestLogsEndWithTheirReader(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want int
	}{
		"| head":    {&os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}, exitOK},
		"full disk": {syscall.ENOSPC, exitError},
	} {
		t.Run(name, func(t *testing.T) {
			s := newRunsServer(t)
			s.add(aRun{key: "77ab", table: "notes", task: "text_classification", log: "success"})
			root := NewRootCommand("v1.2.3", genericiooptions.IOStreams{In: nil, Out: brokenWriter{tt.err}, ErrOut: io.Discard})
			root.SetArgs([]string{"logs", "77ab", "-f", "--kubeconfig", s.kubeconfig})
			if err := root.ExecuteContext(t.Context()); ExitCode(err) != tt.want {
				t.Errorf("exit code %d, want %d (%v)", ExitCode(err), tt.want, err)
			}
		})
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

// A saved log says as much as one in the cluster, and needs none.
func TestLogsOfAFile(t *testing.T) {
	logs, err := filepath.Glob("../run/testdata/logs/*.log")
	if err != nil || len(logs) == 0 {
		t.Fatalf("no logs: %v", err)
	}
	var got bytes.Buffer
	for _, log := range logs {
		stdout, stderr, err := runRootCommand(t, "logs", "--summary", "--filename", log, "--kubeconfig", "testdata/none")
		if err != nil || stderr != "" {
			t.Errorf("%s: error %v, stderr %q", log, err, stderr)
		}
		_, _ = fmt.Fprintf(&got, "== %s\n%s", filepath.Base(log), stdout)
	}
	golden(t, "logs/saved.txt", got.String())
}

func TestLogsOfStandardInput(t *testing.T) {
	t.Parallel()
	in := strings.NewReader(readTestFile(t, "../run/testdata/logs/partial.log"))
	var out bytes.Buffer
	o := &logsOptions{filename: "-", summary: true, IOStreams: genericiooptions.IOStreams{In: in, Out: &out, ErrOut: io.Discard}}
	if err := o.summarizeFile(t.Context()); err != nil || !strings.Contains(out.String(), "1 without their file") {
		t.Errorf("error %v, stdout %q", err, &out)
	}
	never, writer := io.Pipe()
	defer func() { _ = writer.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o.In = never
	if err := o.summarizeFile(ctx); ExitCode(err) != exitInterrupted {
		t.Errorf("input that never ends: got %v", err)
	}
	o.In = errorReader{errors.New("device is gone")}
	if err := o.summarizeFile(t.Context()); ExitCode(err) != exitDataset || !strings.Contains(errorText(err), "device is gone") {
		t.Errorf("input that cannot be read: got %v", err)
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

func TestLogsFlags(t *testing.T) {
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"a --filename f --summary", exitSpec, "goes without RUN"},
		{"--filename f", exitSpec, "goes with --summary"},
		{"--filename f --summary -f", exitSpec, "without --follow and --previous"},
		{"a -f --previous", exitSpec, "--previous goes without --follow"},
		{"a -f --summary", exitSpec, "kubectl tracebloc wait RUN"},
		{"a -p --summary", exitSpec, "kubectl tracebloc status RUN"},
		{"--summary --filename testdata/none.log", exitDataset, "none.log"},
		{"--summary --filename testdata", exitDataset, "not a regular file"},
	} {
		stdout, _, err := runRootCommand(t, append([]string{"logs"}, strings.Fields(tt.args)...)...)
		if ExitCode(err) != tt.code || !strings.Contains(errorText(err), tt.want) || stdout != "" {
			t.Errorf("%q: exit code %d, want %d; error %v; stdout %q", tt.args, ExitCode(err), tt.code, err, stdout)
		}
	}
}
