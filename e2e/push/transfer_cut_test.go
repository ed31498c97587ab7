package push

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/e2e/link"
)

// transports are the two ways of an exec, and what chooses them.
func transports() map[string]string {
	return map[string]string{"websocket": "KUBECTL_REMOTE_COMMAND_WEBSOCKETS=true", "spdy": "KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false"}
}

// A connection that breaks, in whatever way and wherever, costs what was on the way, and no more.
func testCut(t *testing.T, l *lab) {
	for transport, choice := range transports() {
		table := "cut_" + transport
		dir := photos(t, filepath.Join(t.TempDir(), table), 30, 24, 1<<20)
		first := l.remember(t, l.good(t, dir).Path)
		trees := []string{first.path}
		for i, hit := range []struct {
			name string
			do   func(p *link.Proxy, bytes int64)
		}{
			{"reset three times", func(p *link.Proxy, bytes int64) { p.CutRandomly(31, 3, bytes, link.RST) }},
			{"closed three times", func(p *link.Proxy, bytes int64) { p.CutRandomly(32, 3, bytes, link.FIN) }},
			{"reset at once", func(p *link.Proxy, _ int64) { p.Cut(link.RST) }},
			{"each session after 2 MB", func(p *link.Proxy, _ int64) { p.CutEachAfter(2_000_000, link.RST, 6) }},
			{"half-closed", func(p *link.Proxy, bytes int64) { p.After(bytes/2, func() { p.HalfClose() }) }},
			{"corrupted", func(p *link.Proxy, bytes int64) { p.Corrupt(bytes / 2) }},
		} {
			t.Run(transport+"/"+hit.name, func(t *testing.T) {
				for n := range 24 {
					photo(t, filepath.Join(dir, "images", fmt.Sprintf("%06d.png", n)), 31+uint64(i), n, 1<<20)
				}
				p, flag := through(t, link.Shape{Rate: 40 << 20})
				p.After(l.preamble(t, dir), func() { hit.do(p, size(t, dir)*9/10) })
				c := l.command(t.Context(), dir, flag)
				c.Env = append(c.Environ(), choice)
				s := l.succeeded(t, dir, finish(t, c))
				l.nothingLeft(t, table)
				trees = append(trees, s.Path)
				l.onlyTrees(t, table, trees...)
				l.untouched(t, first)
				t.Logf("%+v", s)
			})
		}
	}
}

// Three cuts cost at most a tenth of the data.
func testCutCost(t *testing.T, l *lab) {
	for transport, choice := range transports() {
		dir := photos(t, filepath.Join(t.TempDir(), "cost_"+transport), 40, 200, 2<<20)
		p, flag := through(t, link.Shape{Rate: 60 << 20})
		all := size(t, dir)
		p.After(l.preamble(t, dir), func() { t.Log("cut at", p.CutRandomly(41, 3, all*9/10, link.RST)) })
		c := l.command(t.Context(), dir, flag, "--compress=never")
		c.Env = append(c.Environ(), choice)
		s := l.succeeded(t, dir, finish(t, c))
		if s.Retries == 0 {
			t.Error("nothing was cut")
		}
		if s.SentBytes > all*11/10 {
			t.Errorf("%s: %d bytes were sent for %d bytes of data: %.3f times as much", transport, s.SentBytes, all, float64(s.SentBytes)/float64(all))
		}
		t.Logf("%s: %.3f times the data, %+v", transport, float64(s.SentBytes)/float64(all), s)
	}
}

// A network that is silent for longer than a WebSocket session bears.
func testStall(t *testing.T, l *lab) {
	dir := photos(t, filepath.Join(t.TempDir(), "stalled"), 50, 30, 1<<20)
	c, p := l.halfway(t, dir, link.Shape{Rate: 20 << 20}, 40)
	p.StallFor(75 * time.Second)
	s := l.succeeded(t, dir, c.wait())
	l.nothingLeft(t, "stalled")
	t.Logf("%+v", s)
}

// An API server that nobody reaches for a minute, as when its node is replaced.
func testAway(t *testing.T, l *lab) {
	dir := photos(t, filepath.Join(t.TempDir(), "away"), 51, 30, 1<<20)
	c, p := l.halfway(t, dir, link.Shape{Rate: 20 << 20}, 40)
	p.RefuseFor(time.Minute)
	p.Cut(link.RST)
	s := l.succeeded(t, dir, c.wait().expect(t, 0, "trying again"))
	l.nothingLeft(t, "away")
	t.Logf("%+v", s)
}
