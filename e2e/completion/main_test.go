// Package completion tests the completion of the plugin as users meet it: through kubectl's own, which asks the shim, and through the
// scripts for shells. It needs kubectl and the built plugin, and no cluster: what is asked is answered on loopback.
package completion

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// programs is a directory with kubectl, the plugin and its shim, and nothing else. TestMain fills it.
var programs string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "completion")
	if err == nil {
		programs = dir
		err = link(dir)
	}
	code := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, "these tests need kubectl and the built plugin on the PATH (make e2e brings both):", err)
	} else {
		code = m.Run()
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

func link(dir string) error {
	plugin, err := exec.LookPath("kubectl-tracebloc")
	if err != nil {
		return err
	}
	out, err := exec.Command("../../hack/kubectl.sh").Output()
	if err != nil {
		return fmt.Errorf("find kubectl: %w", err)
	}
	shim, err := filepath.Abs("../../plugins/kubectl_complete-tracebloc")
	if err != nil {
		return err
	}
	return errors.Join(
		os.Symlink(plugin, filepath.Join(dir, "kubectl-tracebloc")),
		os.Symlink(strings.TrimSpace(string(out)), filepath.Join(dir, "kubectl")),
		os.Symlink(shim, filepath.Join(dir, "kubectl_complete-tracebloc")),
	)
}

// machine is a place to type in: a directory with some files, and a cluster.
type machine struct {
	dir string
	env []string
}

func newMachine(t *testing.T, files ...string) machine {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(serve))
	t.Cleanup(server.Close)
	m := machine{dir: t.TempDir()}
	home := t.TempDir()
	kubeconfig := filepath.Join(home, "kubeconfig")
	config := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "current-context": "lab",
		"clusters": [{"name": "lab", "cluster": {"server": %q}}], "users": [{"name": "dana", "user": {}}],
		"contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "dana", "namespace": "ml"}}, {"name": "production", "context": {"cluster": "lab"}}]}`, server.URL)
	if err := os.WriteFile(kubeconfig, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	m.env = []string{"PATH=" + programs + ":/usr/bin:/bin", "HOME=" + home, "KUBECONFIG=" + kubeconfig, "TERM=dumb", "NO_PROXY=127.0.0.1"}
	for _, file := range files {
		path := filepath.Join(m.dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// run runs a program, which must end well.
func (m machine) run(t *testing.T, stdin, name string, args ...string) (stdout, stderr string) {
	t.Helper()
	path := name
	if !filepath.IsAbs(name) {
		path = filepath.Join(programs, name)
	}
	c := exec.CommandContext(t.Context(), path, args...)
	c.Dir, c.Env, c.Stdin = m.dir, m.env, strings.NewReader(stdin)
	var out, errOut strings.Builder
	c.Stdout, c.Stderr = &out, &errOut
	if err := c.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, out.String(), errOut.String())
	}
	return out.String(), errOut.String()
}

// serve answers as an API server that has two namespaces, one release and two runs would. The second run was named to do harm.
func serve(w http.ResponseWriter, r *http.Request) {
	created := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	const key = "tracebloc.io/ingestion-run"
	config := func(run, table string) string {
		return fmt.Sprintf(`{"metadata": {"name": "ingest-config-%s", "namespace": "ml", "creationTimestamp": %q, "labels": {%q: %q}},
			"data": {"ingest.yaml": %q}}`, run, created, key, run, "apiVersion: tracebloc.io/v1\nkind: IngestConfig\ncategory: seq2seq\ntable: "+table+"\nintent: train\n")
	}
	job := func(run string) string {
		return fmt.Sprintf(`{"metadata": {"name": "ingest-job-%s", "namespace": "ml", "creationTimestamp": %q, "labels": {%q: %q}}, "status": {"ready": 1}}`, run, created, key, run)
	}
	list := func(kind, version string, items ...string) string {
		return fmt.Sprintf(`{"kind": %q, "apiVersion": %q, "metadata": {}, "items": [%s]}`, kind, version, strings.Join(items, ","))
	}
	answers := map[string]string{
		"/api/v1/namespaces":                      list("NamespaceList", "v1", `{"metadata": {"name": "ml"}}`, `{"metadata": {"name": "mobile"}}`),
		"/apis/apps/v1/namespaces/ml/deployments": list("DeploymentList", "apps/v1", `{"metadata": {"name": "lab-jobs-manager", "labels": {"app.kubernetes.io/instance": "lab"}}}`),
		"/apis/batch/v1/namespaces/ml/jobs":       list("JobList", "batch/v1", job("5a3901"), job("$(touch owned)")),
		"/api/v1/namespaces/ml/configmaps":        list("ConfigMapList", "v1", config("5a3901", "pets"), config("77aa", "$(touch owned)\\n\\e[2J`touch owned`")),
	}
	text, found := answers[r.URL.Path]
	if !found {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Warning", `299 - "a warning of the server"`)
	_, _ = w.Write([]byte(text))
}
