package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// asPlugin makes the test binary the plugin: signals, descriptors and the
// environment are those of a process of its own.
const asPlugin = "KUBECTL_TRACEBLOC_TEST_AS_PLUGIN"

func TestMain(m *testing.M) {
	if os.Getenv(asPlugin) != "" {
		main()
	}
	os.Exit(m.Run())
}

// plugin prepares a command line in an environment that has nothing of the
// machine's but what is in env.
func plugin(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self, args...)
	c.Dir = t.TempDir()
	c.Env = append([]string{asPlugin + "=1", "HOME=" + c.Dir, "PATH=" + os.Getenv("PATH")}, env...)
	return c
}

// result is how a command line ended.
type result struct {
	code           int
	stdout, stderr string
}

func finish(t *testing.T, c *exec.Cmd) result {
	t.Helper()
	var out, errOut bytes.Buffer
	if c.Stdout == nil {
		c.Stdout = &out
	}
	if c.Stderr == nil {
		c.Stderr = &errOut
	}
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", c.Args, err)
	}
	return result{c.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// api is an API server over TLS that has some Jobs, and no more. It keeps the
// requests that it got.
type api struct {
	*httptest.Server
	// admit, when set, returns the status code for a request; 0 serves it.
	admit func(*http.Request) int
	jobs  int

	mu       sync.Mutex
	requests []*http.Request
}

// startAPI starts a server; change is called before the first request.
func startAPI(t *testing.T, change func(*api)) *api {
	t.Helper()
	a := &api{jobs: 1}
	a.Server = httptest.NewUnstartedServer(a)
	a.Config.ErrorLog = log.New(io.Discard, "", 0)
	if change != nil {
		change(a)
	}
	a.StartTLS()
	t.Cleanup(func() {
		a.CloseClientConnections()
		a.Close()
	})
	return a
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.requests = append(a.requests, r.Clone(context.WithoutCancel(r.Context())))
	a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if a.admit != nil {
		if code := a.admit(r); code != 0 {
			w.WriteHeader(code)
			_, _ = fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"not admitted","reason":%q,"code":%d}`,
				map[int]string{401: "Unauthorized", 403: "Forbidden"}[code], code)
			return
		}
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/jobs"):
		items := make([]string, 0, a.jobs)
		for i := range a.jobs {
			items = append(items, fmt.Sprintf(`{"metadata":{"name":"ingest-job-%012d","namespace":"ml","uid":"%d",`+
				`"labels":{"tracebloc.io/ingestion-run":"%012d"},"creationTimestamp":"2026-11-23T10:00:00Z"}}`, i, i, i))
		}
		_, _ = fmt.Fprintf(w, `{"kind":"JobList","apiVersion":"batch/v1","metadata":{"resourceVersion":"1"},"items":[%s]}`, strings.Join(items, ","))
	case strings.HasSuffix(r.URL.Path, "/configmaps"):
		_, _ = io.WriteString(w, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}`)
	case strings.HasSuffix(r.URL.Path, "/pods"):
		_, _ = io.WriteString(w, `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}`)
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no such thing","reason":"NotFound","code":404}`)
	}
}

// got returns the requests so far.
func (a *api) got() []*http.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]*http.Request(nil), a.requests...)
}

// ca is the certificate that the server is to be checked with.
func (a *api) ca() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate().Raw})
}

// kubeconfig writes one for the server, after change, and returns its path.
func (a *api) kubeconfig(t *testing.T, change func(*clientcmdapi.Cluster, *clientcmdapi.AuthInfo)) string {
	t.Helper()
	cluster := &clientcmdapi.Cluster{Server: a.URL, CertificateAuthorityData: a.ca()}
	user := &clientcmdapi.AuthInfo{}
	if change != nil {
		change(cluster, user)
	}
	config := clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"c": cluster},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"u": user},
		Contexts:       map[string]*clientcmdapi.Context{"x": {Cluster: "c", AuthInfo: "u", Namespace: "ml"}},
		CurrentContext: "x",
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// writeFile writes a file that may be executed, and returns its path.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}
