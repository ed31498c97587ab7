package push

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tracebloc/kubectl-tracebloc/e2e/link"
)

// The stage Pod ends in the middle of a transfer, in each way that a cluster has: there is another, and the work goes on.
func testPodLost(t *testing.T, l *lab) {
	for _, end := range []struct {
		name string
		do   func(t *testing.T, pod corev1.Pod)
	}{
		{"deleted", func(t *testing.T, pod corev1.Pod) { l.deletePod(t, pod, 30) }},
		{"deleted at once", func(t *testing.T, pod corev1.Pod) { l.deletePod(t, pod, 0) }},
		{"evicted", func(t *testing.T, pod corev1.Pod) {
			eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace}}
			if err := l.Client.PolicyV1().Evictions(pod.Namespace).Evict(t.Context(), eviction); err != nil {
				t.Fatal(err)
			}
		}},
		{"killed on its node", func(t *testing.T, pod corev1.Pod) { l.killOnNode(t, pod, "tracebloc-stage", "$p") }},
		{"lost by the container runtime", func(t *testing.T, pod corev1.Pod) {
			l.killOnNode(t, pod, "tracebloc-stage", `$(sed -n 's/^PPid:\t//p' /proc/$p/status)`)
		}},
	} {
		t.Run(end.name, func(t *testing.T) {
			table := "pod_" + strings.ReplaceAll(end.name, " ", "_")
			dir := photos(t, filepath.Join(t.TempDir(), table), 80, 40, 1<<20)
			first := l.remember(t, l.good(t, photos(t, filepath.Join(t.TempDir(), table), 81, 4, 1<<20)).Path)
			c, _ := l.halfway(t, dir, link.Shape{Rate: 12 << 20}, 60)
			pods := l.pods(t, table)
			if len(pods) != 1 {
				t.Fatalf("%d stage Pods", len(pods))
			}
			end.do(t, pods[0])
			s := l.succeeded(t, dir, c.wait().expect(t, 0, "going on in a new one"))
			if s.Pods != 2 {
				t.Errorf("%d Pods were needed", s.Pods)
			}
			l.nothingLeft(t, table)
			l.onlyTrees(t, table, first.path, s.Path)
			l.untouched(t, first)
			t.Logf("%+v", s)
		})
	}
}

func (l *lab) deletePod(t *testing.T, pod corev1.Pod, grace int64) {
	t.Helper()
	if err := l.Client.CoreV1().Pods(pod.Namespace).Delete(t.Context(), pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &grace}); err != nil {
		t.Fatal(err)
	}
}

// killOnNode kills, for each process $p of the Pod whose command line has the word, what the shell expression names: the kernel does
// so when memory runs out, and tells nobody.
func (l *lab) killOnNode(t *testing.T, pod corev1.Pod, word, whom string) {
	t.Helper()
	// A process that is being replaced by its program has no command line for a moment.
	script := `n=0
	for try in 1 2 3 4 5; do
		for d in /proc/[0-9]*; do
			p=${d#/proc/}
			grep -q "$1" "$d/cgroup" 2>/dev/null || continue
			tr '\0' ' ' <"$d/cmdline" 2>/dev/null | grep -q "$2" || continue
			kill -9 ` + whom + ` 2>/dev/null && n=$((n + 1))
		done
		[ "$n" = 0 ] || break
		sleep 0.2
	done
	echo "$n"`
	if out := strings.TrimSpace(l.sh(t, script, string(pod.UID), word)); out == "0" {
		t.Fatalf("Pod %s has no such process", pod.Name)
	}
}

// Something in the stage Pod takes all of its memory: whatever the kernel ends, the transfer survives it.
func testOutOfMemory(t *testing.T, l *lab) {
	dir := photos(t, filepath.Join(t.TempDir(), "memory"), 82, 40, 1<<20)
	c, _ := l.halfway(t, dir, link.Shape{Rate: 12 << 20}, 50)
	pod := l.pods(t, "memory")[0]
	hog := exec.CommandContext(t.Context(), "kubectl", "exec", "-n", pod.Namespace, pod.Name, "--", "dd", "if=/dev/zero", "of=/dev/null", "bs=900M", "count=1")
	out, err := hog.CombinedOutput()
	if err == nil {
		t.Errorf("the hog was not ended: %s", out)
	}
	s := l.succeeded(t, dir, c.wait())
	l.nothingLeft(t, "memory")
	t.Logf("the hog: %v %s; %+v", err, out, s)
}

// A transfer that takes longer than the stage Pod may live goes on in another.
func testStageTimeout(t *testing.T, l *lab) {
	dir := photos(t, filepath.Join(t.TempDir(), "slow"), 83, 44, 1<<20)
	_, flag := through(t, link.Shape{Rate: 600 << 10})
	r := l.push(t, dir, flag, "--stage-timeout=1m")
	s := l.succeeded(t, dir, r.expect(t, 0, "going on in a new one"))
	if s.Pods < 2 {
		t.Errorf("%d Pods were needed", s.Pods)
	}
	t.Logf("%+v", s)
}

// A node that takes no Pods, from the beginning and in the middle of a transfer: the push ends with the reason and the way out, and goes
// on when the node is back. Only the releases with this label feel it.
func testNoNode(t *testing.T, l *lab) {
	dir := photos(t, filepath.Join(t.TempDir(), "no_node"), 84, 40, 1<<20)
	l.labelNode(t, false)
	t.Cleanup(func() { l.labelNode(t, true) })
	l.push(t, dir).expect(t, 7, "Unschedulable", "uncordon")
	l.onlyTrees(t, "no_node")

	l.labelNode(t, true)
	c, _ := l.halfway(t, dir, link.Shape{Rate: 12 << 20}, 60)
	l.labelNode(t, false)
	l.deletePod(t, l.pods(t, "no_node")[0], 0)
	c.wait().expect(t, 7, "Unschedulable", "uncordon", "goes on from there")
	if pods := l.pods(t, "no_node"); len(pods) > 0 {
		t.Errorf("stage Pod %s is left behind", pods[0].Name)
	}
	l.onlyTrees(t, "no_node")

	// The lock of a Pod that was deleted can only go with the next one.
	l.labelNode(t, true)
	s := l.good(t, dir)
	if s.TakenOverBytes == 0 {
		t.Errorf("nothing was taken over: %+v", s)
	}
}

// labelNode gives the node the label that the release asks for, or takes it away.
func (l *lab) labelNode(t *testing.T, on bool) {
	t.Helper()
	if err := l.node.Label(context.WithoutCancel(t.Context()), l.Options.NodeSelector, on); err != nil {
		t.Fatal(err)
	}
}
