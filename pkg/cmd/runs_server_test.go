package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	clienttesting "k8s.io/client-go/testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

// runsServer is an API server that knows some runs. It speaks HTTP, so that whole
// command lines can be tried on it; what it knows is in client-go's own tracker.
type runsServer struct {
	t          *testing.T
	tracker    clienttesting.ObjectTracker
	kubeconfig string
	watches    chan string // the resource of each watch, when it is up

	mu       sync.Mutex
	logs     map[string]string // by Pod
	previous map[string]string // of the container's life before
	deny     []string          // "VERB RESOURCE"
	asked    []string          // "METHOD path" of each request
}

func newRunsServer(t *testing.T) *runsServer {
	t.Helper()
	s := &runsServer{t: t, tracker: fake.NewClientset().Tracker(), logs: map[string]string{}, previous: map[string]string{}, watches: make(chan string, 100)}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	config := strings.ReplaceAll(readTestFile(t, "testdata/info/kubeconfig"), "http://127.0.0.1:1", server.URL)
	s.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(s.kubeconfig, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func readTestFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tb runs a command line against the server.
func (s *runsServer) tb(args ...string) (stdout, stderr string, err error) {
	s.t.Helper()
	return runRootCommand(s.t, append(args, "--kubeconfig", s.kubeconfig)...)
}

// aRun is a run that a test wants the server to know.
type aRun struct {
	key, namespace, table, task string
	age                         time.Duration
	end                         batchv1.JobConditionType // "" for a run that is at work
	exit                        int32                    // of the container, when the run has ended
	log                         string                   // of pkg/run/testdata/logs
	noJob, noConfig, noPod      bool
	pending                     bool // its container does not run yet
	labels                      map[string]string
}

// jobStarted is when all runs that have ended started: a report has times, and an
// age is counted from now.
func jobStarted() metav1.Time { return metav1.NewTime(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)) }

func (s *runsServer) add(runs ...aRun) {
	s.t.Helper()
	for _, r := range runs {
		if r.namespace == "" {
			r.namespace = "ml"
		}
		meta := func(name string) metav1.ObjectMeta {
			m := metav1.ObjectMeta{
				Name: name, Namespace: r.namespace, UID: types.UID(r.namespace + name), Labels: map[string]string{run.Label: r.key},
				CreationTimestamp: metav1.NewTime(time.Now().Add(-r.age)),
			}
			for name, value := range r.labels {
				m.Labels[name] = value
			}
			return m
		}
		if !r.noConfig {
			spec := fmt.Sprintf("apiVersion: tracebloc.io/v1\nkind: IngestConfig\ncategory: %s\ntable: %s\nintent: train\n", r.task, r.table)
			s.put("configmaps", &corev1.ConfigMap{ObjectMeta: meta("ingest-config-" + r.key), Data: map[string]string{"ingest.yaml": spec}})
		}
		if r.noJob {
			continue
		}
		s.put("jobs", r.job(meta("ingest-job-"+r.key)))
		if r.noPod {
			continue
		}
		pod := r.pod(meta("ingest-job-" + r.key + "-x7k2p"))
		s.put("pods", pod)
		if r.log != "" {
			s.mu.Lock()
			s.logs[pod.Name] = stamped(readTestFile(s.t, "../run/testdata/logs/"+r.log+".log"))
			s.mu.Unlock()
		}
	}
}

func (r aRun) job(meta metav1.ObjectMeta) *batchv1.Job {
	start, ready := jobStarted(), int32(1)
	if r.end != "" || r.pending {
		ready = 0
	}
	job := &batchv1.Job{ObjectMeta: meta, Status: batchv1.JobStatus{StartTime: &start, Ready: &ready}}
	if r.end == "" {
		job.Status.StartTime = &meta.CreationTimestamp
		return job
	}
	end := metav1.NewTime(start.Add(9 * time.Second))
	job.Status.Conditions = []batchv1.JobCondition{{Type: r.end, Status: corev1.ConditionTrue, LastTransitionTime: end}}
	if r.end == batchv1.JobFailed {
		job.Status.Conditions[0].Reason, job.Status.Conditions[0].Message = "BackoffLimitExceeded", "Job has reached the specified backoff limit"
	} else {
		job.Status.CompletionTime = &end
	}
	return job
}

func (r aRun) pod(meta metav1.ObjectMeta) *corev1.Pod {
	controller := true
	job := "ingest-job-" + r.key
	meta.Labels["job-name"] = job
	meta.OwnerReferences = []metav1.OwnerReference{{Kind: "Job", Name: job, UID: types.UID(r.namespace + job), Controller: &controller}}
	status := corev1.ContainerStatus{Name: "ingestor", Image: "ingestor:0.8", ContainerID: "containerd://" + r.key}
	phase := corev1.PodRunning
	switch {
	case r.pending:
		phase, status.ContainerID = corev1.PodPending, ""
		status.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "Back-off pulling image \"ingestor:0.8\""}
	case r.end == "":
		status.State.Running = &corev1.ContainerStateRunning{StartedAt: jobStarted()}
	default:
		phase = corev1.PodSucceeded
		over := &corev1.ContainerStateTerminated{
			ContainerID: status.ContainerID, ExitCode: r.exit, Reason: "Completed", StartedAt: jobStarted(), FinishedAt: metav1.NewTime(jobStarted().Add(8 * time.Second)),
		}
		if r.exit != 0 {
			phase, over.Reason = corev1.PodFailed, "Error"
		}
		status.State.Terminated = over
	}
	return &corev1.Pod{
		ObjectMeta: meta,
		Spec:       corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{{Name: "ingestor"}}},
		Status:     corev1.PodStatus{Phase: phase, ContainerStatuses: []corev1.ContainerStatus{status}},
	}
}

