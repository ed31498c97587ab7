package runs

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// runList is what runs prints with -o json.
type runList struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Items      []ingestionRun `json:"items"`
}

// run runs a command line in the namespace of the release.
func (l *lab) run(t *testing.T, args ...string) result {
	t.Helper()
	return run(t, append(args, "-n", l.Options.Namespace)...)
}

// prints ends the test unless the exit code is want and stdout has all of the texts.
func (r result) prints(t *testing.T, want int, texts ...string) {
	t.Helper()
	r.expect(t, want)
	for _, text := range texts {
		if !strings.Contains(r.stdout, text) {
			t.Errorf("stdout lacks %q:\n%s\nstderr:\n%s", text, r.stdout, r.stderr)
		}
	}
}

// list reads the object of runs -o json.
func (r result) list(t *testing.T) []ingestionRun {
	t.Helper()
	var o runList
	if err := json.Unmarshal([]byte(r.stdout), &o); err != nil {
		t.Fatalf("stdout is no list: %v\n%s\nstderr:\n%s", err, r.stdout, r.stderr)
	}
	if o.APIVersion != "tracebloc.io/v1alpha1" || o.Kind != "IngestionRunList" {
		t.Errorf("got %s %s", o.APIVersion, o.Kind)
	}
	return o.Items
}

// agrees asks the other commands about a run that is over, by each of its names: they say what the push that followed it has said,
// and wait ends as it did.
func (l *lab) agrees(t *testing.T, pushed ingestionRun) {
	t.Helper()
	key := pushed.Metadata.Name
	listed := l.run(t, "runs", "-l", labelRun+"="+key, "-o", "json").expect(t, 0).list(t)
	if len(listed) != 1 {
		t.Fatalf("runs lists %d runs of key %q", len(listed), key)
	}
	for command, got := range map[string]ingestionRun{
		"status": l.run(t, "status", "job/"+pushed.Status.Job, "-o", "json").expect(t, 0).object(t),
		"wait":   l.run(t, "wait", key, "--for=complete", "-o", "json").expect(t, *pushed.Status.ExitCode).object(t),
		"runs":   listed[0],
	} {
		if got.Metadata.Name != key || got.Status.Job != pushed.Status.Job || got.Spec.Table != pushed.Spec.Table {
			t.Errorf("%s is about run %q, job %q, table %q", command, got.Metadata.Name, got.Status.Job, got.Spec.Table)
		}
		phase := pushed.Status.Phase
		if command == "runs" && phase == "Unknown" {
			phase = "Complete" // a listing reads the ends of the logs only, and does not judge what is not there
		}
		if diff := cmp.Diff(pushed.Status.Records, got.Status.Records); got.Status.Phase != phase || diff != "" {
			t.Errorf("push said %s (%s), and %s says %s (%s), records (-push +%s):\n%s",
				pushed.Status.Phase, pushed.Status.Message, command, got.Status.Phase, got.Status.Message, command, diff)
		}
	}
}

// cancels ends a run that cannot end by itself: its Job goes, and its Pods with it. Nothing is deleted without --yes, as there is nobody
// to ask, and a run that is gone is no error.
func (r *trial) cancels(t *testing.T, o ingestionRun) {
	t.Helper()
	key := o.Metadata.Name
	r.lab.run(t, "cancel", key).expect(t, 2, "--yes")
	if len(r.jobs(t, key)) != 1 {
		t.Fatal("the Job was deleted although nobody said yes")
	}
	got := r.lab.run(t, "cancel", key, "--yes", "-o", "json").expect(t, 0).object(t)
	if got.Status.Phase != "Canceled" {
		t.Errorf("cancel says %+v", got.Status)
	}
	if jobs, pods := r.jobs(t, key), r.pods(t, key); len(jobs)+len(pods) > 0 {
		t.Errorf("%d Jobs and %d Pods are left of the canceled run", len(jobs), len(pods))
	}
	r.lab.run(t, "cancel", key, "--yes").expect(t, 0)
}
