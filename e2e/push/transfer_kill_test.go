package push

import (
	"fmt"
	mathrand "math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/e2e/link"
)

const (
	killSeed = 20
	// killLink makes a push of killFiles files of 1 MiB take some seconds, most of them for the transfer.
	killLink  = 12 << 20
	killFiles = 20
)

// campaign pushes one table again and again, and ends each push at a random moment. When one gets through, the data changes.
type campaign struct {
	*lab
	random *mathrand.Rand
	flag   string
	dir    string
	round  int
	trees  []string      // published so far
	first  earlier       // the tree of the first round
	span   time.Duration // after which no push is disturbed any more
}

func newCampaign(t *testing.T, l *lab, table string) *campaign {
	t.Helper()
	c := &campaign{lab: l, random: mathrand.New(mathrand.NewPCG(killSeed, uint64(len(table))))}
	_, c.flag = through(t, link.Shape{Rate: killLink})
	c.dir = photos(t, filepath.Join(t.TempDir(), table), killSeed, killFiles, 1<<20)
	began := time.Now()
	c.through(t)
	c.span = time.Since(began) * 3 / 4 // later ones have less to send
	c.first = c.remember(t, c.trees[0])
	c.change(t)
	return c
}

// table is where all pushes go.
func (c *campaign) table() string { return filepath.Base(c.dir) }

// change replaces three quarters of the files.
func (c *campaign) change(t *testing.T) {
	t.Helper()
	c.round++
	for i := range killFiles * 3 / 4 {
		photo(t, filepath.Join(c.dir, "images", fmt.Sprintf("%06d.png", i)), killSeed+uint64(c.round), i, 1<<20)
	}
}

// through is a push that nobody disturbs: it must take over what the ones before have brought, and end right.
func (c *campaign) through(t *testing.T) {
	t.Helper()
	there := c.receipts(t)
	s := c.good(t, c.dir, c.flag)
	if s.TakenOverFiles < there && !s.Reused {
		t.Errorf("%d files were on the volume, and %d were taken over", there, s.TakenOverFiles)
	}
	c.trees = append(c.trees, s.Path)
	c.onlyTrees(t, c.table(), c.trees...)
}

// arrived takes note of a push that got through although it was to be disturbed.
func (c *campaign) arrived(t *testing.T, r result) {
	t.Helper()
	c.trees = append(c.trees, c.succeeded(t, c.dir, r).Path)
	c.change(t)
}

// receipts counts the files that the volume has acknowledged, and that are not published.
func (c *campaign) receipts(t *testing.T) int64 {
	t.Helper()
	out := c.sh(t, `find "$1" -path '*.push/done/*' -type f -exec cat {} + 2>/dev/null | wc -l`, c.root(c.table()))
	n, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// disturb ends a push with the signal at a random moment, if it does not get through before.
func (c *campaign) disturb(t *testing.T, s syscall.Signal) result {
	t.Helper()
	push := c.start(t, c.dir, c.flag)
	select {
	case <-push.ended:
	case <-time.After(time.Duration(c.random.Int64N(int64(c.span)))):
		push.signal(s)
	}
	r := push.wait()
	c.forget(t, c.table())
	return r
}

// A client that is killed, at any moment, leaves no tree but right ones, and the next push continues.
func testKilled(t *testing.T, l *lab) {
	c := newCampaign(t, l, "killed_clients")
	killed := 0
	for killed < 50 {
		if r := c.disturb(t, syscall.SIGKILL); r.code == -1 {
			killed++
		} else {
			c.arrived(t, r)
		}
		if killed%10 == 0 {
			c.through(t)
			c.change(t)
		}
	}
	c.untouched(t, c.first)
	last := time.Now()
	eventually(t, "the Pods of killed clients have ended by themselves", func() bool { return len(c.pods(t, c.table())) == 0 })
	t.Logf("%d clients killed, %d trees; the last Pod ended within %s", killed, len(c.trees), time.Since(last).Round(time.Second))
	c.noLock(t, c.table())
}

// Ctrl-C at any moment: the exit code says so, unless the run was submitted; no Pod and no lock is left.
func testInterrupted(t *testing.T, l *lab) {
	c := newCampaign(t, l, "interrupted_clients")
	interrupted := 0
	for range 15 {
		r := c.disturb(t, syscall.SIGINT)
		switch {
		case r.code == 130:
			interrupted++
			r.expect(t, 130, "interrupted")
		case r.code == -1 && r.stderr == "": // kubectl had not come to the plugin yet
		default:
			c.arrived(t, r)
		}
		c.nothingLeft(t, c.table())
	}
	if interrupted == 0 {
		t.Error("no push was interrupted")
	}
	t.Logf("%d of 15 were interrupted", interrupted)
	c.through(t)
	c.untouched(t, c.first)
}
