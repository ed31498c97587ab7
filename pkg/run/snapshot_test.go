package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A look at a run says what following it to that point would say, and prints nothing.
func TestSnapshot(t *testing.T) {
	tests := []struct {
		name   string
		make   func(t *testing.T, l *lab)
		want   Phase
		reason string // a part of it
		warn   string
	}{
		{"no pod yet", func(*testing.T, *lab) {}, PhasePending, "", ""},
		{"waiting for an image", func(_ *testing.T, l *lab) { l.newPod("p1").waits("ImagePullBackOff", "no such image") }, PhasePending, "no such image", ""},
		{"waiting for quota", func(_ *testing.T, l *lab) {
			l.event("Job", labJob, l.job.UID, "FailedCreate", "pods \"x\" is forbidden: exceeded quota: few")
		}, PhasePending, "exceeded quota", ""},
		{"waiting for its volume", func(_ *testing.T, l *lab) {
			pod := l.newPod("p1")
			l.event("Pod", "p1", pod.pod.UID, "FailedMount", "no such claim")
		}, PhasePending, "FailedMount: no such claim", ""},
		{"suspended", func(_ *testing.T, l *lab) {
			yes := true
			l.job = l.job.DeepCopy()
			l.job.Spec.Suspend = &yes
			l.update("jobs", l.job)
		}, PhasePending, "is suspended", ""},
		{"running", func(_ *testing.T, l *lab) { l.newPod("p1").runs("c1").print("working\n") }, PhaseRunning, "", ""},
		{"running again", func(t *testing.T, l *lab) {
			pod := l.newPod("p1")
			pod.runs("c1").print(string(readLog(t, "validation")))
			pod.exits(1, "Error", corev1.PodRunning)
			pod.runs("c2").print("working\n")
		}, PhaseRunning, "", "Multiple image resolutions found"},
		{"succeeded", func(t *testing.T, l *lab) { l.runOnce(t, "success", 0, batchv1.JobComplete) }, PhaseSucceeded, "", ""},
		{"lost records", func(t *testing.T, l *lab) { l.runOnce(t, "skipped", 0, batchv1.JobComplete) }, PhaseSucceededWithLosses, "1400 of 1500", ""},
		{"failed", func(t *testing.T, l *lab) { l.runOnce(t, "validation", 1, batchv1.JobFailed) }, PhaseFailed, "Multiple image resolutions found", ""},
		{"complete, pod gone", func(t *testing.T, l *lab) {
			l.runOnce(t, "success", 0, batchv1.JobComplete)
			l.delete("pods", "p1")
		}, PhaseUnknown, "its pod is gone", ""},
		{"failed, pod gone", func(t *testing.T, l *lab) {
			l.runOnce(t, "validation", 1, batchv1.JobFailed)
			l.delete("pods", "p1")
		}, PhaseFailed, "because of BackoffLimitExceeded", ""},
		{"job gone", func(_ *testing.T, l *lab) { l.delete("jobs", labJob) }, PhaseUnknown, "does not exist", ""},
		{"being deleted", func(_ *testing.T, l *lab) {
			l.newPod("p1").runs("c1").print("working\n")
			now := metav1.Now()
			l.job = l.job.DeepCopy()
			l.job.DeletionTimestamp = &now
			l.update("jobs", l.job)
		}, PhaseCanceled, "was deleted", ""},
		{"a very long log", func(t *testing.T, l *lab) {
			pod := l.newPod("p1")
			log := pod.runs("c1")
			for i := range 10 {
				log.at(time.Now(), fmt.Sprintf("line %d\n", i))
			}
			log.print(string(readLog(t, "success")))
			pod.exits(0, "Completed", corev1.PodSucceeded)
			l.finishJob(batchv1.JobComplete, "")
		}, PhaseSucceeded, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			scenario(t, func(t *testing.T, l *lab) {
				test.make(t, l)
				begin := time.Now()
				evidence, err := l.follower().Snapshot(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				outcome := Judge(evidence)
				if outcome.State != test.want || !strings.Contains(outcome.Reason, test.reason) || test.reason == "" && outcome.Reason != "" {
					t.Errorf("%s %q, want %s %q", outcome.State, outcome.Reason, test.want, test.reason)
				}
				if !strings.Contains(strings.Join(outcome.Warnings, "\n"), test.warn) || test.warn == "" && len(outcome.Warnings) > 0 {
					t.Errorf("warnings %q, want %q", outcome.Warnings, test.warn)
				}
				if took := time.Since(begin); took > time.Second {
					t.Errorf("it took %s", took)
				}
				if l.printed.Len() > 0 {
					t.Errorf("printed %q", l.printed.String())
				}
				for _, options := range l.opened {
					if options.Follow || options.TailLines == nil {
						t.Errorf("a log was opened with %+v", options)
					}
				}
			})
		})
	}
}

// runOnce makes a Job with one Pod that printed a saved log, and ended.
func (l *lab) runOnce(t *testing.T, log string, code int32, end batchv1.JobConditionType) {
	t.Helper()
	pod, phase, reason := l.newPod("p1"), corev1.PodSucceeded, "Completed"
	if code != 0 {
		phase, reason = corev1.PodFailed, "Error"
	}
	pod.runs("c1").print(string(readLog(t, log)))
	pod.exits(code, reason, phase)
	l.finishJob(end, map[bool]string{true: "BackoffLimitExceeded"}[end == batchv1.JobFailed])
}

func TestSnapshotErrors(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		l.setDown(apierrors.NewForbidden(schema.GroupResource{Group: "batch", Resource: "jobs"}, labJob, errors.New("no")))
		if _, err := l.follower().Snapshot(t.Context()); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "look at job") {
			t.Errorf("error %v", err)
		}
		l.setDown(errors.New("connection refused"))
		if _, err := l.follower().Snapshot(t.Context()); err == nil || !strings.Contains(err.Error(), "does this context reach its cluster?") {
			t.Errorf("error %v", err)
		}
	})
}

// The rest of a log that breaks off is asked for again, until the user has enough.
func TestSnapshotInterrupted(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		l.runOnce(t, "success", 0, batchv1.JobComplete)
		l.logError = errors.New("connection reset")
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		if _, err := l.follower().Snapshot(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		evidence, err := l.follower().Snapshot(t.Context())
		if err != nil || evidence.Attempts[0].LogComplete || !strings.Contains(evidence.Attempts[0].LogError, "connection reset") {
			t.Errorf("error %v, evidence %+v", err, evidence)
		}
		if outcome := Judge(evidence); outcome.State != PhaseUnknown {
			t.Errorf("outcome %+v", outcome)
		}
	})
}
