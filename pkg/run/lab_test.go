package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

const (
	labNamespace = "ml"
	labJob       = "ingest-job-5a3907a66777"
)

// lab is a cluster with one Job: client-go's fake API, whose watches and requests
// can break, and kubelets that keep logs. It is used inside synctest only.
type lab struct {
	t      *testing.T
	client *fake.Clientset
	job    *batchv1.Job

	mu       sync.Mutex
	down     error // every request fails with it
	watchers []watch.Interface
	logs     map[string]*logFile // by container id
	opened   []corev1.PodLogOptions
	logError error
	ignores  bool // the kubelet ignores SinceTime
	notes    []string
	printed  bytes.Buffer
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, client: fake.NewClientset(), logs: map[string]*logFile{}}
	l.client.PrependReactor("*", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.down != nil, nil, l.down
	})
	l.client.PrependWatchReactor("*", func(action clienttesting.Action) (bool, watch.Interface, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.down != nil {
			return true, nil, l.down
		}
		w, err := l.client.Tracker().Watch(action.GetResource(), action.GetNamespace())
		if err == nil {
			l.watchers = append(l.watchers, w)
		}
		return true, w, err
	})
	l.job = &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: labJob, Namespace: labNamespace, UID: "job-uid"}}
	l.add(l.job)
	return l
}

func (l *lab) add(object runtime.Object) {
	l.t.Helper()
	if err := l.client.Tracker().Add(object); err != nil {
		l.t.Fatal(err)
	}
	synctest.Wait()
}

// setDown makes the API unreachable, or with nil reachable again.
func (l *lab) setDown(err error) {
	l.mu.Lock()
	l.down = err
	l.mu.Unlock()
	if err != nil {
		l.breakWatches(nil)
	}
}

// breakWatches ends all watches, after an error event if there is one.
func (l *lab) breakWatches(event *metav1.Status) {
	l.mu.Lock()
	watchers := l.watchers
	l.watchers = nil
	l.mu.Unlock()
	for _, w := range watchers {
		if event != nil {
			w.(*watch.RaceFreeFakeWatcher).Error(event)
		} else {
			w.Stop()
		}
	}
	synctest.Wait()
}

func (l *lab) finishJob(kind batchv1.JobConditionType, reason string) {
	l.t.Helper()
	job := l.job.DeepCopy()
	job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{
		Type: kind, Status: corev1.ConditionTrue, Reason: reason, Message: "because of " + reason, LastTransitionTime: metav1.Now(),
	})
	l.job = job
	l.update("jobs", job)
}

func (l *lab) update(resource string, object runtime.Object) {
	l.t.Helper()
	gvr := corev1.SchemeGroupVersion.WithResource(resource)
	if resource == resourceJobs {
		gvr = batchv1.SchemeGroupVersion.WithResource(resource)
	}
	if err := l.client.Tracker().Update(gvr, object, labNamespace); err != nil {
		l.t.Fatal(err)
	}
	synctest.Wait()
}

func (l *lab) delete(resource, name string) {
	l.t.Helper()
	gvr := corev1.SchemeGroupVersion.WithResource(resource)
	if resource == resourceJobs {
		gvr = batchv1.SchemeGroupVersion.WithResource(resource)
	}
	if err := l.client.Tracker().Delete(gvr, labNamespace, name); err != nil {
		l.t.Fatal(err)
	}
	synctest.Wait()
}

func (l *lab) event(kind, name string, uid types.UID, reason, message string) {
	l.t.Helper()
	l.add(&corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: fmt.Sprintf("e-%d", time.Now().UnixNano()), Namespace: labNamespace},
		InvolvedObject: corev1.ObjectReference{Kind: kind, Name: name, UID: uid},
		Reason:         reason, Message: message, LastTimestamp: metav1.Now(),
	})
	time.Sleep(time.Nanosecond)
}

