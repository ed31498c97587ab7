package run

import (
	"errors"
	"slices"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

func TestCheckDestination(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		objects []runtime.Object
		want    string // key and phase
	}{
		{name: "free"},
		{name: "other tables", objects: slices.Concat(submitted("a", "cats2", "Complete", 1), submitted("b", "Cats", "", 2), submitted("c", "[cats]", "", 3))},
		{name: "active", objects: submitted("a", "cats", "", 1), want: "a Pending"},
		{name: "succeeded", objects: submitted("a", "\"cats\"", "Complete", 1), want: "a Complete"},
		{name: "failed", objects: submitted("a", "cats # mine", "Failed", 1), want: "a Failed"},
		{name: "on its way to failure", objects: submitted("a", "cats", "FailureTarget", 1), want: "a Pending"},
		{name: "job gone", objects: submitted("a", "cats", "gone", 1), want: "a Unknown"},
		{name: "active before all", objects: slices.Concat(submitted("a", "cats", "", 1), submitted("b", "cats", "Complete", 2)), want: "a Pending"},
		{name: "rows of an older run stand in the way of more than a failure since",
			objects: slices.Concat(submitted("a", "cats", "Complete", 1), submitted("b", "cats", "Failed", 3)), want: "a Complete"},
		{name: "newest of its kind", objects: slices.Concat(
			submitted("a", "cats", "Complete", 1), submitted("b", "cats", "Complete", 3), submitted("c", "cats", "Complete", 2)), want: "b Complete"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := CheckDestination(t.Context(), fake.NewClientset(tt.objects...), "ml", "cats")
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if r != nil {
				got = r.Name + " " + string(r.Status.Phase)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if r, err := CheckDestination(t.Context(), fake.NewClientset(submitted("k1", "", "", 7)...), "ml", ""); r != nil || err != nil {
		t.Errorf("an empty table matches %+v, %v", r, err)
	}
}

func TestExistsError(t *testing.T) {
	t.Parallel()
	const remove = `choose another --table; if the dataset was deleted from tracebloc, remove what is left of the run:` +
		` kubectl delete job,configmap -l tracebloc.io/ingestion-run=k1 -n ml)`
	for condition, want := range map[string]string{
		"": `table "cats" in namespace "ml": run "k1" is ingesting into it right now` +
			` (follow it with kubectl tracebloc logs k1 -n ml -f, or choose another --table)`,
		"Complete": `table "cats" in namespace "ml": run "k1" filled it at 2026-04-02T08:00:00Z (kubectl tracebloc status k1 -n ml shows it; ` + remove,
		"Failed":   `table "cats" in namespace "ml": run "k1" failed at it, started at 2026-04-02T07:00:00Z (kubectl tracebloc status k1 -n ml shows it; ` + remove,
		"gone":     `table "cats" in namespace "ml": run "k1" was submitted for it at 2026-04-02T07:00:00Z, and its job is gone (` + remove,
	} {
		r, err := CheckDestination(t.Context(), fake.NewClientset(submitted("k1", "cats", condition, 7)...), "ml", "cats")
		if err != nil {
			t.Fatal(err)
		}
		if got := (&ExistsError{Table: "cats", Run: r}).Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestHasJob(t *testing.T) {
	t.Parallel()
	client := fake.NewClientset(append(submitted("a", "cats", "Failed", 1), submitted("b", "cats", "gone", 2)...)...)
	for key, want := range map[string]bool{"a": true, "b": false, "c": false} {
		if got, err := HasJob(t.Context(), client, "ml", key); err != nil || got != want {
			t.Errorf("%q: got %v, %v", key, got, err)
		}
	}
	client.PrependReactor("list", "jobs", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Group: "batch", Resource: "jobs"}, "", errors.New("no"))
	})
	if _, err := HasJob(t.Context(), client, "ml", "a"); !apierrors.IsForbidden(err) {
		t.Errorf("got %v", err)
	}
}
