package run

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// CheckDestination looks for a run that was submitted for the table, whoever
// submitted it. Of several it returns the one that matters most: one that is
// still active, then one that filled the table, then one whose end is not known
// any more, then a failed one; the newest of them. nil means that none is known.
// It implements contract cluster.md §2.4.
func CheckDestination(ctx context.Context, client kubernetes.Interface, namespace, table string) (*IngestionRun, error) {
	runs, err := List(ctx, client, namespace, "")
	if err != nil {
		return nil, err
	}
	var worst *IngestionRun
	for _, r := range runs {
		if table != "" && r.Spec.Table == table && (worst == nil || weight(r) >= weight(worst)) {
			worst = r
		}
	}
	return worst, nil
}

// weight orders runs by how much they stand in the way of another.
func weight(r *IngestionRun) int {
	return slices.Index([]Phase{PhaseFailed, PhaseUnknown, PhaseComplete, PhasePending, PhaseRunning}, r.Status.Phase)
}

// HasJob reports whether the cluster has a Job of the run with this key,
// whatever became of it (contract cluster.md §2.4).
func HasJob(ctx context.Context, client kubernetes.Interface, namespace, key string) (bool, error) {
	jobs, err := client.BatchV1().Jobs(namespace).List(ctx, metav1.ListOptions{LabelSelector: Label + "=" + key, Limit: 1})
	if err != nil {
		return false, explain(fmt.Sprintf("look for the job of run %q", key), namespace, err)
	}
	return len(jobs.Items) > 0, nil
}

// ExistsError says that the table is taken by an earlier run. CheckDestination
// does not return it: whether a failed run stands in the way is the caller's to
// decide.
type ExistsError struct {
	// Table is the destination that both runs have.
	Table string
	// Run is the earlier one.
	Run *IngestionRun
}

func (e *ExistsError) Error() string {
	return fmt.Sprintf("table %q in namespace %q: %s (%s)", e.Table, e.Run.Namespace, e.what(), e.NextStep())
}

func (e *ExistsError) what() string {
	began := e.Run.CreationTimestamp.UTC().Format(time.RFC3339)
	switch {
	case e.Run.Active():
		return fmt.Sprintf("run %q is ingesting into it right now", e.Run.Name)
	case e.Run.Status.Phase == PhaseComplete:
		if e.Run.Status.Finished != nil {
			began = e.Run.Status.Finished.UTC().Format(time.RFC3339)
		}
		return fmt.Sprintf("run %q filled it at %s", e.Run.Name, began)
	case e.Run.Status.Phase == PhaseFailed:
		return fmt.Sprintf("run %q failed at it, started at %s", e.Run.Name, began)
	default:
		return fmt.Sprintf("run %q was submitted for it at %s, and its job is gone", e.Run.Name, began)
	}
}

// NextStep is what the user can do about the earlier run.
func (e *ExistsError) NextStep() string {
	name, namespace := e.Run.Name, e.Run.Namespace
	if e.Run.Active() {
		return fmt.Sprintf("follow it with kubectl tracebloc logs %s -n %s -f, or choose another --table", name, namespace)
	}
	look := fmt.Sprintf("kubectl tracebloc status %s -n %s shows it; ", name, namespace)
	if e.Run.Status.Job == "" {
		look = ""
	}
	return fmt.Sprintf("%schoose another --table; if the dataset was deleted from tracebloc, remove what is left of the run: kubectl delete job,configmap -l %s=%s -n %s",
		look, Label, name, namespace)
}
