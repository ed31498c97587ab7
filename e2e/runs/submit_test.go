package runs

import (
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

// An answer that is lost after the Job exists is asked for again with the same key.
func testLostAnswer(t *testing.T, l *lab) {
	r := l.trial(t, "lost_answer", fault.Faults{DropAfter: 2})
	got := r.push(t).expect(t, 0, "trying again with the same key").object(t)
	got.ended(t, "Succeeded", all)
	if !got.Status.Replay || !got.Status.Staging.Removed {
		t.Errorf("got %+v", got.Status)
	}
	r.leaves(t, got, remains{rows: 4, jobs: 1})
	l.agrees(t, got)
}

// A push that is killed between the submit and its answer joins its run when it is started again.
func testKilledBeforeAnswer(t *testing.T, l *lab) {
	r := l.trial(t, "killed_before_answer", fault.Faults{DelayAfter: seconds(300), Ingestor: fault.Ingestor{Sleep: seconds(20)}})
	first := r.start(t)
	key := r.submitted(t)
	first.kill(t)
	if printed := first.wait().key(t); printed != key {
		t.Errorf("the killed push had printed run %q, and the cluster has %q", printed, key)
	}
	got := r.push(t).expect(t, 0, "following it").object(t)
	got.ended(t, "Succeeded", all)
	if got.Metadata.Name != key || got.Status.Staging.SentBytes != 0 {
		t.Errorf("run %q, want %q again and nothing sent: %+v", got.Metadata.Name, key, got.Status)
	}
	r.leaves(t, got, remains{rows: 4, jobs: 1})
	l.agrees(t, got)
}

// A push that is killed before its submit has made a Job finds its key beside the staged files, and sends nothing again.
func testKilledBeforeJob(t *testing.T, l *lab) {
	r := l.trial(t, "killed_before_job", fault.Faults{DelayBefore: seconds(300)})
	first := r.start(t)
	r.staged(t, first)
	first.kill(t)
	key := first.wait().key(t)
	if runs := r.runs(t); len(runs) > 0 {
		t.Fatalf("the submit was to be held back, and made %q", runs)
	}
	r.set(t, fault.Faults{})
	got := r.push(t).expect(t, 0, "Continuing run "+key, "nothing is sent").object(t)
	got.ended(t, "Succeeded", all)
	if got.Metadata.Name != key {
		t.Errorf("run %q, want that of the killed push, %q", got.Metadata.Name, key)
	}
	r.leaves(t, got, remains{rows: 4, jobs: 1})
}

// A push that is killed, and whose run ends well without it: the table is full, so the same push is refused and names the run; with the
// run's key it gets the outcome, and clears away what the killed push had staged.
func testKilledAndOver(t *testing.T, l *lab) {
	r := l.trial(t, "killed_and_over", fault.Faults{DelayAfter: seconds(300)})
	first := r.start(t)
	key := r.submitted(t)
	first.kill(t)
	eventually(t, "run "+key+" is over", func() bool { return r.jobs(t, key)[0].Status.Succeeded == 1 })
	r.set(t, fault.Faults{})
	refused := r.push(t).expect(t, 6, key).object(t)
	if refused.Status.Phase != "Refused" || refused.Status.Step != "destination" || refused.Status.Staging.SentBytes != 0 {
		t.Errorf("got %+v", refused.Status)
	}
	got := r.push(t, "--idempotency-key="+key).expect(t, 0, "following it").object(t)
	got.ended(t, "Succeeded", all)
	r.leaves(t, got, remains{rows: 4, jobs: 1})
	l.agrees(t, got)
}

// The same key never starts a second run, however often it is used, and a key of another spec is refused with the reason.
func testReplay(t *testing.T, l *lab) {
	const key = "e2e-replay"
	r := l.trial(t, "replay", fault.Faults{Ingestor: fault.Ingestor{Sleep: seconds(5)}})
	detached := r.push(t, "--idempotency-key="+key, "--detach").expect(t, 0).object(t)
	if detached.Status.Phase != "Detached" || detached.Metadata.Name != key {
		t.Errorf("got %+v", detached)
	}
	for _, when := range []string{"active", "over", "over and cleared away"} {
		got := r.push(t, "--idempotency-key="+key).expect(t, 0).object(t)
		got.ended(t, "Succeeded", all)
		if got.Status.Job != detached.Status.Job || got.Metadata.Name != key {
			t.Errorf("%s: job %q of run %q, want %q of %q", when, got.Status.Job, got.Metadata.Name, detached.Status.Job, key)
		}
		r.leaves(t, got, remains{rows: 4, jobs: 1})
	}
	if err := os.WriteFile(r.file, []byte(strings.ReplaceAll(people, "Paris", "Berlin")), 0o644); err != nil {
		t.Fatal(err)
	}
	changed := r.push(t, "--idempotency-key="+key).expect(t, 6, key).object(t)
	if changed.Status.Step != "destination" || changed.Status.Staging.SentBytes != 0 {
		t.Errorf("changed data: %+v", changed.Status)
	}
	other := l.trial(t, "replay_other", fault.Faults{})
	conflict := other.push(t, "--idempotency-key="+key).expect(t, 8, "HTTP 409", "--idempotency-key").object(t)
	if conflict.Status.Phase != "Refused" || conflict.Status.Job != "" {
		t.Errorf("another table with the same key: %+v", conflict.Status)
	}
	if runs, pods := other.runs(t), other.stagePods(t); len(runs)+len(pods) > 0 {
		t.Errorf("the refused push has left runs %q and stage Pods %q", runs, pods)
	}
}

// A jobs-manager that is restarted in the middle of a submit, before it has made the Job and after, is found again under its new Pod.
// Faults do not outlive a restart.
func TestRestartedServer(t *testing.T) {
	t.Parallel()
	l := openLab(t, "restarts")
	before := l.trial(t, "restart_before", fault.Faults{DelayBefore: seconds(300)})
	after := l.trial(t, "restart_after", fault.Faults{DelayAfter: seconds(300)})
	waits, answers := before.start(t), after.start(t)
	before.staged(t, waits)
	key := after.submitted(t)
	pod, err := l.ReadyPod(t.Context(), "manager")
	if err != nil {
		t.Fatal(err)
	}
	if runs := before.runs(t); len(runs) > 0 {
		t.Fatalf("the submit was to be held back, and made %q", runs)
	}
	if err := l.Client.CoreV1().Pods(l.Options.Namespace).Delete(t.Context(), pod, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	for r, p := range map[*trial]*process{before: waits, after: answers} {
		got := p.wait().expect(t, 0, "trying again with the same key").object(t)
		got.ended(t, "Succeeded", all)
		if got.Status.Replay != (r == after) {
			t.Errorf("%s: replay %v", r.table, got.Status.Replay)
		}
		if r == after && got.Metadata.Name != key {
			t.Errorf("%s: run %q, want %q", r.table, got.Metadata.Name, key)
		}
		r.leaves(t, got, remains{rows: 4, jobs: 1})
		l.agrees(t, got)
	}
}
