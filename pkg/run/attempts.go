package run

import (
	"cmp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// attempt is an Attempt with what the follower has to remember about it.
type attempt struct {
	Attempt
	pod   types.UID
	ended chan struct{} // closed when the container is known to be over
	done  bool          // its log needs no more reading
	quiet bool          // its log is evidence only, and not printed

	announcedStart, announcedEnd bool
}

func (a *attempt) isOver() bool {
	select {
	case <-a.ended:
		return true
	default:
		return false
	}
}

func (a *attempt) end() {
	if !a.isOver() {
		close(a.ended)
	}
}

// attempts is the list of container lives that were seen, oldest first.
type attempts struct {
	list    []*attempt
	dropped bool // some were too many to keep
}

// note brings the list up to date with a Pod's status.
func (l *attempts) note(pod *corev1.Pod) {
	container := mainContainer(pod)
	status := containerStatus(pod, container)
	if status != nil {
		if last := status.LastTerminationState.Terminated; last != nil {
			l.terminated(pod, container, last, "")
		}
		if running := status.State.Running; running != nil && status.ContainerID != "" {
			a := l.get(pod, container, status.ContainerID)
			a.Started = running.StartedAt.Time
			l.endBefore(a)
		}
		if over := status.State.Terminated; over != nil {
			l.terminated(pod, container, over, status.ContainerID)
		}
	}
	finished := pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
	if finished && !l.has(pod.UID) {
		l.get(pod, container, "")
	}
	for _, a := range l.list {
		if a.pod != pod.UID {
			continue
		}
		if finished {
			a.end()
		}
		if pod.Status.Reason != "" {
			a.PodReason, a.PodMessage = pod.Status.Reason, pod.Status.Message
		}
	}
}

// terminated records how a container ended. The kubelet leaves the id empty when
// it lost sight of the container; the newest life is meant then.
func (l *attempts) terminated(pod *corev1.Pod, container string, state *corev1.ContainerStateTerminated, fallback string) {
	id := cmp.Or(state.ContainerID, fallback)
	if id == "" {
		id = l.newestID(pod.UID)
	}
	a := l.get(pod, container, id)
	code := state.ExitCode
	a.ExitCode, a.Reason, a.Message = &code, state.Reason, state.Message
	a.Started, a.Finished = state.StartedAt.Time, state.FinishedAt.Time
	l.endBefore(a)
	a.end()
}

// endBefore ends the earlier lives in the Pod of a.
func (l *attempts) endBefore(a *attempt) {
	for _, other := range l.list {
		if other == a {
			return
		}
		if other.pod == a.pod {
			other.end()
		}
	}
}

// lost ends all lives of a Pod that is gone.
func (l *attempts) lost(pod types.UID) {
	for _, a := range l.list {
		if a.pod == pod {
			a.end()
		}
	}
}

func (l *attempts) has(pod types.UID) bool {
	return slices.ContainsFunc(l.list, func(a *attempt) bool { return a.pod == pod })
}

// isRestart reports whether a has an earlier life in its Pod.
func (l *attempts) isRestart(a *attempt) bool {
	first := slices.IndexFunc(l.list, func(other *attempt) bool { return other.pod == a.pod })
	return first >= 0 && l.list[first] != a
}

func (l *attempts) newestID(pod types.UID) string {
	for _, a := range slices.Backward(l.list) {
		if a.pod == pod {
			return a.ContainerID
		}
	}
	return ""
}

// get returns the attempt with that container id and appends a new one when
// there is none.
func (l *attempts) get(pod *corev1.Pod, container, id string) *attempt {
	for _, a := range l.list {
		if a.pod == pod.UID && a.ContainerID == id {
			return a
		}
	}
	a := &attempt{pod: pod.UID, ended: make(chan struct{}), done: id == ""}
	a.Pod, a.Node, a.Container, a.ContainerID = pod.Name, pod.Spec.NodeName, container, id
	l.list = append(l.list, a)
	// The first attempt is kept: its failure is often the cause of all others.
	if len(l.list) > maxAttempts && l.list[1].done {
		l.list, l.dropped = slices.Delete(l.list, 1, 2), true
	}
	return a
}

// silenceOld picks the Pod whose log is worth printing to somebody who comes
// late: that of a success, else the newest whose container has started. The logs
// of the others are read as evidence, if their containers are over.
func (l *attempts) silenceOld() {
	var useful types.UID
	for _, a := range l.list {
		if a.ContainerID != "" {
			useful = a.pod
		}
	}
	for _, a := range l.list {
		if a.ExitCode != nil && *a.ExitCode == 0 {
			useful = a.pod
		}
	}
	for _, a := range l.list {
		if a.pod != useful {
			a.quiet, a.done = true, a.done || !a.isOver()
		}
	}
}

// next returns the oldest attempt whose log is to be read, nil when there is none.
func (l *attempts) next() *attempt {
	for _, a := range l.list {
		if !a.done {
			return a
		}
	}
	return nil
}

// export returns the attempts as evidence.
func (l *attempts) export() []Attempt {
	list := make([]Attempt, 0, len(l.list))
	for _, a := range l.list {
		a.Running = a.ContainerID != "" && !a.isOver()
		list = append(list, a.Attempt)
	}
	return list
}

// mainContainer returns the ingestor's container. Its name is not documented
// (contract, cluster §6); the Pod has only the one, unless a mesh or a policy
// has added some.
func mainContainer(pod *corev1.Pod) string {
	containers := pod.Spec.Containers
	if len(containers) == 0 {
		return ""
	}
	if name := pod.Annotations["kubectl.kubernetes.io/default-container"]; slices.ContainsFunc(containers, func(c corev1.Container) bool { return c.Name == name }) {
		return name
	}
	for _, c := range containers {
		if strings.Contains(c.Name, "ingest") {
			return c.Name
		}
	}
	return containers[0].Name
}

func containerStatus(pod *corev1.Pod, container string) *corev1.ContainerStatus {
	for i := range pod.Status.ContainerStatuses {
		if pod.Status.ContainerStatuses[i].Name == container {
			return &pod.Status.ContainerStatuses[i]
		}
	}
	return nil
}
