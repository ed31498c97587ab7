// Package cleanup tests "kubectl tracebloc cleanup" against a release in a real cluster, whose shared volume the tests look into.
package cleanup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
)

// stageSelector finds the stage Pods, whatever became of the command that made them.
const stageSelector = "app.kubernetes.io/managed-by=kubectl-tracebloc,app.kubernetes.io/component=stage"

// lab is a release whose shared volume is a directory of the node.
type lab struct {
	*release.Release
	node *release.Node
	disk string // the shared volume, as node.Run sees it
}

func openLab(t *testing.T) *lab {
	t.Helper()
	options := release.Options{Namespace: "e2e-cleanup-" + rand.String(5), Images: cluster.images, NoDecoys: true, Restricted: true}
	node, err := release.OpenNode(t.Context(), cluster.config, cluster.images.Busybox)
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{node: node}
	t.Cleanup(func() {
		var err error
		if l.Release != nil {
			err = l.Uninstall(context.Background())
		}
		if err = errors.Join(err, node.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	if l.disk, err = node.Disk(t.Context(), options); err == nil {
		l.Release, err = release.Install(t.Context(), cluster.config, options, os.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// sh runs a shell script on the node, in the staging directory, with positional arguments.
func (l *lab) sh(t *testing.T, script string, args ...string) string {
	t.Helper()
	command := append([]string{"sh", "-c", `mkdir -p "$1" && cd "$1" && shift && ` + script, "sh", l.disk + "/.tracebloc-staging"}, args...)
	out, err := l.node.Run(context.WithoutCancel(t.Context()), nil, command...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// left names everything in the staging directory, two levels deep, and the targets of the planted links.
func (l *lab) left(t *testing.T) []string {
	t.Helper()
	out := l.sh(t, `find . -mindepth 1 -maxdepth 2 | sort`)
	return strings.Split(strings.TrimSpace(strings.ReplaceAll(out, "./", "")), "\n")
}

// result is how one command line ended.
type result struct {
	code           int
	stdout, stderr string
}

// plugin runs "kubectl tracebloc ARGS" in the release's namespace; kubectl finds the built plugin on the PATH.
func (l *lab) plugin(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, "kubectl", append([]string{"tracebloc"}, append(args, "-n", l.Options.Namespace)...)...)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = time.Minute
	return c
}

func finish(t *testing.T, c *exec.Cmd) result {
	t.Helper()
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	err := c.Run()
	r := result{stdout: out.String(), stderr: errOut.String()}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		r.code = exit.ExitCode()
	case err != nil && !errors.Is(err, context.Canceled):
		t.Fatalf("%v: %v", c.Args, err)
	}
	return r
}

func (l *lab) run(t *testing.T, want int, args ...string) result {
	t.Helper()
	r := finish(t, l.plugin(t.Context(), args...))
	if r.code != want {
		t.Fatalf("%v: exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", args, r.code, want, r.stdout, r.stderr)
	}
	return r
}

// report is what the tests read of -o json, by the names that docs/output.md promises.
type report struct {
	Kind   string `json:"kind"`
	Status struct {
		ExitCode  int `json:"exitCode"`
		Removable int `json:"removable"`
		Removed   int `json:"removed"`
		Kept      int `json:"kept"`
		Failed    int `json:"failed"`
		Items     []struct {
			Kind        string `json:"kind"`
			Table       string `json:"table"`
			Name        string `json:"name"`
			Path        string `json:"path"`
			Run         string `json:"run"`
			Files       int64  `json:"files"`
			UID         *int64 `json:"uid"`
			State       string `json:"state"`
			Why         string `json:"why"`
			KeptBecause string `json:"keptBecause"`
			Error       string `json:"error"`
		} `json:"items"`
	} `json:"status"`
}

func (r result) report(t *testing.T) report {
	t.Helper()
	var o report
	if err := json.Unmarshal([]byte(r.stdout), &o); err != nil {
		t.Fatalf("stdout is no report: %v\n%s", err, r.stdout)
	}
	if o.Kind != "CleanupReport" || o.Status.ExitCode != r.code {
		t.Errorf("kind %q, exit code %d; the process ended with %d", o.Kind, o.Status.ExitCode, r.code)
	}
	return o
}

// states says of each item "kind table name: state".
func (r report) states() []string {
	var all []string
	for _, i := range r.Status.Items {
		all = append(all, strings.Join([]string{i.Kind, i.Table, i.Name + ":", i.State}, " "))
	}
	slices.Sort(all)
	return all
}

// csv writes a dataset of one file.
func csv(t *testing.T, table string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), table+".csv")
	if err := os.WriteFile(file, []byte("age,income,label\n31,1200.5,stays\n54,7,leaves\n29,77.25,stays\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// push submits the dataset and does not follow; it returns the key of the run, its Job, and the directory of the staged copy.
func (l *lab) push(t *testing.T, table string) (key, job, dir string) {
	t.Helper()
	r := l.run(t, 0, "push", csv(t, table), "--task=tabular_classification", "--detach", "-o", "json")
	var o struct {
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
		Status struct {
			Job     string `json:"job"`
			Staging struct {
				Path string `json:"path"`
			} `json:"staging"`
		} `json:"status"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &o); err != nil || o.Status.Job == "" {
		t.Fatalf("stdout is no run: %v\n%s", err, r.stdout)
	}
	return o.Metadata.Name, o.Status.Job, o.Status.Staging.Path
}

// plantPod makes a stage Pod that runs the script, and waits until it has the phase.
func (l *lab) plantPod(t *testing.T, name, table, script string, phase corev1.PodPhase) {
	t.Helper()
	no, yes, user, now := false, true, int64(65534), int64(0)
	pods := l.Client.CoreV1().Pods(l.Options.Namespace)
	_, err := pods.Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Annotations: map[string]string{"tracebloc.io/stage-table": table},
			Labels: map[string]string{"app.kubernetes.io/managed-by": "kubectl-tracebloc", "app.kubernetes.io/component": "stage"},
		},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, AutomountServiceAccountToken: &no, TerminationGracePeriodSeconds: &now,
			SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: &yes, RunAsUser: &user, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
			Containers: []corev1.Container{{
				Name: "stage", Image: l.Options.Images.Busybox, Command: []string{"sh", "-c", script}, WorkingDir: "/tmp",
				SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
				VolumeMounts:    []corev1.VolumeMount{{Name: "shared", MountPath: "/data/shared"}, {Name: "tmp", MountPath: "/tmp"}},
			}},
			Volumes: []corev1.Volume{
				{Name: "shared", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "client-pvc"}}},
				{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	l.eventually(t, "pod "+name+" is "+string(phase), func() bool {
		p, err := pods.Get(t.Context(), name, metav1.GetOptions{})
		return err == nil && p.Status.Phase == phase
	})
}

// stagePods are the names of those that are not on their way out.
func (l *lab) stagePods(t *testing.T) []string {
	t.Helper()
	list, err := l.Client.CoreV1().Pods(l.Options.Namespace).List(context.WithoutCancel(t.Context()), metav1.ListOptions{LabelSelector: stageSelector})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range list.Items {
		if p.DeletionTimestamp == nil {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return names
}

// eventually waits until what is said is so.
func (l *lab) eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for !so() {
		select {
		case <-ctx.Done():
			t.Fatalf("not in two minutes: %s", what)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
