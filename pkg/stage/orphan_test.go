//go:build unix

package stage

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
)

// TestIdle: a Pod is idle when no session hears of its client for longer than a client takes to come back. Its naps are not slept.
func TestIdle(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		for name, c := range map[string]struct {
			file string        // that is there at first
			age  time.Duration // of it
			nap  string        // what happens in each nap
			want string
		}{
			"nothing":     {want: "IDLE feed\n"},
			"at work":     {file: "session.aa", want: "BUSY feed\n"},
			"comes back":  {nap: "[ $(wc -c <naps) -lt 4 ] || printf . >session.aa", want: "BUSY feed\n"},
			"long silent": {file: "session.aa", age: 11 * time.Minute, want: "IDLE feed\n"},
			"slow volume": {file: "session.aa", age: 8 * time.Minute, want: "BUSY feed\n"},
			"other files": {file: "other.aa", want: "IDLE feed\n"},
		} {
			t.Run(sh.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				if c.file != "" {
					put(t, filepath.Join(dir, c.file), ".")
					at := time.Now().Add(-c.age)
					if err := os.Chtimes(filepath.Join(dir, c.file), at, at); err != nil {
						t.Fatal(err)
					}
				}
				script := "sleep() { printf . >>naps; " + c.nap + "\n}\n" + read("idle")
				argv := append(append([]string{}, sh.argv...), "-c", script, "tracebloc-stage", "feed")
				cmd := exec.Command(argv[0], argv[1:]...)
				cmd.Dir, cmd.Env = dir, []string{"PATH=" + sh.path}
				out, err := cmd.CombinedOutput()
				if err != nil || string(out) != c.want {
					t.Errorf("%v: %q, want %q", err, out, c.want)
				}
			})
		}
	}
}

// TestIdleIsShort: it travels in the URL of the request.
func TestIdleIsShort(t *testing.T) {
	t.Parallel()
	if n := len(read("idle")); n > 400 {
		t.Errorf("%d bytes", n)
	}
}

// answers gives each session the same answer, with the nonce for NONCE.
type answers struct {
	text string
	err  error
}

func (a answers) Exec(_ context.Context, _ podio.Target, command []string, _ io.Reader, stdout, _ io.Writer) error {
	_, err := io.WriteString(stdout, strings.ReplaceAll(a.text, "NONCE", command[len(command)-1]))
	return errors.Join(err, a.err)
}

// labeled puts a stage Pod into a fake cluster.
func labeled(t *testing.T, client *fake.Clientset, uid, table string, age time.Duration, status corev1.PodStatus, change func(*corev1.Pod)) {
	t.Helper()
	o := options()
	o.Name, o.Table = "stage-"+uid, table
	pod := BuildPod(o)
	pod.UID, pod.Status = types.UID(uid), status
	pod.CreationTimestamp = metav1.NewTime(time.Now().Add(-age))
	if change != nil {
		change(pod)
	}
	if err := client.Tracker().Add(pod); err != nil {
		t.Fatal(err)
	}
}

