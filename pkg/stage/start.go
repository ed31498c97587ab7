package stage

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

const (
	// lookEvery bounds how long a change can go unseen when no watch tells of it, and how exactly a grace is kept.
	lookEvery = time.Second
	// eventsEvery is how often the events of a Pod that is not ready are read.
	eventsEvery = 5 * time.Second
)

// StartPod creates pod and waits, at most for limit, until it is Ready. notify is called with each new reason why it is not; nil is
// allowed. What cannot heal ends the waiting at once, or after a short grace where it may be a passing state: the error is then a
// *StartError. A failed create is a *StartError as well, which wraps the API server's own. When StartPod fails, or ctx ends, the Pod is
// deleted before it returns.
func StartPod(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, limit time.Duration, notify func(reason string)) (*Pod, error) {
	if notify == nil {
		notify = func(string) {}
	}
	created, err := create(ctx, client, pod)
	if err != nil {
		return nil, err
	}
	p := &Pod{Namespace: created.Namespace, Name: created.Name, UID: created.UID, client: client}
	s := starting{pod: p, notify: notify}
	if err := s.await(ctx, limit); err != nil {
		if undeleted := p.Delete(ctx); undeleted != nil {
			err = errors.Join(err, undeleted)
		}
		return nil, err
	}
	return p, nil
}

// create makes the Pod, and repeats what may pass. A creation whose answer was lost is found again by the Pod's name, which is random
// and so cannot be another's.
func create(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod) (*corev1.Pod, error) {
	pods := client.CoreV1().Pods(pod.Namespace)
	var created *corev1.Pod
	var last error
	unsure := false
	err := wait.ExponentialBackoffWithContext(ctx, wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 4},
		func(ctx context.Context) (bool, error) {
			created, last = pods.Create(ctx, pod, metav1.CreateOptions{})
			if unsure && apierrors.IsAlreadyExists(last) {
				created, last = pods.Get(ctx, pod.Name, metav1.GetOptions{})
			}
			switch {
			case last == nil:
				return true, nil
			case ctx.Err() != nil:
				unsure = true
				return false, ctx.Err()
			case isAmbiguous(last):
				unsure = true
				return false, nil
			case apierrors.IsConflict(last), apierrors.IsTooManyRequests(last), apierrors.IsServiceUnavailable(last):
				return false, nil
			}
			return false, last
		})
	if err == nil {
		return created, nil
	}
	if unsure {
		// It may exist although nobody said so.
		ghost := &Pod{Namespace: pod.Namespace, Name: pod.Name, client: client}
		if undeleted := ghost.Delete(ctx); undeleted != nil {
			last = errors.Join(last, undeleted)
		}
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("create the stage pod in namespace %q: %w", pod.Namespace, context.Cause(ctx))
	}
	return nil, createError(pod, last)
}

// isAmbiguous reports whether the request may have been carried out all the same.
func isAmbiguous(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return true
	}
	return apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsInternalError(err)
}

// starting follows one Pod to its readiness.
type starting struct {
	pod    *Pod
	notify func(string)

	told  string    // the reason that notify heard last
	kind  string    // the kind of trouble that lasts since `since`
	since time.Time // when it began
	event string    // the last warning about the Pod, quoted

	denied int // looks in a row that were not allowed
}

// maxLooksDenied is how many looks in a row may not be allowed: an API server that has just started knows of no permissions for a moment.
const maxLooksDenied = 3

