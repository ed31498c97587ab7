//go:build unix

package podio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
)

// marker is a writer that closes seen when its text has been written.
type marker struct {
	text string
	once sync.Once
	seen chan struct{}

	mu  sync.Mutex
	got bytes.Buffer
}

func newMarker(text string) *marker {
	return &marker{text: text, seen: make(chan struct{})}
}

func (m *marker) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.got.Write(p)
	if strings.Contains(m.got.String(), m.text) {
		m.once.Do(func() { close(m.seen) })
	}
	return len(p), nil
}

// flood is an endless stdin that closes stuck when the connection has taken nothing for a while.
type flood struct {
	read  atomic.Int64
	after chan struct{} // closed when more than a connection's buffers hold has been read
	once  sync.Once
}

func (f *flood) Read(p []byte) (int, error) {
	if f.read.Add(int64(len(p))) > 1<<20 {
		f.once.Do(func() { close(f.after) })
	}
	return len(p), nil
}

func TestExecCanceled(t *testing.T) {
	t.Parallel()
	reason := errors.New("the user said stop")
	tests := []struct {
		name    string
		command []string
		faults  func(*podiotest.Options)
		stdin   func() io.Reader
		before  func(*podiotest.Server)
	}{
		{name: "nothing happens", command: []string{"sh", "-c", "echo READY; exec sleep 1000"}},
		{name: "stdin blocks", command: []string{"sh", "-c", "echo READY; exec cat"}, stdin: blocked},
		{name: "upload", command: []string{"sh", "-c", "echo READY; exec wc -c"}, stdin: flooding},
		{name: "the command does not read", command: []string{"sh", "-c", "echo READY; exec sleep 1000"}, stdin: flooding},
		{name: "endless output", command: []string{"sh", "-c", "echo READY; exec yes"}},
		{
			name: "the connection stalls", command: []string{"sh", "-c", "echo READY; exec wc -c"}, stdin: flooding,
			before: func(s *podiotest.Server) { s.Strike(podiotest.Stall) },
		},
	}
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				server := podiotest.Start(t, options)
				client := newClient(t, server)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				stdout := newMarker("READY\n")
				var stdin io.Reader
				if test.stdin != nil {
					stdin = test.stdin()
				}
				go func() {
					<-stdout.seen
					if test.before != nil {
						test.before(server)
					}
					if flood, ok := stdin.(*flood); ok {
						<-flood.after
					}
					cancel(reason)
				}()
				if err := client.Exec(ctx, stage, test.command, stdin, stdout, nil); !errors.Is(err, reason) {
					t.Errorf("got %v, want %v", err, reason)
				}
				stdout.mu.Lock() // Exec must not write any more, which -race would see
				defer stdout.mu.Unlock()
			})
		}
	})
}

func flooding() io.Reader { return &flood{after: make(chan struct{})} }

// blocked is a reader that never returns.
func blocked() io.Reader {
	r, _ := io.Pipe()
	return r
}

func TestExecCanceledInHandshake(t *testing.T) {
	server := podiotest.Start(t, podiotest.Options{Fault: func(int) *podiotest.Fault { return &podiotest.Fault{Kind: podiotest.Stall} }})
	client := newClient(t, server)
	for _, websockets := range []string{"true", "false"} {
		t.Setenv("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", websockets)
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		if err := client.Exec(ctx, stage, []string{"true"}, nil, io.Discard, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("websockets=%s: got %v", websockets, err)
		}
	}
}

func TestExecCanceledBefore(t *testing.T) {
	t.Parallel()
	server := podiotest.Start(t, podiotest.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := newClient(t, server).Exec(ctx, stage, []string{"true"}, nil, io.Discard, nil)
	if !errors.Is(err, context.Canceled) || len(server.Requests()) != 0 {
		t.Errorf("got error %v and requests %q", err, server.Requests())
	}
}

// TestExecLocalFailure holds that a failure of the caller's own streams is reported as such. client-go would close stdin, the command
// would take that for the end of the data and end well, and Exec would report success.
func TestExecLocalFailure(t *testing.T) {
	t.Parallel()
	broken := errors.New("file vanished")
	tests := []struct {
		name    string
		command string
		stdin   func() io.Reader
		stdout  io.Writer
		stderr  io.Writer
		stream  string
	}{
		{
			name: "stdin fails in the middle", command: "exec cat", stream: streamStdin,
			stdin: func() io.Reader {
				return io.MultiReader(io.LimitReader(endless{}, 1<<20), iotest.ErrReader(broken))
			},
		},
		{
			name: "stdin fails with its last bytes", command: "exec cat", stream: streamStdin,
			stdin: func() io.Reader { return &lastWords{err: broken} },
		},
		{
			name: "stdin fails at once", command: "exec cat", stream: streamStdin,
			stdin: func() io.Reader { return iotest.ErrReader(broken) },
		},
		{name: "stdout fails", command: "echo; exec sleep 1000", stream: streamStdout, stdout: failing{broken}},
		{name: "stderr fails", command: "echo >&2; exec sleep 1000", stream: streamStderr, stderr: failing{broken}},
		{name: "endless stdout is refused", command: "exec yes", stream: streamStdout, stdout: &bounded{room: 1 << 20, err: broken}},
	}
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		client := newClient(t, podiotest.Start(t, options))
		for _, test := range tests {
			stdout, stderr := test.stdout, test.stderr
			if stdout == nil {
				stdout = io.Discard
			}
			if stderr == nil {
				stderr = io.Discard
			}
			var stdin io.Reader
			if test.stdin != nil {
				stdin = test.stdin()
			}
			err := client.Exec(t.Context(), stage, []string{"sh", "-c", test.command}, stdin, stdout, stderr)
			var local *LocalError
			if !errors.As(err, &local) || local.Stream != test.stream || !errors.Is(err, broken) {
				t.Errorf("%s: got %v", test.name, err)
			}
		}
	})
}

// lastWords is a reader that returns bytes and an error together.
type lastWords struct{ err error }

func (r *lastWords) Read(p []byte) (int, error) { return copy(p, "bye"), r.err }

type failing struct{ err error }

func (w failing) Write([]byte) (int, error) { return 0, w.err }

// bounded is a writer that fails when it is full.
type bounded struct {
	mu   sync.Mutex
	room int
	err  error
}

func (w *bounded) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.room -= len(p); w.room < 0 {
		return 0, w.err
	}
	return len(p), nil
}
