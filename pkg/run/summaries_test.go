package run

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// ranOnce is the only Pod of a Job, whose container has ended with a code.
func ranOnce(job string, code int32) *corev1.Pod {
	phase := corev1.PodSucceeded
	if code != 0 {
		phase = corev1.PodFailed
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: job + "-x", Namespace: "ml", UID: types.UID(job), Labels: map[string]string{"job-name": job}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main"}}},
		Status: corev1.PodStatus{Phase: phase, ContainerStatuses: []corev1.ContainerStatus{{
			Name: "main", ContainerID: job, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ContainerID: job, ExitCode: code}},
		}}},
	}
}

// answerLog lets the cluster serve a saved log for every Pod.
func answerLog(t *testing.T, client *fake.Clientset, name string) {
	t.Helper()
	var stamped []byte
	for text := range strings.Lines(string(readLog(t, name))) {
		stamped = append(stamped, "2026-04-02T07:00:00.000000000Z "+text...)
	}
	client.PrependReactor("get", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		generic, ok := action.(clienttesting.GenericActionImpl)
		if !ok || action.GetSubresource() != "log" {
			return false, nil, nil
		}
		if options, ok := generic.Value.(*corev1.PodLogOptions); !ok || options.TailLines == nil || options.Follow {
			t.Errorf("a log was opened with %+v", generic.Value)
		}
		return true, &runtime.Unknown{Raw: stamped}, nil
	})
}

func TestReadSummaries(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		log, want string
		newest    int
	}{
		{"success", "Succeeded 576", 5},
		{"skipped", "SucceededWithLosses 1400", 5},
		{"newer", "Succeeded", 5},
		{"no-database", "Complete", 5}, // no summary among the last lines
		{"success", "Complete", 0},
	} {
		objects := submitted("a", "cats", "Complete", 1)
		client := fake.NewClientset(append(objects, ranOnce("ingest-job-a", 0))...)
		answerLog(t, client, test.log)
		runs, err := List(t.Context(), client, "ml", "")
		if err != nil {
			t.Fatal(err)
		}
		ReadSummaries(t.Context(), client, runs, test.newest)
		got := string(runs[0].Status.Phase)
		if records := runs[0].Status.Records; records != nil {
			got += fmt.Sprintf(" %d", *records.Inserted)
		}
		if got != test.want && !(test.log == "newer" && runs[0].Status.DestinationTable != "") {
			t.Errorf("%s: got %q, want %q", test.log, got, test.want)
		}
		if runs[0].Status.Job != "ingest-job-a" || runs[0].Status.Started == nil {
			t.Errorf("%s: what was known is lost: %+v", test.log, runs[0].Status)
		}
	}
}

// Only the newest complete runs are asked for, with one list of Pods, and runs
// whose Pods are gone stay as they are.
func TestReadSummariesIsCheap(t *testing.T) {
	t.Parallel()
	var objects []runtime.Object
	for i := range 40 {
		condition := []string{"Complete", "Failed", "", "gone"}[i%4]
		objects = append(objects, submitted(fmt.Sprintf("k%02d", i), "cats", condition, i)...)
		if condition == string(batchv1.JobComplete) && i != 36 {
			objects = append(objects, ranOnce(fmt.Sprintf("ingest-job-k%02d", i), 0))
		}
	}
	client := fake.NewClientset(objects...)
	answerLog(t, client, "success")
	runs, err := List(t.Context(), client, "ml", "")
	if err != nil {
		t.Fatal(err)
	}
	client.ClearActions()
	ReadSummaries(t.Context(), client, runs, 4)
	var read []string
	for _, r := range runs {
		if r.Status.Phase == PhaseSucceeded {
			read = append(read, r.Name)
		}
	}
	if want := []string{"k24", "k28", "k32"}; !slices.Equal(read, want) {
		t.Errorf("read %q, want %q", read, want)
	}
	lists := 0
	for _, action := range client.Actions() {
		if action.GetVerb() == "list" {
			lists++
		}
	}
	if lists != 1 {
		t.Errorf("%d lists", lists)
	}
}
