package release

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/pager"
)

// LabelRun is on everything that a submit spawns; its value is the idempotency
// key, or what the server made of a key that is no label value.
const LabelRun = "tracebloc.io/ingestion-run"

// RunState is how far an earlier run got.
type RunState string

// The states of an earlier run. RunUnknown means that its Job is gone.
const (
	RunActive    RunState = "active"
	RunSucceeded RunState = "succeeded"
	RunFailed    RunState = "failed"
	RunUnknown   RunState = "unknown"
)

// ExistingRun is an earlier run into the same table.
type ExistingRun struct {
	// Key is the value of LabelRun.
	Key string
	// Job is empty when it is gone.
	Job       string
	ConfigMap string
	State     RunState
	// Spec is the spec that was submitted, verbatim: foreign text.
	Spec string
	// Started is when the Job started, or when the spec was stored.
	Started time.Time
}

// CheckDestination looks for a run that was submitted for the table, whoever
// submitted it. Of several it returns the one that matters most: one that is
// still active, then one that filled the table, then one whose end is not known
// any more, then a failed one; the newest of them. nil means that none is known.
// It implements contract cluster.md §2.4.
func CheckDestination(ctx context.Context, client kubernetes.Interface, namespace, table string) (*ExistingRun, error) {
	runs, err := storedSpecs(ctx, client, namespace, table)
	if err != nil || len(runs) == 0 {
		return nil, err
	}
	jobs, err := newestJobs(ctx, client, namespace)
	if err != nil {
		return nil, err
	}
	for i := range runs {
		job, ok := jobs[runs[i].Key]
		if !ok {
			continue
		}
		runs[i].Job, runs[i].State = job.Name, jobState(job)
		if job.Status.StartTime != nil {
			runs[i].Started = job.Status.StartTime.Time
		}
	}
	best := slices.MaxFunc(runs, func(a, b ExistingRun) int {
		if d := rank(a.State) - rank(b.State); d != 0 {
			return d
		}
		return a.Started.Compare(b.Started)
	})
	return &best, nil
}

// rank orders states by how much they stand in the way.
func rank(s RunState) int {
	return slices.Index([]RunState{RunFailed, RunUnknown, RunSucceeded, RunActive}, s)
}

// storedSpecs finds the ConfigMaps whose spec is for the table. Under which key
// the spec is stored is not public, so every value is tried.
func storedSpecs(ctx context.Context, client kubernetes.Interface, namespace, table string) ([]ExistingRun, error) {
	var runs []ExistingRun
	list := func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		return client.CoreV1().ConfigMaps(namespace).List(ctx, o)
	}
	err := pager.New(list).EachListItem(ctx, metav1.ListOptions{LabelSelector: LabelRun}, func(o runtime.Object) error {
		cm, ok := o.(*corev1.ConfigMap)
		if !ok {
			return fmt.Errorf("unexpected %T in a list of ConfigMaps", o)
		}
		for _, value := range cm.Data {
			if found := specTable(value); found != "" && found == table {
				runs = append(runs, ExistingRun{Key: cm.Labels[LabelRun], ConfigMap: cm.Name, State: RunUnknown, Spec: value, Started: cm.CreationTimestamp.Time})
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, explain(ctx, client, fmt.Sprintf("list the ConfigMaps of earlier runs in namespace %q", namespace), namespace, err)
	}
	return runs, nil
}

// specTable is the table of a spec, empty when the text is none.
func specTable(text string) string {
	var spec struct {
		Table yaml.Node `yaml:"table"`
	}
	if err := yaml.Unmarshal([]byte(text), &spec); err != nil || spec.Table.Kind != yaml.ScalarNode {
		return ""
	}
	return spec.Table.Value
}

// newestJobs are the Jobs of runs, by the run.
func newestJobs(ctx context.Context, client kubernetes.Interface, namespace string) (map[string]*batchv1.Job, error) {
	jobs := map[string]*batchv1.Job{}
	list := func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		return client.BatchV1().Jobs(namespace).List(ctx, o)
	}
	err := pager.New(list).EachListItem(ctx, metav1.ListOptions{LabelSelector: LabelRun}, func(o runtime.Object) error {
		job, ok := o.(*batchv1.Job)
		if !ok {
			return fmt.Errorf("unexpected %T in a list of Jobs", o)
		}
		key := job.Labels[LabelRun]
		if old := jobs[key]; old == nil || old.CreationTimestamp.Before(&job.CreationTimestamp) {
			jobs[key] = job
		}
		return nil
	})
	if err != nil {
		return nil, explain(ctx, client, fmt.Sprintf("list the Jobs of earlier runs in namespace %q", namespace), namespace, err)
	}
	return jobs, nil
}

// jobState reads the two conditions that end a Job; all others are on the way.
func jobState(job *batchv1.Job) RunState {
	for _, c := range job.Status.Conditions {
		switch {
		case c.Status != corev1.ConditionTrue:
		case c.Type == batchv1.JobComplete:
			return RunSucceeded
		case c.Type == batchv1.JobFailed:
			return RunFailed
		}
	}
	return RunActive
}

// ExistsError says that the table is taken by an earlier run. CheckDestination
// does not return it: whether a failed run stands in the way is the caller's to
// decide.
type ExistsError struct {
	Namespace, Table string
	Run              ExistingRun
}

func (e *ExistsError) Error() string {
	return fmt.Sprintf("table %q in namespace %q: %s (%s)", e.Table, e.Namespace, e.what(), e.NextStep())
}

func (e *ExistsError) what() string {
	switch e.Run.State {
	case RunActive:
		return fmt.Sprintf("run %q is ingesting into it right now", e.Run.Key)
	case RunSucceeded:
		return fmt.Sprintf("run %q filled it at %s", e.Run.Key, e.Run.Started.UTC().Format(time.RFC3339))
	case RunFailed:
		return fmt.Sprintf("run %q failed at it, started at %s", e.Run.Key, e.Run.Started.UTC().Format(time.RFC3339))
	default:
		return fmt.Sprintf("run %q was submitted for it at %s, and its Job is gone", e.Run.Key, e.Run.Started.UTC().Format(time.RFC3339))
	}
}

// NextStep is what the user can do about the earlier run.
func (e *ExistsError) NextStep() string {
	if e.Run.State == RunActive {
		return fmt.Sprintf("follow it with kubectl logs -f job/%s -n %s, or choose another --table", e.Run.Job, e.Namespace)
	}
	return fmt.Sprintf("choose another --table; if the dataset was deleted from tracebloc, remove what is left of the run: kubectl delete job,configmap -l %s=%s -n %s",
		LabelRun, e.Run.Key, e.Namespace)
}
