package runs

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

// A Pod that is killed before it has written anything is replaced, and the run succeeds in the other.
func testPodReplaced(t *testing.T, l *lab) {
	r := l.trial(t, "pod_replaced", fault.Faults{Ingestor: fault.Ingestor{Sleep: seconds(12)}})
	p := r.start(t)
	key := r.submitted(t)
	p.says(t, "is running on node")
	l.deletePod(t, key, 0)
	done := p.wait().expect(t, 0, "an earlier attempt did not end by itself")
	got := done.object(t)
	got.ended(t, "Succeeded", all)
	if starts := strings.Count(done.stderr, " is running on node"); starts != 2 || got.Status.Attempts != 2 {
		t.Errorf("%d starts were told, and -o json has %d attempts, want 2:\n%s", starts, got.Status.Attempts, done.stderr)
	}
	if len(got.Status.Warnings) != 1 {
		t.Errorf("the warnings of -o json are %q", got.Status.Warnings)
	}
	r.leaves(t, got, remains{rows: 4, jobs: 1})
	l.agrees(t, got)
}

// A Pod that is killed after it has written its rows leaves the ingestor's lock: its replacement is refused. The reason that counts is
// that the first was killed; and no row is there twice.
func testPodKilledInside(t *testing.T, l *lab) {
	r := l.trial(t, "pod_killed_inside", fault.Faults{Ingestor: fault.Ingestor{Lines: 1000, Pause: fault.Duration(100_000_000)}})
	p := r.start(t)
	p.says(t, fault.Line(5))
	l.deletePod(t, r.submitted(t), 30)
	got := p.wait().expect(t, 9).object(t)
	got.ended(t, "Failed", "")
	if strings.Contains(got.Status.Message, "Another ingest") {
		t.Errorf("the reason is what came of it: %s", got.Status.Message)
	}
	r.leaves(t, got, remains{rows: 4, jobs: 1, staged: true})
	l.agrees(t, got)
}

// A container that fails and is restarted in its Pod: both lives are shown, the log of the first with its traceback, which logs shows as
// long as the node keeps it, and the second decides.
func testRestartedInPlace(t *testing.T, l *lab) {
	r := l.trial(t, "restarted", fault.Faults{Ingestor: fault.Ingestor{Sleep: seconds(4), Fail: true, Lives: 1}})
	p := r.start(t)
	p.says(t, "is running again")
	l.run(t, "logs", r.submitted(t), "--previous").prints(t, 0, "the stand-in was told to fail")
	got := p.wait().expect(t, 0, "the stand-in was told to fail", "exit code 1").object(t)
	got.ended(t, "Succeeded", all)
	if got.Status.Attempts != 2 {
		t.Errorf("%d attempts", got.Status.Attempts)
	}
	if pods := l.pods(t, got.Metadata.Name); len(pods) != 1 || pods[0].Status.ContainerStatuses[0].RestartCount != 1 {
		t.Errorf("not restarted in place: %d Pods", len(pods))
	}
	r.leaves(t, got, remains{rows: 4, jobs: 1})
	l.agrees(t, got)
	// When the Pod is over, the node has cleared the first life away: what it says then is not the log.
	if gone := l.run(t, "logs", got.Metadata.Name, "--previous"); strings.Contains(gone.stdout, "unable to retrieve") {
		t.Errorf("the node's excuse was printed for the log, exit code %d:\n%s%s", gone.code, gone.stdout, gone.stderr)
	}
}

// A container that had written its rows before it failed, and is restarted: the second life writes them again, so this is no success
// although its summary is perfect.
func testRestartedAfterRows(t *testing.T, l *lab) {
	r := l.trial(t, "restarted_after_rows", fault.Faults{Ingestor: fault.Ingestor{Crash: true, Lives: 1}})
	got := r.push(t).expect(t, 9, "the stand-in was told to crash").object(t)
	got.ended(t, "SucceededWithLosses", all)
	if !strings.Contains(got.Status.Message, "twice") {
		t.Errorf("the reason is not told: %s", got.Status.Message)
	}
	r.leaves(t, got, remains{rows: 8, jobs: 1, staged: true})
	// Later the node may have cleared the first life's log away: then nobody can know any more, and that is said.
	later := l.run(t, "wait", got.Metadata.Name, "-o", "json").object(t)
	if told := strings.Join(later.Status.Warnings, "\n"); later.Status.Phase != "SucceededWithLosses" && !strings.Contains(told, "earlier attempt") {
		t.Errorf("wait says %s and nothing of the attempt before: %q", later.Status.Phase, told)
	}
}

// A container that takes more memory than it may: that is the reason, though the next life was refused because of the lock of this one.
func testOutOfMemory(t *testing.T, l *lab) {
	limit := resource.MustParse("96Mi")
	r := l.trial(t, "out_of_memory", fault.Faults{Ingestor: fault.Ingestor{Memory: true, MemoryLimit: &limit}})
	done := r.push(t).expect(t, 9, "OOMKilled")
	got := done.object(t)
	got.ended(t, "Failed", "")
	if !strings.Contains(got.Status.Message, "used more memory than its limit (OOMKilled)") || got.Status.Attempts < 2 {
		t.Errorf("%d attempts: %s", got.Status.Attempts, got.Status.Message)
	}
	r.leaves(t, got, remains{rows: 4, jobs: 1, staged: true})
	l.agrees(t, got)
}
