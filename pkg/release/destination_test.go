package release

import (
	"errors"
	"fmt"
	"testing"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
)

func at(hour int) metav1.Time { return metav1.NewTime(time.Date(2026, 4, 2, hour, 0, 0, 0, time.UTC)) }

// spawned is what a submit leaves in the cluster; without a condition the Job
// is still active, and with "gone" there is none.
func spawned(key, table, condition string, hour int) []runtime.Object {
	labels := map[string]string{LabelRun: key}
	objects := []runtime.Object{&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "ingest-config-" + key, Namespace: "ml", Labels: labels, CreationTimestamp: at(hour)},
		Data:       map[string]string{"note": "- not a spec", "some-key.yaml": "kind: IngestConfig\ntable: " + table + "\n"},
	}}
	if condition == "gone" {
		return objects
	}
	start := at(hour)
	job := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "ingest-job-" + key, Namespace: "ml", Labels: labels, CreationTimestamp: at(hour)},
		Status:     batchv1.JobStatus{StartTime: &start},
	}
	if condition != "" {
		job.Status.Conditions = []batchv1.JobCondition{
			{Type: batchv1.JobSuccessCriteriaMet, Status: corev1.ConditionTrue},
			{Type: batchv1.JobConditionType(condition), Status: corev1.ConditionTrue},
		}
	}
	return append(objects, job)
}

func TestCheckDestination(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		objects [][]runtime.Object
		want    string // key and state
	}{
		{name: "free"},
		{name: "other tables", objects: [][]runtime.Object{spawned("a", "cats2", "Complete", 1), spawned("b", "Cats", "", 2), spawned("c", "[cats]", "", 3)}},
		{name: "active", objects: [][]runtime.Object{spawned("a", "cats", "", 1)}, want: "a active"},
		{name: "succeeded", objects: [][]runtime.Object{spawned("a", "\"cats\"", "Complete", 1)}, want: "a succeeded"},
		{name: "failed", objects: [][]runtime.Object{spawned("a", "cats # mine", "Failed", 1)}, want: "a failed"},
		{name: "on its way to failure", objects: [][]runtime.Object{spawned("a", "cats", "FailureTarget", 1)}, want: "a active"},
		{name: "Job gone", objects: [][]runtime.Object{spawned("a", "cats", "gone", 1)}, want: "a unknown"},
		{name: "active before all", objects: [][]runtime.Object{spawned("a", "cats", "", 1), spawned("b", "cats", "Complete", 2)}, want: "a active"},
		{name: "rows of an older run stand in the way of more than a failure since", objects: [][]runtime.Object{
			spawned("a", "cats", "Complete", 1), spawned("b", "cats", "Failed", 3)}, want: "a succeeded"},
		{name: "newest of its kind", objects: [][]runtime.Object{
			spawned("a", "cats", "Complete", 1), spawned("b", "cats", "Complete", 3), spawned("c", "cats", "Complete", 2)}, want: "b succeeded"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var objects []runtime.Object
			for _, o := range tt.objects {
				objects = append(objects, o...)
			}
			run, err := CheckDestination(t.Context(), fake.NewClientset(objects...), "ml", "cats")
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if run != nil {
				got = fmt.Sprintf("%s %s", run.Key, run.State)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCheckDestinationDetails(t *testing.T) {
	t.Parallel()
	run, err := CheckDestination(t.Context(), fake.NewClientset(spawned("k1", "cats", "Complete", 7)...), "ml", "cats")
	if err != nil {
		t.Fatal(err)
	}
	want := ExistingRun{Key: "k1", Job: "ingest-job-k1", ConfigMap: "ingest-config-k1", State: RunSucceeded,
		Spec: "kind: IngestConfig\ntable: cats\n", Started: at(7).Time}
	if *run != want {
		t.Errorf("got %+v\nwant %+v", *run, want)
	}
	if run, err := CheckDestination(t.Context(), fake.NewClientset(spawned("k1", "cats", "", 7)...), "ml", ""); run != nil || err != nil {
		t.Errorf("an empty table matches %+v, %v", run, err)
	}
}

func TestCheckDestinationErrors(t *testing.T) {
	t.Parallel()
	for resource, what := range map[string]string{"configmaps": "ConfigMaps", "jobs": "Jobs"} {
		client := fake.NewClientset(spawned("a", "cats", "", 1)...)
		forbid(client, "list", resource, "ml")
		_, err := CheckDestination(t.Context(), client, "ml", "cats")
		group := ""
		if resource == "jobs" {
			group = ".batch"
		}
		want := fmt.Sprintf(`list the %s of earlier runs in namespace "ml": %s%s is forbidden: user "dana" may not %s`, what, resource, group, askEdit)
		if err == nil || err.Error() != want || !IsDenied(err) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestExistsError(t *testing.T) {
	t.Parallel()
	const remove = ` (choose another --table; if the dataset was deleted from tracebloc, remove what is left of the run:` +
		` kubectl delete job,configmap -l tracebloc.io/ingestion-run=k1 -n ml)`
	for state, want := range map[RunState]string{
		RunActive: `table "cats" in namespace "ml": run "k1" is ingesting into it right now` +
			` (follow it with kubectl logs -f job/ingest-job-k1 -n ml, or choose another --table)`,
		RunSucceeded: `table "cats" in namespace "ml": run "k1" filled it at 2026-04-02T07:00:00Z` + remove,
		RunFailed:    `table "cats" in namespace "ml": run "k1" failed at it, started at 2026-04-02T07:00:00Z` + remove,
		RunUnknown:   `table "cats" in namespace "ml": run "k1" was submitted for it at 2026-04-02T07:00:00Z, and its Job is gone` + remove,
	} {
		err := error(&ExistsError{Namespace: "ml", Table: "cats", Run: ExistingRun{Key: "k1", Job: "ingest-job-k1", State: state, Started: at(7).Time}})
		var exists *ExistsError
		if !errors.As(err, &exists) || err.Error() != want {
			t.Errorf("got  %s\nwant %s", err, want)
		}
	}
}

// The text of a ConfigMap of another program must not crash us, and a table is
// found whatever stands before it in the spec.
func FuzzSpecTable(f *testing.F) {
	f.Add("table: cats\n")
	f.Add("a: &a [*a]\ntable: *a")
	f.Add("table: {x: y}\n---\ntable: z")
	f.Fuzz(func(t *testing.T, text string) {
		specTable(text)
		spec, err := yaml.Marshal(map[string]string{"label": text, "table": "cats"})
		if err != nil || !utf8.ValidString(text) {
			return
		}
		if got := specTable(string(spec)); got != "cats" {
			t.Errorf("table of %s is %q", spec, got)
		}
	})
}
