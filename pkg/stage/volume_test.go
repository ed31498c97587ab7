//go:build unix

package stage

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustTransfer(t *testing.T, l *local, files map[string]string) Plan {
	t.Helper()
	d := write(t, files)
	p := l.plan(t, d)
	if _, err := l.volume().Transfer(t.Context(), p, d, nil); err != nil {
		t.Fatal(err)
	}
	return p
}

func mustProbe(t *testing.T, l *local, p Plan) Probe {
	t.Helper()
	probe, err := l.volume().Probe(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return probe
}

func mkdirs(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func put(t *testing.T, path, content string) {
	t.Helper()
	mkdirs(t, filepath.Dir(path))
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			d := write(t, small())
			p := l.plan(t, d)

			empty := mustProbe(t, l, p)
			if empty.FreeBytes <= 0 || empty.FreeInodes == 0 {
				t.Errorf("free space %d bytes, %d inodes", empty.FreeBytes, empty.FreeInodes)
			}
			if empty.Published || empty.Damaged || empty.DestinationExists || empty.Record != nil || empty.Leftovers != nil {
				t.Errorf("empty volume: %+v", empty)
			}
			if left := l.listing(t); left != nil {
				t.Errorf("a look left %q behind", left)
			}

			table, destination := filepath.Dir(p.Dir()), filepath.Join(l.dir, "cats")
			work := "." + p.TreeID + ".push-22222222-0000-0000-0000-000000000000-0123456789abcdef"
			mkdirs(t, filepath.Join(table, work), filepath.Join(table, ".trash-0123456789abcdef-1"), filepath.Join(table, ".unknown"), destination)
			if probe := mustProbe(t, l, p); probe.DestinationExists {
				t.Error("an empty destination counts as one that exists")
			}
			put(t, filepath.Join(destination, "x"), "")
			put(t, filepath.Join(p.Dir(), "a.csv"), "something else")
			probe := mustProbe(t, l, p)
			if !probe.DestinationExists || !probe.Damaged || probe.Published {
				t.Errorf("got %+v", probe)
			}
			if diff := cmp.Diff([]string{work, ".trash-0123456789abcdef-1"}, probe.Leftovers, unordered); diff != "" {
				t.Errorf("leftovers (-want +got):\n%s", diff)
			}
		})
	}
}

// unordered compares lists of names without their order.
var unordered = cmp.Transformer("unordered", func(in []string) map[string]int {
	out := map[string]int{}
	for _, s := range in {
		out[s]++
	}
	return out
})

func TestAlreadyPublished(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			p := mustTransfer(t, l, small())
			l.tasks = nil
			report, err := l.volume().Transfer(t.Context(), p, write(t, small()), nil)
			if err != nil {
				t.Fatal(err)
			}
			if !report.AlreadyPublished || report.Sent != 0 {
				t.Errorf("report %+v", report)
			}
			if diff := cmp.Diff([]string{"probe"}, l.tasks); diff != "" {
				t.Errorf("sessions (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDamagedIsReplaced: a tree of which something is missing, or that was not made by a push, does not count.
func TestDamagedIsReplaced(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, dir string){
		"file removed": func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "a.csv")); err != nil {
				t.Fatal(err)
			}
		},
		"file added":   func(t *testing.T, dir string) { put(t, filepath.Join(dir, "images", "more"), "") },
		"file resized": func(t *testing.T, dir string) { put(t, filepath.Join(dir, "a.csv"), "short") },
		"link planted": func(t *testing.T, dir string) {
			if err := os.Symlink("/etc", filepath.Join(dir, "etc")); err != nil {
				t.Fatal(err)
			}
		},
		"tree is a link": func(t *testing.T, dir string) {
			if err := errors.Join(os.Rename(dir, dir+"x"), os.Symlink(dir+"x", dir)); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(dir + "x") })
		},
	} {
		for _, sh := range shells(t) {
			t.Run(sh.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				l := newLocal(t, sh)
				p := mustTransfer(t, l, small())
				damage(t, p.Dir())
				again := write(t, small())
				report, err := l.volume().Transfer(t.Context(), l.plan(t, again), again, nil)
				if err != nil || report.AlreadyPublished {
					t.Fatalf("report %+v, %v", report, err)
				}
				if diff := cmp.Diff(small(), contents(t, p.Dir())); diff != "" {
					t.Errorf("tree (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestConcurrentPushes: pushes of the same tree do not harm each other, whichever is first.
func TestConcurrentPushes(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			d := write(t, small())
			p := l.plan(t, d)
			owners := []string{"11111111-aaaa-bbbb-cccc-000000000001", "22222222-aaaa-bbbb-cccc-000000000002", "33333333-aaaa-bbbb-cccc-000000000003"}
			alive := map[string]bool{}
			for _, o := range owners {
				alive[o] = true
			}
			var wg sync.WaitGroup
			for _, owner := range owners {
				wg.Go(func() {
					v := &Volume{Exec: l, Owner: owner, Owners: func(context.Context) (map[string]bool, error) { return alive, nil }}
					report, err := v.Transfer(t.Context(), p, d, nil)
					if err != nil || report.Retries != 0 {
						t.Errorf("push of %s: %+v, %v", owner, report, err)
					}
				})
			}
			wg.Wait()
			l.wantPublished(t, p, small())
		})
	}
}

// TestOtherTreesAreUntouched: pushes of different data never meet.
func TestOtherTreesAreUntouched(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			first := mustTransfer(t, l, small())
			second := mustTransfer(t, l, map[string]string{"a.csv": "another"})
			if err := l.volume().Remove(t.Context(), second, ""); err != nil {
				t.Fatal(err)
			}
			l.wantPublished(t, first, small())
		})
	}
}

