package stage

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// StartError says why there is no stage Pod.
type StartError struct {
	Namespace, Pod string
	// Reason is ours or a short word of Kubernetes: "ImagePullBackOff".
	Reason string
	// Message is what the cluster said, unescaped; it may be empty.
	Message string
	// Next is what the user can do.
	Next string
	// Err is the API server's error where it refused the Pod, else nil.
	Err error
	// Policy is true when a rule of the cluster turned the Pod down and not a missing permission; the API server says "forbidden" to both.
	Policy bool
}

// Error is one line: the Pod, the reason, the cluster's own words in quotes, and the next step in parentheses.
func (e *StartError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "stage pod %q in namespace %q: %s", e.Pod, e.Namespace, e.Reason)
	if e.Message != "" {
		fmt.Fprintf(&b, ": %q", e.Message)
	}
	if e.Next != "" {
		fmt.Fprintf(&b, " (%s)", e.Next)
	}
	return b.String()
}

// Unwrap returns Err, for k8s.io/apimachinery/pkg/api/errors.
func (e *StartError) Unwrap() error { return e.Err }

// notAllowed is the one reason for "forbidden" that a role can change.
const notAllowed = "not allowed to create it"

// createError sorts the refusals of the API server: all of them arrive as "forbidden", and each has another way out.
func createError(pod *corev1.Pod, err error) error {
	e := &StartError{Namespace: pod.Namespace, Pod: pod.Name, Reason: "cannot be created", Message: err.Error(), Err: err}
	text := err.Error()
	switch {
	case strings.Contains(text, "violates PodSecurity"):
		e.Reason = "pod security of the namespace forbids it"
		e.Next = fmt.Sprintf("ask for a namespace that admits \"restricted\" pods with a persistent volume claim: kubectl get namespace %s -o yaml", pod.Namespace)
	case strings.Contains(text, "exceeded quota"), strings.Contains(text, "failed quota"):
		e.Reason = "a quota of the namespace forbids it"
		e.Next = fmt.Sprintf("free some of it: kubectl describe quota -n %s", pod.Namespace)
	case strings.Contains(text, "security context constraint"):
		e.Reason = "no security context constraint allows it"
		e.Next = "ask for the constraint restricted-v2 for the namespace's default service account"
	case strings.Contains(text, "is forbidden: minimum"), strings.Contains(text, "is forbidden: maximum"), strings.Contains(text, "LimitRange"):
		e.Reason = "a limit range of the namespace forbids it"
		e.Next = fmt.Sprintf("it asks for 100m CPU and 64Mi, at most 2 CPU and 512Mi: kubectl describe limitrange -n %s", pod.Namespace)
	case strings.Contains(text, "admission webhook"):
		e.Reason = "an admission policy of the cluster forbids it"
		e.Next = "ask whoever runs the policy to admit pods labeled " + Selector
	case apierrors.IsForbidden(err) && !strings.Contains(text, "cannot create resource"):
		e.Reason = "an admission rule of the cluster forbids it"
		e.Next = "ask whoever runs the cluster to admit pods labeled " + Selector
	case apierrors.IsForbidden(err):
		e.Reason = notAllowed
		e.Next = fmt.Sprintf("ask for the role \"edit\" in the namespace: kubectl auth can-i create pods -n %s", pod.Namespace)
	case apierrors.IsNotFound(err):
		e.Next = "the namespace does not exist, or is being deleted"
	case apierrors.IsInvalid(err):
		e.Next = "a value of the pod is not valid; --stage-image and --stage-timeout are yours"
	default:
		e.Next = "try again"
	}
	e.Policy = apierrors.IsForbidden(err) && e.Reason != notAllowed
	return e
}
