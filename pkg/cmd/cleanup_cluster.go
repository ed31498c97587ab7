package cmd

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
	"github.com/tracebloc/kubectl-tracebloc/pkg/stage"
)

// findRelease finds out how the shared volume is reached. A release that takes
// no runs, or lets nobody submit any, can be cleaned up all the same.
func (o *cleanupOptions) findRelease(ctx context.Context) (*release.Release, error) {
	if err := release.Allowed(ctx, o.client, release.RoleCleanup, o.namespace); err != nil {
		return nil, err
	}
	r, steps := release.Inspect(ctx, o.client, o.namespace, o.release)
	for _, step := range steps {
		if step.Err != nil && matters(step.Name, r) {
			return nil, o.explain(ctx, step.Err)
		}
	}
	if o.stageImage == "" {
		o.stageImage = r.StageImage
	}
	return r, ctx.Err()
}

// matters tells whether a cleanup needs what a step of the inspection looked for.
func matters(step string, r *release.Release) bool {
	switch step {
	case release.StepPolicy, release.StepIngestor:
		return false
	case release.StepManager, release.StepService, release.StepPod:
		return r.Node == "" || r.PVC.Name == ""
	}
	return true
}

func (o *cleanupOptions) explain(ctx context.Context, err error) error {
	return release.Explain(ctx, o.client, release.RoleCleanup, o.namespace, err)
}

// cleaner is made for the release; no Pod is started yet.
func (o *cleanupOptions) cleaner(r *release.Release) *stage.Cleaner {
	return &stage.Cleaner{
		Station: &stage.Station{
			Client:  o.client,
			Exec:    o.exec,
			Plainer: o.plainer,
			Pod: stage.PodOptions{
				Namespace:        r.Namespace,
				Image:            o.stageImage,
				PVC:              r.PVC.Name,
				MountPath:        r.MountPath,
				Node:             r.Node,
				Key:              "cleanup",
				ImagePullSecrets: r.ImagePullSecrets,
				Tolerations:      r.Tolerations,
				NodeSelector:     r.NodeSelector,
				RunAsUser:        r.RunAsUser,
				RunAsGroup:       r.RunAsGroup,
				Deadline:         cleanupPodDeadline,
			},
			Wait:   podWait,
			Notify: func(reason string) { o.tell("Waiting for the stage pod: %s", reason) },
		},
		Root:      r.MountPath + "/" + stage.Directory,
		Table:     o.table,
		OlderThan: o.olderThan,
		Runs:      o.runs,
	}
}

// spawning is how long after its ConfigMap a run's Job may still come to be: jobs-manager makes one right after the other, and a submit
// that ended in between is repeated.
const spawning = 5 * time.Minute

// runs lists the runs of the namespace, and whether they may read what was
// staged. A run whose Job is gone counts as active while Pods of it are there,
// and while its Job may not have been made yet.
func (o *cleanupOptions) runs(ctx context.Context) ([]stage.Run, error) {
	// In this order a run that begins in between has its Job listed.
	pods, err := o.client.CoreV1().Pods(o.namespace).List(ctx, metav1.ListOptions{LabelSelector: run.Label})
	if err != nil {
		return nil, fmt.Errorf("list the pods of runs in namespace %q: %w", o.namespace, err)
	}
	listed, err := run.List(ctx, o.client, o.namespace, "")
	if err != nil {
		return nil, err
	}
	working := map[string]bool{}
	for _, pod := range pods.Items {
		if pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed {
			working[pod.Labels[run.Label]] = true
		}
	}
	var all []stage.Run
	for _, r := range listed {
		one := stage.Run{Key: r.Name, Phase: string(r.Status.Phase), Active: r.Active(), Blind: r.Spec.IngestConfig == "", Reads: r.Reads}
		switch {
		case one.Active:
		case working[r.Name]:
			one.Active, one.Doubt = true, "a pod of it is there"
		case r.Status.Job == "" && time.Since(r.CreationTimestamp.Time) < spawning:
			one.Active, one.Doubt = true, "it has no job, and was submitted a moment ago"
		}
		all = append(all, one)
	}
	for key := range working {
		if !slices.ContainsFunc(all, func(r stage.Run) bool { return r.Key == key }) {
			all = append(all, stage.Run{Key: key, Phase: string(run.PhaseUnknown), Active: true, Doubt: "a pod of it is there", Blind: true})
		}
	}
	return all, nil
}
