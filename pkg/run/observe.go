package run

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
)

// source is one kind of objects that the session keeps up with. Each break of its
// watch, a version that is too old among them, is followed by a new sync: the
// newest state counts, not each step to it. client-go's RetryWatcher gives up on
// 410 and its informers log to the terminal, so the few lines are here.
type source struct {
	name string
	// sync hands over the whole state and returns its version; done ends the watching.
	sync  func(ctx context.Context) (version string, done bool, err error)
	watch func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error)
	apply func(event watch.Event) // runs in the session's loop
	// optional sources are given up when they are not allowed.
	optional bool
}

// maxDenied is how often an answer of 401 or 403 is taken for a passing state:
// credentials are renewed while a run is followed.
const maxDenied = 3

// keep syncs and watches until the context ends.
func (s *session) keep(ctx context.Context, src source) {
	backoff := wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 6, Cap: 10 * time.Second}
	pause, denied := backoff, 0
	for ctx.Err() == nil {
		version, done, err := src.sync(ctx)
		if done {
			return
		}
		if err != nil {
			if denied++; !isDenied(err) {
				denied = 0
			}
			if denied == maxDenied {
				s.denied(ctx, src, err)
				return
			}
			s.do(ctx, func() { s.lost(src.name, err) })
			sleep(ctx, pause.Step())
			continue
		}
		denied = 0
		s.do(ctx, func() { s.found(src.name) })
		if s.stream(ctx, src, version) {
			pause = backoff
		}
		// A server that ends each watch at once must not be asked in a hot loop.
		sleep(ctx, pause.Step())
	}
}

// stream applies the events of one watch and reports whether there were any.
func (s *session) stream(ctx context.Context, src source, version string) (any bool) {
	w, err := src.watch(ctx, metav1.ListOptions{ResourceVersion: version, AllowWatchBookmarks: true})
	if err != nil {
		return false
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return any
		case event, ok := <-w.ResultChan():
			if !ok || event.Type == watch.Error {
				return any
			}
			any = true
			if event.Type != watch.Bookmark {
				s.do(ctx, func() { src.apply(event) })
			}
		}
	}
}

func isDenied(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)
}

func (s *session) denied(ctx context.Context, src source, err error) {
	if src.optional {
		return
	}
	s.do(ctx, func() { s.fatal = fmt.Errorf("watching the %s: %w", src.name, err) })
}

// lost and found tell the user once about a connection that broke and came back.
func (s *session) lost(name string, err error) {
	if len(s.broken) == 0 {
		// The address of one request among many explains nothing.
		if request := (*url.Error)(nil); errors.As(err, &request) {
			err = request.Err
		}
		s.notify(fmt.Sprintf("connection to the API server lost, trying again: %s", oneLine(err.Error())))
	}
	s.broken[name] = true
}

func (s *session) found(name string) {
	if !s.broken[name] {
		return
	}
	delete(s.broken, name)
	if len(s.broken) == 0 {
		s.notify("connected to the API server again")
	}
}

func (s *session) jobSource() source {
	jobs := s.Client.BatchV1().Jobs(s.Namespace)
	return source{
		name: "job",
		sync: func(ctx context.Context) (string, bool, error) {
			job, err := jobs.Get(ctx, s.Job, metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				s.do(ctx, s.jobGone)
				return "", true, nil
			}
			if err != nil {
				return "", false, err
			}
			s.do(ctx, func() { s.setJob(job) })
			return job.ResourceVersion, false, nil
		},
		watch: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.FieldSelector = fields.OneTermEqualSelector("metadata.name", s.Job).String()
			return jobs.Watch(ctx, options)
		},
		apply: func(event watch.Event) {
			job, ok := event.Object.(*batchv1.Job)
			if !ok || job.Name != s.Job {
				return
			}
			s.setJob(job)
			if event.Type == watch.Deleted {
				s.jobGone()
			}
		},
	}
}

// podSelector uses the label that every version since 1.24 sets; the one with
// the prefix came in 1.27.
func podSelector(job string) string {
	return "job-name=" + job
}

func (s *session) podSource() source {
	pods := s.Client.CoreV1().Pods(s.Namespace)
	return source{
		name: "pods",
		sync: func(ctx context.Context) (string, bool, error) {
			version, err := s.listPods(ctx)
			return version, false, err
		},
		watch: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.LabelSelector = podSelector(s.Job)
			return pods.Watch(ctx, options)
		},
		apply: func(event watch.Event) {
			pod, ok := event.Object.(*corev1.Pod)
			if !ok || pod.Labels["job-name"] != s.Job {
				return
			}
			s.setPod(pod)
			if event.Type == watch.Deleted {
				s.podGone(pod.UID)
			}
		},
	}
}

// eventSource explains an object that waits. Events are an extra: without them
// the follower only knows less.
func (s *session) eventSource(kind, name string) source {
	events := s.Client.CoreV1().Events(s.Namespace)
	selector := fields.AndSelectors(
		fields.OneTermEqualSelector("involvedObject.kind", kind),
		fields.OneTermEqualSelector("involvedObject.name", name)).String()
	set := func(event corev1.Event) {
		if event.InvolvedObject.Kind == kind && event.InvolvedObject.Name == name {
			s.setEvent(event)
		}
	}
	return source{
		name:     "events of " + name,
		optional: true,
		sync: func(ctx context.Context) (string, bool, error) {
			list, err := events.List(ctx, metav1.ListOptions{FieldSelector: selector})
			if err != nil {
				return "", false, err
			}
			s.do(ctx, func() {
				for _, event := range list.Items {
					set(event)
				}
			})
			return list.ResourceVersion, false, nil
		},
		watch: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.FieldSelector = selector
			return events.Watch(ctx, options)
		},
		apply: func(event watch.Event) {
			if object, ok := event.Object.(*corev1.Event); ok && event.Type != watch.Deleted {
				set(*object)
			}
		},
	}
}

// listPods hands over all Pods of the Job.
func (s *session) listPods(ctx context.Context) (string, error) {
	list, err := s.Client.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: podSelector(s.Job)})
	if err != nil {
		return "", err
	}
	s.do(ctx, func() { s.setPods(list.Items) })
	return list.ResourceVersion, nil
}

// errStopped is the cause of what the session ends by itself.
var errStopped = errors.New("the run is no longer followed")
