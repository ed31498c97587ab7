package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
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

// scenario runs a test in a lab of its own, on fake time.
func scenario(t *testing.T, test func(t *testing.T, l *lab)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(t, newLab(t)) })
}

func (l *lab) mustEnd(end func() (Evidence, error), want Phase) (Evidence, Outcome) {
	l.t.Helper()
	evidence, err := end()
	if err != nil {
		l.t.Fatal(err)
	}
	outcome := Judge(evidence)
	if outcome.State != want {
		l.t.Errorf("outcome is %s (%s), want %s", outcome.State, outcome.Reason, want)
	}
	return evidence, outcome
}

func TestFollowToSuccess(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		end := l.follow(t.Context())
		pod := l.newPod("p1")
		pod.waits("ContainerCreating", "")
		log := pod.runs("c1")
		time.Sleep(3 * time.Second)
		log.print(string(readLog(t, "success")))
		pod.exits(0, "Completed", corev1.PodSucceeded)
		l.finishJob(batchv1.JobComplete, "")
		evidence, outcome := l.mustEnd(end, PhaseSucceeded)
		if len(evidence.Attempts) != 1 || !evidence.Attempts[0].LogComplete || evidence.Attempts[0].Node != "node-1" {
			t.Errorf("attempts: %+v", evidence.Attempts)
		}
		if outcome.Banner == nil || *outcome.Banner.Records().Inserted != 576 {
			t.Errorf("banner: %+v", outcome.Banner)
		}
		golden(t, "printed.golden", l.printed.Bytes())
		if !l.noted("p1 is running on node node-1") {
			t.Errorf("notes: %q", l.notes)
		}
	})
}

func TestFollowFinishedJob(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		pod := l.newPod("p1")
		pod.runs("c1").print(string(readLog(t, "success")))
		pod.exits(0, "Completed", corev1.PodSucceeded)
		l.finishJob(batchv1.JobComplete, "")
		begin := time.Now()
		l.mustEnd(l.follow(t.Context()), PhaseSucceeded)
		if waited := time.Since(begin); waited > 5*time.Second {
			t.Errorf("a finished Job took %s", waited)
		}
		if len(l.opened) != 2 || l.opened[0].Follow || l.opened[1].Follow || l.opened[1].SinceTime == nil {
			t.Errorf("the log was opened with %+v", l.opened)
		}
	})
}

// Streams break between and inside lines, cleanly and not, and lines share
// stamps: each line is printed once, in order.
func TestFollowBrokenStreams(t *testing.T) {
	for _, ignores := range []bool{false, true} {
		for name, broken := range map[string]error{"clean": io.EOF, "reset": errors.New("connection reset")} {
			t.Run(fmt.Sprintf("%s, since ignored %t", name, ignores), func(t *testing.T) {
				scenario(t, func(t *testing.T, l *lab) {
					l.ignores = ignores
					end := l.follow(t.Context())
					pod := l.newPod("p1")
					log := pod.runs("c1")
					var want strings.Builder
					for i := range 60 {
						text := fmt.Sprintf("line %d\n", i)
						want.WriteString(text)
						stamp := time.Now()
						if i%5 == 4 {
							stamp = stamp.Add(-300 * time.Millisecond) // the other stream was late
						}
						log.at(stamp, text)
						if i%7 == 3 {
							log.breakStreams(broken)
						}
						if i%3 == 0 {
							time.Sleep(700 * time.Millisecond)
						}
					}
					pod.exits(1, "Error", corev1.PodFailed)
					l.finishJob(batchv1.JobFailed, "BackoffLimitExceeded")
					evidence, _ := l.mustEnd(end, PhaseFailed)
					if diff := cmp.Diff(want.String(), l.printed.String()); diff != "" {
						t.Errorf("printed (-want +got):\n%s", diff)
					}
					if !evidence.Attempts[0].LogComplete {
						t.Error("the log is not complete")
					}
				})
			})
		}
	}
}

