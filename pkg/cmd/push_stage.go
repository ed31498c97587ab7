package cmd

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
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
	station, err := p.station()
	if err != nil {
		return err
	}
	defer func() {
		if err := station.Close(ctx); err != nil {
			p.warn("the stage pod ends by itself after a while: %v", err)
		}
		p.result.Status.Staging.PodSeconds = seconds(station.Waited())
	}()
	volume, err := station.Open(ctx)
	if err != nil {
		return err
	}
	last, err := p.transfer(ctx, volume)
	if err != nil {
		return err
	}
	return p.storeKey(ctx, volume, last)
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
		known, err := run.HasJob(ctx, p.cluster.client, p.release.Namespace, last.Key)
		if err != nil {
			return err
		}
		if !known {
			p.say("Continuing run %s, which was stored but never seen in the cluster", last.Key)
			p.runKey, p.result.Name, p.resumed = last.Key, last.Key, true
		}
	}
	record := stage.Record{Key: p.runKey, SpecSHA256: p.specDigest(), Table: p.chosen.table, Created: time.Now().UTC()}
	err := volume.WriteRecord(ctx, p.plan, record, replaces)
	var taken *stage.RecordError
	if errors.As(err, &taken) && taken.Record != nil && taken.Record.SpecSHA256 == record.SpecSHA256 && p.key == "" {
		// Another push of the same data was faster. The same key and the same spec are the same run, whoever submits it first.
		p.say("Joining run %s, which another push of the same data has begun", taken.Record.Key)
		p.runKey, p.result.Name = taken.Record.Key, taken.Record.Key
		return nil
	}
	return err
}

// joined is true when this very push is already at work in the cluster.
func (p *push) joined() bool { return p.accepted.Job != "" }

// station describes the stage Pod; it does not start it yet.
func (p *push) station() (*stage.Station, error) {
	r := p.release
	if p.stageImage == "" {
		return nil, errors.New("the release names no image that could run the stage pod; name one with --stage-image (a POSIX shell, tar and sha256sum are needed)")
	}
	return &stage.Station{
		Client:  p.cluster.client,
		Exec:    p.cluster.streams,
		Plainer: p.cluster.streams.SPDY(),
		Pod: stage.PodOptions{
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
		},
		Wait:   podWait,
		Notify: func(reason string) { p.say("Waiting for the stage pod: %s", reason) },
	}, nil
}

// transfer brings what is missing to the volume. It returns the record of the
// run that the tree was staged for before, or nil.
func (p *push) transfer(ctx context.Context, volume *stage.Volume) (last *stage.Record, err error) {
	// A transfer holds some buffers and makes much garbage of their size; a collector that waits for as much again would double them.
	defer debug.SetGCPercent(debug.SetGCPercent(40))
	drawn := false
	report, err := volume.Transfer(ctx, p.plan, p.data, stage.Options{
		Parallel: p.sessions,
		Compress: p.compression,
		Admit: func(state stage.Probe) error {
			last = state.Record
			return p.admit(state)
		},
		Progress: func(now stage.Progress) {
			if !drawn {
				drawn = true
				p.progress.StartTransfer("Staging", now.TotalFiles, now.TotalBytes)
			}
			p.progress.Transfer(progress.Transfer(now))
		},
		Notify: func(text string) { p.say("%s", text) },
	})
	p.noteStaging(report)
	if err != nil {
		p.progress.Stop()
		return last, p.keptOf(err)
	}
	p.progress.Finish()
	if report.AlreadyPublished {
		p.say("Staged:     the volume has these files already, verified; nothing is sent")
		return last, nil
	}
	if report.Pods > 0 {
		p.say("The stage pod was lost on the way; %s were needed", plural(int64(1+report.Pods), "stage pod"))
	}
	p.say("Verified:   %s on the volume", plural(report.TreeFiles, "file"))
	return last, nil
}

// admit refuses what would only fail after the upload.
func (p *push) admit(state stage.Probe) error {
	if !state.DestinationExists {
		return nil
	}
	return failf(exitExists, "the directory of table %q on the volume is not empty: a run has copied files into it, and the ingestor refuses to add to them "+
		"(choose another --table, or delete the dataset in tracebloc first)", p.chosen.table)
}

func (p *push) noteStaging(r stage.Report) {
	s := p.result.Status.Staging
	s.Reused = r.AlreadyPublished
	s.Files, s.Bytes, s.TakenOverFiles, s.TakenOverBytes = r.Files, r.Bytes, r.TakenOverFiles, r.TakenOverBytes
	s.SentBytes, s.CompressedBytes, s.Retries, s.Pods = r.Sent, r.Compressed, r.Retries, 1+r.Pods
	s.Seconds = seconds(r.Took)
}

// keptOf adds what an interrupted transfer leaves to go on from.
func (p *push) keptOf(err error) error {
	if !p.keepsSome() {
		return err
	}
	return fmt.Errorf("%w; what arrived is kept, and the same push goes on from there", err)
}

// keepsSome tells whether the volume has something of a transfer that ended early.
func (p *push) keepsSome() bool {
	s := p.result.Status.Staging
	return s != nil && s.Files+s.Bytes+s.TakenOverFiles > 0
}

// removeStaged gives the space back after a clean success. The dataset is
// ingested by then, so trouble here is told and nothing more.
func (p *push) removeStaged(ctx context.Context) error {
	p.say("Cleaning up: removing the staged copy")
	ctx, cancel := context.WithTimeout(ctx, removeDeadline)
	defer cancel()
	station, err := p.station()
	if err == nil {
		var volume *stage.Volume
		if volume, err = station.Open(ctx); err == nil {
			err = errors.Join(volume.Remove(ctx, p.plan, p.runKey), station.Close(ctx))
		}
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
