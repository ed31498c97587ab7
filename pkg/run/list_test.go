package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

func atHour(hour int) metav1.Time {
	return metav1.NewTime(time.Date(2026, 4, 2, hour, 0, 0, 0, time.UTC))
}

// submitted is what a submit leaves in the cluster: a ConfigMap and a Job, which
// is still active without a condition and has none with "gone".
func submitted(key, table, condition string, hour int) []runtime.Object {
	labels := map[string]string{Label: key}
	objects := []runtime.Object{&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "ingest-config-" + key, Namespace: "ml", Labels: labels, CreationTimestamp: atHour(hour)},
		Data:       map[string]string{"note": "- not a spec", "some-key.yaml": "kind: IngestConfig\ntable: " + table + "\ncategory: image_classification\nintent: train\n"},
	}}
	if condition == "gone" {
		return objects
	}
	start := atHour(hour)
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "ingest-job-" + key, Namespace: "ml", Labels: labels, CreationTimestamp: atHour(hour)},
		Status:     batchv1.JobStatus{StartTime: &start},
	}
	if condition != "" {
		job.Status.Conditions = []batchv1.JobCondition{
			{Type: batchv1.JobSuccessCriteriaMet, Status: corev1.ConditionTrue},
			{Type: batchv1.JobConditionType(condition), Status: corev1.ConditionTrue, LastTransitionTime: atHour(hour + 1), Reason: "Why", Message: "because"},
		}
	}
	return append(objects, job)
}

// change returns the objects with a Job that was changed.
func change(objects []runtime.Object, work func(job *batchv1.Job)) []runtime.Object {
	work(objects[1].(*batchv1.Job))
	return objects
}

func TestList(t *testing.T) {
	t.Parallel()
	ready := int32(1)
	none := int32(0)
	objects := slices.Concat(
		submitted("k9", "cats", "Complete", 1),
		submitted("k1", "dogs", "Failed", 2),
		submitted("k2", "birds", "gone", 3),
		submitted("k3", "fish", "", 4),
		change(submitted("k4", "fish2", "", 5), func(job *batchv1.Job) { job.Status.Active, job.Status.Ready = 1, &ready }),
		change(submitted("k5", "fish3", "", 6), func(job *batchv1.Job) { job.Status.Active, job.Status.Ready = 1, &none }),
		change(submitted("k6", "fish4", "", 7), func(job *batchv1.Job) { job.Status.Active = 1 }),
		change(submitted("k7", "fish5", "", 8), func(job *batchv1.Job) { yes := true; job.Spec.Suspend = &yes }),
		submitted("k8", "", "Complete", 9)[1:],
		submitted("k0", "deleting", "", 10),
	)
	now := atHour(11)
	objects[len(objects)-1].(*batchv1.Job).DeletionTimestamp = &now
	other := submitted("k1", "dogs", "Complete", 2)
	for _, object := range other {
		object.(metav1.Object).SetNamespace("elsewhere")
	}
	stranger := submitted("x", "cats", "", 1)
	for _, object := range stranger {
		object.(metav1.Object).SetLabels(nil)
	}
	client := fake.NewClientset(slices.Concat(objects, other, stranger)...)

	line := func(r *IngestionRun) string {
		return strings.TrimSpace(fmt.Sprintf("%s/%s %s %s %s %s %s", r.Namespace, r.Name, r.Spec.Table, r.Spec.Task, r.Spec.Intent, r.Status.Phase, r.Status.Job) + " " + r.Status.Message)
	}
	const what = " image_classification train "
	want := []string{
		"ml/k9 cats" + what + "Complete ingest-job-k9",
		`ml/k1 dogs` + what + `Failed ingest-job-k1 job "ingest-job-k1" failed: Why: because`,
		"ml/k2 birds" + what + "Unknown  its job is gone: it was deleted, or it finished long ago",
		"ml/k3 fish" + what + "Pending ingest-job-k3",
		"ml/k4 fish2" + what + "Running ingest-job-k4",
		"ml/k5 fish3" + what + "Pending ingest-job-k5",
		"ml/k6 fish4" + what + "Running ingest-job-k6",
		"ml/k7 fish5" + what + "Pending ingest-job-k7 job ingest-job-k7 is suspended",
		"ml/k8    Complete ingest-job-k8",
		"ml/k0 deleting" + what + "Pending ingest-job-k0 job ingest-job-k0 is being deleted",
	}
	for _, test := range []struct {
		namespace, selector string
		want                []string
	}{
		{"ml", "", want},
		{"", "", slices.Insert(slices.Clone(want), 1, "elsewhere/k1 dogs"+what+"Complete ingest-job-k1")},
		{"ml", Label + "=k2", want[2:3]},
		{"ml", Label + " in (k1,k3)", []string{want[1], want[3]}},
		{"ml", "no=such", nil},
		{"empty", "", nil},
	} {
		runs, err := List(t.Context(), client, test.namespace, test.selector)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range runs {
			got = append(got, line(r))
		}
		if test.namespace == "" {
			slices.Sort(got)
			slices.Sort(test.want)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%q %q (-want +got):\n%s", test.namespace, test.selector, diff)
		}
	}
	if _, err := List(t.Context(), client, "ml", "a in b"); err == nil || !strings.Contains(err.Error(), `selector "a in b"`) {
		t.Errorf("error %v", err)
	}
}

