package run

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// CancelGrace is how long Cancel waits for a Job and its Pods to be gone. A
// container has 30 seconds to stop, unless its Pod says otherwise.
const CancelGrace = 2 * time.Minute

// Cancel deletes the Job of a run together with its Pods, and returns when both
// are gone. A Job that is over is left alone, for its log: *FinishedError. What
// the run has inserted stays in the database, and its ConfigMap and Secret stay
// in the cluster. The error of a Job that is gone satisfies apierrors.IsNotFound.
func Cancel(ctx context.Context, client kubernetes.Interface, namespace, name string) error {
	jobs := client.BatchV1().Jobs(namespace)
	job, err := jobs.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return explain(fmt.Sprintf("look at job %q", name), namespace, err)
	}
	if end := endOf(job); end != nil {
		return &FinishedError{Job: name, Phase: jobStatus(job).Phase}
	}
	// In the foreground the Job stays until its Pods have ended: as long as it is
	// there, nobody takes the table for free.
	foreground := metav1.DeletePropagationForeground
	err = jobs.Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &foreground, Preconditions: &metav1.Preconditions{UID: &job.UID}})
	if err != nil && !apierrors.IsNotFound(err) {
		return explain(fmt.Sprintf("delete job %q", name), namespace, err)
	}
	return waitGone(ctx, client, job)
}

// waitGone waits until a Job that was deleted is gone, and its Pods.
func waitGone(ctx context.Context, client kubernetes.Interface, job *batchv1.Job) error {
	deadline := time.Now().Add(CancelGrace)
	for {
		left, err := whatIsLeft(ctx, client, job)
		if left == "" && err == nil {
			return nil
		}
		late := time.Now().After(deadline)
		if err != nil && (late || isDenied(err)) {
			return explain(fmt.Sprintf("job %q was deleted; see whether %s is gone", job.Name, left), job.Namespace, err)
		}
		if late {
			return fmt.Errorf("job %q was deleted, and %s is still there after %s (kubectl get pods -n %s -l %s -o wide; does its node answer?)",
				job.Name, left, CancelGrace, job.Namespace, podSelector(job.Name))
		}
		if !sleep(ctx, time.Second) {
			return fmt.Errorf("job %q was deleted; whether %s is gone was not awaited: %w", job.Name, left, context.Cause(ctx))
		}
	}
}

// whatIsLeft names a Pod of the Job or the Job itself, "" when both are gone.
func whatIsLeft(ctx context.Context, client kubernetes.Interface, job *batchv1.Job) (string, error) {
	left := fmt.Sprintf("job %q", job.Name)
	pods, err := client.CoreV1().Pods(job.Namespace).List(ctx, metav1.ListOptions{LabelSelector: podSelector(job.Name)})
	if err != nil {
		return left, err
	}
	for i := range pods.Items {
		if owner := metav1.GetControllerOf(&pods.Items[i]); owner != nil && owner.UID == job.UID {
			return fmt.Sprintf("pod %q", pods.Items[i].Name), nil
		}
	}
	now, err := client.BatchV1().Jobs(job.Namespace).Get(ctx, job.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err), err == nil && now.UID != job.UID:
		return "", nil
	}
	return left, err
}

// FinishedError says that a run is over and cannot be canceled.
type FinishedError struct {
	Job   string
	Phase Phase // PhaseComplete or PhaseFailed
}

func (e *FinishedError) Error() string {
	return fmt.Sprintf("job %q is over (%s): there is nothing to cancel (kubectl tracebloc status job/%s shows what became of it)", e.Job, e.Phase, e.Job)
}