func TestFollowBreakInsideLine(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		end := l.follow(t.Context())
		pod := l.newPod("p1")
		log := pod.runs("c1")
		log.print("one\n")
		log.at(time.Now(), "tw")
		log.breakStreams(errors.New("connection reset"))
		log.change(func() { log.lines[1].text = "two\n" })
		log.print("three without an end")
		pod.exits(0, "Completed", corev1.PodSucceeded)
		l.finishJob(batchv1.JobComplete, "")
		l.mustEnd(end, PhaseUnknown)
		if got := l.printed.String(); got != "one\ntwo\nthree without an end\n" {
			t.Errorf("printed %q", got)
		}
	})
}

func TestFollowRestartInPlace(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		end := l.follow(t.Context())
		pod := l.newPod("p1")
		log := pod.runs("c1")
		log.print("first\n")
		log.breakStreams(errors.New("connection reset"))
		log.print("the end of the first\n")
		pod.exits(65, "Error", corev1.PodRunning)
		second := pod.runs("c2")
		second.print(string(readLog(t, "success")))
		pod.exits(0, "Completed", corev1.PodSucceeded)
		l.finishJob(batchv1.JobComplete, "")
		evidence, _ := l.mustEnd(end, PhaseSucceeded)
		if len(evidence.Attempts) != 2 || *evidence.Attempts[0].ExitCode != 65 || !evidence.Attempts[0].LogComplete {
			t.Errorf("attempts: %+v", evidence.Attempts)
		}
		if !strings.HasPrefix(l.printed.String(), "first\nthe end of the first\nWaiting up to") {
			t.Errorf("printed %q", l.printed.String())
		}
		if !l.noted("exit code 65: the database could not be reached") || !l.noted("p1 is running again on node node-1") {
			t.Errorf("notes: %q", l.notes)
		}
	})
}

// The second attempt only stumbles over what the first has left: the report is
// about the first, though the follower came when that had ended.
func TestFollowReadsPreviousOnArrival(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		pod := l.newPod("p1")
		pod.runs("c1").print(string(readLog(t, "partial")))
		pod.exits(1, "Error", corev1.PodRunning)
		pod.runs("c2").print(string(readLog(t, "already-exists")))
		pod.exits(1, "Error", corev1.PodFailed)
		l.finishJob(batchv1.JobFailed, "BackoffLimitExceeded")
		_, outcome := l.mustEnd(l.follow(t.Context()), PhaseFailed)
		if want := "3 of 4 records were inserted: 1 without their file"; outcome.Reason != want {
			t.Errorf("reason %q, want %q", outcome.Reason, want)
		}
	})
}

func TestFollowReplacementPod(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		end := l.follow(t.Context())
		first := l.newPod("p1")
		first.runs("c1").print("killed soon\n")
		l.delete("pods", "p1")
		time.Sleep(time.Minute)
		second := l.newPod("p2")
		second.runs("c2").print(string(readLog(t, "success")))
		second.exits(0, "Completed", corev1.PodSucceeded)
		l.finishJob(batchv1.JobComplete, "")
		evidence, outcome := l.mustEnd(end, PhaseSucceeded)
		if len(evidence.Attempts) != 2 || evidence.Attempts[0].LogComplete || len(outcome.Warnings) != 1 {
			t.Errorf("attempts: %+v\nwarnings: %q", evidence.Attempts, outcome.Warnings)
		}
		if !strings.HasPrefix(l.printed.String(), "killed soon\nWaiting up to") {
			t.Errorf("printed %q", l.printed.String())
		}
	})
}

func TestFollowPicksUsefulPodOnArrival(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		old := l.newPod("p1")
		old.runs("c1").print("old\n")
		old.exits(1, "Error", corev1.PodFailed)
		time.Sleep(time.Second)
		current := l.newPod("p2")
		log := current.runs("c2")
		log.print("new\n")
		time.Sleep(time.Second)
		l.newPod("p3").waits("ContainerCreating", "")
		end := l.follow(t.Context())
		if got := l.printed.String(); got != "new\n" {
			t.Errorf("printed %q", got)
		}
		log.print(string(readLog(t, "success")))
		current.exits(0, "Completed", corev1.PodSucceeded)
		l.finishJob(batchv1.JobComplete, "")
		l.mustEnd(end, PhaseSucceeded)
	})
}

