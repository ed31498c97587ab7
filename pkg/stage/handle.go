package stage

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
)

// deleteTimeout bounds the clean-up, which does not end with the context of what went before.
const deleteTimeout = 15 * time.Second

// Pod is a stage Pod that was started.
type Pod struct {
	Namespace, Name string
	// UID tells this Pod from a later one of the same name, and names its work directories on the volume.
	UID types.UID

	client kubernetes.Interface
}

// GoneError says that the stage Pod ended, was deleted, or was replaced. A new one is needed.
type GoneError struct {
	Namespace, Pod string
	// Reason is one line, with what came from the cluster quoted.
	Reason string
}

// Error names the Pod and the reason.
func (e *GoneError) Error() string {
	return fmt.Sprintf("stage pod %q in namespace %q: %s", e.Pod, e.Namespace, e.Reason)
}

// Target is the Pod's container, for podio.
func (p *Pod) Target() podio.Target {
	return podio.Target{Namespace: p.Namespace, Pod: p.Name, Container: Container}
}

// Volume returns the shared volume as it is reached through this Pod.
func (p *Pod) Volume(exec Execer) *Volume {
	return &Volume{
		Exec:   exec,
		Target: p.Target(),
		Owner:  string(p.UID),
		Check:  p.Check,
		Owners: func(ctx context.Context) (map[string]string, error) { return owners(ctx, p.client, p.Namespace) },
	}
}

// Check returns nil as long as the Pod runs, and a *GoneError when it does not; any other error says that nobody could tell.
func (p *Pod) Check(ctx context.Context) error {
	pod, err := p.get(ctx)
	if err != nil {
		return err
	}
	gone := &GoneError{Namespace: p.Namespace, Pod: p.Name}
	switch {
	case pod.DeletionTimestamp != nil:
		gone.Reason = "it is being deleted"
	case hasEnded(pod):
		gone.Reason = "it ended"
		if pod.Status.Phase == corev1.PodSucceeded {
			gone.Reason = "it ended by itself: its time ran out (--stage-timeout), or no session reached it any more"
		}
		if pod.Status.Reason != "" {
			gone.Reason += fmt.Sprintf(" (%q)", pod.Status.Reason)
		}
		if pod.Status.Message != "" {
			gone.Reason += fmt.Sprintf(": %q", pod.Status.Message)
		}
		if killed := killedBy(pod); killed != "" {
			gone.Reason += ": " + killed
		}
	default:
		return nil
	}
	return gone
}

// killedBy explains the end of the container where the node knows it: "OOMKilled" is the one that matters.
func killedBy(pod *corev1.Pod) string {
	for _, c := range pod.Status.ContainerStatuses {
		if t := c.State.Terminated; c.Name == Container && t != nil && t.ExitCode != 0 {
			return fmt.Sprintf("its container ended with code %d (%q)", t.ExitCode, t.Reason)
		}
	}
	return ""
}

// get reads the Pod and makes sure that it is the same one.
func (p *Pod) get(ctx context.Context) (*corev1.Pod, error) {
	pod, err := p.client.CoreV1().Pods(p.Namespace).Get(ctx, p.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, &GoneError{Namespace: p.Namespace, Pod: p.Name, Reason: "it was deleted"}
	case err != nil:
		return nil, fmt.Errorf("get the stage pod %q: %w", p.Name, err)
	case pod.UID != p.UID:
		return nil, &GoneError{Namespace: p.Namespace, Pod: p.Name, Reason: "another pod took its name"}
	}
	return pod, nil
}

// Delete removes the Pod at once. It works after ctx has ended, within a time of its own. A Pod that is gone already is no error, and a
// Pod that merely took the name is left alone.
func (p *Pod) Delete(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deleteTimeout)
	defer cancel()
	options := metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}
	if p.UID != "" {
		options.Preconditions = &metav1.Preconditions{UID: &p.UID}
	}
	err := p.client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, options)
	if err == nil || apierrors.IsNotFound(err) || p.UID != "" && apierrors.IsConflict(err) {
		return nil
	}
	return fmt.Errorf("delete the stage pod: %w (kubectl delete pod %s -n %s)", err, p.Name, p.Namespace)
}

// hasEnded tells that no process of the Pod runs any more.
func hasEnded(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
}

// owners returns the names by UID of the stage Pods whose processes may still be at work.
func owners(ctx context.Context, client kubernetes.Interface, namespace string) (map[string]string, error) {
	list, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: Selector})
	if err != nil {
		return nil, fmt.Errorf("list the stage pods of namespace %q: %w", namespace, err)
	}
	alive := make(map[string]string, len(list.Items))
	for _, pod := range list.Items {
		if !hasEnded(&pod) {
			alive[string(pod.UID)] = pod.Name
		}
	}
	return alive, nil
}
