package run

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"
)

// cancel starts Cancel and returns what waits for its end.
func (l *lab) cancel(ctx context.Context) chan error {
	ended := make(chan error, 1)
	go func() { ended <- Cancel(ctx, l.client, labNamespace, labJob) }()
	synctest.Wait()
	return ended
}

func TestCancelWaitsForPods(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		l.newPod("p1").runs("c1").print("working\n")
		stranger := l.newPod("p2")
		stranger.status(func(pod *corev1.Pod, _ *corev1.ContainerStatus) { pod.OwnerReferences[0].UID = "of-another-job" })
		begin := time.Now()
		time.AfterFunc(20*time.Second, func() { l.delete("pods", "p1") })
		if err := <-l.cancel(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took < 20*time.Second || took > 25*time.Second {
			t.Errorf("it took %s", took)
		}
		deleted := false
		for _, action := range l.client.Actions() {
			if action, ok := action.(clienttesting.DeleteActionImpl); ok {
				deleted = true
				if o := action.DeleteOptions; *o.PropagationPolicy != metav1.DeletePropagationForeground || *o.Preconditions.UID != l.job.UID {
					t.Errorf("deleted with %+v", o)
				}
			}
		}
		if !deleted {
			t.Error("nothing was deleted")
		}
	})
}

// The log of a run that is over is worth more than the deletion of its Job.
func TestCancelFinished(t *testing.T) {
	for condition, want := range map[batchv1.JobConditionType]Phase{batchv1.JobComplete: PhaseComplete, batchv1.JobFailed: PhaseFailed} {
		t.Run(string(condition), func(t *testing.T) {
			scenario(t, func(t *testing.T, l *lab) {
				l.finishJob(condition, "Why")
				err := <-l.cancel(t.Context())
				var finished *FinishedError
				if !errors.As(err, &finished) || finished.Phase != want || !strings.Contains(err.Error(), "status job/"+labJob) {
					t.Errorf("error %v", err)
				}
				if _, err := l.client.BatchV1().Jobs(labNamespace).Get(t.Context(), labJob, metav1.GetOptions{}); err != nil {
					t.Errorf("the job: %v", err)
				}
			})
		})
	}
}

func TestCancelErrors(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Group: "batch", Resource: "jobs"}, labJob, errors.New("no"))
	t.Run("gone", func(t *testing.T) {
		scenario(t, func(t *testing.T, l *lab) {
			l.delete("jobs", labJob)
			if err := <-l.cancel(t.Context()); !apierrors.IsNotFound(err) {
				t.Errorf("error %v", err)
			}
		})
	})
	t.Run("not allowed", func(t *testing.T) {
		scenario(t, func(t *testing.T, l *lab) {
			l.client.PrependReactor("delete", "jobs", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, forbidden })
			if err := <-l.cancel(t.Context()); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "delete job") {
				t.Errorf("error %v", err)
			}
		})
	})
	t.Run("a pod that does not end", func(t *testing.T) {
		scenario(t, func(t *testing.T, l *lab) {
			l.newPod("p1").runs("c1")
			if err := <-l.cancel(t.Context()); err == nil || !strings.Contains(err.Error(), `pod "p1" is still there after 2m0s`) {
				t.Errorf("error %v", err)
			}
		})
	})
	t.Run("interrupted", func(t *testing.T) {
		scenario(t, func(t *testing.T, l *lab) {
			l.newPod("p1").runs("c1")
			ctx, stop := context.WithCancel(t.Context())
			ended := l.cancel(ctx)
			stop()
			if err := <-ended; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "was deleted; whether") {
				t.Errorf("error %v", err)
			}
		})
	})
	t.Run("connection lost for a while", func(t *testing.T) {
		scenario(t, func(t *testing.T, l *lab) {
			l.newPod("p1").runs("c1")
			ended := l.cancel(t.Context())
			l.setDown(errors.New("connection refused"))
			time.Sleep(30 * time.Second)
			l.delete("pods", "p1")
			l.setDown(nil)
			if err := <-ended; err != nil {
				t.Errorf("error %v", err)
			}
		})
	})
}
