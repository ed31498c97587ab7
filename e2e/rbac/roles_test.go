package rbac

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

// The Roles of hack/rbac do what docs/rbac.md promises, and no more. One test comes after the other: cleanup would disturb the rest.
func TestRoles(t *testing.T) {
	t.Parallel()
	r := standins.Install(t, release.Options{NoDecoys: true})
	for name, test := range map[string]func(*testing.T, *release.Release){"push": pushRole, "watch": watchRole, "cleanup": cleanupRole} {
		t.Run(name, func(t *testing.T) {
			test(t, r)
			noStagePods(t, r)
		})
	}
}

// Who has push.yaml does everything that the docs promise, and is told what cancel takes besides.
func pushRole(t *testing.T, r *release.Release) {
	u := newUser(t, r, role(t, "push")...)
	u.run(t, "info").expect(t, 0)
	u.run(t, append(dataset(t, "planned"), "--dry-run=server")...).expect(t, 0)
	pushed := u.run(t, append(dataset(t, "pushed"), "-o", "json")...).expect(t, 0).object(t)
	u.looks(t, pushed.Metadata.Name, "pushed")
	u.run(t, "cleanup").expect(t, 0)
	u.run(t, "cleanup", "--yes", "--older-than=0s").expect(t, 0)

	slow := u.slowRun(t, "slow_push")
	u.run(t, "cancel", slow, "--yes").expect(t, 5, "canceling a run needs permissions", ": delete jobs.batch (", "kubectl auth can-i delete jobs.batch")
	both := newUser(t, r, slices.Concat(role(t, "push"), role(t, "cancel"))...)
	both.run(t, "cancel", slow, "--yes").expect(t, 0)
}

// Who has watch.yaml sees everything and changes nothing.
func watchRole(t *testing.T, r *release.Release) {
	pusher, u := newUser(t, r, role(t, "push")...), newUser(t, r, role(t, "watch")...)
	pushed := pusher.run(t, append(dataset(t, "watched"), "-o", "json")...).expect(t, 0).object(t)
	u.looks(t, pushed.Metadata.Name, "watched")
	u.run(t, "info").expect(t, 5, "create pods/exec")
	u.run(t, append(dataset(t, "not_pushed"), "-o", "json")...).expect(t, 5, "create pods", "create serviceaccounts/token").refused(t)

	slow := pusher.slowRun(t, "slow_watch")
	u.run(t, "cancel", slow, "--yes").expect(t, 5, "delete jobs.batch")
	u.run(t, "cleanup").expect(t, 5, "a cleanup needs permissions", "create pods/exec")
	job, err := r.Client.BatchV1().Jobs(r.Options.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "tracebloc.io/ingestion-run=" + slow})
	if err != nil || len(job.Items) != 1 {
		t.Errorf("the run that was not to be canceled has %d Jobs, %v", len(job.Items), err)
	}
	canceler := newUser(t, r, slices.Concat(role(t, "watch"), role(t, "cancel"))...)
	canceler.run(t, "cancel", slow, "--yes").expect(t, 0)
}

// cleanup.yaml on top of watch.yaml removes what a failed run has left on the volume.
func cleanupRole(t *testing.T, r *release.Release) {
	pusher := newUser(t, r, role(t, "push")...)
	if err := r.SetTableFaults(t.Context(), "failing", fault.Faults{Ingestor: fault.Ingestor{Crash: true}}); err != nil {
		t.Fatal(err)
	}
	pusher.run(t, append(dataset(t, "failing"), "-o", "json")...).expect(t, 9)
	u := newUser(t, r, slices.Concat(role(t, "watch"), role(t, "cleanup"))...)
	listed := u.run(t, "cleanup", "--older-than=0s").expect(t, 0)
	if !strings.Contains(listed.stdout+listed.stderr, "failing") {
		t.Errorf("cleanup does not show the staged copy:\n%s\n%s", listed.stdout, listed.stderr)
	}
	u.run(t, "cleanup", "--yes", "--older-than=0s").expect(t, 0)
	again := u.run(t, "cleanup", "--older-than=0s").expect(t, 0)
	if strings.Contains(again.stdout, "failing") {
		t.Errorf("cleanup left the staged copy:\n%s", again.stdout)
	}
	u.run(t, append(dataset(t, "not_pushed"), "-o", "json")...).expect(t, 5, "create serviceaccounts/token", "create pods/portforward").refused(t)
}

// banner is in the log of every run that came to its end.
const banner = "INGESTION SUMMARY"

// looks runs all that only looks at a run that has succeeded.
func (u user) looks(t *testing.T, name, table string) {
	t.Helper()
	for _, look := range []struct {
		args []string
		show string
	}{
		{[]string{"runs"}, table}, {[]string{"status", name}, table}, {[]string{"wait", name}, "3 records"},
		{[]string{"logs", name}, banner}, {[]string{"logs", name, "-f"}, banner}, {[]string{"logs", name, "--summary"}, "3 records"},
	} {
		if got := u.run(t, look.args...).expect(t, 0); !strings.Contains(got.stdout+got.stderr, look.show) {
			t.Errorf("%v shows no %q:\n%s\n%s", look.args, look.show, got.stdout, got.stderr)
		}
	}
	if o := u.run(t, "status", name, "-o", "json").expect(t, 0).object(t); o.Status.Phase != "Succeeded" {
		t.Errorf("got %+v", o)
	}
}

// slowRun submits a run that would take minutes and returns its name.
func (u user) slowRun(t *testing.T, table string) string {
	t.Helper()
	if err := u.release.SetTableFaults(t.Context(), table, fault.Faults{Ingestor: fault.Ingestor{Sleep: fault.Duration(5 * time.Minute)}}); err != nil {
		t.Fatal(err)
	}
	key := "e2e-" + strings.ReplaceAll(table, "_", "-")
	o := u.run(t, append(dataset(t, table), "--detach", "--idempotency-key="+key, "-o", "json")...).expect(t, 0).object(t)
	return o.Metadata.Name
}
