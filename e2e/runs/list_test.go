package runs

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/kubernetes"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/manifests"
)

const (
	// manyRuns is what a busy namespace has after some months.
	manyRuns = 1000
	// pages of each kind that a listing of them may take, and a few requests besides.
	maxRequests = 2*2 + 4
	// tries of which the fastest counts.
	tries = 5
)

// A listing of 1,000 runs asks the API server a handful of times, whatever their number, and takes about as long as kubectl get takes
// for the objects that it reads.
func TestManyRuns(t *testing.T) {
	t.Parallel()
	client, err := kubernetes.NewForConfig(cluster.config)
	if err != nil {
		t.Fatal(err)
	}
	namespace := makeRuns(t, client)
	listed := run(t, "runs", "-n", namespace, "-o", "json").expect(t, 0).list(t)
	if len(listed) != manyRuns {
		t.Fatalf("%d runs are listed, want %d", len(listed), manyRuns)
	}
	for _, o := range listed {
		if o.Status.Phase != "Complete" || o.Spec.Table == "" || o.Status.Job == "" {
			t.Fatalf("one of them is %+v", o)
		}
	}
	verbose := run(t, "runs", "-n", namespace, "-v=6").expect(t, 0)
	if rows := strings.Count(verbose.stdout, "\n"); rows != manyRuns+1 {
		t.Errorf("the table has %d lines, want a header and %d", rows, manyRuns)
	}
	requests := regexp.MustCompile(`(?m)verb="?GET"? url="?(\S+?)"? `).FindAllStringSubmatch(verbose.stderr, -1)
	if len(requests) == 0 || len(requests) > maxRequests {
		t.Errorf("%d requests were made, want 1 to %d:\n%s", len(requests), maxRequests, verbose.stderr)
	}
	compareListing(t, namespace, len(requests))
}

// compareListing measures both ways in turn, so that what else happens on the machine slows both. The bound is a multiple, and not a
// second: a slow machine is slow for both.
func compareListing(t *testing.T, namespace string, requests int) {
	t.Helper()
	const factor = 3
	ours, theirs := make([]time.Duration, tries), make([]time.Duration, tries)
	for i := range tries {
		began := time.Now()
		run(t, "runs", "-n", namespace).expect(t, 0)
		ours[i] = time.Since(began)
		began = time.Now()
		kubectl(t.Context(), t, "get", "jobs,configmaps", "-l", labelRun, "-n", namespace)
		theirs[i] = time.Since(began)
	}
	our, their := slices.Min(ours), slices.Min(theirs)
	t.Logf("%d runs: kubectl tracebloc runs takes %s with %d requests; kubectl get jobs,configmaps takes %s", manyRuns, our, requests, their)
	if our > factor*their {
		t.Errorf("kubectl tracebloc runs takes %s, more than %d times the %s of kubectl get", our, factor, their)
	}
}

// makeRuns makes a namespace with the objects of runs that ended well long ago: their Pods are gone. They are gone with the test.
func makeRuns(t *testing.T, client kubernetes.Interface) (namespace string) {
	t.Helper()
	namespace = "e2e-many-" + rand.String(5)
	_, err := client.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: map[string]string{manifests.LabelInstalled: "true"}}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.CoreV1().Namespaces().Delete(context.Background(), namespace, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	const writers = 8
	numbers := make(chan int)
	failed := make(chan error, writers)
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for n := range numbers {
				if err := makeRun(t.Context(), client, namespace, n); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	for n := range manyRuns {
		select {
		case numbers <- n:
		case err := <-failed:
			t.Fatal(err)
		}
	}
	close(numbers)
	group.Wait()
	select {
	case err := <-failed:
		t.Fatal(err)
	default:
	}
	return namespace
}

// makeRun makes one. The Job is suspended, so that no Pod comes, until its status says that it is complete.
func makeRun(ctx context.Context, client kubernetes.Interface, namespace string, n int) error {
	yes, key := true, fmt.Sprintf("run-%06d", n)
	labels := map[string]string{labelRun: key}
	table := fmt.Sprintf("table: many_%d\n", n)
	config := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "ingest-config-" + key, Labels: labels},
		Data:       map[string]string{"ingest.yaml": "apiVersion: tracebloc.io/v1\nkind: IngestConfig\ncategory: tabular_classification\n" + table + "intent: train\ncsv: /data/shared/.tracebloc-staging/many/labels.csv\n"},
	}
	if _, err := client.CoreV1().ConfigMaps(namespace).Create(ctx, config, metav1.CreateOptions{}); err != nil {
		return err
	}
	job, err := client.BatchV1().Jobs(namespace).Create(ctx, &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "ingest-job-" + key, Labels: labels},
		Spec: batchv1.JobSpec{Suspend: &yes, Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyOnFailure, Containers: []corev1.Container{{Name: "ingestor", Image: "none"}},
		}}},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	// The Job's controller takes note of the suspension meanwhile; the last of two writers has to read again.
	for {
		now := metav1.Now()
		job.Status = batchv1.JobStatus{StartTime: &now, CompletionTime: &now, Succeeded: 1, Conditions: []batchv1.JobCondition{
			{Type: batchv1.JobSuccessCriteriaMet, Status: corev1.ConditionTrue, LastTransitionTime: now},
			{Type: batchv1.JobComplete, Status: corev1.ConditionTrue, LastTransitionTime: now},
		}}
		_, err := client.BatchV1().Jobs(namespace).UpdateStatus(ctx, job, metav1.UpdateOptions{})
		if !apierrors.IsConflict(err) {
			return err
		}
		if job, err = client.BatchV1().Jobs(namespace).Get(ctx, job.Name, metav1.GetOptions{}); err != nil {
			return err
		}
	}
}
