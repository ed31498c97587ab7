package run

import (
	"context"
	"io"
	"time"

	"k8s.io/client-go/kubernetes"
)

// Follower follows one ingestor Job. Its fields are set before the first call
// and not changed after.
type Follower struct {
	Client    kubernetes.Interface
	Namespace string
	Job       string
	// Logs gets the log lines as they come, printable and without repetition. It
	// may be nil.
	Logs io.Writer
	// Colors keeps the colors of the log, for terminals.
	Colors bool
	// Notify, when set, is told in one printable line what the run waits for, as
	// it changes.
	Notify func(message string)
	// OpenLog opens container logs; nil opens those of Client.
	OpenLog LogOpener
}

// Follow follows a Job to its end with the defaults of [Follower].
func Follow(ctx context.Context, client kubernetes.Interface, namespace, job string, logs io.Writer, notify func(string)) (Evidence, error) {
	return (&Follower{Client: client, Namespace: namespace, Job: job, Logs: logs, Notify: notify}).Follow(ctx)
}

// settleGrace is how long a finished Job's Pods are given to end. A Pod that is
// being deleted has 30 seconds by default.
const settleGrace = 45 * time.Second

// Follow watches the Job and its Pods and reads the log of each container life,
// until the Job has ended and its log is read, or until it is clear that no
// container can start ([Evidence].Stuck). A broken connection is made again as
// often as needed.
//
// The evidence is valid with every error too. The error is the context's cause
// when the context ended first, and otherwise says what may not be watched.
func (f *Follower) Follow(ctx context.Context) (Evidence, error) {
	s := newSession(f)
	s.patient = true
	inner, cancel := context.WithCancelCause(ctx)
	s.workers.Go(func() { s.keep(inner, s.jobSource()) })
	s.workers.Go(func() { s.keep(inner, s.podSource()) })
	s.workers.Go(func() { s.keep(inner, s.eventSource("Job", f.Job)) })
	err := s.loop(inner)
	cancel(errStopped)
	s.workers.Wait()
	return s.finalEvidence(), err
}

func (s *session) loop(ctx context.Context) error {
	for {
		next := s.step(ctx)
		if s.fatal != nil {
			return s.fatal
		}
		if s.over() {
			return nil
		}
		if err := s.await(ctx, next); err != nil {
			return err
		}
	}
}