func TestStrays(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	running := corev1.PodStatus{Phase: corev1.PodRunning}
	ended := func(age time.Duration) corev1.PodStatus {
		return corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted\x1b", ContainerStatuses: []corev1.ContainerStatus{{
			Name: Container, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 137, Reason: "OOMKilled", FinishedAt: metav1.NewTime(time.Now().Add(-age)),
			}},
		}}}
	}
	for name, c := range map[string]struct {
		age       time.Duration
		status    corev1.PodStatus
		change    func(*corev1.Pod)
		exec      answers
		olderThan time.Duration // a day by default
		missing   bool
		why, kept string // kept "" is to go
	}{
		"succeeded":       {age: 2 * day, status: corev1.PodStatus{Phase: corev1.PodSucceeded}, why: "it ended: Succeeded"},
		"failed":          {age: 3 * day, status: ended(2 * day), why: `it ended: Failed ("Evicted\x1b"), its container ended with code 137 ("OOMKilled")`},
		"failed lately":   {age: 3 * day, status: ended(time.Hour), kept: "younger than 24h"},
		"never started":   {age: 2 * day, status: waitingFor("ImagePullBackOff", ""), why: "it has not started, and no push"},
		"no status":       {age: 2 * day, why: "it has not started, and no push"},
		"starts":          {age: time.Minute, status: waitingFor("ContainerCreating", ""), olderThan: 1, kept: "a push may be waiting for it"},
		"starts, default": {age: time.Hour, status: waitingFor("ContainerCreating", ""), kept: "younger"},
		"deleting": {age: 2 * day, status: running, change: func(p *corev1.Pod) {
			p.DeletionTimestamp, p.Finalizers = &metav1.Time{Time: time.Now()}, []string{"x/y"}
		}, kept: "it goes by itself"},
		"runs, young":     {age: time.Hour, status: running, exec: answers{text: "IDLE NONCE\n"}, kept: "younger"},
		"runs, busy":      {age: 2 * day, status: running, exec: answers{text: "noise\nBUSY NONCE\n"}, kept: "a push is at work in it"},
		"runs, idle":      {age: 2 * day, status: running, exec: answers{text: "IDLE NONCE\n"}, why: "no session reaches it"},
		"runs, idle, cut": {age: 2 * day, status: running, exec: answers{text: "IDLE NONCE\n", err: errReset}, why: "no session reaches it"},
		"runs, old lie":   {age: 2 * day, status: running, exec: answers{text: "IDLE 0123456789abcdef\nxIDLE NONCE\nIDLE NONCE"}, kept: "could not be found out: \"no answer came"},
		"runs, lost":      {age: 2 * day, status: running, exec: answers{err: errReset}, kept: `could not be found out: "connection reset by peer`},
		"node lost":       {age: 2 * day, status: corev1.PodStatus{Phase: corev1.PodUnknown}, exec: answers{err: errReset}, kept: "could not be found out"},
		"other claim":     {age: 2 * day, status: ended(2 * day), missing: true, change: func(p *corev1.Pod) { p.Spec.Volumes[0].PersistentVolumeClaim.ClaimName = "other" }},
		"other labels":    {age: 2 * day, status: ended(2 * day), missing: true, change: func(p *corev1.Pod) { delete(p.Labels, "app.kubernetes.io/component") }},
		"other namespace": {age: 2 * day, status: ended(2 * day), missing: true, change: func(p *corev1.Pod) { p.Namespace = "other" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := fake.NewClientset()
			labeled(t, client, "aa", "cats", c.age, c.status, c.change)
			if c.olderThan == 0 {
				c.olderThan = day
			}
			cleaner := &Cleaner{Station: &Station{Client: client, Exec: c.exec, Pod: options()}, OlderThan: c.olderThan}
			found, err := cleaner.strays(t.Context(), everybody)
			if err != nil || (len(found) == 0) != c.missing {
				t.Fatalf("%+v, %v", found, err)
			}
			if c.missing {
				return
			}
			s := found[0]
			if s.table != "cats" || s.Name != "stage-aa" || !strings.Contains(s.why, c.why) || s.why == "" {
				t.Errorf("why %q, want %q; %+v", s.why, c.why, s)
			}
			if !strings.Contains(s.kept, c.kept) || (c.kept == "") != (s.kept == "") {
				t.Errorf("kept %q, want %q", s.kept, c.kept)
			}
			if s.kept == "" && strings.ContainsAny(s.why, "\x1b\n") {
				t.Errorf("unescaped: %q", s.why)
			}
		})
	}
}

// TestIdleOverStreams runs the question as it is run in a Pod.
func TestIdleOverStreams(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			put(t, filepath.Join(l.dir, "session.aa"), ".")
			s := stray{Pod: &Pod{Name: "x"}, kept: unasked}
			s.ask(t.Context(), l)
			if s.kept != "a push is at work in it" {
				t.Errorf("kept %q", s.kept)
			}
			if err := os.Remove(filepath.Join(l.dir, "session.aa")); err != nil {
				t.Fatal(err)
			}
			l.prefix = "sleep() { :; }\n"
			if s.ask(t.Context(), l); s.kept != "" {
				t.Errorf("kept %q", s.kept)
			}
		})
	}
}
