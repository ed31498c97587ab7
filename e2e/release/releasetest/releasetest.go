// Package releasetest installs stand-in releases for tests. The tests need a cluster: without KUBECONFIG they fail.
package releasetest

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/manifests"
)

// Config is the cluster that KUBECONFIG names.
func Config(t testing.TB) *rest.Config {
	t.Helper()
	path := os.Getenv("KUBECONFIG")
	if path == "" {
		t.Fatal("KUBECONFIG is not set: these tests need a cluster (make cluster starts one and prints the path)")
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatalf("read KUBECONFIG %q: %v", path, err)
	}
	config.QPS, config.Burst = 50, 100
	return config
}

// Images holds the images of one test binary: built and loaded once, by the first test that installs a release.
type Images struct {
	once sync.Once
	refs manifests.Images
	err  error
}

// Install installs a release into a namespace of its own, or into options.Namespace, waits until it is ready, and removes it
// at the end of the test unless E2E_KEEP is set. A failed test's log has the Pods and events of the namespace.
func (i *Images) Install(t testing.TB, options release.Options) *release.Release {
	t.Helper()
	config := Config(t)
	options.Images = i.load(t, config)
	if options.Namespace == "" {
		options.Namespace = "e2e-" + rand.String(6)
	}
	t.Cleanup(func() {
		if os.Getenv("E2E_KEEP") != "" {
			t.Logf("kept namespace %q", options.Namespace)
			return
		}
		remove(t, config, options)
	})
	r, err := release.Install(t.Context(), config, options, writer{t})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			describe(t, r)
		}
	})
	return r
}

func (i *Images) load(t testing.TB, config *rest.Config) manifests.Images {
	t.Helper()
	i.once.Do(func() {
		dir, err := release.ModuleDir(t.Context())
		if err != nil {
			i.err = err
			return
		}
		i.refs, i.err = release.Images(t.Context(), config, dir, writer{t})
	})
	if i.err != nil {
		t.Fatalf("make the images of the stand-ins: %v", i.err)
	}
	return i.refs
}

// Volume opens the release's shared volume for the length of the test.
func Volume(t testing.TB, r *release.Release) *release.Volume {
	t.Helper()
	v, err := r.OpenVolume(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := v.Close(ctx); err != nil && !apierrors.IsNotFound(err) {
			t.Errorf("close the volume: %v", err)
		}
	})
	return v
}

// remove uninstalls with a deadline of its own: the test's context has ended.
func remove(t testing.TB, config *rest.Config, options release.Options) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	r, err := release.Connect(config, options)
	if err == nil {
		err = r.Uninstall(ctx)
	}
	if err != nil {
		t.Errorf("clean up: %v", err)
	}
}

func describe(t testing.TB, r *release.Release) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	pods, err := r.Client.CoreV1().Pods(r.Options.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Logf("list Pods: %v", err)
		return
	}
	lines := int64(30)
	for _, p := range pods.Items {
		t.Logf("Pod %s: %s", p.Name, p.Status.Phase)
		for _, c := range p.Spec.Containers {
			log, err := r.Client.CoreV1().Pods(p.Namespace).GetLogs(p.Name, &corev1.PodLogOptions{Container: c.Name, TailLines: &lines}).DoRaw(ctx)
			if err == nil {
				t.Logf("log of %s/%s:\n%s", p.Name, c.Name, log)
			}
		}
	}
	events, err := r.Client.CoreV1().Events(r.Options.Namespace).List(ctx, metav1.ListOptions{FieldSelector: "type=Warning"})
	if err != nil {
		t.Logf("list events: %v", err)
		return
	}
	for _, e := range events.Items {
		t.Logf("event %s %s/%s: %s", e.Reason, e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Message)
	}
}

// writer sends what an install prints to the test's log.
type writer struct{ t testing.TB }

func (w writer) Write(p []byte) (int, error) {
	w.t.Logf("%s", strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}
