package run

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The rows of an older Pod may be in the table twice: its log counts for somebody
// who comes late as for one who has watched it, and is not printed.
func TestLateArrivalReadsOlderPods(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		first := l.newPod("p1")
		first.runs("c1").print(string(readLog(t, "registration")))
		first.exits(1, "Error", corev1.PodFailed)
		time.Sleep(time.Second)
		second := l.newPod("p2")
		second.runs("c2").print(string(readLog(t, "success")))
		second.exits(0, "Completed", corev1.PodSucceeded)
		l.finishJob(batchv1.JobComplete, "")
		_, outcome := l.mustEnd(l.follow(t.Context()), PhaseSucceededWithLosses)
		if !strings.Contains(outcome.Reason, "may hold them twice") {
			t.Errorf("reason %q", outcome.Reason)
		}
		if strings.Contains(l.printed.String(), "NOT registered") {
			t.Errorf("printed %q", l.printed.String())
		}
		evidence, err := l.follower().Snapshot(t.Context())
		if err != nil || Judge(evidence).State != PhaseSucceededWithLosses {
			t.Errorf("a look at it: %v, %+v", err, Judge(evidence))
		}
	})
}

// A failure is explained by the Pod that failed first, though the newest one only
// stumbled over what that had left behind.
func TestLateArrivalFindsFirstCause(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		for i, log := range []string{"partial", "already-exists"} {
			pod := l.newPod(fmt.Sprintf("p%d", i))
			pod.runs(fmt.Sprintf("c%d", i)).print(string(readLog(t, log)))
			pod.exits(1, "Error", corev1.PodFailed)
			time.Sleep(time.Second)
		}
		l.finishJob(batchv1.JobFailed, "BackoffLimitExceeded")
		_, outcome := l.mustEnd(l.follow(t.Context()), PhaseFailed)
		if want := "3 of 4 records were inserted: 1 without their file"; outcome.Reason != want {
			t.Errorf("reason %q, want %q", outcome.Reason, want)
		}
	})
}

// Attempts that the cluster counted and nobody saw are told.
func TestUnseenAttempts(t *testing.T) {
	tests := map[string]struct {
		restarts, failed int32
		want             int
	}{
		"none":                 {0, 0, 0},
		"seen restart":         {1, 0, 0},
		"restarts in between":  {4, 0, 3},
		"Pods that are gone":   {0, 2, 2},
		"both":                 {2, 1, 2},
		"a controller at odds": {0, -1, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(t *testing.T, l *lab) {
				pod := l.newPod("p1")
				if test.restarts > 0 {
					pod.runs("c1").print("first\n")
					pod.exits(65, "Error", corev1.PodRunning)
				}
				pod.runs("c2").print(string(readLog(t, "success")))
				pod.exits(0, "Completed", corev1.PodSucceeded)
				pod.status(func(_ *corev1.Pod, status *corev1.ContainerStatus) { status.RestartCount = test.restarts })
				l.job = l.job.DeepCopy()
				l.job.Status.Failed = test.failed
				l.finishJob(batchv1.JobComplete, "")
				evidence, outcome := l.mustEnd(l.follow(t.Context()), PhaseSucceeded)
				if evidence.Unseen != test.want || (len(outcome.Warnings) > 0) != (test.want > 0) {
					t.Errorf("%d unseen, warnings %q; want %d", evidence.Unseen, outcome.Warnings, test.want)
				}
			})
		})
	}
}

// What the kubelet says instead of a log is no log: it is the reason that there is none.
func TestKubeletWithoutLog(t *testing.T) {
	const trouble = "unable to retrieve container logs for containerd://c1"
	scenario(t, func(t *testing.T, l *lab) {
		end := l.follow(t.Context())
		pod := l.newPod("p1")
		log := pod.runs("c1")
		log.change(func() { log.trouble = trouble })
		time.Sleep(5 * time.Minute)
		before := len(l.opened)
		if before > 60 {
			t.Errorf("the log was opened %d times in five minutes", before)
		}
		pod.exits(0, "Completed", corev1.PodSucceeded)
		l.finishJob(batchv1.JobComplete, "")
		evidence, outcome := l.mustEnd(end, PhaseUnknown)
		if evidence.Attempts[0].LogComplete || !strings.Contains(outcome.Reason, trouble) {
			t.Errorf("log complete: %t, reason %q", evidence.Attempts[0].LogComplete, outcome.Reason)
		}
		if l.printed.Len() > 0 {
			t.Errorf("printed %q", l.printed.String())
		}
	})
}

// A node that forgets to date its lines loses none, and none is taken for another.
func TestUndatedLog(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		pod := l.newPod("p1")
		log := pod.runs("c1")
		log.change(func() { log.trouble = strings.TrimSuffix(string(readLog(t, "success")), "\n") })
		pod.exits(0, "Completed", corev1.PodSucceeded)
		l.finishJob(batchv1.JobComplete, "")
		l.mustEnd(l.follow(t.Context()), PhaseSucceeded)
	})
}

