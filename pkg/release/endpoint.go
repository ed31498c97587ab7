package release

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/kubectl/pkg/util"
	"k8s.io/kubectl/pkg/util/podutils"
)

// httpPort is the name of the Service's port; its number is free to change.
const httpPort = "http"

// findService takes the Service by its name. A label would also match
// jobs-manager-local-api, which leads to another server in the same Pods.
func (in *inspection) findService(ctx context.Context) *corev1.Service {
	namespace := in.release.Namespace
	service, err := in.client.CoreV1().Services(namespace).Get(ctx, ServiceName, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err) && beforeEndpoint(in.found.manager):
		in.fail(StepService, in.tooOld(in.found.manager))
		return nil
	case apierrors.IsNotFound(err):
		in.fail(StepService, fmt.Errorf("service %q in namespace %q: not found, though release %q is there (helm upgrade %s tracebloc/client -n %s --reset-then-reuse-values)",
			ServiceName, namespace, in.release.Name, in.release.Name, namespace))
		return nil
	case err != nil:
		in.fail(StepService, explain(ctx, in.client, fmt.Sprintf("get service %q in namespace %q", ServiceName, namespace), namespace, err))
		return nil
	}
	port, err := util.LookupServicePortNumberByName(*service, httpPort)
	if err == nil && len(service.Spec.Selector) == 0 {
		err = fmt.Errorf("it selects no Pods")
	}
	if err != nil {
		in.fail(StepService, fmt.Errorf("service %q in namespace %q: %w (kubectl describe service %s -n %s)", ServiceName, namespace, err, ServiceName, namespace))
		return nil
	}
	in.release.Service = service.Name
	in.ok(StepService, fmt.Sprintf("%s, port %s (%d)", service.Name, httpPort, port))
	return service
}

// findPod picks a Pod that can be port-forwarded to now, and learns from it
// where and how Pods of this release run.
func (in *inspection) findPod(ctx context.Context, service *corev1.Service) {
	if service == nil {
		return
	}
	namespace := in.release.Namespace
	selector := labels.SelectorFromSet(service.Spec.Selector).String()
	pods, err := in.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		in.fail(StepPod, explain(ctx, in.client, fmt.Sprintf("list Pods in namespace %q", namespace), namespace, err))
		return
	}
	own := slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool { return !ownedBy(&p, in.found.manager.Name) })
	pod := newestReady(own)
	if pod == nil {
		in.failNoPod(own)
		return
	}
	in.release.Pod, in.release.Node = pod.Name, pod.Spec.NodeName
	in.release.ImagePullSecrets = pod.Spec.ImagePullSecrets
	in.release.Tolerations = pod.Spec.Tolerations
	in.release.NodeSelector = pod.Spec.NodeSelector
	port, err := containerPort(service, pod)
	if err != nil {
		in.fail(StepPod, fmt.Errorf("pod %q in namespace %q: %w (kubectl describe service %s -n %s)", pod.Name, namespace, err, service.Name, namespace))
		return
	}
	in.release.Port = port
	in.ok(StepPod, fmt.Sprintf("%s Ready on node %s, port %d", pod.Name, pod.Spec.NodeName, port))
}

// containerPort is what kubectl port-forward service/… would forward to.
func containerPort(service *corev1.Service, pod *corev1.Pod) (int, error) {
	number, err := util.LookupServicePortNumberByName(*service, httpPort)
	if err != nil {
		return 0, err
	}
	port, err := util.LookupContainerPortNumberByServicePort(*service, *pod, number)
	return int(port), err
}

// ownedBy reports whether the Pod is of the Deployment. Its ReplicaSet is
// called after the Deployment and the Pod's template hash, which saves the
// permission to read ReplicaSets.
func ownedBy(pod *corev1.Pod, deployment string) bool {
	owner := metav1.GetControllerOf(pod)
	hash := pod.Labels["pod-template-hash"]
	return owner != nil && owner.Kind == "ReplicaSet" && hash != "" && owner.Name == deployment+"-"+hash
}

// newestReady prefers the newest, which a rollout keeps.
func newestReady(pods []corev1.Pod) *corev1.Pod {
	var best *corev1.Pod
	for i := range pods {
		pod := &pods[i]
		if pod.DeletionTimestamp != nil || !podutils.IsPodReady(pod) {
			continue
		}
		if best == nil || best.CreationTimestamp.Before(&pod.CreationTimestamp) {
			best = pod
		}
	}
	return best
}

// failNoPod says why there is no Ready Pod, unless an earlier step has: a
// Deployment of 0 replicas has none, and an unbound volume keeps it waiting.
func (in *inspection) failNoPod(own []corev1.Pod) {
	namespace, deployment := in.release.Namespace, in.release.Deployment
	problems := make([]string, 0, len(own))
	for i := range own {
		problems = append(problems, fmt.Sprintf("pod %q %s", own[i].Name, podProblem(&own[i])))
	}
	if len(problems) == 0 {
		problems = append(problems, in.rolloutProblem())
	}
	in.fail(StepPod, fmt.Errorf("no Ready Pod of deployment %q in namespace %q: %s (kubectl describe pods -l %s -n %s)",
		deployment, namespace, list(problems), labels.FormatLabels(in.found.manager.Spec.Template.Labels), namespace))
}

// rolloutProblem is what the Deployment itself says when there is no Pod at all.
func (in *inspection) rolloutProblem() string {
	for _, c := range in.found.manager.Status.Conditions {
		if c.Type == "ReplicaFailure" && c.Status == corev1.ConditionTrue {
			return fmt.Sprintf("no Pod can be created: %q", cut(c.Message))
		}
	}
	return "there are no Pods of it"
}

// podProblem is the most telling reason why a Pod is not Ready.
func podProblem(pod *corev1.Pod) string {
	if pod.DeletionTimestamp != nil {
		return "is terminating"
	}
	statuses := slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)
	for _, s := range statuses {
		if w := s.State.Waiting; w != nil && w.Reason != "PodInitializing" && w.Reason != "ContainerCreating" {
			return strings.TrimSuffix(fmt.Sprintf("is waiting in container %q: %s: %q", s.Name, w.Reason, cut(w.Message)), `: ""`)
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return strings.TrimSuffix(fmt.Sprintf("is not scheduled: %s: %q", c.Reason, cut(c.Message)), `: ""`)
		}
	}
	for _, s := range statuses {
		switch {
		case s.State.Waiting != nil:
			return fmt.Sprintf("is waiting in container %q: %s", s.Name, s.State.Waiting.Reason)
		case s.State.Terminated != nil && s.State.Terminated.ExitCode != 0:
			return fmt.Sprintf("has ended in container %q: %s, exit code %d", s.Name, s.State.Terminated.Reason, s.State.Terminated.ExitCode)
		case s.State.Running != nil && !s.Ready:
			return fmt.Sprintf("runs, but container %q is not ready yet", s.Name)
		}
	}
	if pod.Status.Reason != "" {
		return fmt.Sprintf("is %s: %s: %q", pod.Status.Phase, pod.Status.Reason, cut(pod.Status.Message))
	}
	return fmt.Sprintf("is %s", pod.Status.Phase)
}

// cut bounds a text that the cluster wrote.
func cut(s string) string {
	const limit = 300
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return s
}
