package run

import (
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// DeepCopy returns a copy that shares no memory with r.
func (r *IngestionRun) DeepCopy() *IngestionRun {
	if r == nil {
		return nil
	}
	out := *r
	r.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Status.ExitCode = copyOf(r.Status.ExitCode)
	out.Status.Warnings = slices.Clone(r.Status.Warnings)
	out.Status.Started = r.Status.Started.DeepCopy()
	out.Status.Finished = r.Status.Finished.DeepCopy()
	out.Status.Dataset = copyOf(r.Status.Dataset)
	out.Status.Staging = copyOf(r.Status.Staging)
	out.Status.Records = r.Status.Records.deepCopy()
	out.Status.Findings = slices.Clone(r.Status.Findings)
	out.Status.Durations = maps.Clone(r.Status.Durations)
	return &out
}

func (r *RecordsStatus) deepCopy() *RecordsStatus {
	if r == nil {
		return nil
	}
	return &RecordsStatus{
		Total: copyOf(r.Total), Processed: copyOf(r.Processed), Inserted: copyOf(r.Inserted), Sent: copyOf(r.Sent), Skipped: copyOf(r.Skipped),
		FileTransferFailures: copyOf(r.FileTransferFailures), FailedInsertion: copyOf(r.FailedInsertion), FailedSend: copyOf(r.FailedSend),
	}
}

// DeepCopyObject implements runtime.Object, so that kubectl's printers take an
// IngestionRun.
func (r *IngestionRun) DeepCopyObject() runtime.Object {
	if out := r.DeepCopy(); out != nil {
		return out
	}
	return nil
}

// DeepCopy returns a copy that shares no memory with l.
func (l *IngestionRunList) DeepCopy() *IngestionRunList {
	if l == nil {
		return nil
	}
	out := *l
	l.ListMeta.DeepCopyInto(&out.ListMeta)
	if l.Items != nil {
		out.Items = make([]IngestionRun, 0, len(l.Items))
		for i := range l.Items {
			out.Items = append(out.Items, *l.Items[i].DeepCopy())
		}
	}
	return &out
}

// DeepCopyObject implements runtime.Object.
func (l *IngestionRunList) DeepCopyObject() runtime.Object {
	if out := l.DeepCopy(); out != nil {
		return out
	}
	return nil
}

func copyOf[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// timeOf is a time as objects have it: in UTC and whole seconds.
func timeOf(t time.Time) *metav1.Time {
	return &metav1.Time{Time: t.UTC().Truncate(time.Second)}
}
