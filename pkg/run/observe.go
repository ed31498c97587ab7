package run

import (
	"context"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
)

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
	selector := eventSelector(kind, name)
	set := func(event corev1.Event) {
		if isAbout(event, kind, name) {
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

func eventSelector(kind, name string) string {
	return fields.AndSelectors(
		fields.OneTermEqualSelector("involvedObject.kind", kind),
		fields.OneTermEqualSelector("involvedObject.name", name)).String()
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
