package run

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// runID tells the runs of several namespaces apart.
type runID struct{ namespace, key string }

func idOf(object metav1.Object) runID {
	return runID{object.GetNamespace(), object.GetLabels()[Label]}
}

// traces is what the cluster has of one run, by the names of the objects. Either
// map may be empty: both kinds are deleted by people and by time limits.
type traces struct {
	jobs    map[string]*batchv1.Job
	configs map[string]*corev1.ConfigMap
}

// catalog holds the traces of many runs.
type catalog map[runID]*traces

func (c catalog) of(id runID) *traces {
	t := c[id]
	if t == nil {
		t = &traces{jobs: map[string]*batchv1.Job{}, configs: map[string]*corev1.ConfigMap{}}
		c[id] = t
	}
	return t
}

// put adds or replaces an object, a Job or a ConfigMap.
func (c catalog) put(object metav1.Object) {
	switch o := object.(type) {
	case *batchv1.Job:
		c.of(idOf(o)).jobs[o.Name] = o
	case *corev1.ConfigMap:
		c.of(idOf(o)).configs[o.Name] = o
	}
}

// drop removes an object.
func (c catalog) drop(object metav1.Object) {
	id := idOf(object)
	t := c[id]
	if t == nil {
		return
	}
	switch object.(type) {
	case *batchv1.Job:
		delete(t.jobs, object.GetName())
	case *corev1.ConfigMap:
		delete(t.configs, object.GetName())
	}
	if len(t.jobs)+len(t.configs) == 0 {
		delete(c, id)
	}
}

// runs describes every run, oldest first.
func (c catalog) runs() []*IngestionRun {
	runs := make([]*IngestionRun, 0, len(c))
	for id, t := range c {
		runs = append(runs, t.describe(id))
	}
	slices.SortFunc(runs, older)
	return runs
}

// older orders runs by their age, and those of one second by name.
func older(a, b *IngestionRun) int {
	return cmp.Or(
		a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
		cmp.Compare(a.Namespace, b.Namespace),
		cmp.Compare(a.Name, b.Name),
	)
}

// describe says what the objects tell of a run. No log is read.
func (t *traces) describe(id runID) *IngestionRun {
	r := NewIngestionRun(id.namespace)
	r.Name = id.key
	if config, spec := t.spec(); config != nil {
		r.CreationTimestamp, r.Labels = config.CreationTimestamp, config.Labels
		r.Spec = IngestionRunSpec{Table: spec.table, Task: spec.task, Intent: spec.intent, IngestConfig: spec.text}
	}
	job := newestOf(t.jobs)
	if job == nil {
		r.Status = IngestionRunStatus{Phase: PhaseUnknown, Message: "its job is gone: it was deleted, or it finished long ago"}
		return r
	}
	r.CreationTimestamp, r.Labels = job.CreationTimestamp, merged(r.Labels, job.Labels)
	r.Status = jobStatus(job)
	return r
}

// spec returns the newest ConfigMap that holds a spec, else the newest one.
func (t *traces) spec() (*corev1.ConfigMap, storedSpec) {
	configs := make([]*corev1.ConfigMap, 0, len(t.configs))
	for _, config := range t.configs {
		configs = append(configs, config)
	}
	slices.SortFunc(configs, func(a, b *corev1.ConfigMap) int { return newestFirst(a, b) })
	for _, config := range configs {
		if spec, ok := specOf(config); ok {
			return config, spec
		}
	}
	if len(configs) == 0 {
		return nil, storedSpec{}
	}
	return configs[0], storedSpec{}
}

func newestFirst(a, b metav1.Object) int {
	return cmp.Or(b.GetCreationTimestamp().Compare(a.GetCreationTimestamp().Time), cmp.Compare(b.GetName(), a.GetName()))
}

// newestOf returns the Job that counts of those with one key, nil when there is none.
func newestOf(jobs map[string]*batchv1.Job) *batchv1.Job {
	var newest *batchv1.Job
	for _, job := range jobs {
		if newest == nil || newestFirst(job, newest) < 0 {
			newest = job
		}
	}
	return newest
}

func merged(a, b map[string]string) map[string]string {
	all := make(map[string]string, len(a)+len(b))
	for _, labels := range []map[string]string{a, b} {
		for name, value := range labels {
			all[name] = value
		}
	}
	return all
}

// jobStatus is what a Job tells of its run.
func jobStatus(job *batchv1.Job) IngestionRunStatus {
	s := IngestionRunStatus{Job: job.Name, Phase: PhasePending}
	if job.Status.StartTime != nil {
		s.Started = timeOf(job.Status.StartTime.Time)
	}
	if finished := finishedAt(job); !finished.IsZero() {
		s.Finished = timeOf(finished)
	}
	end := endOf(job)
	switch {
	case end != nil && end.Type == batchv1.JobComplete:
		s.Phase = PhaseComplete
	case end != nil:
		s.Phase, s.Message = PhaseFailed, failedText(job.Name, end)
	case runsContainer(job):
		s.Phase = PhaseRunning
	case job.Spec.Suspend != nil && *job.Spec.Suspend:
		s.Message = fmt.Sprintf("job %s is suspended", job.Name)
	}
	if end == nil && job.DeletionTimestamp != nil {
		s.Message = fmt.Sprintf("job %s is being deleted", job.Name)
	}
	return s
}

// runsContainer reports whether a Pod of the Job is Ready. Very old Job
// controllers do not count those; a Pod that is there is the best sign then.
func runsContainer(job *batchv1.Job) bool {
	if job.Status.Ready != nil {
		return *job.Status.Ready > 0
	}
	return job.Status.Active > 0
}

// endOf returns the condition that ended a Job, nil while it is on its way; all
// other conditions only announce an end.
func endOf(job *batchv1.Job) *batchv1.JobCondition {
	for i, c := range job.Status.Conditions {
		if c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) {
			return &job.Status.Conditions[i]
		}
	}
	return nil
}

// finishedAt returns when a Job was over; only one that completed has a field for it.
func finishedAt(job *batchv1.Job) time.Time {
	end := endOf(job)
	switch {
	case end == nil:
		return time.Time{}
	case job.Status.CompletionTime != nil:
		return job.Status.CompletionTime.Time
	}
	return end.LastTransitionTime.Time
}

func failedText(job string, failed *batchv1.JobCondition) string {
	return fmt.Sprintf("job %q failed: %s: %s", job, oneLine(failed.Reason), oneLine(failed.Message))
}