// stamped is a log as the API server sends it with time stamps.
func stamped(log string) string {
	var b strings.Builder
	at := jobStarted().Time
	for line := range strings.Lines(log) {
		at = at.Add(time.Millisecond)
		b.WriteString(at.Format("2006-01-02T15:04:05.000000000Z07:00") + " " + line)
	}
	return b.String()
}

// serverKind tells what one of a resource is called, of those that the server has.
func serverKind(resource string) (schema.GroupVersionResource, schema.GroupVersionKind, bool) {
	kind := map[string]string{"jobs": "Job", "pods": "Pod", "configmaps": "ConfigMap", "events": "Event"}[resource]
	version := corev1.SchemeGroupVersion
	if resource == "jobs" {
		version = batchv1.SchemeGroupVersion
	}
	return version.WithResource(resource), version.WithKind(kind), kind != ""
}

func (s *runsServer) put(resource string, object metav1.Object) {
	s.t.Helper()
	gvr, _, _ := serverKind(resource)
	if err := s.tracker.Create(gvr, object.(runtime.Object), object.GetNamespace()); err != nil {
		s.t.Fatal(err)
	}
}

// finish makes a run that is at work end, with this log.
func (s *runsServer) finish(key string, end batchv1.JobConditionType, exit int32, log string) {
	s.t.Helper()
	r := aRun{key: key, namespace: "ml", end: end, exit: exit}
	job := "ingest-job-" + key
	// A Job ends after its Pod.
	for _, object := range []struct{ resource, name string }{{"pods", job + "-x7k2p"}, {"jobs", job}} {
		name := object.name
		gvr, _, _ := serverKind(object.resource)
		old, err := s.tracker.Get(gvr, "ml", name)
		if err != nil {
			s.t.Fatal(err)
		}
		var changed runtime.Object
		switch o := old.(type) {
		case *corev1.Pod:
			s.mu.Lock()
			s.logs[name] = stamped(readTestFile(s.t, "../run/testdata/logs/"+log+".log"))
			s.mu.Unlock()
			changed = r.pod(*o.ObjectMeta.DeepCopy())
		case *batchv1.Job:
			changed = r.job(*o.ObjectMeta.DeepCopy())
		}
		if err := s.tracker.Update(gvr, changed, "ml"); err != nil {
			s.t.Fatal(err)
		}
	}
}

// requests are those that the server has got, of one method.
func (s *runsServer) requests(method string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.asked), func(r string) bool { return !strings.HasPrefix(r, method+" ") })
}

var serverPath = regexp.MustCompile(`^/apis?(?:/[a-z0-9.]+\.k8s\.io|/batch)?/v1(?:/namespaces/([^/]+))?/([a-z]+)(?:/([^/]+))?(/log)?$`)

func (s *runsServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	s.mu.Unlock()
	m := serverPath.FindStringSubmatch(r.URL.Path)
	if m == nil {
		http.NotFound(w, r)
		return
	}
	namespace, resource, name := m[1], m[2], m[3]
	verb := s.verb(r, name)
	if m[4] != "" {
		resource += "/log"
	}
	s.mu.Lock()
	denied := slices.Contains(s.deny, verb+" "+resource)
	s.mu.Unlock()
	gvr, gvk, known := serverKind(strings.TrimSuffix(resource, "/log"))
	switch {
	case resource == "selfsubjectaccessreviews":
		s.review(w, r)
	case denied:
		s.fail(w, apierrors.NewForbidden(gvr.GroupResource(), name, fmt.Errorf("user %q cannot %s resource %q", "dana", verb, resource)))
	case !known:
		http.NotFound(w, r)
	case m[4] != "":
		s.sendLog(w, r, name)
	case verb == "watch":
		s.watch(w, r, gvr, namespace)
	case verb == "list":
		s.list(w, r, gvr, gvk, namespace)
	case verb == "delete":
		s.remove(w, gvr, namespace, name)
	default:
		object, err := s.tracker.Get(gvr, namespace, name)
		s.send(w, gvr, object, err)
	}
}

func (s *runsServer) verb(r *http.Request, name string) string {
	switch {
	case r.Method == http.MethodDelete:
		return "delete"
	case r.Method == http.MethodPost:
		return "create"
	case r.URL.Query().Get("watch") != "":
		return "watch"
	case name == "":
		return "list"
	}
	return "get"
}

func (s *runsServer) fail(w http.ResponseWriter, err error) {
	var status *apierrors.StatusError
	if !errors.As(err, &status) {
		status = &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Message: err.Error()}}
	}
	status.ErrStatus.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(int(status.ErrStatus.Code))
	_ = json.NewEncoder(w).Encode(status.ErrStatus)
}

func (s *runsServer) send(w http.ResponseWriter, gvr schema.GroupVersionResource, object runtime.Object, err error) {
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(encode(gvr, object))
}

// encode sets the kind, which clients need to know what they got.
func encode(gvr schema.GroupVersionResource, object runtime.Object) []byte {
	text, err := runtime.Encode(scheme.Codecs.LegacyCodec(gvr.GroupVersion()), object)
	if err != nil {
		panic(err) // only objects of the tests come here
	}
	return text
}
