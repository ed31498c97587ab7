package run

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// setPods takes the whole list of the Job's Pods; those that are missing are gone.
func (s *session) setPods(list []corev1.Pod) {
	slices.SortFunc(list, func(a, b corev1.Pod) int {
		switch {
		case newer(&b, &a):
			return -1
		case newer(&a, &b):
			return 1
		}
		return 0
	})
	present := map[types.UID]bool{}
	for i := range list {
		present[list[i].UID] = true
		s.setPod(&list[i])
	}
	for uid := range s.pods {
		if !present[uid] {
			s.podGone(uid)
		}
	}
	if !s.podsKnown {
		s.podsKnown = true
		s.attempts.silenceOld()
	}
}

func (s *session) setPod(pod *corev1.Pod) {
	if s.isForeign(pod) {
		return
	}
	if s.pods[pod.UID] == nil && s.job != nil {
		// What kept the Job from creating a Pod is over.
		delete(s.events, s.job.UID)
	}
	s.pods[pod.UID] = pod
	s.attempts.note(pod)
	s.announce()
}

// isForeign reports whether a Pod belongs to an earlier Job of the same name.
func (s *session) isForeign(pod *corev1.Pod) bool {
	owner := metav1.GetControllerOf(pod)
	return s.job != nil && owner != nil && owner.UID != s.job.UID
}

func (s *session) podGone(uid types.UID) {
	delete(s.pods, uid)
	s.attempts.lost(uid)
}

// reading is the log of one attempt while it is read. Its worker owns the fields
// until it has ended.
type reading struct {
	attempt *attempt
	parser  Parser
	err     error        // nil when the log was read to its end
	heard   atomic.Int64 // when the last line came, in Unix nanoseconds
}

// read starts to read the next log, if there is one.
func (s *session) read(ctx context.Context) {
	next := s.attempts.next()
	if next == nil {
		return
	}
	r, t := s.open(next)
	s.workers.Go(func() {
		r.err = t.run(ctx)
		s.do(ctx, s.finishReading)
	})
}

// quietLines bounds the log of an attempt that is read as evidence only: the
// summary and the last words stand at its end.
const quietLines = int64(2000)

// open takes on the log of an attempt.
func (s *session) open(a *attempt) (*reading, *tail) {
	r := &reading{attempt: a}
	r.heard.Store(time.Now().UnixNano())
	s.reading = r
	t := &tail{client: s.Client, open: s.OpenLog, namespace: s.Namespace, attempt: a, tries: s.tries, patient: s.patient}
	if a.quiet {
		t.last = s.lastLines
	}
	t.alive = func() { r.heard.Store(time.Now().UnixNano()) }
	t.sink = func(l line) {
		t.alive()
		r.parser.line(string(l.text))
		if !a.quiet {
			s.print(l)
		}
	}
	return r, t
}

func (s *session) finishReading() {
	a := s.reading.attempt
	a.Log, a.LogRead, a.LogComplete = s.reading.parser.Report(), true, s.reading.err == nil
	if s.reading.err != nil {
		a.LogError = oneLine(s.reading.err.Error())
	}
	a.done = true
	s.reading = nil
}

// print writes a line for the user. A progress bar that was wiped leaves an empty
// line behind, which nobody needs.
func (s *session) print(l line) {
	text := printable(string(l.text), s.Colors)
	if s.Logs == nil || l.folded && isBlank(string(l.text)) {
		return
	}
	if l.cut {
		text += " [line cut]"
	}
	// The log is an extra: a closed pipe must not end the following.
	_, _ = s.Logs.Write([]byte(text + "\n"))
}
