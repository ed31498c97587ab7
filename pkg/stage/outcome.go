package stage

import "fmt"

// maxDenied is how often the volume may refuse the same job before it is taken at its word.
const maxDenied = 3

// arrived counts a job that the volume has taken.
func (t *transfer) arrived(j *job) { t.finish(j, true) }

// found counts a range that was there already.
func (t *transfer) found(j *job) { t.finish(j, false) }

func (t *transfer) finish(j *job, sent bool) {
	t.patience.progress()
	// What was handed to a connection says little about the link: megabytes vanish in the buffers on the way.
	t.compression.moved(j.wire)
	if j.kind == frameShard {
		t.pace.count(len(j.files))
	}
	var followers []*job
	if j.kind == frameRange && j.big.received(j.number, sent) {
		followers = []*job{{kind: frameWhole, files: j.files, id: j.id, big: j.big}}
	}
	t.mu.Lock()
	r := &t.report
	switch j.kind {
	case frameNames, frameLinks, frameCopy:
		r.TakenOverFiles += int64(len(j.files))
		r.TakenOverBytes += j.payload
	case frameShard:
		r.Files += int64(len(j.files))
		r.Bytes += j.payload
	case frameRange:
		if sent {
			r.Bytes += j.payload
		} else {
			r.TakenOverBytes += j.payload
			r.TotalBytes -= j.payload
		}
	case frameWhole:
		r.Files++
	}
	t.options.Progress(r.Progress)
	t.mu.Unlock()
	t.queue.done(followers...)
}

// refused decides what becomes of a job that the volume did not take: it is tried again, or in another way, or its error ends the
// transfer.
func (t *transfer) refused(j *job, err *VolumeError) error {
	if isFinal(err) {
		return err
	}
	j.denied++
	if j.kind == frameRange {
		j.big.suspects()
	}
	switch {
	case j.kind == frameNames && err.Reason == NoLink:
		// Links of an attempt that broke are in the way, and only a link that is made elsewhere can take their place.
		j.kind, j.denied = frameLinks, 0
		t.queue.putBack(j)
		return nil
	case j.kind == frameLinks && err.Reason == NoLink && j.denied == 1:
		// The file system has no hard links, or the older tree is not whole. What has the same name there can be copied.
		t.queue.done(t.withoutLinks(j)...)
		return nil
	case j.kind == frameNames || j.kind == frameLinks || j.kind == frameCopy:
		t.queue.done(t.send(j.files)...)
		return nil
	case j.kind == frameWhole && j.big.deny() < maxDenied:
		t.queue.done(t.rangesAgain(j)...)
	case j.kind == frameWhole || j.denied >= maxDenied:
		return &decidedError{fmt.Errorf("refused %d times: %w", maxDenied, err)}
	default:
		t.queue.putBack(j)
	}
	t.retried(err, false)
	return nil
}

// withoutLinks splits a job of links into files to copy and files to send.
func (t *transfer) withoutLinks(j *job) []*job {
	m := t.plan.Manifest
	var same, other []int32
	for k, i := range j.files {
		if j.links[k] == m[i].Path {
			same = append(same, i)
		} else {
			other = append(other, i)
		}
	}
	jobs := t.send(other)
	for _, part := range t.plan.cut(same, t.plan.limits.shardBytes, t.plan.limits.shardFiles) {
		jobs = append(jobs, &job{kind: frameCopy, files: part, source: j.source, id: digest(sumsOf(m, part)), payload: sizeOf(m, part)})
	}
	return jobs
}

// send makes the jobs of files that were to be taken over.
func (t *transfer) send(files []int32) []*job {
	m := t.plan.Manifest
	var jobs []*job
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.TotalFiles += int64(len(files))
	t.report.TotalBytes += sizeOf(m, files)
	for _, i := range files {
		if m[i].Size > t.plan.limits.rangeAbove {
			b := newBigFile(t.src, t.plan, i)
			t.big = append(t.big, b)
			jobs = append(jobs, b.jobs(i)...)
		}
	}
	return append(jobs, t.plan.shards(files)...)
}

// rangesAgain are all ranges of a big file of which some are gone from the volume.
func (t *transfer) rangesAgain(j *job) []*job {
	jobs, sent, found := j.big.restart(j.files[0])
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.Bytes -= sent
	t.report.TakenOverBytes -= found
	t.report.TotalBytes += found
	return jobs
}

// traveled counts bytes that were handed to a connection.
func (t *transfer) traveled(j *job, n int64) {
	j.wire = n
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.Sent += n
	t.options.Progress(t.report.Progress)
}

// flying counts bytes of files that are sent, or that are not on the way any more.
func (t *transfer) flying(n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.InFlight += n
	t.options.Progress(t.report.Progress)
}

// mayFly tells whether n bytes more may be on the way.
func (t *transfer) mayFly(n int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.report.InFlight+n <= max(aheadBytes, t.report.TotalBytes/aheadPart)
}

func (t *transfer) step(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.Step = what
	t.options.Progress(t.report.Progress)
}

func (t *transfer) compressed(n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.Compressed += n
}

// retried counts a failure that is overcome.
func (t *transfer) retried(_ error, renewed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.Retries++
	if renewed {
		t.report.Pods++
	}
	t.options.Progress(t.report.Progress)
}
