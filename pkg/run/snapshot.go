package run

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

// Snapshot looks at the run once, without following it: its Job, its Pods, what
// they wait for, and the ends of the logs of containers that are over. Nothing is
// printed. A Job that is gone is no error but JobMissing in the evidence.
func (f *Follower) Snapshot(ctx context.Context) (Evidence, error) {
	s := newSession(f)
	if err := s.look(ctx); err != nil {
		return s.finalEvidence(), err
	}
	s.attempts.silenceAll()
	for next := s.attempts.next(); next != nil; next = s.attempts.next() {
		if _, err := s.readNow(ctx, next); err != nil {
			return s.finalEvidence(), err
		}
	}
	if s.state == JobActive {
		s.lookAtEvents(ctx)
		s.waiting.update(time.Now(), s.waitState())
	}
	return s.finalEvidence(), nil
}

// look asks for the Job and its Pods once.
func (s *session) look(ctx context.Context) error {
	job, err := s.Client.BatchV1().Jobs(s.Namespace).Get(ctx, s.Job, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		s.jobGone()
		return nil
	case err != nil:
		return explain(fmt.Sprintf("look at job %q", s.Job), s.Namespace, err)
	}
	s.setJob(job)
	list, err := s.Client.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: podSelector(s.Job)})
	if err != nil {
		return explain(fmt.Sprintf("list the pods of job %q", s.Job), s.Namespace, err)
	}
	s.setPods(list.Items)
	return nil
}

// lookAtEvents asks for the events of what waits. Without them less is known,
// and nothing else is wrong.
func (s *session) lookAtEvents(ctx context.Context) {
	about := []struct{ kind, name string }{{"Job", s.Job}}
	if pod := s.pending(); pod != nil {
		about = append(about, struct{ kind, name string }{"Pod", pod.Name})
	}
	for _, object := range about {
		list, err := s.Client.CoreV1().Events(s.Namespace).List(ctx, metav1.ListOptions{FieldSelector: eventSelector(object.kind, object.name)})
		if err != nil {
			continue
		}
		for _, event := range list.Items {
			if isAbout(event, object.kind, object.name) {
				s.setEvent(event)
			}
		}
	}
}

func isAbout(event corev1.Event, kind, name string) bool {
	return event.InvolvedObject.Kind == kind && event.InvolvedObject.Name == name
}

// readNow reads the log of an attempt as it is now. Why it cannot be read is
// noted in the attempt as well; err is only that of the context.
func (s *session) readNow(ctx context.Context, a *attempt) (reason, err error) {
	r, t := s.open(a)
	t.lines = lineSplitter{stamped: true, emit: t.line}
	r.err = t.finish(ctx, wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.1, Steps: 4, Cap: 2 * time.Second})
	s.finishReading()
	return r.err, context.Cause(ctx)
}

// silenceAll makes every log evidence; containers that still run have none yet.
func (l *attempts) silenceAll() {
	for _, a := range l.list {
		a.quiet, a.done = true, a.done || !a.isOver()
	}
}
