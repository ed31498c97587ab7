package run

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// How long a reason that rarely heals may last before the following ends. Image
// pulls are retried by the kubelet and quota is freed by other Pods; a node can
// take minutes to come.
const (
	graceConfig   = 30 * time.Second // a ConfigMap or Secret that is made just after the Job
	gracePolicy   = 30 * time.Second // an admission webhook that is restarting
	graceImage    = 2 * time.Minute
	graceQuota    = 2 * time.Minute
	graceSchedule = 10 * time.Minute
	graceVolume   = 10 * time.Minute
	graceForever  = time.Duration(-1)
)

// waitState is why no container runs.
type waitState struct {
	key   string // equal keys are the same reason though its text changes
	text  string // "" for a moment that needs no words
	grace time.Duration
}

// diagnose says what a Job without a running container waits for. pod is its
// newest one, nil without any; events holds the newest event of each object.
func diagnose(job *batchv1.Job, pod *corev1.Pod, events map[types.UID]corev1.Event) waitState {
	if pod == nil {
		return diagnoseJob(job, events)
	}
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for _, status := range statuses {
			if waiting := status.State.Waiting; waiting != nil {
				if w := diagnoseContainer(pod, status.Image, waiting); w.key != "" {
					return w
				}
			}
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			text := fmt.Sprintf("pod %s is not scheduled: %s", pod.Name, oneLine(cmp.Or(c.Message, c.Reason)))
			return waitState{"scheduling " + c.Reason, text, graceSchedule}
		}
	}
	return diagnoseEvent(pod, events[pod.UID])
}

func diagnoseJob(job *batchv1.Job, events map[types.UID]corev1.Event) waitState {
	if job.Spec.Suspend != nil && *job.Spec.Suspend {
		return waitState{"suspended", fmt.Sprintf("job %s is suspended", job.Name), graceForever}
	}
	event, ok := events[job.UID]
	if !ok || event.Reason != "FailedCreate" {
		return waitState{}
	}
	text := fmt.Sprintf("job %s cannot create its pod: %s", job.Name, oneLine(event.Message))
	switch {
	case strings.Contains(event.Message, "exceeded quota"):
		return waitState{"quota", text, graceQuota}
	case strings.Contains(event.Message, "is forbidden"):
		return waitState{"policy", text, gracePolicy}
	}
	return waitState{"create", text, graceQuota}
}

func diagnoseContainer(pod *corev1.Pod, image string, waiting *corev1.ContainerStateWaiting) waitState {
	message := oneLine(cmp.Or(waiting.Message, waiting.Reason))
	text := fmt.Sprintf("pod %s cannot start: %s: %s", pod.Name, oneLine(waiting.Reason), message)
	switch waiting.Reason {
	case "InvalidImageName", "ErrImageNeverPull":
		return waitState{"image name", text, 0}
	case "ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed":
		text = fmt.Sprintf("pod %s cannot pull image %q: %s: %s", pod.Name, image, oneLine(waiting.Reason), message)
		return waitState{"image pull", text, graceImage}
	case "CreateContainerConfigError", "PreCreateHookError":
		return waitState{"container config", text, graceConfig}
	case "CreateContainerError", "RunContainerError", "PreStartHookError", "PostStartHookError":
		return waitState{"container create", text, graceImage}
	case "CrashLoopBackOff":
		return waitState{"restart", fmt.Sprintf("pod %s waits before it starts its container again", pod.Name), graceForever}
	}
	return waitState{}
}

// diagnoseEvent explains a scheduled Pod whose containers are being made.
func diagnoseEvent(pod *corev1.Pod, event corev1.Event) waitState {
	switch event.Reason {
	case "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "FailedMapVolume":
		text := fmt.Sprintf("pod %s waits: %s: %s", pod.Name, event.Reason, oneLine(event.Message))
		return waitState{event.Reason, text, graceVolume}
	case "Pulling":
		return waitState{"pulling", fmt.Sprintf("pod %s: %s", pod.Name, oneLine(event.Message)), graceForever}
	}
	return waitState{}
}

// waiting is a waitState and how long it has lasted.
type waiting struct {
	waitState
	since time.Time
}

// update takes the state of now and returns a text that is worth showing.
func (w *waiting) update(now time.Time, state waitState) string {
	if state.key == w.key {
		// "Back-off pulling image" comes between the errors that say why.
		if !isBackOff(state.text) || isBackOff(w.text) {
			w.text = state.text
		}
		return ""
	}
	w.waitState, w.since = state, now
	return state.text
}

func isBackOff(text string) bool { return strings.Contains(text, "Back-off pulling image") }

// expires returns when the reason has lasted too long; zero for never.
func (w *waiting) expires() time.Time {
	if w.key == "" || w.grace == graceForever {
		return time.Time{}
	}
	return w.since.Add(w.grace)
}