// labPod is a Pod of the Job whose state the test changes step by step.
type labPod struct {
	*lab
	pod *corev1.Pod
}

func (l *lab) newPod(name string) *labPod {
	l.t.Helper()
	controller := true
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: labNamespace, UID: types.UID(name + "-uid"), CreationTimestamp: metav1.Now(),
			Labels:          map[string]string{"job-name": labJob, Label: testKey},
			OwnerReferences: []metav1.OwnerReference{{Kind: "Job", Name: labJob, UID: l.job.UID, Controller: &controller}},
		},
		Spec:   corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{{Name: "main"}}},
		Status: corev1.PodStatus{Phase: corev1.PodPending},
	}
	l.add(pod)
	return &labPod{lab: l, pod: pod}
}

// status changes the Pod and its only container's status.
func (p *labPod) status(change func(pod *corev1.Pod, status *corev1.ContainerStatus)) {
	p.t.Helper()
	pod := p.pod.DeepCopy()
	if len(pod.Status.ContainerStatuses) == 0 {
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main", Image: "ingestor:0.8"}}
	}
	change(pod, &pod.Status.ContainerStatuses[0])
	p.mu.Lock()
	p.pod = pod
	p.mu.Unlock()
	p.update("pods", pod)
}

func (p *labPod) waits(reason, message string) {
	p.t.Helper()
	p.status(func(_ *corev1.Pod, status *corev1.ContainerStatus) {
		status.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	})
}

// runs starts a container, with a log of its own.
func (p *labPod) runs(id string) *logFile {
	p.t.Helper()
	log := &logFile{changed: make(chan struct{}), cut: make(chan struct{})}
	p.mu.Lock()
	p.logs[id] = log
	p.mu.Unlock()
	p.status(func(pod *corev1.Pod, status *corev1.ContainerStatus) {
		pod.Status.Phase = corev1.PodRunning
		if over := status.State.Terminated; over != nil {
			status.LastTerminationState.Terminated = over
			status.RestartCount++
		}
		status.ContainerID = id
		status.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}
	})
	return log
}

// exits ends the container; the log's end comes first, as in a kubelet.
func (p *labPod) exits(code int32, reason string, phase corev1.PodPhase) {
	p.t.Helper()
	id := p.pod.Status.ContainerStatuses[0].ContainerID
	p.mu.Lock()
	log := p.logs[id]
	p.mu.Unlock()
	log.end()
	p.status(func(pod *corev1.Pod, status *corev1.ContainerStatus) {
		pod.Status.Phase = phase
		status.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ContainerID: id, ExitCode: code, Reason: reason, FinishedAt: metav1.Now(),
		}}
	})
}

// logFile is what a container has printed.
type logFile struct {
	mu      sync.Mutex
	lines   []loggedLine
	ended   bool
	hangs   bool          // streams stay open after the end
	trouble string        // what the kubelet says instead of the log
	slow    time.Duration // between two lines on their way to us
	short   []int         // after how many bytes the next reads that do not follow end, as if they were whole
	changed chan struct{}
	cut     chan struct{} // closed to end the streams, with an error or cleanly
	cutWith error
}

type loggedLine struct {
	stamp time.Time
	text  string
}

func (f *logFile) change(work func()) {
	f.mu.Lock()
	work()
	close(f.changed)
	f.changed = make(chan struct{})
	f.mu.Unlock()
	synctest.Wait()
}

func (f *logFile) print(text string) {
	for _, one := range strings.SplitAfter(text, "\n") {
		if one != "" {
			f.at(time.Now(), one)
		}
	}
}

func (f *logFile) at(stamp time.Time, text string) {
	f.change(func() { f.lines = append(f.lines, loggedLine{stamp, text}) })
}

func (f *logFile) end() { f.change(func() { f.ended = true }) }

