package push

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/manifests"
)

// cluster is what all tests of this package share; it is filled once, by TestMain.
var cluster struct {
	config *rest.Config
	images manifests.Images
}

func TestMain(m *testing.M) {
	if err := prepare(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "the end-to-end tests need a cluster and the built plugin (make e2e brings both):", err)
		os.Exit(1)
	}
	code := m.Run()
	if err := cleanUp(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// cleanUp removes the shared release, so that the tests can be repeated on the same cluster: tables are used once.
func cleanUp() error {
	if !used.Load() {
		return nil
	}
	r, err := shared()
	if err != nil {
		return nil // told by the tests
	}
	return r.Uninstall(context.Background())
}

func prepare(ctx context.Context) error {
	path, err := exec.LookPath("kubectl-tracebloc")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "testing", path)
	if cluster.config, err = clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG")); err != nil {
		return err
	}
	cluster.config.QPS, cluster.config.Burst = 100, 200
	cluster.images, err = release.Images(ctx, cluster.config, "..", os.Stderr)
	return err
}

// used tells whether any test asked for the shared release.
var used atomic.Bool

// shared is the release that most tests push into: chart defaults, in a namespace that enforces the restricted standard.
var shared = sync.OnceValues(func() (*release.Release, error) {
	used.Store(true)
	return release.Install(context.Background(), cluster.config, release.Options{Namespace: "e2e-push-" + rand.String(5), Restricted: true, Images: cluster.images}, os.Stderr)
})

func sharedRelease(t *testing.T) *release.Release {
	t.Helper()
	r, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// installWait is how long a release that can never become ready is waited for.
const installWait = 15 * time.Second

// install makes a release of its own for one test, and removes it with its namespace afterwards. One that is meant never to
// become ready is left as far as it gets.
func install(t *testing.T, options release.Options, becomesReady bool) *release.Release {
	t.Helper()
	options.Images = cluster.images
	ctx := t.Context()
	if !becomesReady {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, installWait)
		defer cancel()
	}
	r, err := release.Install(ctx, cluster.config, options, os.Stderr)
	if err != nil && becomesReady {
		t.Fatal(err)
	}
	if r == nil {
		client, err := kubernetes.NewForConfig(cluster.config)
		if err != nil {
			t.Fatal(err)
		}
		r = &release.Release{Options: options.Default(), Config: cluster.config, Client: client}
	}
	t.Cleanup(func() { uninstall(t, r) })
	return r
}

// uninstall removes the release with its namespace.
func uninstall(t *testing.T, r *release.Release) {
	if err := r.Uninstall(context.Background()); err != nil {
		t.Error(err)
	}
}

// userFile writes a kubeconfig of a user who is bound to the cluster role in the release's namespace, and to nothing else.
func userFile(t *testing.T, r *release.Release, user, clusterRole string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := r.WriteUserKubeconfig(t.Context(), user, clusterRole, file); err != nil {
		t.Fatal(err)
	}
	return file
}