// A selector is held against the labels of both objects: the other one still says
// what it knows of the run.
func TestListBySelectorOfEitherObject(t *testing.T) {
	t.Parallel()
	a, b := submitted("a", "cats", "Complete", 1), submitted("b", "dogs", "Failed", 2)
	a[0].(*corev1.ConfigMap).Labels = map[string]string{Label: "a", "team": "vision"}
	b[1].(*batchv1.Job).Labels = map[string]string{Label: "b", "team": "vision", "cost": "low"}
	client := fake.NewClientset(slices.Concat(a, b, submitted("c", "birds", "", 3))...)
	for selector, want := range map[string]string{"team=vision": "a b", "team=vision,cost=low": "b", "!team": "c", "team=vision," + Label + "=a": "a"} {
		runs, err := List(t.Context(), client, "ml", selector)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range runs {
			got = append(got, r.Name)
			if r.Status.Job == "" || r.Spec.Table == "" {
				t.Errorf("%q: half of %+v is missing", selector, r)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: got %q, want %q", selector, got, want)
		}
	}
}

// Of several Jobs with one key the newest counts.
func TestListSeveralJobsOfOneRun(t *testing.T) {
	t.Parallel()
	objects := submitted("a", "cats", "Failed", 1)
	again := submitted("a", "cats", "", 2)[1].(*batchv1.Job)
	again.Name = "ingest-job-again"
	older := submitted("a", "cats", "Complete", 0)[1].(*batchv1.Job)
	older.Name = "z"
	runs, err := List(t.Context(), fake.NewClientset(append(objects, again, older)...), "ml", "")
	if err != nil || len(runs) != 1 || runs[0].Status.Job != "ingest-job-again" || !runs[0].Active() {
		t.Errorf("got %+v, %v", runs, err)
	}
}

// What is listed comes in pages, and a list that grows too old on the way is made anew.
func TestListInPages(t *testing.T) {
	t.Parallel()
	for _, expires := range []bool{false, true} {
		var objects []runtime.Object
		for i := range 7 {
			objects = append(objects, submitted(fmt.Sprintf("k%d", i), "cats", "Complete", i)...)
		}
		client := fake.NewClientset(objects...)
		pages := 0
		client.PrependReactor("list", "jobs", func(action clienttesting.Action) (bool, runtime.Object, error) {
			all, err := client.Tracker().List(batchv1.SchemeGroupVersion.WithResource("jobs"), batchv1.SchemeGroupVersion.WithKind("Job"), "ml")
			if err != nil {
				return true, nil, err
			}
			list := all.(*batchv1.JobList)
			options := action.(clienttesting.ListActionImpl).ListOptions
			from := 0
			if options.Continue != "" {
				if pages++; expires && pages == 2 {
					return true, nil, apierrors.NewResourceExpired("too old")
				}
				if _, err := fmt.Sscanf(options.Continue, "from-%d", &from); err != nil {
					return true, nil, err
				}
			}
			if options.Limit == 0 {
				return true, list, nil
			}
			page := list.DeepCopy()
			page.Items = page.Items[from:min(from+2, len(page.Items))]
			if from+2 < len(list.Items) {
				page.Continue = fmt.Sprintf("from-%d", from+2)
			}
			return true, page, nil
		})
		runs, err := List(t.Context(), client, "ml", "")
		if err != nil || len(runs) != 7 || pages < 2 {
			t.Fatalf("%d runs in %d pages, %v", len(runs), pages, err)
		}
		for i, r := range runs {
			if r.Name != fmt.Sprintf("k%d", i) || r.Status.Phase != PhaseComplete {
				t.Errorf("run %d is %+v", i, r)
			}
		}
	}
}

func TestListErrors(t *testing.T) {
	t.Parallel()
	for resource, what := range map[string]string{"configmaps": "ConfigMaps", "jobs": "Jobs"} {
		for namespace, hint := range map[string]string{"ml": "kubectl auth can-i --list -n ml", "": "name the namespace"} {
			client := fake.NewClientset()
			client.PrependReactor("list", resource, func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "", errors.New("no"))
			})
			_, err := List(t.Context(), client, namespace, "")
			if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "list the "+what+" of runs in") || !strings.Contains(err.Error(), hint) {
				t.Errorf("%s in %q: %v", resource, namespace, err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := List(ctx, fake.NewClientset(), "ml", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