func TestFollowDeletedJob(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		end := l.follow(t.Context())
		pod := l.newPod("p1")
		pod.runs("c1").print("working\n")
		l.delete("jobs", labJob)
		pod.exits(143, "Error", corev1.PodFailed)
		l.delete("pods", "p1")
		evidence, outcome := l.mustEnd(end, PhaseCanceled)
		if evidence.State != JobDeleted || !strings.Contains(outcome.Reason, "was deleted") {
			t.Errorf("state %s, reason %q", evidence.State, outcome.Reason)
		}
	})
}

func TestFollowDeletedWhileAway(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		end := l.follow(t.Context())
		l.setDown(errors.New("connection refused"))
		l.delete("jobs", labJob)
		time.Sleep(20 * time.Second)
		l.setDown(nil)
		l.mustEnd(end, PhaseCanceled)
	})
}

func TestFollowMissingJob(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		l.delete("jobs", labJob)
		evidence, _ := l.mustEnd(l.follow(t.Context()), PhaseUnknown)
		if evidence.State != JobMissing {
			t.Errorf("state %s", evidence.State)
		}
	})
}

func TestFollowCanceledContext(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		detach := errors.New("the user went away")
		ctx, cancel := context.WithCancelCause(t.Context())
		end := l.follow(ctx)
		pod := l.newPod("p1")
		pod.runs("c1").print("working\n")
		cancel(detach)
		evidence, err := end()
		if !errors.Is(err, detach) {
			t.Errorf("error %v", err)
		}
		if evidence.State != JobActive || len(evidence.Attempts) != 1 || evidence.Attempts[0].Log.Lines != 1 || evidence.Attempts[0].LogComplete {
			t.Errorf("evidence %+v", evidence)
		}
		if outcome := Judge(evidence); outcome.State != PhaseRunning || outcome.Clean() {
			t.Errorf("outcome %+v", outcome)
		}
	})
}

// The API server goes away for 20 seconds, in which the Job ends.
func TestFollowAPIServerRestart(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		end := l.follow(t.Context())
		pod := l.newPod("p1")
		log := pod.runs("c1")
		log.print("working\n")
		l.setDown(errors.New("connection refused\x1b[2J"))
		log.breakStreams(errors.New("connection reset"))
		time.Sleep(10 * time.Second)
		log.print(string(readLog(t, "success")))
		pod.exits(0, "Completed", corev1.PodSucceeded)
		l.finishJob(batchv1.JobComplete, "")
		time.Sleep(10 * time.Second)
		l.setDown(nil)
		l.mustEnd(end, PhaseSucceeded)
		lost := 0
		for _, note := range l.notes {
			if strings.Contains(note, "connection to the API server lost") {
				lost++
			}
			if strings.Contains(note, "\x1b") {
				t.Errorf("note %q", note)
			}
		}
		if lost != 1 {
			t.Errorf("notes: %q", l.notes)
		}
	})
}

func TestFollowSaysThatConnectionIsBack(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		ctx, cancel := context.WithCancel(t.Context())
		end := l.follow(ctx)
		l.setDown(&url.Error{Op: "Get", URL: "https://1.2.3.4/api?x=y", Err: errors.New("connection refused")})
		time.Sleep(time.Minute)
		l.setDown(nil)
		time.Sleep(time.Minute)
		cancel()
		if _, err := end(); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		want := []string{"connection to the API server lost, trying again: connection refused", "connected to the API server again"}
		if diff := cmp.Diff(want, l.notes); diff != "" {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
	})
}

