//go:build unix

package podiotest_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
)

// TestFaultInAnswers holds that a connection can be struck by what the server writes, at that byte.
func TestFaultInAnswers(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]podiotest.Kind{"cut": podiotest.Cut, "reset": podiotest.Reset, "corrupt": podiotest.Corrupt} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := podiotest.Start(t, podiotest.Options{Fault: func(connection int) *podiotest.Fault {
				if connection != 0 {
					return nil
				}
				return &podiotest.Fault{Kind: kind, After: 1 << 20, Answers: true}
			}})
			client := newClient(t, server)
			download := func() (int, error) {
				var stdout bytes.Buffer
				err := client.Exec(t.Context(), target, []string{"dd", "if=/dev/zero", "bs=65536", "count=32"}, nil, &stdout, io.Discard)
				return stdout.Len(), err
			}
			if n, err := download(); err == nil || n >= 1<<20 || kind == podiotest.Cut && n < 1<<19 { // a reset takes what was not read yet
				t.Errorf("got %d bytes and %v, want an error within the first MiB", n, err)
			}
			if n, err := download(); err != nil || n != 2<<20 {
				t.Errorf("the second connection: got %d bytes and %v", n, err)
			}
		})
	}
}

// TestHalfClose holds that the command sees the end of its stdin too early, whatever the client is told: over WebSocket even success.
func TestHalfClose(t *testing.T) {
	t.Parallel()
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		options.Fault = func(int) *podiotest.Fault { return &podiotest.Fault{Kind: podiotest.HalfClose, After: 1 << 20} }
		server := podiotest.Start(t, options)
		command := []string{"sh", "-c", "wc -c >count; mv count counted"}
		_ = newClient(t, server).Exec(t.Context(), target, command, io.LimitReader(zeros{}, 8<<20), io.Discard, nil)
		var got []byte
		for len(got) == 0 {
			time.Sleep(10 * time.Millisecond)
			got, _ = os.ReadFile(filepath.Join(server.Volume, "counted"))
		}
		if n, err := strconv.Atoi(strings.TrimSpace(string(got))); err != nil || n > 1<<20 || n < 1<<19 {
			t.Errorf("the command has read %q bytes", got)
		}
	})
}

// TestNodeFault holds that a fault behind the API server strikes there: the client sees a session that ends.
func TestNodeFault(t *testing.T) {
	t.Parallel()
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		options.NodeFault = func(int) *podiotest.Fault { return &podiotest.Fault{Kind: podiotest.Reset, After: 1 << 20} }
		var stdout bytes.Buffer
		_ = newClient(t, podiotest.Start(t, options)).Exec(t.Context(), target, []string{"wc", "-c"}, io.LimitReader(zeros{}, 8<<20), &stdout, nil)
		if stdout.Len() > 0 {
			t.Errorf("got %q over a connection that was broken before", &stdout)
		}
	})
}

func TestSlow(t *testing.T) {
	t.Parallel()
	const size, rate = 200_000, 400_000
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		options.Fault = func(int) *podiotest.Fault { return &podiotest.Fault{Kind: podiotest.Slow, Rate: rate} }
		server := podiotest.Start(t, options)
		var stdout bytes.Buffer
		began := time.Now()
		err := newClient(t, server).Exec(t.Context(), target, []string{"wc", "-c"}, io.LimitReader(zeros{}, size), &stdout, nil)
		if err != nil || stdout.String() != "200000\n" {
			t.Errorf("got %q and error %v", &stdout, err)
		}
		if took := time.Since(began); took < time.Second*size/rate {
			t.Errorf("it took %s", took)
		}
		if got := server.Received(); got < size || got > 2*size {
			t.Errorf("%d bytes came for %d", got, size)
		}
	})
}

func TestDelete(t *testing.T) {
	t.Parallel()
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		server := podiotest.Start(t, options)
		client := newClient(t, server)
		gone := strike{text: "READY", do: server.Delete}
		_ = client.Exec(t.Context(), target, []string{"sh", "-c", "echo READY; sleep 1000; echo LATE"}, nil, &gone, nil)
		if strings.Contains(gone.got.String(), "LATE") || !server.Deleted() {
			t.Errorf("got %q", gone.got.String())
		}
		err := client.Exec(t.Context(), target, []string{"true"}, nil, io.Discard, nil)
		if !apierrors.IsNotFound(err) {
			t.Errorf("got %v, want %d", err, http.StatusNotFound)
		}
	})
}

// TestSharedVolume holds that two Servers can have one volume and working directories of their own.
func TestSharedVolume(t *testing.T) {
	t.Parallel()
	first := podiotest.Start(t, podiotest.Options{Env: []string{"GREETING=hello"}})
	if err := newClient(t, first).Exec(t.Context(), target, []string{"sh", "-c", `printf %s "$GREETING" >file`}, nil, io.Discard, nil); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	second := podiotest.Start(t, podiotest.Options{Volume: first.Volume, Dir: dir})
	var stdout bytes.Buffer
	command := []string{"sh", "-c", `cat "$1" && pwd && : >mine`, "sh", filepath.Join(second.Volume, "file")}
	if err := newClient(t, second).Exec(t.Context(), target, command, nil, &stdout, nil); err != nil {
		t.Fatal(err)
	}
	if want := "hello" + dir + "\n"; stdout.String() != want {
		t.Errorf("got %q, want %q", &stdout, want)
	}
	if _, err := os.Stat(filepath.Join(dir, "mine")); err != nil {
		t.Error(err)
	}
}

func TestStdoutHook(t *testing.T) {
	t.Parallel()
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		options.Stdout = func(out io.Writer) io.Writer { return upper{out} }
		client := newClient(t, podiotest.Start(t, options))
		var stdout, stderr bytes.Buffer
		if err := client.Exec(t.Context(), target, []string{"sh", "-c", "echo out; echo err >&2"}, nil, &stdout, &stderr); err != nil {
			t.Fatal(err)
		}
		if stdout.String() != "OUT\n" || stderr.String() != "err\n" {
			t.Errorf("got stdout %q and stderr %q", &stdout, &stderr)
		}
	})
}

type upper struct{ out io.Writer }

func (w upper) Write(p []byte) (int, error) { return w.out.Write(bytes.ToUpper(p)) }
