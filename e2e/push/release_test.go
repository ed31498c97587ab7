package push

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
)

// Everything that is wrong with a release is told before anything is sent, with its exit code and a next step.
func TestUnusableReleases(t *testing.T) {
	zero := int32(0)
	dir := imageSet(t, filepath.Join(t.TempDir(), "unusable"), 32, 32, numbered(4)...)
	for _, test := range []struct {
		name    string
		options release.Options
		args    []string
		code    int
		texts   []string
	}{
		{"replicas 0", release.Options{Replicas: &zero}, nil, 4, []string{"kubectl scale"}},
		{"http disabled", release.Options{HTTPDisabled: true}, nil, 4, []string{"INGESTION_HTTP_DISABLED"}},
		{"prefix denied", release.Options{Authz: []release.AuthzEntry{{ServiceAccount: "ingestor", Namespace: "e2e-prefix-denied", TablePrefixes: []string{"lab_"}}}},
			nil, 5, []string{`"unusable"`, "lab_"}},
		{"token of nobody", release.Options{Authz: []release.AuthzEntry{{ServiceAccount: "nobody", Namespace: "e2e-token-of-nobody", TablePrefixes: []string{"*"}}}},
			nil, 5, []string{`"nobody"`}},
		{"claim pending", release.Options{NodeSelector: map[string]string{"no": "such-node"}}, nil, 4, []string{"client-pvc", "Pending", "kubectl describe pvc"}},
		{"image not pullable", release.Options{}, []string{"--stage-image=registry.invalid/busybox:1"}, 7, []string{"--stage-image"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.options.Namespace = "e2e-" + strings.ReplaceAll(test.name, " ", "-")
			r := install(t, test.options, test.options.NodeSelector == nil)
			args := append([]string{"push", dir, "-n", r.Options.Namespace, "-o", "json"}, test.args...)
			got := run(t, args...).expect(t, test.code, test.texts...).object(t)
			if got.Status.Phase != "Refused" || got.Status.Staging.SentBytes != 0 || got.Status.Job != "" {
				t.Errorf("got %+v", got.Status)
			}
			if test.code == 4 || test.code == 5 {
				run(t, "info", "-n", r.Options.Namespace, "--table=unusable").expect(t, test.code)
			}
			noStagePods(t, r.Client, r.Options.Namespace)
		})
	}
}

func TestNoRelease(t *testing.T) {
	r := sharedRelease(t)
	dir := imageSet(t, filepath.Join(t.TempDir(), "nowhere"), 32, 32, numbered(4)...)
	run(t, "push", dir, "-n", "default").expect(t, 4, `"default"`, r.Options.Namespace)
	run(t, "push", dir, "-n", "no-such-namespace").expect(t, 4, `"no-such-namespace"`)
	run(t, "push", dir, "--context=no-such-context").expect(t, 4, "no-such-context")
	run(t, "push", dir, "-n", r.Options.Namespace, "--server=https://127.0.0.1:1").expect(t, 4, "127.0.0.1:1")
}

// Two releases in a namespace: --release picks.
func TestTwoReleases(t *testing.T) {
	first := install(t, release.Options{Namespace: "e2e-two", Name: "alpha", NoDecoys: true}, true)
	zero := int32(0)
	install(t, release.Options{Namespace: "e2e-two", Name: "beta", NoDecoys: true, Replicas: &zero}, true)
	dir := imageSet(t, filepath.Join(t.TempDir(), "two"), 32, 32, numbered(4)...)
	run(t, "push", dir, "-n", "e2e-two").expect(t, 4, "alpha", "beta", "--release")
	run(t, "push", dir, "-n", "e2e-two", "--release=alpha").expect(t, 0)
	noStagePods(t, first.Client, "e2e-two")
}

// A namespace that enforces nothing, fullnameOverride, HOST_UID, ReadWriteMany: other shapes that charts leave.
func TestOtherShapes(t *testing.T) {
	uid, gid := int64(1234), int64(1234)
	r := install(t, release.Options{Namespace: "e2e-shapes", Name: "prod", FullName: "renamed", HostUID: &uid, HostGID: &gid, AccessMode: corev1.ReadWriteMany}, true)
	dir := imageSet(t, filepath.Join(t.TempDir(), "shapes"), 32, 32, numbered(4)...)
	run(t, "push", dir, "-n", r.Options.Namespace).expect(t, 0)
	if n := len(rows(t, r, "shapes", "id")); n != 4 {
		t.Errorf("the table has %d rows, want 4", n)
	}
}

// A destination directory that another run filled is refused by a look at the volume.
func TestDestinationExists(t *testing.T) {
	r := sharedRelease(t)
	dir := imageSet(t, filepath.Join(t.TempDir(), "exists"), 32, 32, numbered(4)...)
	run(t, "push", dir, "-n", r.Options.Namespace).expect(t, 0)
	// What the cluster remembers of the run goes; the files stay.
	selector := metav1.ListOptions{LabelSelector: "tracebloc.io/ingestion-run"}
	for _, remove := range []func() error{
		func() error {
			return r.Client.BatchV1().Jobs(r.Options.Namespace).DeleteCollection(t.Context(), metav1.DeleteOptions{}, selector)
		},
		func() error {
			return r.Client.CoreV1().ConfigMaps(r.Options.Namespace).DeleteCollection(t.Context(), metav1.DeleteOptions{}, selector)
		},
	} {
		if err := remove(); err != nil {
			t.Fatal(err)
		}
	}
	got := run(t, "push", dir, "-n", r.Options.Namespace, "-o", "json").expect(t, 6, "not empty").object(t)
	if got.Status.Step != "stage" || got.Status.Staging.SentBytes != 0 {
		t.Errorf("got %+v", got.Status)
	}
	noStagePods(t, r.Client, r.Options.Namespace)
}

// A kubeconfig that is not there is an error of the environment, with its name.
func TestBrokenKubeconfig(t *testing.T) {
	dir := imageSet(t, filepath.Join(t.TempDir(), "broken"), 32, 32, numbered(4)...)
	file := filepath.Join(t.TempDir(), "kubeconfig")
	write(t, file, "not: [a, kubeconfig")
	c := plugin(t.Context(), "push", dir)
	c.Env = append(os.Environ(), "KUBECONFIG="+file)
	finish(t, c).expect(t, 4, "kubeconfig")
}
