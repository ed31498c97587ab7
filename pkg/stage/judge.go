package stage

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	corev1 "k8s.io/api/core/v1"
)

// How long a state that may still pass is put up with.
const (
	imageGrace    = 20 * time.Second // a registry that stumbles once is asked again after 10 s
	scheduleGrace = 30 * time.Second // a node that was just added, or a Pod that is just leaving
	createGrace   = 20 * time.Second
)

// sight is what one look at a Pod that is starting shows.
type sight struct {
	ready    bool
	hopeless bool          // nothing will change this
	grace    time.Duration // after this long in the same kind of state it is hopeless too; 0 is never
	kind     string        // states of one kind share one grace
	reason   string
	message  string // from the cluster, unescaped
	next     string // what the user can do
}

// String is one line, with what came from the cluster quoted.
func (s sight) String() string {
	if s.message == "" {
		return s.reason
	}
	return fmt.Sprintf("%s: %q", s.reason, s.message)
}

// word is a reason as Kubernetes writes them, or whatever else stands there, quoted.
func word(reason string) string {
	if strings.ContainsFunc(reason, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		return strconv.Quote(reason)
	}
	return reason
}

const (
	adviseImage = "use an image that the node can pull, and that its registry serves: --stage-image"
	adviseNode  = "the stage pod must run on the node of jobs-manager: make room there, or uncordon the node"
	adviseIDs   = "the image or the namespace does not fit the pod's user: kubectl get events -n %s --field-selector involvedObject.name=%s"
)

// judge decides from the Pod alone.
func judge(pod *corev1.Pod) sight {
	if pod.DeletionTimestamp != nil {
		return sight{hopeless: true, reason: "it was deleted while it started", next: "start again; a quota controller, a drain or a colleague may have done it"}
	}
	if pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded {
		return ended(pod)
	}
	for _, c := range pod.Status.ContainerStatuses {
		if c.Name == Container && c.State.Waiting != nil {
			return waiting(pod, c.State.Waiting)
		}
	}
	for _, c := range pod.Status.Conditions {
		switch {
		case c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue:
			return sight{ready: true}
		case c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason != corev1.PodReasonSchedulingGated:
			return sight{kind: "schedule", reason: word(c.Reason), message: c.Message, grace: scheduleGrace, next: adviseNode}
		}
	}
	phase := pod.Status.Phase
	if phase == "" {
		phase = corev1.PodPending
	}
	return sight{reason: word(string(phase)), message: pod.Status.Message}
}

func waiting(pod *corev1.Pod, w *corev1.ContainerStateWaiting) sight {
	s := sight{kind: w.Reason, reason: word(w.Reason), message: w.Message}
	switch w.Reason {
	case "ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "SignatureValidationFailed":
		s.kind, s.grace, s.next = "image", imageGrace, adviseImage
	case "InvalidImageName", "ErrImageNeverPull":
		s.hopeless, s.next = true, adviseImage
	case "CreateContainerConfigError":
		s.hopeless, s.next = true, fmt.Sprintf(adviseIDs, pod.Namespace, pod.Name)
	case "CreateContainerError", "RunContainerError", "ImageInspectError":
		s.kind, s.grace, s.next = "create", createGrace, adviseImage
	}
	return s
}

// ended explains a Pod whose life is over before it began.
func ended(pod *corev1.Pod) sight {
	s := sight{hopeless: true, reason: "it ended while it started", message: pod.Status.Message,
		next: fmt.Sprintf("look at its events: kubectl get events -n %s --field-selector involvedObject.name=%s", pod.Namespace, pod.Name)}
	if pod.Status.Reason != "" {
		s.reason += " (" + word(pod.Status.Reason) + ")"
	}
	i := slices.IndexFunc(pod.Status.ContainerStatuses, func(c corev1.ContainerStatus) bool {
		return c.Name == Container && c.State.Terminated != nil
	})
	if i < 0 {
		return s
	}
	t := pod.Status.ContainerStatuses[i].State.Terminated
	s.reason = fmt.Sprintf("its container ended while it started (%s, exit code %d)", word(t.Reason), t.ExitCode)
	if t.Message != "" {
		s.message = t.Message
	}
	if t.Reason == "StartError" || t.Reason == "ContainerCannotRun" {
		s.next = "the image needs a POSIX shell: --stage-image"
	}
	return s
}
