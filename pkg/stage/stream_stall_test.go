//go:build unix

package stage

import (
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
)

// stall is a way in which nothing moves any more.
type stall struct {
	name string
	// arm changes the options, and returns what is done when the first files have arrived.
	arm func(o *podiotest.Options) func(*podiotest.Server)
	// waits says that SPDY gets over it without a new session.
	waits bool
	// large data is more than what is buffered on the way.
	large bool
}

func stalls() []stall {
	return []stall{
		{name: "in the handshake", arm: stallFirst(podiotest.Fault{Kind: podiotest.Stall})},
		{name: "before ready", arm: stallFirst(podiotest.Fault{Kind: podiotest.Stall, After: 1700, Answers: true})},
		{name: "in mid-transfer", arm: func(*podiotest.Options) func(*podiotest.Server) {
			return func(s *podiotest.Server) { s.Strike(podiotest.Stall) }
		}},
		{name: "at the node", arm: func(*podiotest.Options) func(*podiotest.Server) {
			return func(s *podiotest.Server) { s.StrikeNode(podiotest.Stall) }
		}},
		{name: "publishing", arm: func(o *podiotest.Options) func(*podiotest.Server) {
			var server atomic.Pointer[podiotest.Server]
			var struck atomic.Bool
			o.Stdin = overhearingIn("P 42 ", &struck, func() { server.Load().Strike(podiotest.Stall) })
			return server.Store
		}},
		// The script reads nothing for more than a minute, and says that it lives: WebSocket dies of that after 61 seconds.
		{name: "unread", waits: true, large: true, arm: func(o *podiotest.Options) func(*podiotest.Server) {
			var sessions atomic.Int64
			o.Stdin = func(in io.Reader) io.Reader {
				if sessions.Add(1) > 1 {
					return in
				}
				return &pause{in: in, left: 100_000, long: 66 * time.Second}
			}
			return func(*podiotest.Server) {}
		}},
	}
}

// stallFirst does a fault to the connection of the first session.
func stallFirst(fault podiotest.Fault) func(*podiotest.Options) func(*podiotest.Server) {
	return func(o *podiotest.Options) func(*podiotest.Server) {
		*o = wound{Fault: fault}.inflict(*o)
		return func(*podiotest.Server) {}
	}
}

// pause passes what comes, and makes one long pause.
type pause struct {
	in   io.Reader
	left int64 // bytes until then; negative afterwards
	long time.Duration
}

func (p *pause) Read(b []byte) (int, error) {
	switch {
	case p.left == 0:
		time.Sleep(p.long)
		p.left = -1
	case p.left > 0:
		b = b[:min(int64(len(b)), p.left)]
		n, err := p.in.Read(b)
		p.left -= int64(n)
		return n, err
	}
	return p.in.Read(b)
}

// TestStreamsStall: nothing moves, and no error comes. The session ends after a minute, and the next one is SPDY from the start, unless
// SPDY waits where WebSocket gives up. All stalls take their minute together.
func TestStreamsStall(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for transport, options := range map[string]podiotest.Options{"websocket": {}, "spdy": {NoWebSocket: true}} {
		for _, c := range stalls() {
			all.Go(func() { t.Run(transport+"/"+c.name, func(t *testing.T) { c.survives(t, options) }) })
		}
	}
	all.Wait()
}

func (c stall) survives(t *testing.T, options podiotest.Options) {
	websocket := !options.NoWebSocket
	strike := c.arm(&options)
	s := serve(t, options)
	files := scatter(40, 20_000)
	if c.large {
		files["images/first.png"], files["images/second.png"], files["images/third.png"] = noise(15<<20), noise(15<<20+1), noise(15<<20+2)
	}
	d := write(t, files)
	p := s.plan(t, d)
	parallel := 1
	if !c.large {
		p, parallel = fine(p), 2
	}
	planted := s.plant(t, p)
	var once sync.Once
	before := -1
	report, err := s.push(t.Context(), t, p, d, Options{Parallel: parallel, Compress: CompressNever, Progress: func(p Progress) {
		if p.Files > 2 || p.Step != "" {
			once.Do(func() { strike(s.Server) })
		}
		if p.Retries > 0 && before < 0 {
			before = len(s.Requests())
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.Strike(podiotest.Reset) // what was stalled knows now that nobody is there
	s.StrikeNode(podiotest.Reset)
	s.wantOnly(t, p, files, planted)
	wantReport(t, report, p, 1, int64(len(older)))
	if c.waits && !websocket {
		if report.Retries > 0 {
			t.Errorf("SPDY did not wait: %+v", report)
		}
		return
	}
	if report.Retries == 0 {
		t.Fatalf("nothing was tried again: %+v", report)
	}
	// One that began just before the stall was noticed may still be on its way.
	if after := s.Requests()[before:]; len(after) == 0 || after[0] != "exec spdy" {
		t.Errorf("after the stall the requests were %s: %+v", strings.Join(after, ", "), report)
	}
}
