package release

import (
	"context"
	"fmt"
	"io"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/manifests"
)

const fieldManager = "kubectl-tracebloc-e2e"

// apply creates or updates the objects in order, by server-side apply.
func apply(ctx context.Context, config *rest.Config, objects []runtime.Object) error {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	for _, obj := range objects {
		if err := applyOne(ctx, client, obj); err != nil {
			return err
		}
	}
	return nil
}

func applyOne(ctx context.Context, client dynamic.Interface, obj runtime.Object) error {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	if err != nil {
		return err
	}
	u := &unstructured.Unstructured{Object: fields}
	unstructured.RemoveNestedField(u.Object, "status")
	name := u.GetKind() + "/" + u.GetName()
	resource, _ := meta.UnsafeGuessKindToResource(u.GroupVersionKind())
	var target dynamic.ResourceInterface = client.Resource(resource)
	if u.GetNamespace() != "" {
		target = client.Resource(resource).Namespace(u.GetNamespace())
	}
	options := metav1.ApplyOptions{FieldManager: fieldManager, Force: true}
	// A Pod cannot be changed: one that differs is made anew.
	if _, err = target.Apply(ctx, u.GetName(), u, options); apierrors.IsInvalid(err) && u.GetKind() == "Pod" {
		now := int64(0)
		if err := target.Delete(ctx, u.GetName(), metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("replace %s: %w", name, err)
		}
		_, err = target.Apply(ctx, u.GetName(), u, options)
	}
	if err != nil {
		return fmt.Errorf("apply %s: %w", name, err)
	}
	return nil
}

// waitReady waits until the Deployments have what they ask for, and says on log what they wait for as it changes.
func (r *Release) waitReady(ctx context.Context, log io.Writer) error {
	var said string
	err := wait.PollUntilContextCancel(ctx, 300*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		waiting, err := r.waitingFor(ctx)
		if err != nil {
			return false, err
		}
		if waiting != said && waiting != "" {
			_, _ = fmt.Fprintf(log, "waiting: %s\n", waiting)
		}
		said = waiting
		return waiting == "", nil
	})
	if err != nil && said != "" {
		return fmt.Errorf("not ready: %s: %w (kubectl get pods -n %s)", said, err, r.Options.Namespace)
	}
	return err
}

// waitingFor names the first Deployment that is not ready, with the reason of its Pod; empty when all are.
func (r *Release) waitingFor(ctx context.Context) (string, error) {
	list, err := r.Client.AppsV1().Deployments(r.Options.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	for _, d := range list.Items {
		if ready(&d) {
			continue
		}
		pods, err := r.Client.CoreV1().Pods(r.Options.Namespace).List(ctx, metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(d.Spec.Selector)})
		if err != nil {
			return "", err
		}
		return "Deployment " + d.Name + reason(pods.Items), nil
	}
	return "", nil
}

func ready(d *appsv1.Deployment) bool {
	s := d.Status
	return s.ObservedGeneration >= d.Generation && s.UpdatedReplicas == *d.Spec.Replicas && s.AvailableReplicas == *d.Spec.Replicas && s.Replicas == *d.Spec.Replicas
}

// reason is what the containers of the Pods wait for.
func reason(pods []corev1.Pod) string {
	for _, p := range pods {
		if p.Status.Phase == corev1.PodSucceeded {
			continue
		}
		for _, c := range append(p.Status.InitContainerStatuses, p.Status.ContainerStatuses...) {
			if w := c.State.Waiting; w != nil {
				return fmt.Sprintf(": Pod %s: container %s: %s %s", p.Name, c.Name, w.Reason, w.Message)
			}
		}
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
				return fmt.Sprintf(": Pod %s: %s", p.Name, c.Message)
			}
		}
	}
	return ""
}

// Uninstall removes the namespace of the release with its volumes and every release in it, where an install made it, and
// the cluster-scoped objects of those releases. What is gone already is no error.
func (r *Release) Uninstall(ctx context.Context) error {
	if err := r.uninstall(ctx); err != nil {
		return fmt.Errorf("uninstall release %q: %w", r.Options.Name, err)
	}
	return nil
}

func (r *Release) uninstall(ctx context.Context) error {
	namespaces := r.Client.CoreV1().Namespaces()
	ns, err := namespaces.Get(ctx, r.Options.Namespace, metav1.GetOptions{})
	if err == nil && ns.Labels[manifests.LabelInstalled] == "" {
		return fmt.Errorf("namespace %q has no label %s, so it was not made by an install", ns.Name, manifests.LabelInstalled)
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	if err := r.deleteClusterRoles(ctx); err != nil {
		return err
	}
	if err := namespaces.Delete(ctx, r.Options.Namespace, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	return wait.PollUntilContextCancel(ctx, 300*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		_, err := namespaces.Get(ctx, r.Options.Namespace, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return false, err
	})
}

// deleteClusterRoles deletes what binds a service account of the namespace, and what it is bound to.
func (r *Release) deleteClusterRoles(ctx context.Context) error {
	rbac := r.Client.RbacV1()
	bindings, err := rbac.ClusterRoleBindings().List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=client"})
	if err != nil {
		return err
	}
	for _, b := range bindings.Items {
		if len(b.Subjects) != 1 || b.Subjects[0].Namespace != r.Options.Namespace {
			continue
		}
		if err := rbac.ClusterRoles().Delete(ctx, b.RoleRef.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		if err := rbac.ClusterRoleBindings().Delete(ctx, b.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}
