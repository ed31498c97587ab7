package run

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// session is one call of Follow. Its loop alone touches the fields; workers hand
// their findings over as functions.
type session struct {
	*Follower
	*keeper

	job       *batchv1.Job // nil until it was seen
	state     JobState     // "" until it is known
	pods      map[types.UID]*corev1.Pod
	podsKnown bool
	events    map[types.UID]corev1.Event // the newest of each object
	explained map[types.UID]context.CancelFunc
	attempts  attempts
	waiting   waiting
	stuck     string

	lastLines int64 // how much is read of a log that is not printed
	tries     int   // how often a log is asked for in vain
	patient   bool  // whether logs are waited for while the API server is away

	reading *reading
	settled bool      // the Pods were listed after the Job's end
	settle  time.Time // when to stop waiting for them; zero before the Job's end
}

func newSession(f *Follower) *session {
	follower := *f
	if follower.OpenLog == nil {
		follower.OpenLog = PodLogs(f.Client)
	}
	return &session{
		Follower:  &follower,
		keeper:    newKeeper(follower.Notify),
		pods:      map[types.UID]*corev1.Pod{},
		events:    map[types.UID]corev1.Event{},
		explained: map[types.UID]context.CancelFunc{},
		lastLines: quietLines,
		tries:     finalReads,
	}
}

// step does what the state asks for and returns when it has to be called again
// at the latest, zero for never.
func (s *session) step(ctx context.Context) time.Time {
	switch {
	case s.state == "":
		return time.Time{}
	case s.isTerminal() && s.settle.IsZero():
		s.settle = time.Now().Add(settleGrace)
		s.workers.Go(func() { s.listUntilDone(ctx) })
	case s.state == JobActive && s.podsKnown:
		s.explain(ctx)
	}
	if s.reading == nil && s.podsKnown && (s.state == JobActive || s.settled) {
		s.read(ctx)
	}
	if s.state == JobActive && s.podsKnown {
		return s.wait()
	}
	return s.settle
}

// wait shows what the run waits for, and gives up on what does not heal.
func (s *session) wait() time.Time {
	now := time.Now()
	if text := s.waiting.update(now, s.waitState()); text != "" {
		s.say(text)
	}
	expires := s.waiting.expires()
	if !expires.IsZero() && !now.Before(expires) {
		s.stuck = s.waiting.text
	}
	return expires
}

func (s *session) waitState() waitState {
	for _, a := range s.attempts.list {
		if !a.isOver() {
			return waitState{}
		}
	}
	return diagnose(s.job, s.pending(), s.events)
}

// pending returns the newest Pod that has not finished, nil when there is none.
func (s *session) pending() *corev1.Pod {
	var newest *corev1.Pod
	for _, pod := range s.pods {
		finished := pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
		if !finished && (newest == nil || newer(pod, newest)) {
			newest = pod
		}
	}
	return newest
}

func newer(a, b *corev1.Pod) bool {
	if a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.Name > b.Name
	}
	return b.CreationTimestamp.Before(&a.CreationTimestamp)
}

// over reports whether nothing is left to wait for.
func (s *session) over() bool {
	switch {
	case s.stuck != "", s.state == JobMissing:
		return true
	case !s.isTerminal():
		return false
	case !time.Now().Before(s.settle):
		return !s.stillComing()
	}
	return s.settled && s.reading == nil && s.attempts.next() == nil
}

// stillComing reports whether the log of the last attempt is on its way: its
// summary comes at the end, so a long log over a slow link must not be given up.
func (s *session) stillComing() bool {
	if s.reading == nil {
		return false
	}
	until := time.Unix(0, s.reading.heard.Load()).Add(settleGrace)
	if !time.Now().Before(until) {
		return false
	}
	s.settle = until
	return true
}

// listUntilDone lists the Pods after the Job's end: the two watches are not in
// step, and the last Pod's end can still be on its way.
func (s *session) listUntilDone(ctx context.Context) {
	for {
		if _, err := s.listPods(ctx); err == nil {
			s.do(ctx, func() { s.settled = true })
			return
		}
		if !sleep(ctx, time.Second) {
			return
		}
	}
}

