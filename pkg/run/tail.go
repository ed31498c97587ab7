package run

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

// LogOpener opens a container's log.
type LogOpener func(ctx context.Context, namespace, pod string, options *corev1.PodLogOptions) (io.ReadCloser, error)

// PodLogs returns the LogOpener of a cluster.
func PodLogs(client kubernetes.Interface) LogOpener {
	return func(ctx context.Context, namespace, pod string, options *corev1.PodLogOptions) (io.ReadCloser, error) {
		return client.CoreV1().Pods(namespace).GetLogs(pod, options).Stream(ctx)
	}
}

const (
	// drainGrace is how long a log stream may stay open after its container has
	// ended; the rest is then read without following.
	drainGrace = 10 * time.Second
	// finalReads is how often the rest of a log is asked for when it matters.
	finalReads = 5
)

// tail reads the log of one container life to its end, whatever breaks between.
type tail struct {
	client    kubernetes.Interface
	open      LogOpener
	namespace string
	attempt   *attempt   // only what never changes is read here
	sink      func(line) // each line once
	last      int64      // how many lines of the end are enough; 0 for all
	tries     int        // how often an ended container's log is asked for in vain
	patient   bool       // whether an API server that is away is waited for
	alive     func()     // called while it is, and while lines come that are known

	seen  seenLines
	lines lineSplitter
}

// run reads until the log is read to its end and then returns nil. Every line
// reaches the sink once.
func (t *tail) run(ctx context.Context) error {
	t.lines = lineSplitter{stamped: true, emit: t.line}
	backoff := wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: 0.1, Steps: 6, Cap: 10 * time.Second}
	for pause := backoff; ctx.Err() == nil; {
		if t.attempt.isOver() {
			return t.finish(ctx, backoff)
		}
		before := t.seen.total
		t.follow(ctx)
		if t.seen.total > before {
			pause = backoff
		}
		// A stream that ended proves nothing: proxies and API servers end streams
		// of containers that still run. The watch tells the end.
		t.attempt.await(ctx, pause.Step())
	}
	return context.Cause(ctx)
}

// await waits for the container's end, at most for d.
func (a *attempt) await(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-a.ended:
	}
}

// follow streams until the stream ends, or drainGrace after the container did.
func (t *tail) follow(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-ctx.Done():
			return
		case <-t.attempt.ended:
		}
		if sleep(ctx, drainGrace) {
			cancel()
		}
	}()
	// How it ended does not matter: what was not read is read again.
	_ = t.stream(ctx, true, false)
}

// finish reads what is left of an ended container's log, and believes that it is
// at the end when a read brings nothing new: an API server that loses its node in
// between ends the stream as if the log had ended. One that is away says nothing
// about the log: a patient reader waits for it.
func (t *tail) finish(ctx context.Context, pause wait.Backoff) error {
	first := pause
	for read, whole := 1, 0; ; read++ {
		before, partial := t.seen.total, t.lines.partial()
		previous, err := t.isPrevious(ctx)
		away := isAway(err)
		if err == nil {
			_ = t.seen.takeTrouble() // of a stream before
			if err = t.stream(ctx, false, previous); err == nil {
				err = t.seen.takeTrouble()
			}
		}
		if away && t.patient {
			t.alive()
			read = 0
		}
		if t.seen.total > before {
			pause, read = first, 0
		}
		if err == nil {
			whole++
			settled := t.seen.total == before && t.lines.partial() == partial && (before > 0 || whole > 1)
			if settled || whole == finalReads || !t.repeatable() {
				t.lines.flush()
				return nil
			}
			continue
		}
		if read >= t.limit(err) || !sleep(ctx, pause.Step()) {
			return err
		}
	}
}

// repeatable reports whether another read would bring only what is new, and is
// worth its while.
func (t *tail) repeatable() bool { return t.attempt.isOver() && t.last == 0 && t.seen.recognizes() }

// limit is how often a log is asked for that cannot be read with this error.
func (t *tail) limit(err error) int {
	var instead *insteadOfLog
	switch {
	case errors.As(err, &instead), errors.Is(err, errPodGone), errors.Is(err, errLifeGone), apierrors.IsNotFound(err):
		return 1
	case isDenied(err):
		return min(t.tries, maxDenied) // an API server that has just started knows no roles yet
	}
	return t.tries
}

// isAway tells an API server that does not answer, or not now, from an answer.
func isAway(err error) bool {
	var status apierrors.APIStatus
	switch {
	case err == nil, errors.Is(err, errPodGone), errors.Is(err, errLifeGone):
		return false
	case errors.As(err, &status):
		code := status.Status().Code
		return code >= http.StatusInternalServerError || code == http.StatusTooManyRequests
	}
	return true
}

var (
	errPodGone  = errors.New("the pod is gone")
	errLifeGone = errors.New("the container was restarted more than once since")
)

// isPrevious asks whether the container has been restarted since: its log is
// then the previous one.
func (t *tail) isPrevious(ctx context.Context) (bool, error) {
	pod, err := t.client.CoreV1().Pods(t.namespace).Get(ctx, t.attempt.Pod, metav1.GetOptions{})
	if err != nil {
		return false, err
	}
	if pod.UID != t.attempt.pod {
		return false, errPodGone
	}
	status := containerStatus(pod, t.attempt.Container)
	id := t.attempt.ContainerID
	last := (*corev1.ContainerStateTerminated)(nil)
	if status != nil {
		last = status.LastTerminationState.Terminated
	}
	switch {
	case status == nil, status.State.Waiting != nil && last != nil && last.ContainerID == id:
		return false, nil // between two lives the last one's log is the current one
	case last != nil && last.ContainerID == id:
		return true, nil
	case status.ContainerID == id, status.State.Terminated != nil && status.State.Terminated.ContainerID == id:
		return false, nil
	}
	return false, errLifeGone
}

// stream reads once from the point that is not known yet to the stream's end.
func (t *tail) stream(ctx context.Context, follow, previous bool) error {
	options := &corev1.PodLogOptions{
		Container:  t.attempt.Container,
		Follow:     follow,
		Previous:   previous,
		Timestamps: true,
		SinceTime:  t.seen.rewind(),
	}
	if t.last > 0 {
		options.TailLines = &t.last
	}
	log, err := t.open(ctx, t.namespace, t.attempt.Pod, options)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = log.Close() })
	defer func() {
		if stop() {
			_ = log.Close()
		}
	}()
	// A line that the last break cut in two is read again as a whole.
	t.lines.reset()
	if _, err := io.Copy(&t.lines, log); err != nil {
		return err
	}
	return ctx.Err()
}

func (t *tail) line(l line) {
	if t.seen.isNew(l) {
		t.sink(l)
	} else {
		t.alive()
	}
}