func TestFollowWatchTooOld(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		end := l.follow(t.Context())
		for range 3 {
			l.breakWatches(&metav1.Status{Status: metav1.StatusFailure, Code: http.StatusGone, Reason: metav1.StatusReasonExpired})
			time.Sleep(time.Second)
		}
		pod := l.newPod("p1")
		pod.runs("c1").print(string(readLog(t, "success")))
		l.breakWatches(nil)
		pod.exits(0, "Completed", corev1.PodSucceeded)
		l.finishJob(batchv1.JobComplete, "")
		l.mustEnd(end, PhaseSucceeded)
	})
}

func TestFollowForbidden(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		l.setDown(apierrors.NewForbidden(schema.GroupResource{Group: "batch", Resource: "jobs"}, labJob, errors.New("no")))
		_, err := l.follow(t.Context())()
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "watching the") {
			t.Errorf("error %v", err)
		}
	})
}

// A kubelet that leaves the stream open after the end must not hold us up.
func TestFollowHangingStream(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		end := l.follow(t.Context())
		pod := l.newPod("p1")
		log := pod.runs("c1")
		log.hangs = true
		log.print(string(readLog(t, "success")))
		pod.exits(0, "Completed", corev1.PodSucceeded)
		l.finishJob(batchv1.JobComplete, "")
		l.mustEnd(end, PhaseSucceeded)
	})
}

// A log that takes longer than any grace is read to its end, where the summary
// is, as long as lines come.
func TestFollowSlowLog(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		pod := l.newPod("p1")
		log := pod.runs("c1")
		log.slow = 20 * time.Second
		log.print(string(readLog(t, "success")))
		pod.exits(0, "Completed", corev1.PodSucceeded)
		l.finishJob(batchv1.JobComplete, "")
		l.mustEnd(l.follow(t.Context()), PhaseSucceeded)
	})
}

func TestFollowWithoutLogs(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		l.logError = apierrors.NewForbidden(schema.GroupResource{Resource: "pods/log"}, "p1", errors.New("no"))
		end := l.follow(t.Context())
		pod := l.newPod("p1")
		pod.runs("c1").print(string(readLog(t, "success")))
		pod.exits(0, "Completed", corev1.PodSucceeded)
		l.finishJob(batchv1.JobComplete, "")
		_, outcome := l.mustEnd(end, PhaseUnknown)
		if !strings.Contains(outcome.Reason, "forbidden") {
			t.Errorf("reason %q", outcome.Reason)
		}
	})
}

// A Job's Pod that never ends does not keep a failed Job open for ever.
func TestFollowPodOutlivesJob(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		end := l.follow(t.Context())
		pod := l.newPod("p1")
		pod.runs("c1").print("working\n")
		l.finishJob(batchv1.JobFailed, "DeadlineExceeded")
		_, outcome := l.mustEnd(end, PhaseFailed)
		if !strings.Contains(outcome.Reason, "DeadlineExceeded") {
			t.Errorf("reason %q", outcome.Reason)
		}
	})
}

func TestFollowOOMKilled(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		end := l.follow(t.Context())
		pod := l.newPod("p1")
		pod.runs("c1").print("working\n")
		pod.exits(137, "OOMKilled", corev1.PodFailed)
		l.finishJob(batchv1.JobFailed, "BackoffLimitExceeded")
		_, outcome := l.mustEnd(end, PhaseFailed)
		if !strings.Contains(outcome.Reason, "OOMKilled") || len(outcome.Details) != 1 {
			t.Errorf("outcome %+v", outcome)
		}
	})
}

func TestFollowEvictedBeforeStart(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		end := l.follow(t.Context())
		pod := l.newPod("p1")
		pod.status(func(pod *corev1.Pod, _ *corev1.ContainerStatus) {
			pod.Status.Phase, pod.Status.Reason, pod.Status.Message = corev1.PodFailed, "Evicted", "The node was low on\nmemory"
		})
		l.finishJob(batchv1.JobFailed, "BackoffLimitExceeded")
		_, outcome := l.mustEnd(end, PhaseFailed)
		if want := `pod "p1": Evicted: The node was low on memory`; outcome.Reason != want {
			t.Errorf("reason %q", outcome.Reason)
		}
	})
}
