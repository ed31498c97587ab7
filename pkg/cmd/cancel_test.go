package cmd

import (
	"context"
	"errors"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// left is how many of a resource the server has.
func (s *runsServer) left(resource string) int {
	s.t.Helper()
	gvr, gvk, _ := serverKind(resource)
	list, err := s.tracker.List(gvr, gvk, "ml")
	if err != nil {
		s.t.Fatal(err)
	}
	return meta.LenList(list)
}

func TestCancel(t *testing.T) {
	for _, ref := range []string{"77ab", "77ac"} {
		s := someRuns(t)
		jobs, pods, configs := s.left("jobs"), s.left("pods"), s.left("configmaps")
		stdout, stderr, err := s.tb("cancel", ref, "--yes")
		if err != nil || stdout != "run "+ref+" canceled\n" {
			t.Errorf("error %v, stdout %q", err, stdout)
		}
		for _, want := range []string{"Deleting job ingest-job-" + ref, "rows in the database", "kubectl delete configmap,secret -l tracebloc.io/ingestion-run=" + ref} {
			if !strings.Contains(stderr, want) {
				t.Errorf("stderr lacks %q: %s", want, stderr)
			}
		}
		if s.left("jobs") != jobs-1 || s.left("pods") != pods-1 || s.left("configmaps") != configs {
			t.Errorf("%s: left %d jobs, %d pods, %d configmaps", ref, s.left("jobs"), s.left("pods"), s.left("configmaps"))
		}
	}
	s := someRuns(t)
	stdout, _, err := s.tb("cancel", "77ab", "-y", "-o", "jsonpath={.metadata.name} {.status.phase} {.status.exitCode}")
	if err != nil || stdout != "77ab Canceled 0" {
		t.Errorf("error %v, stdout %q", err, stdout)
	}
}

// A run that is over keeps its Job, which has the log.
func TestCancelEndedRun(t *testing.T) {
	s := someRuns(t)
	for _, ref := range []string{"5a3901", "77aa", "helm", "0ld"} {
		stdout, stderr, err := s.tb("cancel", ref)
		if err != nil || !strings.Contains(stdout, "had ended already") || !strings.Contains(stderr, "nothing was deleted") {
			t.Errorf("%s: error %v, stdout %q, stderr %q", ref, err, stdout, stderr)
		}
	}
	if deleted := s.requests("DELETE"); len(deleted) > 0 {
		t.Errorf("deleted %q", deleted)
	}
}

func TestCancelIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		deny string
		args []string
		code int
		want string
	}{
		"no terminal": {code: exitSpec, want: "add --yes"},
		"forbidden":   {deny: "delete jobs", args: []string{"--yes"}, code: exitAuth, want: "delete jobs"},
	} {
		t.Run(name, func(t *testing.T) {
			s := someRuns(t)
			s.deny = []string{tt.deny}
			stdout, _, err := s.tb(append([]string{"cancel", "77ab"}, tt.args...)...)
			if ExitCode(err) != tt.code || !strings.Contains(errorText(err), tt.want) || stdout != "" {
				t.Errorf("exit code %d, want %d; error %v; stdout %q", ExitCode(err), tt.code, err, stdout)
			}
			if deleted := s.requests("DELETE"); len(deleted) > 0 {
				t.Errorf("deleted %q", deleted)
			}
		})
	}
}

// On a terminal cancel asks; only a yes deletes something.
func TestCancelAsks(t *testing.T) {
	for name, tt := range map[string]struct {
		yes     bool
		err     error
		code    int
		deletes int
	}{
		"yes":       {yes: true, deletes: 1},
		"no":        {code: exitError},
		"interrupt": {err: context.Canceled, code: exitInterrupted},
		"trouble":   {err: errors.New("the terminal is gone"), code: exitError},
	} {
		t.Run(name, func(t *testing.T) {
			s := someRuns(t)
			config, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
			if err != nil {
				t.Fatal(err)
			}
			streams, _, _, _ := genericiooptions.NewTestIOStreams()
			o := newCancelOptions(streams)
			o.name, o.namespace = "77ab", "ml"
			if o.client, err = kubernetes.NewForConfig(config); err != nil {
				t.Fatal(err)
			}
			asked := ""
			o.canAsk = func(genericiooptions.IOStreams) bool { return true }
			o.ask = func(_ context.Context, _ genericiooptions.IOStreams, question string) (bool, error) {
				asked = question
				return tt.yes, tt.err
			}
			err = o.run(t.Context())
			if ExitCode(err) != tt.code || len(s.requests("DELETE")) != tt.deletes {
				t.Errorf("exit code %d, want %d (%v); deleted %q", ExitCode(err), tt.code, err, s.requests("DELETE"))
			}
			if !strings.Contains(asked, "77ab (running) into table notes in namespace ml") {
				t.Errorf("asked %q", asked)
			}
		})
	}
}

// The run ends while the user thinks about the answer.
func TestCancelTooLate(t *testing.T) {
	s := someRuns(t)
	config, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	streams, _, stdout, _ := genericiooptions.NewTestIOStreams()
	o := newCancelOptions(streams)
	o.name, o.namespace = "77ab", "ml"
	if o.client, err = kubernetes.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	o.canAsk = func(genericiooptions.IOStreams) bool { return true }
	o.ask = func(context.Context, genericiooptions.IOStreams, string) (bool, error) {
		s.finish("77ab", batchv1.JobComplete, 0, "success")
		return true, nil
	}
	if err := o.run(t.Context()); err != nil || !strings.Contains(stdout.String(), "had ended already") || len(s.requests("DELETE")) > 0 {
		t.Errorf("error %v, stdout %q, deleted %q", err, stdout, s.requests("DELETE"))
	}
}
