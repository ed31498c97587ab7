//go:build unix

package podio

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
)

// TestExecCut pins what a broken connection looks like, so that an upgrade of the libraries which changes it is noticed: only WebSocket
// reports one, and only one on this side of the API server. Whoever uses Exec relies on nothing of it.
func TestExecCut(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		strike func(*podiotest.Server)
		behind bool // the API server
	}{
		{name: "closed", strike: func(s *podiotest.Server) { s.Strike(podiotest.Cut) }},
		{name: "reset", strike: func(s *podiotest.Server) { s.Strike(podiotest.Reset) }},
		{name: "corrupted", strike: func(s *podiotest.Server) { s.Strike(podiotest.Corrupt) }},
		{name: "node closed", strike: func(s *podiotest.Server) { s.StrikeNode(podiotest.Cut) }, behind: true},
		{name: "node reset", strike: func(s *podiotest.Server) { s.StrikeNode(podiotest.Reset) }, behind: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
				var server *podiotest.Server
				options.Stdin = func(in io.Reader) io.Reader {
					return &tripwire{in: in, left: 1 << 20, trip: func() { test.strike(server) }}
				}
				server = podiotest.Start(t, options)
				var stdout bytes.Buffer
				err := newClient(t, server).Exec(t.Context(), stage, []string{"wc", "-c"}, endless{}, &stdout, nil)
				if reported := !options.NoWebSocket && !test.behind; reported != (err != nil) {
					t.Errorf("got error %v", err)
				}
				if stdout.Len() != 0 {
					t.Errorf("got %q over a connection that was broken before", &stdout)
				}
			})
		})
	}
}

// TestExecEarlyEnd pins what becomes of a command that ends while stdin flows: over WebSocket its last words arrive, over SPDY they may
// get lost. Reading on to the end of stdin saves them.
func TestExecEarlyEnd(t *testing.T) {
	t.Parallel()
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		client := newClient(t, podiotest.Start(t, options))
		for range 10 {
			var stdout bytes.Buffer
			err := client.Exec(t.Context(), stage, []string{"sh", "-c", "echo no space; exit 3"}, endless{}, &stdout, nil)
			lost := err == nil && options.NoWebSocket
			var exit *ExitError
			if !lost && (!errors.As(err, &exit) || exit.Code != 3 || stdout.String() != "no space\n") {
				t.Fatalf("the command ends: got error %v and stdout %q", err, &stdout)
			}

			said := newMarker("no space\n")
			stdin := &until{end: said.seen}
			err = client.Exec(t.Context(), stage, []string{"sh", "-c", "echo no space; cat >/dev/null; exit 3"}, stdin, said, nil)
			if !errors.As(err, &exit) || exit.Code != 3 || said.got.String() != "no space\n" {
				t.Fatalf("the command reads on: got error %v and stdout %q", err, &said.got)
			}
		}
	})
}

// until is a reader that ends when end is closed.
type until struct{ end chan struct{} }

func (r *until) Read(p []byte) (int, error) {
	select {
	case <-r.end:
		return 0, io.EOF
	default:
		return len(p), nil
	}
}

// tripwire calls trip once, when left bytes have passed.
type tripwire struct {
	in   io.Reader
	left int
	trip func()
}

func (w *tripwire) Read(p []byte) (int, error) {
	n, err := w.in.Read(p)
	if w.left > 0 && w.left <= n {
		w.trip()
	}
	w.left -= n
	return n, err
}
