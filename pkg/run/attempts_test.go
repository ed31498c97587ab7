package run

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

func podWith(phase corev1.PodPhase, status corev1.ContainerStatus) *corev1.Pod {
	status.Name = "main"
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p1", UID: "p1-uid"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main"}}},
		Status:     corev1.PodStatus{Phase: phase, ContainerStatuses: []corev1.ContainerStatus{status}},
	}
}

func running(id string) corev1.ContainerStatus {
	return corev1.ContainerStatus{ContainerID: id, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
}

func over(id string, code int32) *corev1.ContainerStateTerminated {
	return &corev1.ContainerStateTerminated{ContainerID: id, ExitCode: code}
}

func TestAttemptsFromStatus(t *testing.T) {
	t.Parallel()
	restarted := running("c2")
	restarted.LastTerminationState.Terminated = over("c1", 1)
	lost := corev1.ContainerStatus{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "ContainerStatusUnknown"}}}
	backoff := corev1.ContainerStatus{ContainerID: "c1", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}}
	backoff.LastTerminationState.Terminated = over("c1", 1)
	missed := running("c9")
	missed.LastTerminationState.Terminated = over("c8", 1)
	tests := []struct {
		name string
		pods []*corev1.Pod
		want []string
	}{
		{"created", []*corev1.Pod{podWith(corev1.PodPending, corev1.ContainerStatus{})}, nil},
		{"running", []*corev1.Pod{podWith(corev1.PodRunning, running("c1"))}, []string{"c1 live"}},
		{"restarted", []*corev1.Pod{podWith(corev1.PodRunning, running("c1")), podWith(corev1.PodRunning, restarted)}, []string{"c1 over 1", "c2 live"}},
		{"restarted before we came", []*corev1.Pod{podWith(corev1.PodRunning, restarted)}, []string{"c1 over 1", "c2 live"}},
		{"restarts that we missed", []*corev1.Pod{podWith(corev1.PodRunning, running("c1")), podWith(corev1.PodRunning, missed)}, []string{"c1 over", "c8 over 1", "c9 live"}},
		{"between two lives", []*corev1.Pod{podWith(corev1.PodRunning, backoff)}, []string{"c1 over 1"}},
		{"the kubelet lost sight", []*corev1.Pod{podWith(corev1.PodRunning, running("c1")), podWith(corev1.PodFailed, lost)}, []string{"c1 over 137"}},
		{"failed before its start", []*corev1.Pod{podWith(corev1.PodFailed, corev1.ContainerStatus{})}, []string{" over"}},
	}
	for _, test := range tests {
		var list attempts
		for _, pod := range test.pods {
			list.note(pod)
		}
		var got []string
		for _, a := range list.list {
			text := a.ContainerID + " live"
			if a.isOver() {
				text = a.ContainerID + " over"
			}
			if a.ExitCode != nil {
				text += fmt.Sprintf(" %d", *a.ExitCode)
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// A Job that restarts for days keeps its first failure and the newest ones.
func TestAttemptsAreBounded(t *testing.T) {
	t.Parallel()
	var list attempts
	for i := range 100 {
		list.note(podWith(corev1.PodRunning, running(fmt.Sprintf("c%d", i))))
		list.list[len(list.list)-1].done = true
	}
	if n := len(list.list); n != maxAttempts || list.list[0].ContainerID != "c0" || list.list[n-1].ContainerID != "c99" {
		t.Errorf("%d attempts from %q to %q", n, list.list[0].ContainerID, list.list[n-1].ContainerID)
	}
}

func TestMainContainer(t *testing.T) {
	t.Parallel()
	pod := func(annotation string, names ...string) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{"kubectl.kubernetes.io/default-container": annotation}}}
		for _, name := range names {
			p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: name})
		}
		return p
	}
	tests := []struct {
		pod  *corev1.Pod
		want string
	}{
		{pod(""), ""},
		{pod("", "api"), "api"},
		{pod("", "istio-proxy", "ingestor"), "ingestor"},
		{pod("b", "a", "b"), "b"},
		{pod("gone", "a", "b"), "a"},
	}
	for _, test := range tests {
		if got := mainContainer(test.pod); got != test.want {
			t.Errorf("%v: got %q, want %q", test.pod.Spec.Containers, got, test.want)
		}
	}
}

// What the follower relies on is really asked of the API.
func TestPodLogsRequest(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path + "?" + r.URL.RawQuery
		_, _ = io.WriteString(w, "a line\n")
	}))
	defer server.Close()
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	since := metav1.NewTime(time.Date(2026, 11, 23, 9, 5, 12, 0, time.UTC))
	log, err := PodLogs(client)(t.Context(), "ml", "p1", &corev1.PodLogOptions{Container: "main", Follow: true, Previous: true, Timestamps: true, SinceTime: &since})
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(log)
	if err != nil || string(text) != "a line\n" {
		t.Errorf("read %q, %v", text, err)
	}
	if err := log.Close(); err != nil {
		t.Error(err)
	}
	want := "/api/v1/namespaces/ml/pods/p1/log?container=main&follow=true&previous=true&sinceTime=2026-11-23T09%3A05%3A12Z&timestamps=true"
	if got := <-asked; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
}