// explain watches the events of the Pod that is waiting.
func (s *session) explain(ctx context.Context) {
	waits := s.pending()
	if waits != nil && s.attempts.has(waits.UID) {
		waits = nil
	}
	for uid, cancel := range s.explained {
		if waits == nil || waits.UID != uid {
			cancel()
			delete(s.explained, uid)
		}
	}
	if waits == nil || s.explained[waits.UID] != nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	s.explained[waits.UID] = cancel
	name := waits.Name
	s.workers.Go(func() { s.keep(ctx, s.eventSource("Pod", name)) })
}

func (s *session) setJob(job *batchv1.Job) {
	if s.job != nil && s.job.UID != job.UID {
		s.jobGone() // another Job took the name
		return
	}
	s.job = job
	if s.isTerminal() {
		return
	}
	s.state = stateOf(job)
}

// stateOf says how far a Job is. What a deletion does to the Pods looks like a
// failure to the Job's controller, so that a deletion counts before it.
func stateOf(job *batchv1.Job) JobState {
	end, deleted := endOf(job), job.DeletionTimestamp
	switch {
	case end != nil && end.Type == batchv1.JobComplete:
		return JobComplete
	case deleted != nil && (end == nil || !end.LastTransitionTime.Before(deleted)):
		return JobDeleted
	case end != nil:
		return JobFailed
	}
	return JobActive
}

func (s *session) isTerminal() bool { return s.state != "" && s.state != JobActive }

func (s *session) jobGone() {
	switch {
	case s.job == nil:
		s.state = JobMissing
	case !s.isTerminal():
		s.state = JobDeleted
	}
}

func (s *session) setEvent(event corev1.Event) {
	object := event.InvolvedObject.UID
	old, ok := s.events[object]
	if !ok || !eventTime(&event).Before(eventTime(&old)) {
		s.events[object] = event
	}
}

func eventTime(event *corev1.Event) time.Time {
	switch {
	case event.Series != nil:
		return event.Series.LastObservedTime.Time
	case !event.LastTimestamp.IsZero():
		return event.LastTimestamp.Time
	case !event.EventTime.IsZero():
		return event.EventTime.Time
	}
	return event.CreationTimestamp.Time
}

// finalEvidence is called after the loop and its workers have ended.
func (s *session) finalEvidence() Evidence {
	if s.reading != nil {
		s.finishReading()
	}
	e := Evidence{
		Namespace: s.Namespace,
		Job:       s.Job,
		State:     s.state,
		Attempts:  s.attempts.export(),
		Stuck:     s.stuck,
		Waiting:   s.waiting.text,
	}
	e.Unseen = s.unseen()
	if s.job == nil {
		return e
	}
	e.Conditions, e.Finished = s.job.Status.Conditions, finishedAt(s.job)
	if s.job.Status.StartTime != nil {
		e.Started = s.job.Status.StartTime.Time
	}
	return e
}

// unseen counts the container lives that the cluster has counted and that nobody
// has seen: Pods that are gone, and restarts between two looks.
func (s *session) unseen() int {
	if s.attempts.dropped {
		return 0 // too many to tell
	}
	lives, failed := map[types.UID]int{}, map[types.UID]bool{}
	for _, a := range s.attempts.list {
		lives[a.pod]++
		failed[a.pod] = a.ExitCode == nil || *a.ExitCode != 0 // the last life counts
	}
	unseen := 0
	for uid, pod := range s.pods {
		status := containerStatus(pod, mainContainer(pod))
		if status != nil && lives[uid] > 0 {
			unseen += max(0, int(status.RestartCount)+1-lives[uid])
		}
	}
	if s.job == nil {
		return unseen
	}
	counted := int(s.job.Status.Failed)
	for _, yes := range failed {
		if yes {
			counted--
		}
	}
	return unseen + max(0, counted)
}

// announce says that a container started or failed, once.
func (s *session) announce() {
	for _, a := range s.attempts.list {
		if !a.announcedStart && a.ContainerID != "" && !a.isOver() {
			a.announcedStart = true
			again := ""
			if s.attempts.isRestart(a) {
				again = " again"
			}
			s.say(fmt.Sprintf("pod %s is running%s on node %s", a.Pod, again, a.Node))
		}
		if !a.announcedEnd && a.isOver() {
			a.announcedEnd = true
			if a.ExitCode != nil && *a.ExitCode != 0 {
				s.say(fmt.Sprintf("pod %s: the ingestor ended: %s", a.Pod, a.exit()))
			}
		}
	}
}
