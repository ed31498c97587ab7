//go:build unix

package podio

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
)

// The time of a single request is not that of a session.
func TestTimeoutSparesSessions(t *testing.T) {
	t.Parallel()
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		options.Ports = web(t)
		config := podiotest.Start(t, options).Config()
		const limit = 100 * time.Millisecond
		config.Timeout = limit
		client, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		f, err := client.Forward(t.Context(), "ml", "stage", 8080)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for _, c := range []*Client{client, client.SPDY()} {
			var stdout bytes.Buffer
			if err := c.Exec(t.Context(), stage, []string{"sh", "-c", "echo one; sleep 0.4; echo two"}, nil, &stdout, nil); err != nil || stdout.String() != "one\ntwo\n" {
				t.Errorf("exec: got %q and %v", &stdout, err)
			}
		}
		if answer, err := post(t.Context(), f.Addr, "hello"); err != nil || answer != "hello" {
			t.Errorf("forward after %s: got %q and %v", limit, answer, err)
		}
	})
}

// Who speaks, and for whom, is in the requests that open sessions as in all others.
func TestSessionsHaveCredentials(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"Authorization": {"Bearer token"}, "Impersonate-User": {"jane"}, "Impersonate-Group": {"a", "b"}, "Impersonate-Uid": {"7"},
		"Impersonate-Extra-Team": {"ml"},
	}
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		var mu sync.Mutex
		var got []http.Header
		options.Ports = web(t)
		options.Refuse = func(r *http.Request) *metav1.Status {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, r.Header.Clone())
			return nil
		}
		config := podiotest.Start(t, options).Config()
		config.BearerToken = "token"
		config.Impersonate = rest.ImpersonationConfig{UserName: "jane", UID: "7", Groups: []string{"a", "b"}, Extra: map[string][]string{"team": {"ml"}}}
		client, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []*Client{client, client.SPDY()} {
			if err := c.Exec(t.Context(), stage, []string{"true"}, nil, io.Discard, nil); err != nil {
				t.Error(err)
			}
		}
		f, err := client.Forward(t.Context(), "ml", "stage", 8080)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		mu.Lock()
		defer mu.Unlock()
		if len(got) < 3 {
			t.Errorf("%d requests", len(got))
		}
		for _, header := range got {
			for name, values := range want {
				if diff := cmp.Diff(values, header.Values(name)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		}
	})
}

type warnings struct{ got []string }

func (w *warnings) HandleWarningHeader(_ int, _ string, text string) { w.got = append(w.got, text) }

// client-go looks for warnings in all answers but those to an upgrade.
func TestHandshakeWarns(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusSwitchingProtocols, http.StatusForbidden} {
		w := &warnings{}
		watched := (&handshake{warn: w}).watch(roundTripper(func(*http.Request) (*http.Response, error) {
			header := http.Header{"Warning": {`299 - "exec is watched"`, `broken`, `299 - "twice"`}}
			return &http.Response{StatusCode: code, Header: header, Body: http.NoBody}, nil
		}))
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://127.0.0.1/exec", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := watched.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if want := []string{"exec is watched", "twice"}; !slices.Equal(w.got, want) {
			t.Errorf("%d: got %q, want %q", code, w.got, want)
		}
	}
}

// Sessions have the credentials of a credential plugin too.
func TestSessionsHaveCredentialsOfPlugin(t *testing.T) {
	t.Parallel()
	command := filepath.Join(t.TempDir(), "credentials")
	script := `#!/bin/sh
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"of-plugin"}}'
`
	if err := os.WriteFile(command, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		options.Ports = web(t)
		options.Refuse = func(r *http.Request) *metav1.Status {
			if r.Header.Get("Authorization") == "Bearer of-plugin" {
				return nil
			}
			return &apierrors.NewUnauthorized("who are you").ErrStatus
		}
		config := podiotest.Start(t, options).Config()
		config.ExecProvider = &clientcmdapi.ExecConfig{
			APIVersion: "client.authentication.k8s.io/v1", Command: command, InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
		}
		client, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []*Client{client, client.SPDY()} {
			if err := c.Exec(t.Context(), stage, []string{"true"}, nil, io.Discard, nil); err != nil {
				t.Error(err)
			}
		}
		f, err := client.Forward(t.Context(), "ml", "stage", 8080)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	})
}
