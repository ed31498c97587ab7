package cmd

import (
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
)

// Every command on a run takes every name of it, and treats a wrong one alike.
func TestRunNames(t *testing.T) {
	s := someRuns(t)
	for name, tt := range map[string]struct {
		ref  string
		code int
		want string // in stdout, or of the error
	}{
		"id":           {ref: "77aa", want: "77aa"},
		"prefix":       {ref: "helm", want: "helm-1700000000"},
		"job":          {ref: "ingest-job-77aa", want: "77aa"},
		"job/NAME":     {ref: "job/ingest-job-77aa", want: "77aa"},
		"-o name":      {ref: "ingestionrun.tracebloc.io/77aa", want: "77aa"},
		"ambiguous":    {ref: "5a39", code: exitSpec, want: `"5a3901", "5a3902"`},
		"unknown":      {ref: "nope", code: exitError, want: `no run "nope" in namespace "ml"`},
		"of elsewhere": {ref: "far", code: exitError, want: `no run "far"`},
		"empty":        {ref: "", code: exitSpec, want: "RUN is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, _, err := s.tb("status", tt.ref, "-o", "jsonpath={.metadata.name}")
			if ExitCode(err) != tt.code {
				t.Errorf("exit code %d, want %d (%v)", ExitCode(err), tt.code, err)
			}
			if got := stdout + errorText(err); !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	for _, command := range []string{"status", "logs", "wait", "cancel"} {
		for _, args := range [][]string{{command}, {command, "a", "b"}} {
			if _, _, err := s.tb(args...); ExitCode(err) != exitSpec || !strings.Contains(errorText(err), "takes one RUN") {
				t.Errorf("%q: got %v", args, err)
			}
		}
		if _, _, err := s.tb(command, "5a39"); ExitCode(err) != exitSpec {
			t.Errorf("%s: an ambiguous prefix: got %v", command, err)
		}
		if _, _, err := s.tb(command, "nope"); ExitCode(err) != exitError || !strings.Contains(errorText(err), "kubectl tracebloc runs") {
			t.Errorf("%s: an unknown run: got %v", command, err)
		}
	}
}

// What -o prints when the run was not found: the same kind of object, with the
// reason and the exit code.
func TestEarlyFailuresPrintARun(t *testing.T) {
	s := someRuns(t)
	for _, args := range [][]string{{"status", "nope"}, {"wait", "nope"}, {"cancel", "nope", "--yes"}} {
		stdout, _, err := s.tb(append(args, "-o", `jsonpath={.kind} {.metadata.namespace} {.status.phase} {.status.exitCode} {.status.message}`)...)
		want := `IngestionRun ml Unknown 1 no run "nope" in namespace "ml"`
		if ExitCode(err) != exitError || !strings.HasPrefix(stdout, want) {
			t.Errorf("%q: exit code %d, stdout %q", args, ExitCode(err), stdout)
		}
	}
	stdout, _, err := s.tb("wait", "77aa", "--for=delete", "-o", "jsonpath={.status.exitCode}")
	if ExitCode(err) != exitSpec || stdout != "2" {
		t.Errorf("a wrong flag: exit code %d, stdout %q", ExitCode(err), stdout)
	}
	if stdout, _, err := s.tb("status", "77aa", "-o", "wide"); ExitCode(err) != exitSpec || stdout != "" {
		t.Errorf("a wrong format: exit code %d, stdout %q", ExitCode(err), stdout)
	}
}

func TestRunCompletion(t *testing.T) {
	s := someRuns(t)
	for name, tt := range map[string]struct {
		args []string
		want []string
	}{
		"all, newest first": {args: []string{"status", ""}, want: []string{"helm-1700000000", "77ac", "77ab", "77aa", "5a3902", "5a3901", "0ld"}},
		"a prefix":          {args: []string{"wait", "5a"}, want: []string{"5a3902", "5a3901"}},
		"a Job":             {args: []string{"status", "ingest-job-77a"}, want: []string{"ingest-job-77ac", "ingest-job-77ab", "ingest-job-77aa"}},
		"job/NAME":          {args: []string{"status", "job/ingest-job-5a39"}, want: []string{"job/ingest-job-5a3902", "job/ingest-job-5a3901"}},
		"with a Job":        {args: []string{"logs", "0"}},
		"at work":           {args: []string{"cancel", ""}, want: []string{"77ac", "77ab"}},
		"a second":          {args: []string{"status", "77aa", ""}},
		"a namespace":       {args: []string{"status", "-n", "prod", ""}, want: []string{"far"}},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"__complete", "--kubeconfig", s.kubeconfig}, tt.args...)
			stdout, _, err := runRootCommand(t, args...)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for line := range strings.Lines(stdout) {
				if value, _, described := strings.Cut(line, "\t"); described {
					got = append(got, value)
				}
			}
			if strings.Join(got, " ") != strings.Join(tt.want, " ") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	stdout, _, err := runRootCommand(t, "__complete", "--kubeconfig", s.kubeconfig, "status", "77aa")
	if want := "77aa\tscans, Failed, 3h old\n"; err != nil || !strings.HasPrefix(stdout, want) {
		t.Errorf("got %q, want %q", stdout, want)
	}
}

// A shell has no place for an error: nothing is completed, and nothing is said.
func TestRunCompletionIsSilent(t *testing.T) {
	s := newRunsServer(t)
	s.add(aRun{key: "77aa", table: "scans", task: "object_detection", age: time.Hour, end: batchv1.JobFailed})
	s.deny = []string{"list jobs"}
	for name, kubeconfig := range map[string]string{"denied": s.kubeconfig, "unreachable": "testdata/info/kubeconfig", "no kubeconfig": "testdata/none"} {
		stdout, stderr, err := runRootCommand(t, "__complete", "--kubeconfig", kubeconfig, "status", "")
		if err != nil || !strings.HasPrefix(stdout, ":") || strings.Contains(stderr, "rror") {
			t.Errorf("%s: error %v, stdout %q, stderr %q", name, err, stdout, stderr)
		}
	}
}
