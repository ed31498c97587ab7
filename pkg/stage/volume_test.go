//go:build unix

package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
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
	if _, err := l.volume().Transfer(t.Context(), p, d, Options{}); err != nil {
		t.Fatal(err)
	}
	return p
}

func wantTree(t *testing.T, p Plan, want map[string]string) {
	t.Helper()
	got := contents(t, p.Dir())
	if maps.Equal(want, got) {
		return
	}
	for name := range maps.Keys(want) {
		if content, there := got[name]; !there || content != want[name] {
			t.Errorf("published tree: %q has %d bytes (there: %v), want %d others", name, len(content), there, len(want[name]))
		}
	}
	for name := range maps.Keys(got) {
		if _, there := want[name]; !there {
			t.Errorf("published tree: %q should not be there", name)
		}
	}
}

func mustProbe(t *testing.T, l *local, p Plan) Probe {
	t.Helper()
	probe, err := l.volume().Probe(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return probe
}

func mkdirs(t testing.TB, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func put(t testing.TB, path, content string) {
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
			work, other := ".0123456789abcdef.push", "fedcba9876543210"
			lock := filepath.Join(table, work, "lock")
			mkdirs(t, lock, filepath.Join(table, ".trash-0123456789abcdef-1"), filepath.Join(table, ".unknown"), destination)
			put(t, filepath.Join(lock, ownerOf(2)+".aa"), "1")
			put(t, filepath.Join(lock, ownerOf(3)+".bb"), "")
			put(t, filepath.Join(table, other+".sha256"), "")
			put(t, filepath.Join(table, "x.sha256"), "")
			if probe := mustProbe(t, l, p); probe.DestinationExists {
				t.Error("an empty destination counts as one that exists")
			}
			put(t, filepath.Join(destination, "x"), "")
			put(t, filepath.Join(p.Dir(), "a.csv"), "something else")
			probe := mustProbe(t, l, p)
			if !probe.DestinationExists || !probe.Damaged || probe.Published {
				t.Errorf("got %+v", probe)
			}
			var found []string
			for _, left := range probe.Leftovers {
				found = append(found, left.Name+" "+strings.Join(slices.Sorted(slices.Values(left.Owners)), " "))
			}
			if diff := cmp.Diff([]string{work + " " + ownerOf(2) + " " + ownerOf(3), ".trash-0123456789abcdef-1 "}, found, unordered); diff != "" {
				t.Errorf("leftovers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{other}, probe.Older); diff != "" {
				t.Errorf("older trees (-want +got):\n%s", diff)
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
			l.forget()
			report, err := l.volume().Transfer(t.Context(), p, write(t, small()), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if !report.AlreadyPublished || report.Sent != 0 {
				t.Errorf("report %+v", report)
			}
			if diff := cmp.Diff([]string{"worker"}, l.opened()); diff != "" {
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
				report, err := l.volume().Transfer(t.Context(), l.plan(t, again), again, Options{})
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
	const dead, alive = 2, 3
	const tree, third, nonce = "0123456789abcdef", "1123456789abcdef", "fedcba9876543210"
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			d := write(t, small())
			p := l.plan(t, d)
			table := filepath.Dir(p.Dir())
			put(t, filepath.Join(table, "."+tree+".push", "lock", ownerOf(dead)+"."+nonce), "")
			put(t, filepath.Join(table, ".2123456789abcdef.push", "tree", "half"), "nobody's")
			put(t, filepath.Join(table, ".trash-"+nonce+"-3", "half"), "")
			kept := []string{"." + third + ".push", ".other", "cafe"}
			put(t, filepath.Join(table, kept[0], "lock", ownerOf(alive)+"."+nonce), "")
			put(t, filepath.Join(table, kept[0], "lock", ownerOf(dead)+"."+nonce), "")
			mkdirs(t, filepath.Join(table, kept[1]), filepath.Join(table, kept[2]))
			v := l.volume()
			v.Owners = func(context.Context) (map[string]string, error) {
				return map[string]string{v.Owner: "stage-1", ownerOf(alive): "stage-3"}, nil
			}
			if _, err := v.Transfer(t.Context(), p, d, Options{}); err != nil {
				t.Fatal(err)
			}
			l.wantLeft(t, append(kept, p.TreeID, p.TreeID+".sha256")...)
			wantTree(t, p, small())
		})
	}
}

// TestCleanedUnderway: a push whose directory is taken away begins again; it never publishes what is left of it.
func TestCleanedUnderway(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			files := many(200)
			d := write(t, files)
			p := l.finePlan(t, d)
			v := l.volume()
			var once sync.Once
			cleaned := false
			o := Options{Parallel: 2, Progress: func(at Progress) {
				if at.Files > 0 {
					once.Do(func() {
						// It fails where a session brings in something more at that moment; the rest is for the next.
						_ = l.owned(2).clean(t.Context(), p, []string{filepath.Base(l.work(p))})
						cleaned = true
					})
				}
			}}
			report, err := v.Transfer(t.Context(), p, d, o)
			if err != nil || !cleaned {
				t.Fatalf("report %+v, %v", report, err)
			}
			for _, left := range mustProbe(t, l, p).Leftovers {
				if err := v.clean(t.Context(), p, []string{left.Name}); err != nil {
					t.Error(err)
				}
			}
			l.wantPublished(t, p, files)
		})
	}
}

// many are so many small files that they do not fit into one shard.
func many(n int) map[string]string {
	files := make(map[string]string, n)
	for i := range n {
		files[fmt.Sprintf("images/%d/%05d.png", i%5, i)] = fmt.Sprintf("file %d", i)
	}
	return files
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
	l := newLocal(t, shellOf(t, 0))
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
	if opened := l.opened(); len(opened) != 0 {
		t.Errorf("sessions were opened: %q", opened)
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
			l.forget()
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
			if diff := cmp.Diff([]string{"record", "record", "remove", "remove"}, l.opened()); diff != "" {
				t.Errorf("sessions (-want +got):\n%s", diff)
			}
			if left := l.listing(t); left != nil {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}
