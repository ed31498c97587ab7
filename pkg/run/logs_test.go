package run

import (
	"errors"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

func TestPrintLogs(t *testing.T) {
	restarted := func(l *lab) {
		old := l.newPod("p1")
		old.runs("c1").print("one\n")
		old.exits(1, "Error", corev1.PodFailed)
		time.Sleep(time.Second)
		pod := l.newPod("p2")
		pod.runs("c2").print("two\n")
		pod.exits(1, "Error", corev1.PodRunning)
		pod.runs("c3").print("three\nwithout an end")
	}
	tests := []struct {
		name  string
		make  func(l *lab)
		lives Lives
		want  string
		err   string
	}{
		{"newest", restarted, LivesNewest, "three\nwithout an end\n", ""},
		{"previous in place", restarted, LivesPrevious, "two\n", ""},
		{"all", restarted, LivesAll, "one\ntwo\nthree\nwithout an end\n", ""},
		{"previous of a replaced pod", func(l *lab) {
			old := l.newPod("p1")
			old.runs("c1").print("one\n")
			old.exits(1, "Error", corev1.PodFailed)
			time.Sleep(time.Second)
			l.newPod("p2").runs("c2").print("two\n")
		}, LivesPrevious, "one\n", ""},
		{"between two lives", func(l *lab) {
			pod := l.newPod("p1")
			pod.runs("c1").print("one\n")
			pod.exits(1, "Error", corev1.PodRunning)
			pod.status(func(_ *corev1.Pod, status *corev1.ContainerStatus) {
				status.LastTerminationState = corev1.ContainerState{Terminated: status.State.Terminated}
				status.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
			})
		}, LivesNewest, "one\n", ""},
		{"a success counts as the newest", func(l *lab) {
			good := l.newPod("p1")
			good.runs("c1").print("good\n")
			good.exits(0, "Completed", corev1.PodSucceeded)
			time.Sleep(time.Second)
			late := l.newPod("p2")
			late.runs("c2").print("late\n")
			late.exits(1, "Error", corev1.PodFailed)
			l.finishJob(batchv1.JobComplete, "")
		}, LivesNewest, "good\n", ""},
		{"a life that the node has not kept", func(l *lab) {
			pod := l.newPod("p1")
			log := pod.runs("c1")
			log.change(func() { log.trouble = "unable to retrieve container logs for containerd://c1" })
			pod.exits(1, "Error", corev1.PodRunning)
			pod.runs("c2").print("two\n")
		}, LivesPrevious, "", "the node has not kept the log of that attempt: unable to retrieve"},
		{"all but one", func(l *lab) {
			pod := l.newPod("p1")
			log := pod.runs("c1")
			log.change(func() { log.trouble = "unable to retrieve container logs for containerd://c1" })
			pod.exits(1, "Error", corev1.PodRunning)
			pod.runs("c2").print("two\n")
		}, LivesAll, "two\n", ""},
		{"first life only", func(l *lab) { l.newPod("p1").runs("c1").print("one\n") }, LivesPrevious, "", "was not started before"},
		{"nothing printed", func(l *lab) { l.newPod("p1").runs("c1") }, LivesNewest, "", ""},
		{"not started", func(l *lab) { l.newPod("p1").waits("ErrImagePull", "no such image") }, LivesNewest, "", "no container has started yet; pod p1 cannot pull image"},
		{"pods gone", func(l *lab) { l.finishJob(batchv1.JobComplete, "") }, LivesNewest, "", "its pods are gone"},
		{"job gone", func(l *lab) { l.delete("jobs", labJob) }, LivesNewest, "", "the job is gone"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			scenario(t, func(t *testing.T, l *lab) {
				test.make(l)
				err := l.follower().PrintLogs(t.Context(), test.lives)
				var none *NoLogError
				switch {
				case test.err == "" && err != nil:
					t.Error(err)
				case test.err != "" && (!errors.As(err, &none) || !strings.Contains(err.Error(), test.err)):
					t.Errorf("error %v, want %q", err, test.err)
				}
				if got := l.printed.String(); got != test.want {
					t.Errorf("printed %q, want %q", got, test.want)
				}
			})
		})
	}
}

// A log that cannot be read is an error that says how to try without us.
func TestPrintLogsUnreadable(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		l.newPod("p1").runs("c1").print("one\n")
		l.logError = errors.New("connection reset")
		err := l.follower().PrintLogs(t.Context(), LivesNewest)
		if err == nil || !strings.Contains(err.Error(), `read the log of pod "p1": connection reset (kubectl logs p1 -n ml -c main)`) {
			t.Errorf("error %v", err)
		}
	})
}
