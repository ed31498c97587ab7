//go:build unix

package stage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// course is a dataset of many small shards and a big file.
func course() map[string]string {
	files := many(60)
	files["big"] = noise(6*fineRange + 1)
	files["labels.csv"] = noise(3000)
	return files
}

// interruptions are the ways in which a push ends too early. Each is called once, in mid-transfer.
var interruptions = map[string]func(l *local, cancel context.CancelCauseFunc){
	"canceled": func(_ *local, cancel context.CancelCauseFunc) { cancel(errInterrupted) },
	"killed": func(l *local, cancel context.CancelCauseFunc) {
		l.kill()
		cancel(errInterrupted)
	},
}

var errInterrupted = errors.New("interrupted")

// interrupt makes a push that ends when half of the dataset is there.
func interrupt(t *testing.T, l *local, p Plan, send func(context.Context, Options) (Report, error), how string) Report {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var once sync.Once
	report, err := send(ctx, watched(t, Options{Parallel: 2, Progress: func(at Progress) {
		if at.Bytes > p.Manifest.Bytes()/2 {
			once.Do(func() { interruptions[how](l, cancel) })
		}
	}}))
	if !errors.Is(err, errInterrupted) {
		t.Fatalf("report %+v, %v", report, err)
	}
	if contents(t, p.Dir()) != nil {
		t.Error("half of a tree was published")
	}
	return report
}

// TestResume: a push that ended too early leaves its work directory, and the next one sends only the rest.
func TestResume(t *testing.T) {
	t.Parallel()
	for how := range interruptions {
		for _, sh := range shells(t) {
			t.Run(how+"/"+sh.name, func(t *testing.T) {
				t.Parallel()
				l := newLocal(t, sh)
				d := write(t, course())
				p := l.finePlan(t, d)
				v := l.volume()
				first := interrupt(t, l, p, func(ctx context.Context, o Options) (Report, error) { return v.Transfer(ctx, p, d, o) }, how)
				if how == "canceled" {
					l.wantWork(t, p)
				}
				second, err := l.owned(2).Transfer(t.Context(), p, d, watched(t, Options{}))
				if err != nil {
					t.Fatal(err)
				}
				l.wantPublished(t, p, course())
				wantRest(t, p, first, second)
				if second.Retries != 0 {
					t.Errorf("retries: %+v", second)
				}
			})
		}
	}
}

// wantRest checks that what a push has acknowledged is not sent by the one that comes after it.
func wantRest(t *testing.T, p Plan, first, second Report) {
	t.Helper()
	total := p.Manifest.Bytes()
	if second.Bytes+second.TakenOverBytes != total || second.TakenOverBytes < first.Bytes {
		t.Errorf("of %d bytes the first attempt brought %d; the second took over %d and sent %d", total, first.Bytes, second.TakenOverBytes, second.Bytes)
	}
	// A header and a block for each small file.
	if limit := second.Bytes + 4096 + 1200*int64(len(p.Manifest)); second.Sent > limit {
		t.Errorf("%d bytes traveled for %d", second.Sent, second.Bytes)
	}
	if second.AlreadyPublished {
		t.Errorf("report %+v", second)
	}
}

