package cmd

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

// submitting is a push that has staged its files into table "pets" and is about to submit; the cluster has the objects. A POST would
// fail: there is no way to jobs-manager.
func submitting(objects ...runtime.Object) *push {
	p := newPush(&pushOptions{quiet: true, IOStreams: genericiooptions.NewTestIOStreamsDiscard()})
	p.progress = newProgress(p.pushOptions)
	p.cluster.client = fake.NewClientset(objects...)
	p.release = &release.Release{Name: "r", Namespace: "ml"}
	p.chosen.table, p.spec, p.runKey = "pets", "table: pets\ncsv: /a\n", "mine"
	return p
}

// otherRun is what another push, of other data, left in the cluster.
func otherRun(condition batchv1.JobConditionType) []runtime.Object {
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Namespace: "ml", Labels: map[string]string{run.Label: "theirs"}}
	}
	job := &batchv1.Job{ObjectMeta: meta("ingest-job-1")}
	if condition != "" {
		job.Status.Conditions = []batchv1.JobCondition{{Type: condition, Status: corev1.ConditionTrue}}
	}
	return []runtime.Object{job, &corev1.ConfigMap{ObjectMeta: meta("ingest-config-1"), Data: map[string]string{"ingest.yaml": "table: pets\ncsv: /b\n"}}}
}

// An upload takes long: a table that another push took meanwhile is not appended to.
func TestSubmitLooksAtTheDestinationAgain(t *testing.T) {
	for _, condition := range []batchv1.JobConditionType{"", batchv1.JobComplete} {
		err := submitting(otherRun(condition)...).submit(t.Context())
		var exists *run.ExistsError
		if !errors.As(err, &exists) || ExitCode(err) != exitExists {
			t.Errorf("condition %q: got %v (exit code %d)", condition, err, ExitCode(err))
		}
	}
}

// A key from the volume whose job was deleted would be replayed for ever: the way out is a new one.
func TestReplayOfDeletedJob(t *testing.T) {
	p := submitting()
	p.resumed, p.accepted = true, run.Accepted{Job: "ingest-job-2", Namespace: "ml", Replay: true}
	err := p.checkReplay(t.Context())
	if ExitCode(err) != exitExists || !strings.Contains(err.Error(), "--idempotency-key=") {
		t.Errorf("got %v (exit code %d)", err, ExitCode(err))
	}
	p.resumed = false
	if err := p.checkReplay(t.Context()); err != nil {
		t.Errorf("a key that the user gave: %v", err)
	}
}

// The first wait for input that never ends must not outlive an interrupt.
func TestReadAllIsInterrupted(t *testing.T) {
	never, writer := io.Pipe()
	defer func() { _ = writer.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readAll(ctx, never); ExitCode(err) != exitInterrupted {
		t.Errorf("got %v", err)
	}
}

// One function maps what became of a run to the exit code, for every command.
func TestRunError(t *testing.T) {
	t.Parallel()
	for phase, want := range map[run.Phase]int{
		run.PhaseSucceeded: exitOK, run.PhaseDetached: exitOK, run.PhasePending: exitOK, run.PhaseRunning: exitOK,
		run.PhaseSucceededWithLosses: exitRun, run.PhaseFailed: exitRun, run.PhaseCanceled: exitRun, run.PhaseUnknown: exitRun,
		run.PhaseComplete: exitRun, "": exitRun, // what is not known is no success
	} {
		err := runError("k1", run.Outcome{State: phase, Reason: "because"})
		if ExitCode(err) != want || err != nil && err.Error() != "run k1 did not succeed: because" {
			t.Errorf("%q: exit code %d, %v", phase, ExitCode(err), err)
		}
	}
}

// A run that is no longer followed says how to find it again, with our own commands.
func TestLeave(t *testing.T) {
	t.Parallel()
	p := submitting()
	p.accepted = run.Accepted{Job: "ingest-job-1", Namespace: "ml"}
	p.leave()
	p.conclude(nil)
	const want = "The run goes on in the cluster: kubectl tracebloc logs mine -n ml -f, or kubectl tracebloc status mine -n ml"
	if s := p.result.Status; s.Phase != run.PhaseDetached || s.Message != want || s.Job != "ingest-job-1" || *s.ExitCode != exitOK {
		t.Errorf("got %+v", s)
	}
}
