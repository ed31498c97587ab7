package run

import (
	"context"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	// summaryLines is enough of a log's end for the summary and what may follow it.
	summaryLines = int64(100)
	// summaryReaders read logs at once: each answer is small and far away.
	summaryReaders = 8
)

// ReadSummaries reads the ends of the logs of the last of the runs that are
// PhaseComplete, at most that many, and sets their outcome where the summary is
// there. It lists the Pods once for each namespace. What cannot be read stays
// PhaseComplete: a list is no place for errors about logs.
func ReadSummaries(ctx context.Context, client kubernetes.Interface, runs []*IngestionRun, newest int) {
	wanted := map[string][]*IngestionRun{} // by namespace
	for i := len(runs) - 1; i >= 0 && newest > 0; i-- {
		if r := runs[i]; r.Status.Phase == PhaseComplete && r.Status.Job != "" {
			wanted[r.Namespace] = append(wanted[r.Namespace], r)
			newest--
		}
	}
	var readers sync.WaitGroup
	slots := make(chan struct{}, summaryReaders)
	for namespace, some := range wanted {
		pods, err := podsOf(ctx, client, namespace, some)
		if err != nil {
			continue
		}
		for _, r := range some {
			if len(pods[r.Status.Job]) == 0 {
				continue
			}
			slots <- struct{}{}
			readers.Go(func() {
				defer func() { <-slots }()
				readSummary(ctx, client, r, pods[r.Status.Job])
			})
		}
	}
	readers.Wait()
}

// podsOf lists the Pods of the runs, by the name of their Job.
func podsOf(ctx context.Context, client kubernetes.Interface, namespace string, runs []*IngestionRun) (map[string][]corev1.Pod, error) {
	names := make([]string, 0, len(runs))
	for _, r := range runs {
		names = append(names, r.Status.Job)
	}
	list, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "job-name in (" + strings.Join(names, ",") + ")"})
	if err != nil {
		return nil, err
	}
	pods := map[string][]corev1.Pod{}
	for _, pod := range list.Items {
		job := pod.Labels["job-name"]
		pods[job] = append(pods[job], pod)
	}
	return pods, nil
}

// readSummary judges a complete Job by the ends of its logs.
func readSummary(ctx context.Context, client kubernetes.Interface, r *IngestionRun, pods []corev1.Pod) {
	s := newSession(&Follower{Client: client, Namespace: r.Namespace, Job: r.Status.Job})
	s.state, s.lastLines, s.tries = JobComplete, summaryLines, 1
	s.setPods(pods)
	s.attempts.silenceAll()
	for next := s.attempts.next(); next != nil; next = s.attempts.next() {
		if _, err := s.readNow(ctx, next); err != nil {
			return
		}
	}
	if outcome := Judge(s.finalEvidence()); outcome.Banner != nil {
		r.SetOutcome(outcome)
	}
}
