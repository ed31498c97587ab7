//go:build unix

package podiotest_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
)

var target = podio.Target{Namespace: "ml", Pod: "stage", Container: "stage"}

func newClient(t *testing.T, server *podiotest.Server) *podio.Client {
	t.Helper()
	client, err := podio.New(server.Config())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// zeros is a reader without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestStdinEndsWithStdout holds containerd's habit that makes a command lose its input when it closes or redirects its stdout.
func TestStdinEndsWithStdout(t *testing.T) {
	t.Parallel()
	const size = 8 << 20
	tests := []struct {
		name, script string
		whole        bool
	}{
		{"stdout closed", "exec cat >file", false},
		{"stderr closed", "exec cat 2>&1 >file; echo", false},
		{"both open", "cat >file; echo done", true},
	}
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		server := podiotest.Start(t, options)
		client := newClient(t, server)
		for _, test := range tests {
			err := client.Exec(t.Context(), target, []string{"sh", "-c", test.script}, io.LimitReader(zeros{}, size), io.Discard, io.Discard)
			if err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			info, err := os.Stat(filepath.Join(server.Volume, "file"))
			if err != nil {
				t.Fatal(err)
			}
			if whole := info.Size() == size; whole != test.whole {
				t.Errorf("%s: the command got %d of %d bytes", test.name, info.Size(), size)
			}
		}
	})
}

// TestCutIsEndOfStdin holds that a command whose client has gone sees a clean end of stdin and runs on: a retry meets it.
func TestCutIsEndOfStdin(t *testing.T) {
	t.Parallel()
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		server := podiotest.Start(t, options)
		client := newClient(t, server)
		stdin, upload := io.Pipe()
		defer func() { _ = stdin.Close() }()
		ready := strike{text: "READY", do: func() { server.Strike(podiotest.Reset) }}
		_ = client.Exec(t.Context(), target, []string{"sh", "-c", `echo READY; read -r line; echo "$?" >status; mkfifo fifo; cat fifo`},
			stdin, &ready, nil) // nil over SPDY
		_ = upload.Close()

		script := `until [ -p fifo ]; do usleep 1000; done; cat status; echo >fifo`
		var stdout bytes.Buffer
		if err := client.Exec(t.Context(), target, []string{"sh", "-c", script}, nil, &stdout, nil); err != nil {
			t.Fatal(err)
		}
		if stdout.String() != "1\n" {
			t.Errorf("read of the orphan ended with %q", &stdout)
		}
	})
}

// strike is a writer that does something when its text comes.
type strike struct {
	text string
	do   func()
	got  strings.Builder
}

func (s *strike) Write(p []byte) (int, error) {
	s.got.Write(p)
	if strings.Contains(s.got.String(), s.text) {
		s.do()
	}
	return len(p), nil
}

func TestProcessesEndWithTheServer(t *testing.T) {
	t.Parallel()
	var server *podiotest.Server
	t.Run("server", func(t *testing.T) {
		server = podiotest.Start(t, podiotest.Options{})
		broken := strike{text: "READY", do: func() { server.Strike(podiotest.Reset) }}
		_ = newClient(t, server).Exec(t.Context(), target, []string{"sh", "-c", "echo READY; sleep 1000"}, nil, &broken, nil)
		if got := server.Running(); got != 1 {
			t.Errorf("%d commands run after the client has gone, want 1", got)
		}
	})
	if got := server.Running(); got != 0 {
		t.Errorf("%d commands run after the test, want 0", got)
	}
}

// TestFault holds that a fault strikes the connection that it was meant for, and no other.
func TestFault(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]podiotest.Kind{"cut": podiotest.Cut, "reset": podiotest.Reset, "corrupt": podiotest.Corrupt} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := podiotest.Start(t, podiotest.Options{Fault: func(connection int) *podiotest.Fault {
				if connection != 0 {
					return nil
				}
				return &podiotest.Fault{Kind: kind, After: 1 << 20}
			}})
			client := newClient(t, server)
			upload := func() (string, error) {
				var stdout bytes.Buffer
				err := client.Exec(t.Context(), target, []string{"wc", "-c"}, io.LimitReader(zeros{}, 2<<20), &stdout, nil)
				return stdout.String(), err
			}
			if _, err := upload(); err == nil {
				t.Error("the first connection was not struck")
			}
			if got, err := upload(); err != nil || got != "2097152\n" {
				t.Errorf("the second connection: got %q and error %v", got, err)
			}
		})
	}
}

func TestStdinHook(t *testing.T) {
	t.Parallel()
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		options.Stdin = func(in io.Reader) io.Reader { return io.LimitReader(in, 5) }
		client := newClient(t, podiotest.Start(t, options))
		var stdout bytes.Buffer
		err := client.Exec(t.Context(), target, []string{"cat"}, strings.NewReader("hello world"), &stdout, nil)
		if err != nil || stdout.String() != "hello" {
			t.Errorf("got %q and error %v", &stdout, err)
		}
	})
}

func TestContainerOnly(t *testing.T) {
	t.Parallel()
	client := newClient(t, podiotest.Start(t, podiotest.Options{}))
	var stdout bytes.Buffer
	// The machine's own programs are not there, nor is its environment.
	if err := client.Exec(t.Context(), target, []string{"env"}, nil, &stdout, nil); err != nil {
		t.Fatal(err)
	}
	if got := stdout.String(); !strings.HasPrefix(got, "PATH=") || strings.Count(got, "\n") != 1 {
		t.Errorf("the environment is %q", got)
	}
	err := client.Exec(t.Context(), target, []string{"go", "version"}, nil, io.Discard, nil)
	var exit *podio.ExitError
	if err == nil || errors.As(err, &exit) {
		t.Errorf("a program of the machine: got %v", err)
	}
}
