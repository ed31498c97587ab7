package stage

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	k8stesting "k8s.io/client-go/testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
)

// fails is an Execer whose sessions never come to be.
type fails struct{}

func (fails) Exec(context.Context, podio.Target, []string, io.Reader, io.Writer, io.Writer) error {
	return errors.New("dial tcp: connection refused")
}

// TestStation: a Pod that is gone is replaced by another, and both are deleted in the end.
func TestStation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := cluster(t, ready)
		s := &Station{Client: client, Exec: fails{}, Pod: options(), Wait: time.Minute}
		s.Pod.Key = "key"
		v, err := s.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		first := v.Target.Pod
		if !strings.HasPrefix(first, "tracebloc-stage-key-") || s.Waited() < time.Second {
			t.Errorf("pod %q after %s", first, s.Waited())
		}
		if renewed, err := v.renew(t.Context(), v.now()); renewed || err != nil {
			t.Errorf("a pod that runs was replaced: %v, %v", renewed, err)
		}
		if err := client.Tracker().Delete(podResource, "ml", first); err != nil {
			t.Fatal(err)
		}
		failed := v.now()
		if renewed, err := v.renew(t.Context(), failed); !renewed || err != nil {
			t.Errorf("renewed %v, %v", renewed, err)
		}
		if renewed, err := v.renew(t.Context(), failed); renewed || err != nil {
			t.Errorf("replaced twice: %v, %v", renewed, err)
		}
		_, target, owner := v.route()
		if target.Pod == first || owner == "" || s.Waited() < 2*time.Second {
			t.Errorf("target %+v, owner %q, waited %s", target, owner, s.Waited())
		}
		if err := errors.Join(s.Close(t.Context()), s.Close(t.Context())); err != nil {
			t.Error(err)
		}
		if left := remaining(t, client); left != nil {
			t.Errorf("left behind: %q", left)
		}
	})
}

// TestStationCannotRenew: both the end of the Pod and the reason why there is no other are in the error.
func TestStationCannotRenew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := cluster(t, ready)
		s := &Station{Client: client, Exec: fails{}, Pod: options(), Wait: time.Minute}
		v, err := s.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pod, err := client.CoreV1().Pods("ml").Get(t.Context(), v.Target.Pod, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		pod.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted"}
		if err := client.Tracker().Update(podResource, pod, "ml"); err != nil {
			t.Fatal(err)
		}
		client.PrependReactor("create", "pods", func(k8stesting.Action) (bool, runtime.Object, error) {
			return true, nil, errors.New("exceeded quota")
		})
		p, err := NewPlan("cats", nil, DefaultRoot)
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.Transfer(t.Context(), p, nil, Options{})
		var gone *GoneError
		var start *StartError
		if !errors.As(err, &gone) || !errors.As(err, &start) || !strings.Contains(gone.Reason, "Evicted") {
			t.Errorf("got %v", err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
