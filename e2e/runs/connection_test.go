package runs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/e2e/link"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

var numberedLine = regexp.MustCompile(`(?m)^stand-in line \d+$`)

// everyLineOnce fails the test unless the n lines of the ingestor are there once and in order.
func (r result) everyLineOnce(t *testing.T, n int) {
	t.Helper()
	lines := numberedLine.FindAllString(r.stderr, -1)
	for i := range max(n, len(lines)) {
		if i >= len(lines) || i >= n || lines[i] != fault.Line(i+1) {
			t.Fatalf("line %d of %d is wrong (%d are there); the end of stderr:\n%s", i+1, n, len(lines), r.stderr[max(0, len(r.stderr)-4000):])
		}
	}
}

// A connection that breaks five times while the log is read: no line is lost, and none comes twice.
func testLogCut(t *testing.T, l *lab) {
	const lines, cuts = 300, 5
	proxy, flag := through(t, link.Shape{})
	r := l.trial(t, "log_cut", fault.Faults{Ingestor: fault.Ingestor{Lines: lines, Pause: fault.Duration(50 * time.Millisecond)}})
	p := r.start(t, flag)
	for i := range cuts {
		p.says(t, fault.Line((i+1)*lines/(cuts+1)))
		if broken := proxy.Cut([]link.How{link.RST, link.FIN}[i%2]); broken == 0 {
			t.Fatalf("cut %d met no connection", i+1)
		}
	}
	done := p.wait().expect(t, 0)
	done.everyLineOnce(t, lines)
	got := done.object(t)
	got.ended(t, "Succeeded", all)
	r.leaves(t, got, remains{rows: 4, jobs: 1})
}

// through opens a link to the cluster, and returns the flag that leads a push over it.
func through(t *testing.T, shape link.Shape) (proxy *link.Proxy, flag string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	proxy, err := link.ToCluster(os.Getenv("KUBECONFIG"), file, shape)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	return proxy, "--kubeconfig=" + file
}

// away is how long the API server refuses connections.
const away = 20 * time.Second

// An API server that nobody reaches for 20 seconds while one run goes on, and another comes to its end.
func testAPIServerAway(t *testing.T, l *lab) {
	proxy, flag := through(t, link.Shape{})
	type push struct {
		*trial
		*process
		lines int
	}
	var pushes []push
	for _, r := range []struct {
		table string
		lines int
	}{{"away_goes_on", 400}, {"away_ends", 80}} {
		one := l.trial(t, r.table, fault.Faults{Ingestor: fault.Ingestor{Lines: r.lines, Pause: fault.Duration(100 * time.Millisecond)}})
		p := one.start(t, flag)
		p.says(t, fault.Line(1))
		pushes = append(pushes, push{one, p, r.lines})
	}
	proxy.RefuseFor(away)
	proxy.Cut(link.RST)
	for _, p := range pushes {
		done := p.wait().expect(t, 0, "connection to the API server lost")
		done.everyLineOnce(t, p.lines)
		got := done.object(t)
		got.ended(t, "Succeeded", all)
		p.leaves(t, got, remains{rows: 4, jobs: 1})
	}
}

// A log that is still on its way when its run has long ended, over a slow link that is away for as long: its summary comes last, and is
// read all the same.
func testAwayBehind(t *testing.T, l *lab) {
	const lines = 60_000
	proxy, flag := through(t, link.Shape{Rate: 400 << 10})
	r := l.trial(t, "away_behind", fault.Faults{Ingestor: fault.Ingestor{Lines: lines}})
	p := r.start(t, flag)
	p.says(t, fault.Line(lines/4))
	key := r.submitted(t)
	eventually(t, "run "+key+" is over", func() bool { return r.jobs(t, key)[0].Status.Succeeded == 1 })
	if strings.Contains(p.errOut.String(), fault.Line(lines)) {
		t.Fatal("the whole log was read before the run was over: the link is too fast")
	}
	proxy.RefuseFor(away)
	proxy.Cut(link.RST)
	done := p.wait().expect(t, 0)
	done.everyLineOnce(t, lines)
	got := done.object(t)
	got.ended(t, "Succeeded", all)
	r.leaves(t, got, remains{rows: 4, jobs: 1})
}
