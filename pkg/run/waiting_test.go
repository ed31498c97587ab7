package run

import (
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

func TestFollowGivesUpOnWhatDoesNotHeal(t *testing.T) {
	tests := []struct {
		name   string
		cause  func(l *lab)
		want   string
		lasts  time.Duration
		killed bool
	}{
		{"unpullable image", func(l *lab) {
			pod := l.newPod("p1")
			for range 5 {
				pod.waits("ErrImagePull", "manifest for \x1b[31mx not found")
				time.Sleep(15 * time.Second)
				pod.waits("ImagePullBackOff", "Back-off pulling image \"x\"")
				time.Sleep(15 * time.Second)
			}
		}, `p1 cannot pull image "ingestor:0.8": ErrImagePull: manifest for x not found`, graceImage, true},
		{"invalid image name", func(l *lab) { l.newPod("p1").waits("InvalidImageName", "bad") }, "p1 cannot start: InvalidImageName: bad", 0, true},
		{"missing secret", func(l *lab) { l.newPod("p1").waits("CreateContainerConfigError", `secret "x" not found`) },
			`CreateContainerConfigError: secret "x" not found`, graceConfig, true},
		{"quota", func(l *lab) {
			l.event("Job", labJob, "job-uid", "FailedCreate", `pods "x" is forbidden: exceeded quota: q`)
		}, "cannot create its pod: pods \"x\" is forbidden: exceeded quota: q", graceQuota, true},
		{"pod security", func(l *lab) {
			l.event("Job", labJob, "job-uid", "FailedCreate", `pods "x" is forbidden: violates PodSecurity "restricted:latest"`)
		}, "violates PodSecurity", gracePolicy, true},
		{"no node", func(l *lab) {
			l.newPod("p1").status(func(pod *corev1.Pod, _ *corev1.ContainerStatus) {
				pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/1 nodes"}}
			})
		}, "p1 is not scheduled: 0/1 nodes", graceSchedule, true},
		{"volume", func(l *lab) {
			l.newPod("p1").waits("ContainerCreating", "")
			l.event("Pod", "p1", "p1-uid", "FailedMount", `MountVolume failed: configmap "ingest-config-1" not found`)
		}, "p1 waits: FailedMount: MountVolume failed", graceVolume, true},
		{"pulling", func(l *lab) {
			l.newPod("p1").waits("ContainerCreating", "")
			l.event("Pod", "p1", "p1-uid", "Pulling", `Pulling image "ingestor:0.8"`)
		}, `p1: Pulling image "ingestor:0.8"`, 0, false},
		{"an event of another job", func(l *lab) {
			l.event("Job", "other", "other-uid", "FailedCreate", "exceeded quota")
		}, "", 0, false},
		{"an event of an older job of that name", func(l *lab) {
			l.event("Job", labJob, "old-uid", "FailedCreate", "exceeded quota")
		}, "", 0, false},
		{"suspended", func(l *lab) {
			job := l.job.DeepCopy()
			job.Spec.Suspend = new(true)
			l.update("jobs", job)
		}, "is suspended", 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			scenario(t, func(t *testing.T, l *lab) {
				end := l.follow(t.Context())
				begin := time.Now()
				test.cause(l)
				if !test.killed {
					time.Sleep(time.Hour)
					if test.want != "" && !l.noted(test.want) {
						t.Errorf("notes: %q", l.notes)
					}
					l.finishJob(batchv1.JobFailed, "X")
					l.mustEnd(end, PhaseFailed)
					return
				}
				evidence, outcome := l.mustEnd(end, PhaseFailed)
				if lasted := time.Since(begin); lasted < test.lasts || lasted > test.lasts+time.Minute {
					t.Errorf("it lasted %s", lasted)
				}
				if !strings.Contains(evidence.Stuck, test.want) || outcome.Reason != evidence.Stuck {
					t.Errorf("stuck %q, reason %q", evidence.Stuck, outcome.Reason)
				}
				notes := 0
				for _, note := range l.notes {
					if strings.ContainsAny(note, "\x1b\n") {
						t.Errorf("note %q", note)
					}
					notes++
				}
				if notes != 1 {
					t.Errorf("notes: %q", l.notes)
				}
			})
		})
	}
}

func TestFollowWaitsForWhatHeals(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		end := l.follow(t.Context())
		l.event("Job", labJob, "job-uid", "FailedCreate", "exceeded quota: q")
		time.Sleep(graceQuota - time.Second)
		pod := l.newPod("p1")
		pod.waits("ErrImagePull", "503")
		time.Sleep(graceImage - time.Second)
		pod.waits("ContainerCreating", "")
		time.Sleep(time.Hour)
		pod.runs("c1").print(string(readLog(t, "success")))
		pod.exits(0, "Completed", corev1.PodSucceeded)
		l.finishJob(batchv1.JobComplete, "")
		l.mustEnd(end, PhaseSucceeded)
		for _, want := range []string{"exceeded quota: q", "503", "is running on node"} {
			if !l.noted(want) {
				t.Errorf("%q is not in the notes %q", want, l.notes)
			}
		}
	})
}
