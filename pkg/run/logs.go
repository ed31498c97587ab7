package run

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
)

// Lives chooses among the lives of the ingestor's container.
type Lives string

// The choices. A cluster keeps the logs of the newest life in each Pod, and of
// the one before it.
const (
	LivesNewest   Lives = "newest"
	LivesPrevious Lives = "previous" // the one before the newest, in its Pod or in an older one
	LivesAll      Lives = "all"      // every one whose log can still be read, oldest first
)

// PrintLogs writes the run's log to Logs as it is now, without following it. Of
// several lives the one that succeeded counts as the newest. It returns a
// *NoLogError where there is no log of that choice.
func (f *Follower) PrintLogs(ctx context.Context, lives Lives) error {
	s := newSession(f)
	if err := s.look(ctx); err != nil {
		return err
	}
	readable := s.readable()
	chosen := choose(readable, lives)
	if len(chosen) == 0 {
		return s.noLog(ctx, lives, len(readable))
	}
	for i, a := range chosen {
		a.quiet = false
		if len(chosen) > 1 {
			s.say(fmt.Sprintf("log of pod %s, attempt %d of %d:", a.Pod, i+1, len(chosen)))
		}
		reason, err := s.readNow(ctx, a)
		if err != nil {
			return err
		}
		if instead := (*insteadOfLog)(nil); errors.As(reason, &instead) {
			if lives == LivesAll {
				s.say(fmt.Sprintf("the node has not kept the log of this attempt: %s", a.LogError))
				continue
			}
			return &NoLogError{Job: s.Job, Reason: "the node has not kept the log of that attempt: " + a.LogError}
		}
		if !a.LogComplete {
			return fmt.Errorf("read the log of pod %q: %s (kubectl logs %s -n %s -c %s)", a.Pod, a.LogError, a.Pod, s.Namespace, a.Container)
		}
	}
	return nil
}

// readable returns the attempts whose logs the cluster may still have.
func (s *session) readable() []*attempt {
	kept := map[types.UID]int{}
	var list []*attempt
	for i := len(s.attempts.list) - 1; i >= 0; i-- {
		a := s.attempts.list[i]
		if kept[a.pod]++; a.ContainerID != "" && s.pods[a.pod] != nil && kept[a.pod] <= 2 {
			list = append([]*attempt{a}, list...)
		}
	}
	return list
}

func choose(readable []*attempt, lives Lives) []*attempt {
	newest := len(readable) - 1
	for i, a := range readable {
		if a.ExitCode != nil && *a.ExitCode == 0 {
			newest = i
		}
	}
	switch {
	case lives == LivesAll:
		return readable
	case lives == LivesPrevious:
		newest--
	}
	if newest < 0 {
		return nil
	}
	return readable[newest : newest+1]
}

// NoLogError says that a run has no log to show.
type NoLogError struct {
	Job string
	// Reason is printable.
	Reason string
}

func (e *NoLogError) Error() string { return fmt.Sprintf("job %q has no log: %s", e.Job, e.Reason) }

func (s *session) noLog(ctx context.Context, lives Lives, readable int) error {
	e := &NoLogError{Job: s.Job}
	switch {
	case readable > 0 && lives == LivesPrevious:
		e.Reason = "its container was not started before (leave out --previous for the log that there is)"
	case s.state == JobMissing:
		e.Reason = "the job is gone, and its pods with it"
	case s.state != JobActive:
		e.Reason = "its pods are gone, and their logs with them"
	default:
		s.lookAtEvents(ctx)
		e.Reason = "no container has started yet"
		if w := s.waitState(); w.text != "" {
			e.Reason += "; " + w.text
		}
	}
	return e
}
