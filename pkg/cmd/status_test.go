package cmd

import (
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

// Whatever became of the run: the question is answered, so the exit code is 0.
func TestStatus(t *testing.T) {
	s := someRuns(t)
	for ref, name := range map[string]string{
		"5a3901": "succeeded", "5a3902": "losses", "77aa": "failed", "77ab": "running", "77ac": "pending", "helm": "pod-gone", "0ld": "job-gone",
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, err := s.tb("status", ref)
			if err != nil || stderr != "" {
				t.Fatalf("error %v, stderr %q", err, stderr)
			}
			golden(t, "status/"+name+".txt", timeless(stdout))
			stdout, stderr, err = s.tb("status", ref, "-o", "yaml")
			if err != nil || stderr != "" {
				t.Fatalf("-o yaml: error %v, stderr %q", err, stderr)
			}
			golden(t, "status/"+name+".yaml", timeless(stdout))
		})
	}
}

// What is known by then is printed beside what is not allowed.
func TestStatusForbidden(t *testing.T) {
	s := someRuns(t)
	s.deny = []string{"list pods"}
	stdout, _, err := s.tb("status", "77aa", "-o", "jsonpath={.metadata.name} {.status.phase} {.status.exitCode}")
	if ExitCode(err) != exitAuth || stdout != "77aa Failed 5" || !strings.Contains(errorText(err), "list pods") {
		t.Errorf("exit code %d, stdout %q, error %v", ExitCode(err), stdout, err)
	}
}

func TestStatusReportIsSafe(t *testing.T) {
	t.Parallel()
	evil := "a\x1b[2J\tb\nc"
	r := run.NewIngestionRun(evil)
	r.Name, r.Spec.Table, r.Spec.Task, r.Status.Job, r.Status.DestinationTable = evil, evil, evil, evil, evil
	attempts := []run.Attempt{{Pod: evil, Node: evil, Reason: evil}}
	for _, phase := range []run.Phase{run.PhasePending, run.PhaseFailed, run.PhaseUnknown, run.PhaseCanceled, run.PhaseSucceededWithLosses, run.PhaseComplete} {
		r.Status.Phase = phase
		report := statusReport(r, run.Outcome{State: phase, Reason: evil, Details: []string{evil}}, attempts)
		if strings.Contains(report, "\x1b") {
			t.Errorf("%s: an escape sequence reaches the terminal: %q", phase, report)
		}
	}
}

// A restart in place and a replaced Pod are attempts of their own.
func TestStatusShowsAttempts(t *testing.T) {
	s := newRunsServer(t)
	s.add(aRun{key: "77ab", table: "notes", task: "text_classification", age: time.Hour, end: batchv1.JobComplete, log: "success"})
	pods, _, _ := serverKind("pods")
	object, err := s.tracker.Get(pods, "ml", "ingest-job-77ab-x7k2p")
	if err != nil {
		t.Fatal(err)
	}
	pod := object.(*corev1.Pod).DeepCopy()
	pod.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{
		ContainerID: "containerd://first", ExitCode: 137, Reason: "OOMKilled",
		StartedAt: metav1.NewTime(jobStarted().Add(-time.Minute)), FinishedAt: jobStarted(),
	}
	if err := s.tracker.Update(pods, pod, "ml"); err != nil {
		t.Fatal(err)
	}
	s.previous[pod.Name] = stamped("2026-11-23 09:05:12 | INFO     | x | y | reading\n")
	stdout, _, err := s.tb("status", "77ab")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "status/attempts.txt", timeless(stdout))
	// Beside an object the doubt is told as well.
	for _, args := range [][]string{{"status"}, {"wait", "--quiet"}} {
		_, stderr, err := s.tb(append(args, "77ab", "-o", "json")...)
		if err != nil || !strings.HasPrefix(stderr, "warning: an earlier attempt") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: error %v, stderr %q", args, err, stderr)
		}
	}
}