// await looks at the Pod whenever the watch says that it changed, and every lookEvery. What it sees always comes from a read, so a watch
// that is refused or cut costs nothing but time.
func (s *starting) await(ctx context.Context, limit time.Duration) error {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()

	changes := s.watch(ctx)
	defer func() { changes.Stop() }()
	ended := false
	nextEvents := time.Now().Add(eventsEvery)
	for {
		ready, err := s.look(ctx)
		if ready || err != nil {
			return err
		}
		if time.Now().After(nextEvents) {
			s.readEvents(ctx)
			nextEvents = time.Now().Add(eventsEvery)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("start the stage pod %q: %w", s.pod.Name, context.Cause(ctx))
		case <-deadline.C:
			s.readEvents(ctx)
			return s.tooLate(limit)
		case <-tick.C:
			if ended {
				changes.Stop()
				changes, ended = s.watch(ctx), false
			}
		case _, open := <-changes.ResultChan():
			if !open {
				changes.Stop()
				changes, ended = silent(), true
			}
		}
	}
}

// watch returns one that never says anything where watching is not possible; the ticks have to do then.
func (s *starting) watch(ctx context.Context) watch.Interface {
	w, err := s.pod.client.CoreV1().Pods(s.pod.Namespace).Watch(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, s.pod.Name).String(),
	})
	if err != nil {
		return silent()
	}
	return w
}

func silent() watch.Interface { return watch.NewProxyWatcher(nil) }

// look reads the Pod once and decides.
func (s *starting) look(ctx context.Context) (ready bool, err error) {
	pod, err := s.pod.get(ctx)
	var gone *GoneError
	switch {
	case errors.As(err, &gone):
		return false, s.fail(gone.Reason, "", "start again")
	case isDenied(err):
		if s.denied++; s.denied < maxLooksDenied {
			return false, nil
		}
		return false, fmt.Errorf("read the stage pod %q: %w", s.pod.Name, err)
	case err != nil:
		s.tell(fmt.Sprintf("cannot read the pod: %q", err.Error()))
		return false, nil
	}
	s.denied = 0
	sight := judge(pod)
	if sight.ready {
		return true, nil
	}
	if sight.kind != s.kind {
		s.kind, s.since = sight.kind, time.Now()
	}
	s.tell(sight.String())
	if sight.hopeless || sight.grace > 0 && time.Since(s.since) >= sight.grace {
		return false, s.fail(sight.reason, sight.message, sight.next)
	}
	return false, nil
}

func (s *starting) tell(reason string) {
	if reason != s.told {
		s.told = reason
		s.notify(reason)
	}
}

func (s *starting) fail(reason, message, next string) error {
	return &StartError{Namespace: s.pod.Namespace, Pod: s.pod.Name, Reason: reason, Message: message, Next: next}
}

func (s *starting) tooLate(limit time.Duration) error {
	reason := fmt.Sprintf("not ready after %s: %s", limit, s.told)
	if s.event != "" && s.event != s.told {
		reason += ": " + s.event
	}
	return s.fail(reason, "", fmt.Sprintf("look at its events: kubectl get events -n %s --field-selector involvedObject.name=%s",
		s.pod.Namespace, s.pod.Name))
}

// readEvents tells the newest warning about the Pod: a volume that cannot be attached shows nowhere else. Events are a courtesy, so not
// being allowed to read them is no failure.
func (s *starting) readEvents(ctx context.Context) {
	list, err := s.pod.client.CoreV1().Events(s.pod.Namespace).List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("involvedObject.name", s.pod.Name).String(),
	})
	if err != nil {
		return
	}
	var newest *corev1.Event
	for i := range list.Items {
		e := &list.Items[i]
		if e.Type != corev1.EventTypeWarning || e.InvolvedObject.UID != s.pod.UID {
			continue
		}
		if newest == nil || lastSeen(e).After(lastSeen(newest)) {
			newest = e
		}
	}
	if newest == nil {
		return
	}
	if text := fmt.Sprintf("%s: %q", word(newest.Reason), newest.Message); text != s.event {
		s.event = text
		s.notify(text)
	}
}

// lastSeen copes with events of both APIs: the newer one leaves lastTimestamp empty.
func lastSeen(e *corev1.Event) time.Time {
	switch {
	case e.Series != nil:
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	}
	return e.EventTime.Time
}