func TestLeftovers(t *testing.T) {
	t.Parallel()
	const dead, living = "22222222-aaaa-bbbb-cccc-000000000002", "33333333-aaaa-bbbb-cccc-000000000003"
	const tree, nonce = "0123456789abcdef", "fedcba9876543210"
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			d := write(t, small())
			p := l.plan(t, d)
			table := filepath.Dir(p.Dir())
			gone := []string{"." + p.TreeID + ".push-" + dead + "-" + nonce, "." + tree + ".push-" + dead + "-" + nonce, ".trash-" + nonce + "-3"}
			kept := []string{"." + p.TreeID + ".push-" + living + "-" + nonce, "." + tree + ".push-" + unknownOwner + "-" + nonce, ".other", "cafe"}
			for _, name := range append(append([]string{}, gone...), kept...) {
				put(t, filepath.Join(table, name, "tree", "half"), "half")
			}
			v := l.volume()
			v.Owners = func(context.Context) (map[string]bool, error) { return map[string]bool{living: true}, nil }
			if _, err := v.Transfer(t.Context(), p, d, nil); err != nil {
				t.Fatal(err)
			}
			want := append([]string{p.TreeID, p.TreeID + ".sha256"}, kept...)
			if diff := cmp.Diff(want, l.listing(t), unordered); diff != "" {
				t.Errorf("directory of the table (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCleanedUnderway: a push whose directory is taken away fails and begins again; it never publishes what is left of it.
func TestCleanedUnderway(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			files := map[string]string{"a": noise(2 * frameBytes), "z": "last"}
			d := write(t, files)
			p := l.plan(t, d)
			var once sync.Once
			v := l.volume()
			report, err := v.Transfer(t.Context(), p, d, func(int64) {
				once.Do(func() {
					names := mustProbe(t, l, p).Leftovers
					if err := v.clean(t.Context(), p, names); err != nil || len(names) != 1 {
						t.Errorf("clean %q: %v", names, err)
					}
				})
			})
			if err != nil || report.Retries != 1 {
				t.Fatalf("report %+v, %v", report, err)
			}
			l.wantPublished(t, p, files)
		})
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	first := Record{Key: "key-1", SpecSHA256: strings.Repeat("a", 64), Table: "cats", Created: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	second := Record{Key: "key-2", SpecSHA256: strings.Repeat("b", 64), Table: "cats", Created: first.Created}
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			p := mustTransfer(t, l, small())
			v := l.volume()
			wantConflict := func(err error, key string) {
				t.Helper()
				var conflict *RecordError
				if !errors.As(err, &conflict) || conflict.Record == nil || conflict.Record.Key != key {
					t.Errorf("got %v, want the record of %q", err, key)
				}
			}
			if err := v.WriteRecord(t.Context(), p, first, ""); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&first, mustProbe(t, l, p).Record); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
			if err := v.WriteRecord(t.Context(), p, first, ""); err != nil {
				t.Errorf("the same again: %v", err)
			}
			wantConflict(v.WriteRecord(t.Context(), p, second, ""), "key-1")
			wantConflict(v.WriteRecord(t.Context(), p, second, "key-0"), "key-1")
			wantConflict(v.Remove(t.Context(), p, "key-2"), "key-1")
			if err := v.WriteRecord(t.Context(), p, second, "key-1"); err != nil {
				t.Fatal(err)
			}
			if got := mustProbe(t, l, p); got.Record == nil || got.Record.Key != "key-2" || !got.Published {
				t.Errorf("got %+v", got)
			}
			if err := v.Remove(t.Context(), p, "key-2"); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Lstat(filepath.Dir(p.Dir())); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the directory of the table is still there: %q", l.listing(t))
			}
			if err := v.Remove(t.Context(), p, ""); err != nil {
				t.Errorf("remove what is gone: %v", err)
			}
		})
	}
}

func TestRecordKeys(t *testing.T) {
	t.Parallel()
	l := newLocal(t, shells(t)[0])
	d := write(t, small())
	p, v := l.plan(t, d), l.volume()
	for _, key := range []string{"", "-", "a b", `a"b`, "$(x)", "a/b", strings.Repeat("k", 64)} {
		if v.WriteRecord(t.Context(), p, Record{Key: key}, "") == nil {
			t.Errorf("record with key %q was stored", key)
		}
		if key != "" && v.Remove(t.Context(), p, key) == nil {
			t.Errorf("remove with key %q", key)
		}
	}
	if l.sessions != 0 {
		t.Errorf("%d sessions were opened", l.sessions)
	}
}

// TestRecordSurvivesLostAnswers: what was done without an answer is done again, to the same effect.
func TestRecordSurvivesLostAnswers(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			p := mustTransfer(t, l, small())
			l.tasks, l.sessions = nil, 0
			l.stdout = func(session int, w io.Writer) io.Writer {
				if session%2 == 0 {
					return io.Discard
				}
				return w
			}
			v := l.volume()
			if err := v.WriteRecord(t.Context(), p, Record{Key: "k", Created: time.Now()}, ""); err != nil {
				t.Error(err)
			}
			if err := v.Remove(t.Context(), p, "k"); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff([]string{"record", "record", "remove", "remove"}, l.tasks); diff != "" {
				t.Errorf("sessions (-want +got):\n%s", diff)
			}
			if left := l.listing(t); left != nil {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}
