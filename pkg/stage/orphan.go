package stage

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// startLimit is after which time no push waits any more for a Pod that has not started.
	startLimit = 15 * time.Minute
	// idleLimit bounds the question whether anybody uses a Pod; the answer takes half a minute when nobody does.
	idleLimit = 90 * time.Second
)

// Answers of script/idle.sh.
const (
	ansIdle = "IDLE"
	ansBusy = "BUSY"
)

// stray is a stage Pod as a cleanup sees it.
type stray struct {
	*Pod
	table string
	age   time.Duration // since it ended, or else since it was made
	// alive says that processes of it may still be at work.
	alive bool
	// why says what state it is in, and kept why it stays; "" when it is to go.
	why, kept string
}

// holds tells whether somebody may be at work through it.
func (s stray) holds() bool { return s.alive && s.kept != "" }

// everybody and nobody say which Pods are to be asked.
func everybody(*corev1.Pod) bool { return true }
func nobody(*corev1.Pod) bool    { return false }

// strays lists the stage Pods that mount the claim, but for the cleaner's own. Of those that run, the ones of which asked says so are asked
// whether somebody uses them; the others are taken for used.
func (c *Cleaner) strays(ctx context.Context, asked func(*corev1.Pod) bool) ([]stray, error) {
	client, namespace := c.Station.Client, c.Station.Pod.Namespace
	list, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: Selector})
	if err != nil {
		return nil, fmt.Errorf("list the stage pods of namespace %q: %w", namespace, err)
	}
	var found []stray
	for i := range list.Items {
		pod := &list.Items[i]
		if c.owns(pod) || !mounts(pod, c.Station.Pod.PVC) {
			continue
		}
		s := stray{
			Pod:   &Pod{Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, client: client},
			table: pod.Annotations[AnnotationTable],
			age:   max(0, time.Since(since(pod))),
			alive: !hasEnded(pod),
		}
		s.judge(pod, c.OlderThan)
		if s.kept == unasked && asked(pod) {
			s.ask(ctx, c.Station.Exec)
		}
		found = append(found, s)
	}
	return found, nil
}

// unasked is why a Pod stays that nobody has asked.
const unasked = "a push may be at work in it"

// judge says what the state of the Pod tells.
func (s *stray) judge(pod *corev1.Pod, olderThan time.Duration) {
	switch {
	case hasEnded(pod):
		s.why = "it ended: " + string(pod.Status.Phase)
		if pod.Status.Reason != "" {
			s.why += fmt.Sprintf(" (%q)", pod.Status.Reason)
		}
		if killed := killedBy(pod); killed != "" {
			s.why += ", " + killed
		}
	case pod.DeletionTimestamp != nil:
		s.why, s.kept = "it is being deleted", "it goes by itself"
	case pod.Status.Phase != corev1.PodRunning && pod.Status.Phase != corev1.PodUnknown:
		s.why = "it has not started, and no push waits for it any more"
		if s.age < startLimit {
			s.why, s.kept = "it has not started", "a push may be waiting for it"
		}
	default:
		s.why, s.kept = "it runs", unasked
	}
	if (s.kept == "" || s.kept == unasked) && s.age < olderThan {
		s.kept = younger(olderThan)
	}
}

// ask finds out whether a session of the Pod hears of its client.
func (s *stray) ask(ctx context.Context, exec Execer) {
	ctx, cancel := context.WithTimeout(ctx, idleLimit)
	defer cancel()
	nonce, said := newNonce(), ""
	out := &lines{nonce: nonce, deliver: func(a answer) { said = a.verb }}
	errOut := &tail{}
	err := exec.Exec(ctx, s.Target(), []string{"sh", "-c", read("idle"), "tracebloc-stage", nonce}, nil, out, errOut)
	switch {
	case said == ansIdle:
		s.why, s.kept = "it runs, and no session reaches it", ""
	case said == ansBusy:
		s.kept = "a push is at work in it"
	default:
		if err == nil {
			err = errors.New("no answer came")
		}
		s.kept = fmt.Sprintf("whether a push is at work in it could not be found out: %q", err.Error()+" "+errOut.String())
	}
}

// mounts tells whether the Pod has the claim.
func mounts(pod *corev1.Pod, claim string) bool {
	for _, v := range pod.Spec.Volumes {
		if v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == claim {
			return true
		}
	}
	return false
}

// since is when the Pod ended, as far as that is known, or else when it was made.
func since(pod *corev1.Pod) time.Time {
	at := pod.CreationTimestamp.Time
	if !hasEnded(pod) {
		return at
	}
	for _, c := range pod.Status.ContainerStatuses {
		if t := c.State.Terminated; t != nil && t.FinishedAt.After(at) {
			at = t.FinishedAt.Time
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.LastTransitionTime.After(at) {
			at = c.LastTransitionTime.Time
		}
	}
	return at
}

// removePod deletes a stage Pod that is to go, if it still is.
func (c *Cleaner) removePod(ctx context.Context, p *Pod) (kept string, err error) {
	all, err := c.strays(ctx, func(pod *corev1.Pod) bool { return pod.UID == p.UID })
	if err != nil {
		return "", &BlindError{Err: err}
	}
	for _, s := range all {
		if s.UID == p.UID && s.kept != "" {
			return s.kept, nil
		}
	}
	return "", p.Delete(ctx)
}
