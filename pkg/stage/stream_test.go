//go:build unix

package stage

import (
	"errors"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
)

// served is a volume behind the API server's own proxy and the runtimes' own streaming server.
type served struct {
	*podiotest.Server
	volume *Volume
}

func serve(t *testing.T, options podiotest.Options) served {
	t.Helper()
	server := podiotest.Start(t, options)
	client, err := podio.New(server.Config())
	if err != nil {
		t.Fatal(err)
	}
	target := podio.Target{Namespace: "ml", Pod: "stage", Container: Container}
	return served{Server: server, volume: &Volume{Exec: client, Target: target, Owner: "11111111-aaaa-bbbb-cccc-000000000001"}}
}

func (s served) plan(t *testing.T, d *dataset.Dataset) Plan {
	t.Helper()
	p, err := NewPlan("cats", manifest(t, d), filepath.Join(s.Volume, Directory))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// transports are both ways in which a session can travel.
func transports() map[string]podiotest.Options {
	return map[string]podiotest.Options{"websocket": {}, "spdy": {NoWebSocket: true}}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	for name, options := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, options)
			files := attack()
			files["big"] = noise(5 * frameBytes)
			d := write(t, files)
			p := s.plan(t, d)
			report, err := s.volume.Transfer(t.Context(), p, d, nil)
			if err != nil || report.Retries != 0 {
				t.Fatalf("report %+v, %v", report, err)
			}
			if diff := cmp.Diff(files, contents(t, p.Dir())); diff != "" {
				t.Errorf("tree (-want +got):\n%s", diff)
			}
			if !slices.Contains(s.Requests(), "exec "+name) {
				t.Errorf("requests %q", s.Requests())
			}
			if err := s.volume.Remove(t.Context(), p, ""); err != nil {
				t.Error(err)
			}
			if left := contents(t, filepath.Join(s.Volume, Directory)); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestStreamsBreak: the connection fails in each of the ways that there are while the data is on its way; the transfer begins again and
// the tree is right.
func TestStreamsBreak(t *testing.T) {
	t.Parallel()
	kinds := map[string]podiotest.Kind{"cut": podiotest.Cut, "reset": podiotest.Reset, "corrupt": podiotest.Corrupt}
	for transport, options := range transports() {
		for name, kind := range kinds {
			for _, node := range []bool{false, true} {
				t.Run(transport+"/"+name+map[bool]string{true: "/node"}[node], func(t *testing.T) {
					t.Parallel()
					s := serve(t, options)
					files := map[string]string{"a": noise(2 * frameBytes), "b": noise(2*frameBytes + 1), "z": "last"}
					d := write(t, files)
					p := s.plan(t, d)
					var once sync.Once
					var bytes int64
					report, err := s.volume.Transfer(t.Context(), p, d, func(n int64) {
						bytes += n
						once.Do(func() {
							if node {
								s.StrikeNode(kind)
							} else {
								s.Strike(kind)
							}
						})
					})
					if err != nil {
						t.Fatal(err)
					}
					// Between the API server and the node there is no TLS here, so what is corrupted there gets through to the checks.
					if report.Retries == 0 && (!node || kind != podiotest.Corrupt) {
						t.Errorf("report %+v", report)
					}
					if bytes != report.Bytes {
						t.Errorf("onBytes in sum %d, report %+v", bytes, report)
					}
					if diff := cmp.Diff(files, contents(t, p.Dir())); diff != "" {
						t.Errorf("tree (-want +got):\n%s", diff)
					}
				})
			}
		}
	}
}

// TestStreamsCorruptBehindTLS: what goes wrong where no checksum of the transport sees it is found on the volume.
func TestStreamsCorruptBehindTLS(t *testing.T) {
	t.Parallel()
	for name, options := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sessions atomic.Int32
			options.Stdin = func(r io.Reader) io.Reader {
				if sessions.Add(1) == 1 {
					return flipAt(r, frameBytes+12345)
				}
				return r
			}
			s := serve(t, options)
			files := map[string]string{"a": noise(2 * frameBytes)}
			d := write(t, files)
			p := s.plan(t, d)
			report, err := s.volume.Transfer(t.Context(), p, d, nil)
			if err != nil || report.Retries != 1 {
				t.Fatalf("report %+v, %v", report, err)
			}
			if diff := cmp.Diff(files, contents(t, p.Dir())); diff != "" {
				t.Errorf("tree (-want +got):\n%s", diff)
			}
		})
	}
}

// TestStreamsAway: a server that refuses connections for good is a session error, after a few tries.
func TestStreamsAway(t *testing.T) {
	t.Parallel()
	s := serve(t, podiotest.Options{Fault: func(int) *podiotest.Fault { return &podiotest.Fault{Kind: podiotest.Reset} }})
	d := write(t, small())
	_, err := s.volume.Transfer(t.Context(), s.plan(t, d), d, nil)
	var lost *SessionError
	if !errors.As(err, &lost) {
		t.Errorf("got %v", err)
	}
}
