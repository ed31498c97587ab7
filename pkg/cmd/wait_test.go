package cmd

import (
	"context"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
)

// The exit code is that of the run, the object and the process agree on it, and
// the reason stands in front.
func TestWait(t *testing.T) {
	s := someRuns(t)
	for _, tt := range []struct {
		ref, phase string
		code       int
		report     string // the beginning of stdout
	}{
		{"5a3901", "Succeeded", exitOK, "run succeeded: "},
		{"5a3902", "SucceededWithLosses", exitRun, "run succeeded with losses: "},
		{"77aa", "Failed", exitRun, "run failed: Image Resolution Validator"},
		{"helm", "Unknown", exitRun, "run outcome unknown: "},
		{"0ld", "Unknown", exitRun, "run outcome unknown: "},
	} {
		stdout, stderr, err := s.tb("wait", tt.ref)
		if ExitCode(err) != tt.code || !strings.HasPrefix(stdout, tt.report) {
			t.Errorf("%s: exit code %d, want %d; stdout %q", tt.ref, ExitCode(err), tt.code, stdout)
		}
		if tt.ref == "5a3901" && !strings.Contains(stderr, "INGESTION SUMMARY") {
			t.Errorf("%s: the log is not on stderr: %q", tt.ref, stderr)
		}
		format := "jsonpath={.kind} {.status.phase} {.status.exitCode}"
		stdout, stderr, err = s.tb("wait", tt.ref, "--quiet", "-o", format)
		if want := "IngestionRun " + tt.phase + " " + string(rune('0'+tt.code)); ExitCode(err) != tt.code || stdout != want || stderr != "" {
			t.Errorf("%s -o: exit code %d, stdout %q, want %q; stderr %q", tt.ref, ExitCode(err), stdout, want, stderr)
		}
		_, stderr, _ = s.tb("wait", tt.ref, "-o", "name")
		if said := strings.Contains(stderr, tt.report); said != (tt.code == exitRun) {
			t.Errorf("%s: the report of a failure belongs beside the object: stderr %q", tt.ref, stderr)
		}
	}
}

func TestWaitToTheEnd(t *testing.T) {
	s := newRunsServer(t)
	s.add(aRun{key: "77ab", table: "notes", task: "text_classification", log: "success"})
	stdout, stderr, end := s.start(t.Context(), nil, "wait", "77ab", "--for", "complete", "-o", "jsonpath={.status.phase} {.status.records.inserted}")
	stderr.shows(t, "Job ingest-job-77ab: pod ingest-job-77ab-x7k2p is running on node node-1")
	stderr.shows(t, "Ingestion completed")
	s.watched(t, "jobs", "pods")
	s.finish("77ab", batchv1.JobComplete, 0, "success")
	if err := end(); err != nil || !strings.HasPrefix(stdout.String(), "Succeeded ") {
		t.Errorf("error %v, stdout %q, stderr %q", err, stdout, stderr)
	}
}

// Whoever stops waiting has no answer, and the run goes on.
func TestWaitInterrupted(t *testing.T) {
	s := newRunsServer(t)
	s.add(aRun{key: "77ab", table: "notes", task: "text_classification", log: "success"})
	ctx, interrupt := context.WithCancel(t.Context())
	stdout, stderr, end := s.start(ctx, nil, "wait", "77ab", "-o", "jsonpath={.status.phase} {.status.exitCode} {.status.message}")
	stderr.shows(t, "Ingestion completed")
	interrupt()
	err := end()
	want := `interrupted while waiting for run "77ab". The run goes on in the cluster: kubectl tracebloc logs 77ab -n ml -f`
	if ExitCode(err) != exitInterrupted || !strings.HasPrefix(errorText(err), want) || !strings.HasPrefix(stdout.String(), "Unknown 130 "+want) {
		t.Errorf("exit code %d, error %v, stdout %q", ExitCode(err), err, stdout)
	}
}

func TestWaitTimeout(t *testing.T) {
	s := newRunsServer(t)
	s.add(aRun{key: "77ac", table: "tags", task: "token_classification", pending: true})
	stdout, _, err := s.tb("wait", "77ac", "--timeout=1s", "-o", "jsonpath={.status.phase} {.status.exitCode}")
	if ExitCode(err) != exitRun || stdout != "Unknown 9" {
		t.Errorf("exit code %d, stdout %q", ExitCode(err), stdout)
	}
	for _, want := range []string{"run 77ac is not over after --timeout=1s", "cannot pull image", "The run goes on in the cluster"} {
		if !strings.Contains(errorText(err), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}

func TestWaitFlags(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"a --for=delete", `--for="delete": must be complete`},
		{"a --timeout=-1s", "--timeout=-1s: must not be negative"},
		{"a --for=", "has no value"},
	} {
		_, _, err := runRootCommand(t, append([]string{"wait"}, strings.Fields(tt.args)...)...)
		if ExitCode(err) != exitSpec || !strings.Contains(errorText(err), tt.want) {
			t.Errorf("%q: exit code %d, error %v", tt.args, ExitCode(err), err)
		}
	}
}

// Access that ends while a run is followed does not make its outcome known.
func TestWaitForbidden(t *testing.T) {
	s := someRuns(t)
	s.deny = []string{"list pods", "watch pods"}
	stdout, _, err := s.tb("wait", "77ab", "-o", "jsonpath={.status.phase} {.status.exitCode}")
	if ExitCode(err) != exitRun || stdout != "Unknown 9" || !strings.Contains(errorText(err), "unknown") {
		t.Errorf("exit code %d, stdout %q, error %v", ExitCode(err), stdout, err)
	}
}