// An API server that loses the node while a log is read ends the stream as if it were whole: what is missing is read again, and no line
// is taken for another one's beginning.
func TestLogCutShort(t *testing.T) {
	printed := func(t *testing.T, text string, short ...int) (got string) {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t)
			pod := l.newPod("p1")
			log := pod.runs("c1")
			log.print(text)
			log.short = short
			pod.exits(0, "Completed", corev1.PodSucceeded)
			l.finishJob(batchv1.JobComplete, "")
			evidence, _ := l.mustEnd(l.follow(t.Context()), PhaseSucceeded)
			if !evidence.Attempts[0].LogComplete {
				t.Error("the log is not complete")
			}
			got = l.printed.String()
		})
		return got
	}
	whole := string(readLog(t, "success"))
	stamped := len("2006-01-02T15:04:05.000000000Z ")
	for _, text := range []string{whole, strings.TrimSuffix(whole, "\n"), whole + "no end"} {
		want := printed(t, text)
		for _, at := range [][]int{{0}, {10}, {stamped}, {stamped + 1}, {400}, {400, 700}, {400, 20, 1000}, {1 << 20}} {
			t.Run(fmt.Sprint(at), func(t *testing.T) {
				if diff := cmp.Diff(want, printed(t, text, at...)); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// The API server goes away behind the end of a container, before its log is read:
// that says nothing about the log, which is waited for.
func TestAPIServerAwayBehindTheEnd(t *testing.T) {
	refused := fmt.Errorf("dial tcp 10.0.0.1:6443: %w", syscall.ECONNREFUSED)
	for _, away := range []time.Duration{20 * time.Second, 10 * time.Minute} {
		t.Run(away.String(), func(t *testing.T) {
			scenario(t, func(t *testing.T, l *lab) {
				l.mu.Lock()
				l.logError = refused
				l.mu.Unlock()
				end := l.follow(t.Context())
				pod := l.newPod("p1")
				log := pod.runs("c1")
				log.print(string(readLog(t, "success")))
				pod.exits(0, "Completed", corev1.PodSucceeded)
				l.finishJob(batchv1.JobComplete, "")
				l.setDown(refused)
				time.Sleep(away)
				l.mu.Lock()
				l.logError = nil
				l.mu.Unlock()
				l.setDown(nil)
				evidence, _ := l.mustEnd(end, PhaseSucceeded)
				if !evidence.Attempts[0].LogComplete || l.printed.Len() == 0 {
					t.Errorf("attempts %+v, printed %q", evidence.Attempts, l.printed.String())
				}
			})
		})
	}
}

// A kubelet that does not answer is asked some times only: the API server is there and says so.
func TestNodeThatIsGone(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		l.runOnce(t, "success", 0, batchv1.JobComplete)
		l.logError = apierrors.NewInternalError(errors.New("dial tcp 10.0.0.7:10250: connect: no route to host"))
		begin := time.Now()
		_, outcome := l.mustEnd(l.follow(t.Context()), PhaseUnknown)
		if took := time.Since(begin); took > time.Minute || !strings.Contains(outcome.Reason, "no route to host") {
			t.Errorf("after %s: %q", took, outcome.Reason)
		}
	})
}

// What a deletion in the foreground does to the Pods is no failure of the run.
func TestForegroundDeletion(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		end := l.follow(t.Context())
		pod := l.newPod("p1")
		pod.runs("c1").print("working\n")
		now := metav1.Now()
		l.job = l.job.DeepCopy()
		l.job.DeletionTimestamp, l.job.Finalizers = &now, []string{"foregroundDeletion"}
		l.update("jobs", l.job)
		pod.exits(143, "Error", corev1.PodFailed)
		l.finishJob(batchv1.JobFailed, "BackoffLimitExceeded")
		l.delete("pods", "p1")
		l.delete("jobs", labJob)
		_, outcome := l.mustEnd(end, PhaseCanceled)
		if outcome.Clean() || !strings.Contains(outcome.Reason, "stay in the database") {
			t.Errorf("outcome %+v", outcome)
		}
	})
}

func TestStateOfJob(t *testing.T) {
	t.Parallel()
	early, late := metav1.NewTime(time.Unix(1000, 0)), metav1.NewTime(time.Unix(2000, 0))
	job := func(deleted *metav1.Time, condition batchv1.JobConditionType, at metav1.Time) *batchv1.Job {
		j := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: deleted}}
		if condition != "" {
			j.Status.Conditions = []batchv1.JobCondition{
				{Type: "FailureTarget", Status: corev1.ConditionTrue},
				{Type: condition, Status: corev1.ConditionTrue, LastTransitionTime: at},
			}
		}
		return j
	}
	for name, test := range map[string]struct {
		job  *batchv1.Job
		want JobState
	}{
		"on its way":                   {job(nil, "", early), JobActive},
		"complete":                     {job(nil, batchv1.JobComplete, early), JobComplete},
		"failed":                       {job(nil, batchv1.JobFailed, early), JobFailed},
		"being deleted":                {job(&early, "", early), JobDeleted},
		"failed, then deleted":         {job(&late, batchv1.JobFailed, early), JobFailed},
		"deleted, then failed":         {job(&early, batchv1.JobFailed, late), JobDeleted},
		"deleted, complete all same":   {job(&early, batchv1.JobComplete, late), JobComplete},
		"deleted and failed at a time": {job(&early, batchv1.JobFailed, early), JobDeleted},
	} {
		if got := stateOf(test.job); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// An API server that has just started refuses everything, because it knows no
// roles yet: what was allowed before is waited for.
func TestFollowForbiddenAfterRestart(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		end := l.follow(t.Context())
		pod := l.newPod("p1")
		pod.runs("c1").print(string(readLog(t, "success")))
		l.setDown(apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "p1", errors.New("clusterrole not found")))
		pod.exits(0, "Completed", corev1.PodSucceeded)
		l.finishJob(batchv1.JobComplete, "")
		time.Sleep(8 * time.Second)
		l.setDown(nil)
		l.mustEnd(end, PhaseSucceeded)
	})
}
