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
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
)

var stage = Target{Namespace: "ml", Pod: "stage", Container: "stage"}

func newClient(t *testing.T, server *podiotest.Server) *Client {
	t.Helper()
	client, err := New(server.Config())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestExecResult(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name           string
		command        []string
		stdin          func() io.Reader // nil is not to open it
		stdout, stderr string
		code           int // 0 is success
	}{
		{name: "success", command: []string{"true"}},
		{name: "exit code", command: []string{"sh", "-c", "exit 3"}, code: 3},
		{name: "highest exit code", command: []string{"sh", "-c", "exit 255"}, code: 255},
		{name: "killed", command: []string{"sh", "-c", "kill -9 $$"}, code: 137},
		{name: "both outputs", command: []string{"sh", "-c", "echo out; echo err >&2; exit 1"}, stdout: "out\n", stderr: "err\n", code: 1},
		{name: "stdin", command: []string{"tr", "a-z", "A-Z"}, stdin: text("hello"), stdout: "HELLO"},
		{name: "empty stdin", command: []string{"wc", "-c"}, stdin: text(""), stdout: "0\n"},
		{
			name:    "words are not parsed",
			command: []string{"sh", "-c", `printf '%s|' "$@"`, "sh", "a b", "$(id)", "-n", "'", "ä\n"},
			stdout:  "a b|$(id)|-n|'|ä\n|",
		},
	}
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		client := newClient(t, podiotest.Start(t, options))
		for _, test := range tests {
			var stdin io.Reader
			if test.stdin != nil {
				stdin = test.stdin()
			}
			var stdout, stderr bytes.Buffer
			err := client.Exec(t.Context(), stage, test.command, stdin, &stdout, &stderr)
			var exit *ExitError
			if errors.As(err, &exit) != (test.code != 0) || (exit != nil && exit.Code != test.code) || (err != nil && exit == nil) {
				t.Errorf("%s: got error %v, want exit code %d", test.name, err, test.code)
			}
			if stdout.String() != test.stdout || stderr.String() != test.stderr {
				t.Errorf("%s: got stdout %q and stderr %q", test.name, &stdout, &stderr)
			}
		}
	})
}

func text(s string) func() io.Reader {
	return func() io.Reader { return strings.NewReader(s) }
}

// endless is a reader without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestExecWithoutStreams(t *testing.T) {
	t.Parallel()
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		client := newClient(t, podiotest.Start(t, options))
		var stdout bytes.Buffer
		if err := client.Exec(t.Context(), stage, []string{"sh", "-c", "echo out; echo err >&2"}, nil, &stdout, nil); err != nil {
			t.Fatal(err)
		}
		if stdout.String() != "out\n" {
			t.Errorf("got %q", &stdout)
		}
	})
}

func TestExecCommandNotFound(t *testing.T) {
	t.Parallel()
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		client := newClient(t, podiotest.Start(t, options))
		err := client.Exec(t.Context(), stage, []string{"no-such-command"}, nil, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), "executable file not found") {
			t.Errorf("got %v", err)
		}
	})
}

func TestExecLargeStdin(t *testing.T) {
	t.Parallel()
	const size = 64 << 20
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		client := newClient(t, podiotest.Start(t, options))
		sum := sha256.New()
		data := io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{1}), size), sum)
		var stdout bytes.Buffer
		if err := client.Exec(t.Context(), stage, []string{"sha256sum"}, data, &stdout, nil); err != nil {
			t.Fatal(err)
		}
		if got, want := stdout.String(), hex.EncodeToString(sum.Sum(nil))+"  -\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestExecLargeStdout(t *testing.T) {
	t.Parallel()
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		client := newClient(t, podiotest.Start(t, options))
		var stdout countingWriter
		err := client.Exec(t.Context(), stage, []string{"dd", "if=/dev/zero", "bs=65536", "count=256"}, nil, &stdout, io.Discard)
		if err != nil || stdout != 256*65536 {
			t.Errorf("got %d bytes and error %v", stdout, err)
		}
	})
}

type countingWriter int64

func (w *countingWriter) Write(p []byte) (int, error) {
	*w += countingWriter(len(p))
	return len(p), nil
}

func TestExecRefused(t *testing.T) {
	t.Parallel()
	refuse := func(status metav1.Status) func(*http.Request) *metav1.Status {
		return func(*http.Request) *metav1.Status { return &status }
	}
	forbidden := apierrors.NewForbidden(podResource, "stage", errors.New("no exec")).ErrStatus
	tests := []struct {
		name    string
		options podiotest.Options
		is      func(error) bool
		text    string
	}{
		{"forbidden", podiotest.Options{Refuse: refuse(forbidden)}, apierrors.IsForbidden, `pods "stage" is forbidden: no exec`},
		{"busy", podiotest.Options{Refuse: refuse(apierrors.NewTooManyRequests("slow down", 3).ErrStatus)}, apierrors.IsTooManyRequests, "slow down"},
		{"no pod", podiotest.Options{Pod: "other"}, apierrors.IsNotFound, `pods "stage" not found`},
		{"no container", podiotest.Options{Container: "other"}, apierrors.IsBadRequest, "container stage is not valid"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := podiotest.Start(t, test.options)
			err := newClient(t, server).Exec(t.Context(), stage, []string{"true"}, nil, io.Discard, nil)
			if !test.is(err) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v", err)
			}
			if prefix := `exec in pod "ml/stage/stage": `; !strings.HasPrefix(err.Error(), prefix) {
				t.Errorf("%q does not begin with %q", err, prefix)
			}
		})
	}
}

// TestExecFallback holds that stdin is untouched by an attempt that is refused: every byte arrives, once.
func TestExecFallback(t *testing.T) {
	t.Parallel()
	refuseGet := func(req *http.Request) *metav1.Status {
		if req.Method != http.MethodGet {
			return nil
		}
		return &apierrors.NewForbidden(podResource, "stage", errors.New("get is not allowed")).ErrStatus
	}
	for name, options := range map[string]podiotest.Options{
		"server without websocket": {NoWebSocket: true},
		"get not allowed":          {Refuse: refuseGet},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := podiotest.Start(t, options)
			sum := sha256.New()
			data := io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{2}), 1<<20), sum)
			var stdout bytes.Buffer
			if err := newClient(t, server).Exec(t.Context(), stage, []string{"sha256sum"}, data, &stdout, nil); err != nil {
				t.Fatal(err)
			}
			if got, want := stdout.String(), hex.EncodeToString(sum.Sum(nil))+"  -\n"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if diff := cmp.Diff([]string{"exec websocket", "exec spdy"}, server.Requests()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExecTransport(t *testing.T) {
	for value, want := range map[string]string{"": "exec websocket", "true": "exec websocket", "false": "exec spdy"} {
		t.Run("KUBECTL_REMOTE_COMMAND_WEBSOCKETS="+value, func(t *testing.T) {
			t.Setenv("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", value)
			server := podiotest.Start(t, podiotest.Options{})
			if err := newClient(t, server).Exec(t.Context(), stage, []string{"true"}, nil, io.Discard, nil); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{want}, server.Requests()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExecNoServer(t *testing.T) {
	server := podiotest.Start(t, podiotest.Options{})
	config := server.Config()
	config.Host = "https://127.0.0.1:1"
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, websockets := range []string{"true", "false"} {
		t.Setenv("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", websockets)
		err := client.Exec(context.Background(), stage, []string{"sh", "-c", "secret words"}, nil, io.Discard, nil)
		if err == nil || !strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), "secret") {
			t.Errorf("websockets=%s: got %v", websockets, err)
		}
	}
}
