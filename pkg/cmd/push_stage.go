package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
	"github.com/tracebloc/kubectl-tracebloc/pkg/stage"
)

const (
	// podWait is how long the stage Pod may take to become Ready: an image pull
	// on a slow node takes minutes; what cannot heal ends the wait at once.
	podWait = 5 * time.Minute
	// removeDeadline bounds the clean-up after a success.
	removeDeadline = 2 * time.Minute
)

// stage brings the files to the volume, verified and published, and stores the
// key of the run beside them. The stage Pod is gone when it returns.
func (p *push) stage(ctx context.Context) error {
	if p.joined() {
		return nil
	}
	pod, volume, err := p.startPod(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if err := pod.Delete(ctx); err != nil {
			p.warn("the stage pod stays until its deadline in %s: %v", p.stageTimeout, err)
		}
	}()
	state, err := volume.Probe(ctx, p.plan)
	if err != nil {
		return err
	}
	if err := p.transfer(ctx, volume, state); err != nil {
		return err
	}
	return p.storeKey(ctx, volume, state.Record)
}

// storeKey stores the key beside the staged tree before the submit. A push that
// died between the submit and its answer left its own there: it is used again,
// so that the server finds the run that it may have started.
func (p *push) storeKey(ctx context.Context, volume *stage.Volume, last *stage.Record) error {
	replaces := ""
	if last != nil {
		replaces = last.Key
	}
	if last != nil && p.key == "" && last.SpecSHA256 == p.specDigest() {
		known, err := release.HasJob(ctx, p.cluster.client, p.release.Namespace, last.Key)
		if err != nil {
			return err
		}
		if !known {
			p.say("Continuing run %s, which was stored but never seen in the cluster", last.Key)
			p.runKey, p.result.Name, p.resumed = last.Key, last.Key, true
		}
	}
	record := stage.Record{Key: p.runKey, SpecSHA256: p.specDigest(), Table: p.chosen.table, Created: time.Now().UTC()}
	return volume.WriteRecord(ctx, p.plan, record, replaces)
}

// joined is true when this very push is already at work in the cluster.
func (p *push) joined() bool { return p.accepted.Job != "" }

func (p *push) startPod(ctx context.Context) (*stage.Pod, *stage.Volume, error) {
	r := p.release
	if p.stageImage == "" {
		return nil, nil, errors.New("the release names no image that could run the stage pod; name one with --stage-image (a POSIX shell, tar and sha256sum are needed)")
	}
	pod, err := stage.StartPod(ctx, p.cluster.client, stage.BuildPod(stage.PodOptions{
		Name:             stage.PodName(p.runKey),
		Namespace:        r.Namespace,
		Image:            p.stageImage,
		PVC:              r.PVC.Name,
		MountPath:        r.MountPath,
		Node:             r.Node,
		Table:            p.chosen.table,
		Key:              p.runKey,
		ImagePullSecrets: r.ImagePullSecrets,
		Tolerations:      r.Tolerations,
		NodeSelector:     r.NodeSelector,
		RunAsUser:        r.RunAsUser,
		RunAsGroup:       r.RunAsGroup,
		Deadline:         p.stageTimeout,
	}), podWait, func(reason string) { p.say("Waiting for the stage pod: %s", reason) })
	if err != nil {
		return nil, nil, err
	}
	return pod, pod.Volume(p.cluster.streams), nil
}

func (p *push) transfer(ctx context.Context, volume *stage.Volume, state stage.Probe) error {
	if state.DestinationExists {
		return failf(exitExists, "the directory of table %q on the volume is not empty: a run has copied files into it, and the ingestor refuses to add to them "+
			"(choose another --table, or delete the dataset in tracebloc first)", p.chosen.table)
	}
	if state.Published {
		p.say("Staged:     the volume has these files already, verified; nothing is sent")
		p.result.Status.Staging.Reused = true
		return nil
	}
	if err := state.Check(p.plan); err != nil {
		return err
	}
	p.progress.Start("Staging", p.checked.Manifest.Bytes())
	report, err := volume.Transfer(ctx, p.plan, p.data, p.progress.Add)
	p.result.Status.Staging.SentBytes = report.Sent
	if err != nil {
		p.progress.Stop()
		return err
	}
	p.progress.Finish()
	p.say("Verified:   %s on the volume", plural(int64(len(p.checked.Manifest)), "file"))
	return nil
}

// removeStaged gives the space back after a clean success. The dataset is
// ingested by then, so trouble here is told and nothing more.
func (p *push) removeStaged(ctx context.Context) error {
	p.say("Cleaning up: removing the staged copy")
	ctx, cancel := context.WithTimeout(ctx, removeDeadline)
	defer cancel()
	pod, volume, err := p.startPod(ctx)
	if err == nil {
		err = errors.Join(volume.Remove(ctx, p.plan, p.runKey), pod.Delete(ctx))
	}
	if err != nil {
		p.warn("the staged copy %s stays on the volume: %v", p.plan.Dir(), err)
		return nil
	}
	p.result.Status.Staging.Removed = true
	return nil
}

// say tells something on the way; --quiet mutes it.
func (p *push) say(format string, args ...any) { p.progress.Printf(format, args...) }

// warn tells of something that is wrong and does not end the push.
func (p *push) warn(format string, args ...any) {
	_, _ = fmt.Fprintf(escapeWriter{p.ErrOut}, "warning: "+format+"\n", args...)
}

func newProgress(o *pushOptions) *progress.Reporter {
	mode := progress.Auto
	switch {
	case o.quiet:
		mode = progress.Quiet
	case o.noProgress:
		mode = progress.Plain
	}
	return progress.New(o.ErrOut, mode)
}
