package run

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

// watching starts Watch and collects what it tells, a line for each call of emit.
func (l *lab) watching(ctx context.Context, selector string) (told func() []string, ended chan error) {
	var lines []string
	ended = make(chan error, 1)
	go func() {
		ended <- Watch(ctx, l.client, labNamespace, selector, func(changes []Change) error {
			var parts []string
			for _, c := range changes {
				text := fmt.Sprintf("%s %s %s", c.Run.Name, c.Run.Spec.Table, c.Run.Status.Phase)
				if c.Deleted {
					text = "-" + c.Run.Name
				}
				parts = append(parts, text)
			}
			lines = append(lines, strings.Join(parts, "; "))
			return nil
		})
	}()
	synctest.Wait()
	return func() []string { synctest.Wait(); return lines }, ended
}

// submit puts a run into the lab.
func (l *lab) submit(key, condition string, hour int) (config *corev1.ConfigMap, job *batchv1.Job) {
	l.t.Helper()
	objects := submitted(key, "t_"+key, condition, hour)
	for _, object := range objects {
		l.add(object)
	}
	return objects[0].(*corev1.ConfigMap), objects[1].(*batchv1.Job)
}

func TestWatch(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		l.submit("a", "Complete", 1)
		config, job := l.submit("b", "", 2)
		ctx, cancel := context.WithCancel(t.Context())
		told, ended := l.watching(ctx, "")

		ready := int32(1)
		job = job.DeepCopy()
		job.Status.Ready = &ready
		l.update("jobs", job)
		job = job.DeepCopy()
		job.Annotations = map[string]string{"nobody": "cares"}
		l.update("jobs", job)
		time.Sleep(time.Second)
		job = job.DeepCopy()
		job.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}}
		l.update("jobs", job)
		l.submit("c", "", 3)
		l.delete("jobs", job.Name)
		l.delete("configmaps", config.Name)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		want := []string{
			"a t_a Complete; b t_b Pending",
			"b t_b Running",
			"b t_b Complete",
			"c t_c Unknown",
			"c t_c Pending",
			"b t_b Unknown",
			"-b",
		}
		if diff := cmp.Diff(want, told()); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

// Watches break, grow too old, and the server goes away: what happened meanwhile
// is told, and nothing twice.
func TestWatchOverBreaks(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		l.submit("a", "", 1)
		_, gone := l.submit("b", "", 2)
		told, ended := l.watching(t.Context(), "")
		for range 3 {
			l.breakWatches(&metav1.Status{Status: metav1.StatusFailure, Code: http.StatusGone, Reason: metav1.StatusReasonExpired})
			time.Sleep(2 * time.Second)
		}
		l.setDown(errors.New("connection refused"))
		time.Sleep(time.Minute)
		l.delete("jobs", gone.Name)
		l.delete("configmaps", "ingest-config-b")
		l.submit("c", "Failed", 3)
		l.setDown(nil)
		time.Sleep(time.Minute)
		got := strings.Join(told(), "\n")
		if !strings.HasPrefix(got, "a t_a Pending; b t_b Pending\n") || strings.Count(got, "t_a") != 1 || strings.Count(got, "-b") != 1 || !strings.Contains(got, "c t_c Failed") {
			t.Errorf("told:\n%s", got)
		}
		select {
		case err := <-ended:
			t.Errorf("it ended with %v", err)
		default:
		}
	})
}

// A run that no longer has the labels that were asked for is gone from the view.
func TestWatchSelector(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		_, job := l.submit("a", "", 1)
		l.submit("b", "", 2)
		told, _ := l.watching(t.Context(), "team=vision")
		job = job.DeepCopy()
		job.Labels["team"] = "vision"
		l.update("jobs", job)
		job = job.DeepCopy()
		delete(job.Labels, "team")
		l.update("jobs", job)
		if diff := cmp.Diff([]string{"", "a t_a Pending", "-a"}, told()); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

func TestWatchEnds(t *testing.T) {
	scenario(t, func(t *testing.T, l *lab) {
		full := errors.New("broken pipe")
		err := Watch(t.Context(), l.client, labNamespace, "", func([]Change) error { return full })
		if !errors.Is(err, full) {
			t.Errorf("error %v", err)
		}
		_, ended := l.watching(t.Context(), "")
		l.setDown(apierrors.NewForbidden(schema.GroupResource{Resource: "jobs"}, "", errors.New("no")))
		time.Sleep(time.Minute)
		if err := <-ended; !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "list the ") {
			t.Errorf("error %v", err)
		}
		l.setDown(errors.New("connection refused"))
		if err := Watch(t.Context(), l.client, labNamespace, "", func([]Change) error { return nil }); err == nil {
			t.Error("a server that is not there is no error at the start")
		}
	})
}
