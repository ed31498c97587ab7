//go:build unix

package podio

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
)

// eachSPDY runs test with a client that is SPDY from the start, at a server that has WebSocket and at one that has not, and holds that
// it never asked for WebSocket.
func eachSPDY(t *testing.T, test func(t *testing.T, server *podiotest.Server, client *Client), options podiotest.Options) {
	t.Helper()
	for name, without := range map[string]bool{"server with websocket": false, "server without websocket": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := options
			options.NoWebSocket = without
			server := podiotest.Start(t, options)
			test(t, server, newClient(t, server).SPDY())
			if requests := server.Requests(); slices.ContainsFunc(requests, func(r string) bool { return r != "exec spdy" }) {
				t.Errorf("requests %q", requests)
			}
		})
	}
}

func TestSPDYResult(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, script   string
		stdin          io.Reader
		stdout, stderr string
		code           int // 0 is success
	}{
		{name: "success", script: "true"},
		{name: "exit code", script: "echo out; echo err >&2; exit 3", stdout: "out\n", stderr: "err\n", code: 3},
		{name: "killed", script: "kill -9 $$", code: 137},
		{name: "stdin", script: "tr a-z A-Z", stdin: strings.NewReader("hello"), stdout: "HELLO"},
		{name: "empty stdin", script: "wc -c", stdin: strings.NewReader(""), stdout: "0\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := podiotest.Start(t, podiotest.Options{})
			var stdout, stderr bytes.Buffer
			err := newClient(t, server).SPDY().Exec(t.Context(), stage, []string{"sh", "-c", test.script}, test.stdin, &stdout, &stderr)
			var exit *ExitError
			if errors.As(err, &exit) != (test.code != 0) || exit != nil && exit.Code != test.code || err != nil && exit == nil {
				t.Errorf("got error %v, want exit code %d", err, test.code)
			}
			if stdout.String() != test.stdout || stderr.String() != test.stderr {
				t.Errorf("got stdout %q and stderr %q", &stdout, &stderr)
			}
			if diff := cmp.Diff([]string{"exec spdy"}, server.Requests()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSPDYBesideWebSocket holds that the client which SPDY was called on stays as it was.
func TestSPDYBesideWebSocket(t *testing.T) {
	t.Parallel()
	server := podiotest.Start(t, podiotest.Options{})
	client := newClient(t, server)
	for _, c := range []*Client{client.SPDY(), client, client.SPDY().SPDY(), client} {
		if err := c.Exec(t.Context(), stage, []string{"true"}, nil, io.Discard, nil); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"exec spdy", "exec websocket", "exec spdy", "exec websocket"}, server.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestSPDYRefused(t *testing.T) {
	t.Parallel()
	refuse := func(err *apierrors.StatusError) podiotest.Options {
		return podiotest.Options{Refuse: func(*http.Request) *metav1.Status { return &err.ErrStatus }}
	}
	tests := []struct {
		name    string
		options podiotest.Options
		is      func(error) bool
		text    string
	}{
		{"forbidden", refuse(apierrors.NewForbidden(podResource, "stage", errors.New("no exec"))), apierrors.IsForbidden, `pods "stage" is forbidden: no exec`},
		{"unauthorized", refuse(apierrors.NewUnauthorized("token expired")), apierrors.IsUnauthorized, "token expired"},
		{"busy", refuse(apierrors.NewTooManyRequests("slow down", 3)), apierrors.IsTooManyRequests, "slow down"},
		{"no pod", podiotest.Options{Pod: "other"}, apierrors.IsNotFound, `pods "stage" not found`},
		{"no container", podiotest.Options{Container: "other"}, apierrors.IsBadRequest, "container stage is not valid"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			eachSPDY(t, func(t *testing.T, _ *podiotest.Server, client *Client) {
				err := client.Exec(t.Context(), stage, []string{"sh", "-c", "secret words"}, nil, io.Discard, nil)
				if !test.is(err) || !strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), "secret") {
					t.Errorf("got %v", err)
				}
				if prefix := `exec in pod "ml/stage/stage": `; !strings.HasPrefix(err.Error(), prefix) {
					t.Errorf("%q does not begin with %q", err, prefix)
				}
			}, test.options)
		})
	}
}

func TestSPDYNoServer(t *testing.T) {
	t.Parallel()
	config := podiotest.Start(t, podiotest.Options{}).Config()
	config.Host = "https://127.0.0.1:1"
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	err = client.SPDY().Exec(t.Context(), stage, []string{"sh", "-c", "secret words"}, nil, io.Discard, nil)
	if err == nil || !strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestSPDYLargeStdin(t *testing.T) {
	t.Parallel()
	eachSPDY(t, func(t *testing.T, _ *podiotest.Server, client *Client) {
		sum := sha256.New()
		data := io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{3}), 16<<20), sum)
		var stdout bytes.Buffer
		if err := client.Exec(t.Context(), stage, []string{"sha256sum"}, data, &stdout, nil); err != nil {
			t.Fatal(err)
		}
		if got, want := stdout.String(), hex.EncodeToString(sum.Sum(nil))+"  -\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}, podiotest.Options{})
}

// TestSPDYEnds holds that a session ends at once with its context, and with the failure of a stream of the caller.
func TestSPDYEnds(t *testing.T) {
	t.Parallel()
	eachSPDY(t, func(t *testing.T, _ *podiotest.Server, client *Client) {
		reason := errors.New("the user said stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		ready := newMarker("READY\n")
		go func() {
			<-ready.seen
			cancel(reason)
		}()
		err := client.Exec(ctx, stage, []string{"sh", "-c", "echo READY; exec sleep 1000"}, blocked(), ready, nil)
		if !errors.Is(err, reason) {
			t.Errorf("canceled: got %v", err)
		}
		broken := errors.New("disk full")
		var local *LocalError
		err = client.Exec(t.Context(), stage, []string{"sh", "-c", "echo; exec sleep 1000"}, nil, failing{broken}, nil)
		if !errors.As(err, &local) || local.Stream != streamStdout || !errors.Is(err, broken) {
			t.Errorf("stdout fails: got %v", err)
		}
		err = client.Exec(t.Context(), stage, []string{"cat"}, &lastWords{err: broken}, io.Discard, nil)
		if !errors.As(err, &local) || local.Stream != streamStdin || !errors.Is(err, broken) {
			t.Errorf("stdin fails: got %v", err)
		}
	}, podiotest.Options{})
}
