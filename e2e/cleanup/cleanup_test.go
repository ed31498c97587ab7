package cleanup

import (
	"context"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

const (
	tree  = "00000000000000aa"
	owner = "99999999-aaaa-bbbb-cccc-000000000001"
)

// furnish puts onto the volume what killed pushes leave, some of it of other users, and what is nobody's business.
func (l *lab) furnish(t *testing.T) {
	t.Helper()
	l.sh(t, `
mkdir -p own/$1 own/.$1.push/lock own/.trash-feed-1 another/$1 roots/$1 foreign/images outside
echo x >own/$1/"a b.csv"; echo sums >own/$1.sha256; echo '{"key":"gone-1"}' >own/$1.run
echo x >own/.$1.push/lock/$2.feed; echo x >own/.trash-feed-1/x; echo x >another/$1/x; echo x >roots/$1/x
echo x >outside/dear; ln -sfn ../outside foreign/$1; ln -sfn ../../outside own/.trash-feed-1/link; ln -sfn outside linked
echo x >foreign/'$(touch pwned)'; echo x >foreign/'-rf'; echo x >'foreign/a
b'; echo x >foreign/'*'
chown -R 65534:65534 . ; chown -R 12345:12345 another; chown -R 0:0 roots`, tree, owner)
}

// makeOld lets nothing have happened to a table for long.
func (l *lab) makeOld(t *testing.T, table string) {
	t.Helper()
	l.sh(t, `find "$1" ! -type l -exec touch -d "2026-01-02 00:00" {} +`, table)
}

// What no run needs goes, whomever it belongs to, as far as Pods may run as them; what a run reads stays as long as it is not over; what is not
// from this tool is left alone.
func TestCleanup(t *testing.T) {
	l := openLab(t)
	if err := l.SetTableFaults(t.Context(), "active", fault.Faults{Ingestor: fault.Ingestor{Sleep: fault.Duration(time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	activeKey, activeJob, activeDir := l.push(t, "active")
	_, doneJob, doneDir := l.push(t, "finished")
	if _, err := l.WaitJob(t.Context(), doneJob); err != nil {
		t.Fatal(err)
	}
	l.furnish(t)
	l.plantPod(t, "stage-ended", "own", "exit 3", corev1.PodFailed)
	l.plantPod(t, "stage-orphan", "own", "sleep 3600", corev1.PodRunning)
	l.plantPod(t, "stage-at-work", "busy", "touch session.feed; sleep 3600", corev1.PodRunning)
	l.sh(t, `mkdir -p busy/$1 && chown -R 65534:65534 busy`, tree)

	// Nothing is older than a day.
	young := l.run(t, 0, "cleanup", "-o", "json", "--yes").report(t)
	if young.Status.Removable+young.Status.Removed != 0 {
		t.Errorf("removed what is young: %q", young.states())
	}

	before := l.left(t)
	listed := l.run(t, 0, "cleanup", "--older-than=0s", "-o", "json").report(t)
	want := []string{
		"Other  linked: Kept",
		"Other foreign $(touch pwned): Kept", "Other foreign *: Kept", "Other foreign -rf: Kept", "Other foreign a\nb: Kept", "Other foreign images: Kept", "Other outside dear: Kept",
		"Pod busy stage-at-work: Kept", "Pod own stage-ended: Removable", "Pod own stage-orphan: Removable",
		"Trash own .trash-feed-1: Removable",
		"Tree active " + path.Base(activeDir) + ": Kept", "Tree another " + tree + ": Removable", "Tree busy " + tree + ": Kept",
		"Tree finished " + path.Base(doneDir) + ": Removable", "Tree foreign " + tree + ": Kept", "Tree roots " + tree + ": Removable",
		"Tree own " + tree + ": Kept", // its run may be submitted at this moment
		"Work own ." + tree + ".push: Removable",
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, listed.states()); diff != "" {
		t.Fatalf("listed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, l.left(t)); diff != "" {
		t.Errorf("the listing changed the volume:\n%s", diff)
	}
	for _, i := range listed.Status.Items {
		if i.Table == "active" && (i.Run != activeKey || !strings.Contains(i.KeptBecause, activeKey)) {
			t.Errorf("got %+v", i)
		}
	}
	// After a while nobody submits the run of that key any more.
	l.makeOld(t, "own")

	removed := l.run(t, 7, "cleanup", "--older-than=0s", "--yes", "-o", "json").report(t)
	if removed.Status.Failed != 1 || removed.Status.Removed != 7 {
		t.Errorf("removed %d, failed %d: %q", removed.Status.Removed, removed.Status.Failed, removed.states())
	}
	for _, i := range removed.Status.Items {
		if i.State == "Failed" && (i.Table != "roots" || !strings.Contains(i.Error, "belongs to root")) {
			t.Errorf("got %+v", i)
		}
	}
	left := []string{
		"another", // its owner may not remove it from the staging directory, which is another's
		"active", "active/" + path.Base(activeDir), "active/" + path.Base(activeDir) + ".run", "active/" + path.Base(activeDir) + ".sha256",
		"busy", "busy/" + tree, "foreign", "foreign/$(touch pwned)", "foreign/*", "foreign/-rf", "foreign/" + tree, "foreign/a", "b", "foreign/images",
		"linked", "outside", "outside/dear", "roots", "roots/" + tree,
	}
	got := l.left(t)
	slices.Sort(left)
	slices.Sort(got)
	if diff := cmp.Diff(left, got); diff != "" {
		t.Errorf("left on the volume (-want +got):\n%s", diff)
	}
	if got := l.stagePods(t); !slices.Equal(got, []string{"stage-at-work"}) {
		t.Errorf("stage pods: %q", got)
	}

	// Once the run is over, its copy may go; for a while after the submit a Job that is not there may still come.
	background := metav1.DeletePropagationBackground
	if err := l.Client.BatchV1().Jobs(l.Options.Namespace).Delete(t.Context(), activeJob, metav1.DeleteOptions{PropagationPolicy: &background}); err != nil {
		t.Fatal(err)
	}
	config := "ingest-config-" + strings.TrimPrefix(activeJob, "ingest-job-")
	if err := l.Client.CoreV1().ConfigMaps(l.Options.Namespace).Delete(t.Context(), config, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	l.makeOld(t, "active")
	l.eventually(t, "the copy of the run that was canceled is removable", func() bool {
		r := l.run(t, 0, "cleanup", "--table=active", "--older-than=0s", "-o", "name", "--dry-run=client")
		return strings.TrimSpace(r.stdout) == "tree/active/"+path.Base(activeDir)
	})
}

// Ctrl-C at any moment: the exit code says so, no stage Pod is left, and what was not removed is whole.
func TestCleanupInterrupted(t *testing.T) {
	l := openLab(t)
	for _, after := range []time.Duration{200 * time.Millisecond, 800 * time.Millisecond, 1500 * time.Millisecond, 2500 * time.Millisecond, 4 * time.Second} {
		l.furnish(t)
		l.makeOld(t, "own")
		ctx, cancel := context.WithTimeout(t.Context(), after)
		r := finish(t, l.plugin(ctx, "cleanup", "--older-than=0s", "--yes"))
		cancel()
		// kubectl itself may be what is interrupted, before the plugin runs; and a cleanup may be done before.
		if r.code != 130 && r.code != 7 && r.code != -1 {
			t.Errorf("after %s: exit code %d\n%s", after, r.code, r.stderr)
		}
		l.eventually(t, "no stage pod is left", func() bool { return len(l.stagePods(t)) == 0 })
		t.Logf("after %s: exit code %d, %s", after, r.code, strings.TrimSpace(r.stderr))
		if out := l.sh(t, `[ ! -e own/$1.sha256 ] || [ -f own/$1/"a b.csv" ] || echo half; cat outside/dear`, tree); out != "x\n" {
			t.Errorf("after %s: %q", after, out)
		}
	}
}
