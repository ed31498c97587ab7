package release

import (
	"testing"

	"k8s.io/client-go/kubernetes/fake"
)

func TestHasJob(t *testing.T) {
	t.Parallel()
	client := fake.NewClientset(append(spawned("a", "cats", "Failed", 1), spawned("b", "cats", "gone", 2)...)...)
	for key, want := range map[string]bool{"a": true, "b": false, "c": false} {
		if got, err := HasJob(t.Context(), client, "ml", key); err != nil || got != want {
			t.Errorf("%q: got %v, %v", key, got, err)
		}
	}
	forbid(client, "list", "jobs", "ml")
	if _, err := HasJob(t.Context(), client, "ml", "a"); !IsDenied(err) {
		t.Errorf("got %v", err)
	}
}