// breakStreams ends all open streams: cleanly with io.EOF, else with the error.
func (f *logFile) breakStreams(err error) {
	f.mu.Lock()
	f.cutWith = err
	close(f.cut)
	f.cut = make(chan struct{})
	f.mu.Unlock()
	synctest.Wait()
}

func (l *lab) openLog(ctx context.Context, namespace, name string, options *corev1.PodLogOptions) (io.ReadCloser, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened = append(l.opened, *options)
	if l.logError != nil {
		return nil, l.logError
	}
	object, err := l.client.Tracker().Get(corev1.SchemeGroupVersion.WithResource("pods"), namespace, name)
	if err != nil {
		return nil, err
	}
	status := object.(*corev1.Pod).Status.ContainerStatuses[0]
	id := status.ContainerID
	if last := status.LastTerminationState.Terminated; options.Previous || status.State.Waiting != nil {
		if last == nil {
			return nil, errors.New("no previous container")
		}
		id = last.ContainerID
	}
	log := l.logs[id]
	if log == nil {
		return nil, fmt.Errorf("no log of %q", id)
	}
	since := options.SinceTime
	if l.ignores {
		since = nil
	}
	reader, writer := io.Pipe()
	go func() { _ = writer.CloseWithError(log.serve(ctx, writer, since, options)) }()
	return reader, nil
}

// serve streams as a kubelet does: lines before since are left out, and all but
// the last ones where only those are asked for. A kubelet in trouble says so in a
// line of its own, without a time stamp.
func (f *logFile) serve(ctx context.Context, w io.Writer, since *metav1.Time, options *corev1.PodLogOptions) error {
	f.mu.Lock()
	if !options.Follow && len(f.short) > 0 {
		w, f.short = &shortWriter{w, f.short[0]}, f.short[1:]
	}
	sent, trouble := 0, f.trouble
	if options.TailLines != nil {
		sent = max(0, len(f.lines)-int(*options.TailLines))
	}
	f.mu.Unlock()
	if trouble != "" {
		_, err := io.WriteString(w, trouble+"\n")
		return err
	}
	for {
		f.mu.Lock()
		lines, ended, changed, cut := f.lines[sent:], f.ended && !f.hangs, f.changed, f.cut
		f.mu.Unlock()
		for _, one := range lines {
			sent++
			if since != nil && one.stamp.Before(since.Time) {
				continue
			}
			time.Sleep(f.slow)
			_, err := io.WriteString(w, one.stamp.UTC().Format("2006-01-02T15:04:05.000000000Z07:00")+" "+one.text)
			switch {
			case errors.Is(err, errShort):
				return nil
			case err != nil:
				return err
			}
		}
		if !options.Follow || ended {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-cut:
			if errors.Is(f.cutWith, io.EOF) {
				return nil
			}
			return f.cutWith
		}
	}
}

// shortWriter ends a stream after so many bytes.
type shortWriter struct {
	io.Writer
	left int
}

var errShort = errors.New("cut short")

func (w *shortWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p[:min(len(p), w.left)])
	if w.left -= n; err == nil && n < len(p) {
		err = errShort
	}
	return n, err
}

// follower is one that prints into the lab's books.
func (l *lab) follower() *Follower {
	return &Follower{
		Client: l.client, Namespace: labNamespace, Job: labJob, Logs: &l.printed, OpenLog: l.openLog,
		Notify: func(message string) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.notes = append(l.notes, message)
		},
	}
}

// follow starts Follow and returns a function that waits for its end.
func (l *lab) follow(ctx context.Context) func() (Evidence, error) {
	type result struct {
		evidence Evidence
		err      error
	}
	ended := make(chan result, 1)
	follower := l.follower()
	go func() {
		evidence, err := follower.Follow(ctx)
		ended <- result{evidence, err}
	}()
	synctest.Wait()
	return func() (Evidence, error) {
		r := <-ended
		return r.evidence, r.err
	}
}

func (l *lab) noted(part string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.notes, func(note string) bool { return strings.Contains(note, part) })
}
