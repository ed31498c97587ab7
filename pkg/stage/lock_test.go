//go:build unix

package stage

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// living is the nth Pod of a cluster in which all of the given ones are alive.
func (l *local) living(n int, alive ...int) *Volume {
	v := l.owned(n)
	v.Owners = func(context.Context) (map[string]string, error) {
		pods := map[string]string{v.Owner: "own"}
		for _, n := range alive {
			pods[ownerOf(n)] = "stage-" + ownerOf(n)[:8]
		}
		return pods, nil
	}
	return v
}

// TestConcurrentPushes: of pushes of the same data one sends, and the others wait until it is published.
func TestConcurrentPushes(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			d := write(t, course())
			p := l.finePlan(t, d)
			var sent atomic.Int64
			var all sync.WaitGroup
			for n := range 3 {
				all.Go(func() {
					report, err := l.living(n+1, 1, 2, 3).Transfer(t.Context(), p, d, watched(t, Options{Parallel: 2}))
					if err != nil || report.Retries != 0 {
						t.Errorf("push %d: %+v, %v", n, report, err)
					}
					sent.Add(report.Files)
				})
			}
			all.Wait()
			l.wantPublished(t, p, course())
			if sent.Load() != int64(len(course())) {
				t.Errorf("%d files were sent", sent.Load())
			}
		})
	}
}

// TestConcurrentTables: pushes of different data do not meet, but in what they take over.
func TestConcurrentTables(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			plans := make([]Plan, 3)
			contents := []map[string]string{course(), second(), many(50)}
			var all sync.WaitGroup
			for n, files := range contents {
				d := write(t, files)
				plans[n] = l.finePlan(t, d)
				all.Go(func() {
					report, err := l.living(n+1, 1, 2, 3).Transfer(t.Context(), plans[n], d, watched(t, Options{Parallel: 2}))
					if err != nil {
						t.Errorf("push %d: %+v, %v", n, report, err)
					}
				})
			}
			all.Wait()
			var want []string
			for n, p := range plans {
				wantTree(t, p, contents[n])
				want = append(want, p.TreeID, p.TreeID+".sha256")
			}
			l.wantLeft(t, want...)
		})
	}
}

// TestWaits: a push whose lock is held by a Pod that lives says so and waits; it takes over as soon as that Pod is gone, and sends only
// the rest.
func TestWaits(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			d := write(t, course())
			p := l.finePlan(t, d)
			first := interrupt(t, l, p, func(ctx context.Context, o Options) (Report, error) {
				return l.owned(1).Transfer(ctx, p, d, o)
			}, "killed")
			put(t, filepath.Join(l.work(p), "lock", ownerOf(1)+".aa"), "1")
			put(t, filepath.Join(l.work(p), "in-aa-1", "half"), "half")
			v := l.owned(2)
			var looks atomic.Int64
			v.Owners = func(context.Context) (map[string]string, error) {
				switch looks.Add(1) {
				case 1:
					return map[string]string{v.Owner: "own", ownerOf(1): "stage-one"}, nil
				case 2:
					return nil, errors.New("the API server is away")
				}
				return map[string]string{v.Owner: "own"}, nil
			}
			var told []string
			report, err := v.Transfer(t.Context(), p, d, watched(t, Options{Notify: func(s string) { told = append(told, s) }}))
			if err != nil {
				t.Fatal(err)
			}
			l.wantPublished(t, p, course())
			wantRest(t, p, first, report)
			if !slices.ContainsFunc(told, func(s string) bool { return strings.Contains(s, `"stage-one"`) }) || looks.Load() < 3 {
				t.Errorf("told %q after %d looks", told, looks.Load())
			}
		})
	}
}

// TestWaitCanceled: waiting ends with the context, and nothing of the other push is touched.
func TestWaitCanceled(t *testing.T) {
	t.Parallel()
	l := newLocal(t, shellOf(t, 0))
	d := write(t, small())
	p := l.finePlan(t, d)
	place := filepath.Join(l.work(p), "lock", ownerOf(1)+".aa")
	put(t, place, "1")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err := l.living(2, 1).Transfer(ctx, p, d, Options{Notify: func(string) { cancel(errInterrupted) }})
	if !errors.Is(err, errInterrupted) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Lstat(place); err != nil {
		t.Error(err)
	}
}

// TestEmptyLock: a lock that nobody is in, as a Pod that is killed may leave it, is taken after a moment.
func TestEmptyLock(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			d := write(t, small())
			p := l.finePlan(t, d)
			mkdirs(t, filepath.Join(l.work(p), "lock"))
			if _, err := l.volume().Transfer(t.Context(), p, d, Options{}); err != nil {
				t.Fatal(err)
			}
			l.wantPublished(t, p, small())
		})
	}
}

// TestStubbornLock: a place of a dead owner that cannot be removed is asked for again and again, but not without a pause.
func TestStubbornLock(t *testing.T) {
	t.Parallel()
	l := newLocal(t, shellOf(t, 0))
	l.prefix = "rm() { case $* in *lock*) return 1 ;; esac; command rm \"$@\"; }\nfind() { case $* in *'-exec rm'*) return 1 ;; esac; command find \"$@\"; }\n"
	d := write(t, small())
	p := l.finePlan(t, d)
	put(t, filepath.Join(l.work(p), "lock", ownerOf(2)+".aa"), "1")
	var frames atomic.Int64
	l.stdin = func(_ int, r io.Reader) io.Reader {
		return &tap{r: r, each: func(_ int64, b []byte) (int, error) {
			frames.Add(1)
			return len(b), nil
		}}
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 3*lookAgain)
	defer cancel()
	_, err := l.volume().Transfer(ctx, p, d, Options{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if most := int64(time.Since(began)/lookAgain) + 3; frames.Load() > most {
		t.Errorf("asked %d times in %s", frames.Load(), time.Since(began))
	}
}

// TestHangup: a session whose output nobody reads any more gives up its place as well.
func TestHangup(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			p := l.finePlan(t, write(t, small()))
			l.stdout = func(_ int, w io.Writer) io.Writer { return &hangup{} }
			words := append([]string{"worker", l.root(), "cats", p.TreeID, "0", "feed", "lead"}, p.totals()...)
			raw(t, l, words, twice("H")+twice("S "+p.shards([]int32{0})[0].id+" 1 raw 5000 1")+noise(3000))
			l.wantLeft(t)
			if !eventually(func() bool { return len(names(t, l.dir)) == 1 }) {
				t.Errorf("left behind: %q", names(t, l.dir))
			}
		})
	}
}

// hangup takes what is written up to READY.
type hangup struct{ over bool }

func (h *hangup) Write(p []byte) (int, error) {
	if h.over {
		return 0, io.ErrClosedPipe
	}
	h.over = strings.Contains(string(p), ansReady)
	return len(p), nil
}
