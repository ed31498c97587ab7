package push

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"

	"github.com/tracebloc/kubectl-tracebloc/e2e/link"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

// lab is a release whose shared volume is a directory of the node, which the tests look into and break. Its ingestors sleep: the
// tests end at the submit, and compare what lies on the volume.
type lab struct {
	*release.Release
	node *release.Node
	disk string // the shared volume, as node.Run sees it
}

// openLab installs the release for a test and its subtests.
func openLab(t *testing.T, name string, options release.Options) *lab {
	t.Helper()
	options.Namespace, options.Images, options.NoDecoys = "e2e-"+name+"-"+rand.String(5), cluster.images, true
	node, err := release.OpenNode(t.Context(), cluster.config, cluster.images.Busybox)
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{node: node}
	t.Cleanup(func() {
		if err := l.close(context.Background(), options.NodeSelector); err != nil {
			t.Error(err)
		}
	})
	if l.disk, err = node.Disk(t.Context(), options); err == nil {
		err = node.Label(t.Context(), options.NodeSelector, true)
	}
	if err == nil {
		l.Release, err = release.Install(t.Context(), cluster.config, options, os.Stderr)
	}
	if err == nil {
		err = l.SetFaults(t.Context(), fault.Faults{Ingestor: fault.Ingestor{Sleep: fault.Duration(time.Hour)}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *lab) close(ctx context.Context, labels map[string]string) error {
	err := l.node.Label(ctx, labels, false)
	if l.Release != nil {
		err = errors.Join(err, l.Uninstall(ctx))
	}
	return errors.Join(err, l.node.Close(ctx))
}

// staging is status.staging of -o json, by the names that docs/output.md promises.
type staging struct {
	Path            string  `json:"path"`
	Reused          bool    `json:"reused"`
	SentBytes       int64   `json:"sentBytes"`
	Files           int64   `json:"files"`
	Bytes           int64   `json:"bytes"`
	TakenOverFiles  int64   `json:"takenOverFiles"`
	TakenOverBytes  int64   `json:"takenOverBytes"`
	CompressedBytes int64   `json:"compressedBytes"`
	Retries         int     `json:"retries"`
	Pods            int     `json:"pods"`
	Seconds         float64 `json:"seconds"`
}

// staged reads status.staging from stdout.
func (r result) staged(t *testing.T) staging {
	t.Helper()
	r.object(t)
	var o struct {
		Status struct {
			Staging staging `json:"staging"`
		} `json:"status"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &o); err != nil {
		t.Fatal(err)
	}
	return o.Status.Staging
}

// command prepares a push of dir up to the submit, into the table of the directory's name.
func (l *lab) command(ctx context.Context, dir string, more ...string) *exec.Cmd {
	args := append([]string{"push", dir, "-n", l.Options.Namespace, "--detach", "--no-progress", "-o", "json"}, more...)
	return plugin(ctx, args...)
}

// push runs one, and removes the run that it submits. No Pod of it and no lock may be left, however it ends.
func (l *lab) push(t *testing.T, dir string, more ...string) result {
	t.Helper()
	table := filepath.Base(dir)
	before := l.pods(t, table)
	got := finish(t, l.command(t.Context(), dir, more...))
	l.forget(t, table)
	l.nothingLeft(t, table, before...)
	return got
}

// good pushes dir, which must succeed and leave the right tree.
func (l *lab) good(t *testing.T, dir string, more ...string) staging {
	t.Helper()
	return l.succeeded(t, dir, l.push(t, dir, more...))
}

// succeeded checks a push of dir that is over.
func (l *lab) succeeded(t *testing.T, dir string, r result) staging {
	t.Helper()
	s := r.expect(t, 0).staged(t)
	l.forget(t, filepath.Base(dir))
	l.holds(t, dir, s)
	return s
}

// forget removes the runs of a table from the cluster, so that the same data can be pushed again. The staged trees stay.
func (l *lab) forget(t *testing.T, table string) {
	t.Helper()
	ctx, namespace := context.WithoutCancel(t.Context()), l.Options.Namespace
	configs, err := l.Client.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{LabelSelector: "tracebloc.io/ingestion-run"})
	if err != nil {
		t.Fatal(err)
	}
	of := regexp.MustCompile(`(?m)^table: "?` + table + `"?$`)
	background := metav1.DeletePropagationBackground
	for _, config := range configs.Items {
		if !of.MatchString(config.Data["ingest.yaml"]) {
			continue
		}
		run := metav1.ListOptions{LabelSelector: "tracebloc.io/ingestion-run=" + config.Labels["tracebloc.io/ingestion-run"]}
		err := errors.Join(
			l.Client.BatchV1().Jobs(namespace).DeleteCollection(ctx, metav1.DeleteOptions{PropagationPolicy: &background}, run),
			l.Client.CoreV1().Secrets(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, run),
			l.Client.CoreV1().ConfigMaps(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, run))
		if err != nil {
			t.Fatal(err)
		}
	}
}

// pods lists the stage Pods of a table that still run, or could.
func (l *lab) pods(t *testing.T, table string) []corev1.Pod {
	t.Helper()
	list, err := l.Client.CoreV1().Pods(l.Options.Namespace).List(context.WithoutCancel(t.Context()), metav1.ListOptions{LabelSelector: stageSelector})
	if err != nil {
		t.Fatal(err)
	}
	var found []corev1.Pod
	for _, pod := range list.Items {
		over := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
		if pod.Annotations["tracebloc.io/stage-table"] == table && !over && pod.DeletionTimestamp == nil {
			found = append(found, pod)
		}
	}
	return found
}

// nothingLeft fails the test when a table has a stage Pod that is not one of the given ones, or a lock. A session whose Pod was just
// removed may need a moment to end.
func (l *lab) nothingLeft(t *testing.T, table string, but ...corev1.Pod) {
	t.Helper()
	for _, pod := range l.pods(t, table) {
		if !slices.ContainsFunc(but, func(old corev1.Pod) bool { return old.UID == pod.UID }) {
			t.Errorf("stage Pod %s of table %s is left behind", pod.Name, table)
		}
	}
	l.noLock(t, table)
}

func (l *lab) noLock(t *testing.T, table string) {
	t.Helper()
	var locks string
	for range 50 {
		if locks = l.sh(t, `[ ! -d "$1" ] || find "$1" -path '*/lock*'`, l.root(table)); locks == "" {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("a lock is left behind:\n%s", locks)
}

// eventually waits until what is said is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for !so() {
		select {
		case <-ctx.Done():
			t.Fatalf("not in two minutes: %s", what)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// through opens a link to the cluster, and returns the flag that leads a push over it.
func through(t *testing.T, shape link.Shape) (p *link.Proxy, flag string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	p, err := link.ToCluster(os.Getenv("KUBECONFIG"), file, shape)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p, "--kubeconfig=" + file
}

// photos writes an image_classification dataset of n pictures of that many bytes each, which nothing compresses. Pictures of one
// seed and number are equal in any dataset.
func photos(t *testing.T, dir string, seed uint64, n, size int) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "images"), 0o755); err != nil {
		t.Fatal(err)
	}
	labels := []byte("filename,label\n")
	for i := range n {
		name := fmt.Sprintf("%06d.png", i)
		photo(t, filepath.Join(dir, "images", name), seed, i, size)
		labels = fmt.Appendf(labels, "%s,%s\n", name, []string{"cat", "dog"}[i%2])
	}
	write(t, filepath.Join(dir, "labels.csv"), string(labels))
	return dir
}

// photo writes one picture of noise, as far as the header and the end of a picture leave room for it.
func photo(t *testing.T, path string, seed uint64, i, size int) {
	t.Helper()
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(i))
	data := make([]byte, size)
	_, _ = mathrand.NewChaCha8(key).Read(data) // never fails
	copy(data, pictureHead)
	copy(data[size-len(pictureTail):], pictureTail)
	write(t, path, string(data))
}

// What the preflight reads of a picture of 32x32 pixels: its header and its end mark.
const (
	pictureHead = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x20\x00\x00\x00\x20\x08\x02\x00\x00\x00\xfc\x18\xed\xa3\x7f\xff\xff\xffIDAT"
	pictureTail = "\x00\x00\x00\x00IEND\xae\x42\x60\x82"
)

func sorted(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return names
}