// TestCanceledEarly: what was begun, and holds nothing of worth, is removed although the context has ended.
func TestCanceledEarly(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			d := write(t, course())
			p := l.finePlan(t, d)
			ctx, cancel := context.WithCancelCause(t.Context())
			_, err := l.volume().Transfer(ctx, p, d, Options{Admit: func(Probe) error {
				cancel(errInterrupted)
				return nil
			}})
			if !errors.Is(err, errInterrupted) {
				t.Errorf("got %v", err)
			}
			l.wantLeft(t)
			if left := names(t, l.dir); !eventually(func() bool { return len(names(t, l.dir)) == 1 }) {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// TestKilledFiftyTimes: whatever is killed, whenever, the push after it goes on from there, and in the end the tree is right. What was
// published in between stays as it is, and serves as the older tree of the next.
func TestKilledFiftyTimes(t *testing.T) {
	t.Parallel()
	all := shells(t)
	places := map[string]int{}
	for i, sh := range all {
		places[sh.name] = i
	}
	crowd(t, places, func(t *testing.T, i int) {
		sh := all[i]
		r := dice(t)
		l := newLocal(t, sh)
		files := course()
		published := map[string]map[string]string{}
		d := write(t, files)
		p := l.finePlan(t, d)
		longest := 100 * time.Millisecond
		for round := range (50 + len(all) - 1) / len(all) {
			if err := killAfter(t, l, p, round, func(ctx context.Context, v *Volume) error {
				_, err := v.Transfer(ctx, p, d, Options{Parallel: 1 + round%3})
				return err
			}, time.Duration(r.Int64N(int64(longest)))); err != nil {
				longest += longest / 3
				continue
			}
			wantTree(t, p, files)
			published[p.Dir()] = files
			files = changed(r, files, round)
			d = write(t, files)
			p = l.finePlan(t, d)
		}
		if _, err := l.owned(100+i).Transfer(t.Context(), p, d, Options{}); err != nil {
			t.Fatal(err)
		}
		wantTree(t, p, files)
		want := []string{p.TreeID, p.TreeID + ".sha256"}
		for dir, files := range published {
			id := dir[len(dir)-16:]
			want = append(want, id, id+".sha256")
			wantTree(t, Plan{Root: p.Root, Table: p.Table, TreeID: id}, files)
		}
		// What the killed ones were just trying is removed an hour later.
		for _, name := range l.listing(t) {
			if strings.HasPrefix(name, ".new-") {
				want = append(want, name)
			}
		}
		l.wantLeft(t, want...)
	})
}

// killAfter kills all processes of a push after some time, and the push with them.
func killAfter(t *testing.T, l *local, p Plan, round int, push func(context.Context, *Volume) error, after time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	timer := time.AfterFunc(after, func() {
		cancel(errInterrupted)
		l.kill()
	})
	defer timer.Stop()
	err := push(ctx, l.owned(1+round))
	l.kill() // those who were just about to be started
	if err != nil && !errors.Is(err, errInterrupted) {
		t.Errorf("round %d: %v", round, err)
	}
	return err
}

// changed is the next state of a dataset: some files have other content, some other names.
func changed(r *rand.Rand, files map[string]string, round int) map[string]string {
	next := maps.Clone(files)
	for name, content := range files {
		switch {
		case name == "big":
			if r.IntN(2) == 0 {
				next[name] = content + "more"
			}
		case r.IntN(20) == 0:
			next[name] = fmt.Sprintf("%s, round %d", content, round)
		case r.IntN(20) == 0:
			delete(next, name)
			next[fmt.Sprintf("%s-%d", name, round)] = content
		}
	}
	return next
}

// TestPodReplaced: the Pod dies in mid-transfer, a new one takes its place, and the same call goes on.
func TestPodReplaced(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			d := write(t, course())
			p := l.finePlan(t, d)
			first, second := l.owned(1), l.owned(2)
			var mu sync.Mutex
			dead, renewals := false, 0
			first.Check = func(context.Context) error {
				mu.Lock()
				defer mu.Unlock()
				if dead {
					return &GoneError{Namespace: "ml", Pod: "stage-1", Reason: "it was deleted"}
				}
				return nil
			}
			first.Renew = func(context.Context) (*Volume, error) {
				mu.Lock()
				defer mu.Unlock()
				renewals++
				return second, nil
			}
			var once sync.Once
			report, err := first.Transfer(t.Context(), p, d, Options{Parallel: 3, Progress: func(at Progress) {
				if at.Bytes > p.Manifest.Bytes()/2 {
					once.Do(func() {
						mu.Lock()
						dead = true
						mu.Unlock()
						l.kill()
					})
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			l.wantPublished(t, p, course())
			if renewals != 1 || report.Pods != 1 || report.Retries == 0 || report.InFlight != 0 {
				t.Errorf("%d renewals, report %+v", renewals, report)
			}
			if report.TakenOverBytes == 0 && report.Bytes != p.Manifest.Bytes() {
				t.Errorf("report %+v", report)
			}
		})
	}
}

// TestWorkerCleansUp: a session whose client is dead removes what is of no use, without being asked.
func TestWorkerCleansUp(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			p := l.finePlan(t, write(t, small()))
			words := append([]string{"worker", l.root(), "cats", p.TreeID, "0", "feed", "lead"}, p.totals()...)
			out := raw(t, l, words, twice("S "+p.shards([]int32{0})[0].id+" 1 raw 5000 1")+noise(3000))
			if want := "ERR feed - cut "; !strings.Contains(out, "\n"+want) {
				t.Errorf("got %q", out)
			}
			l.wantLeft(t)
			if left := names(t, l.dir); len(left) != 1 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}
