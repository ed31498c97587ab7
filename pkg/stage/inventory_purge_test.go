//go:build unix

package stage

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// purgeAll removes every entry, with the given owners gone, and returns what became of each.
func purgeAll(t *testing.T, l *local, entries []Entry, gone ...string) map[string]error {
	t.Helper()
	all := map[string]error{}
	for _, e := range entries {
		all[e.Table+"/"+e.Name] = l.volume().Purge(t.Context(), l.root(), e, gone)
	}
	return all
}

func TestPurge(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			furnish(t, l)
			put(t, filepath.Join(l.root(), "dogs", oldTree, "x"), "1")
			entries := mustInventory(t, l, "cats").Entries
			for name, err := range purgeAll(t, l, entries, ownerOf(2), "?", "") {
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if got := names(t, l.root()); !cmp.Equal(got, []string{"dogs"}) {
				t.Errorf("left: %q", got)
			}
			wantContents(t, filepath.Join(l.root(), "dogs"), map[string]string{oldTree + "/x": "1"})
			// What is gone already is no error.
			for name, err := range purgeAll(t, l, entries) {
				if err != nil {
					t.Errorf("again: %s: %v", name, err)
				}
			}
		})
	}
}

func wantContents(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, contents(t, dir)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", dir, diff)
	}
}

// TestPurgeSpares: what has changed since it was listed, or is at work, stays whole.
func TestPurgeSpares(t *testing.T) {
	t.Parallel()
	work := "." + oldTree + ".push"
	for name, c := range map[string]struct {
		entry  string
		change func(t *testing.T, cats string)
		held   bool
	}{
		"record is new": {oldTree, func(t *testing.T, cats string) { rewrite(t, filepath.Join(cats, oldTree+".run"), recordText("key-9")) }, false},
		"record comes": {otherTree, func(t *testing.T, cats string) {
			rewrite(t, filepath.Join(cats, otherTree+".run"), recordText("key-9"))
		}, false},
		"tree comes":    {otherTree, func(t *testing.T, cats string) { mkdirs(t, filepath.Join(cats, otherTree)); age(t, cats) }, false},
		"published":     {oldTree, func(t *testing.T, cats string) { put(t, filepath.Join(cats, oldTree, "new"), "") }, false},
		"sums are new":  {oldTree, func(t *testing.T, cats string) { put(t, filepath.Join(cats, oldTree+".sha256"), "") }, false},
		"shard arrives": {work, func(t *testing.T, cats string) { put(t, filepath.Join(cats, work, "done", "x"), "") }, false},
		"file arrives":  {work, func(t *testing.T, cats string) { put(t, filepath.Join(cats, work, "big", "id", "1.2.x"), "") }, false},
		"session comes": {work, func(t *testing.T, cats string) {
			put(t, filepath.Join(cats, work, "lock", ownerOf(3)+".feed"), "")
			age(t, cats)
		}, true},
		"becomes a link": {oldTree, func(t *testing.T, cats string) {
			if err := os.RemoveAll(filepath.Join(cats, oldTree)); err != nil {
				t.Fatal(err)
			}
			link(t, "/", filepath.Join(cats, oldTree))
		}, false},
	} {
		for _, sh := range shells(t) {
			t.Run(name+"/"+sh.name, func(t *testing.T) {
				t.Parallel()
				l := newLocal(t, sh)
				cats := furnish(t, l)
				age(t, cats)
				var entry Entry
				for _, e := range mustInventory(t, l, "").Entries {
					if e.Name == c.entry {
						entry = e
					}
				}
				c.change(t, cats)
				before := names(t, cats)
				err := l.volume().Purge(t.Context(), l.root(), entry, []string{ownerOf(2)})
				var spared *SparedError
				if !errors.As(err, &spared) || spared.Held != c.held {
					t.Errorf("got %v", err)
				}
				if diff := cmp.Diff(before, names(t, cats)); diff != "" {
					t.Errorf("(-before +after):\n%s", diff)
				}
			})
		}
	}
}

// rewrite changes a file and leaves its times as they are.
func rewrite(t *testing.T, path, content string) {
	t.Helper()
	put(t, path, content)
	age(t, path)
}

// TestPurgeFollowsNoLink: only the link goes, never what it leads to.
func TestPurgeFollowsNoLink(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			outside := filepath.Join(l.dir, "outside")
			treasure := map[string]string{"x": "dear", "lock/y": "dear", "done/z": "dear"}
			for name, content := range treasure {
				put(t, filepath.Join(outside, name), content)
			}
			cats := filepath.Join(l.root(), "cats")
			link(t, outside, filepath.Join(cats, ".trash-x"))
			link(t, outside, filepath.Join(cats, ".new-x"))
			put(t, filepath.Join(cats, oldTree, "x"), "")
			link(t, outside, filepath.Join(cats, oldTree, "link"))
			link(t, outside, filepath.Join(cats, oldTree, "dir", "link"))
			link(t, filepath.Join(outside, "x"), filepath.Join(cats, oldTree+".run"))
			link(t, filepath.Join(outside, "x"), filepath.Join(cats, oldTree+".sha256"))
			link(t, outside, filepath.Join(cats, otherTree))
			link(t, outside, filepath.Join(cats, "."+otherTree+".push"))
			for name, err := range purgeAll(t, l, mustInventory(t, l, "").Entries) {
				var spared *SparedError
				if strings.Contains(name, otherTree) != errors.As(err, &spared) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if got := names(t, cats); !cmp.Equal(got, []string{"." + otherTree + ".push", otherTree}) {
				t.Errorf("left: %q", got)
			}
			wantContents(t, outside, treasure)
		})
	}
}

// TestPurgeOfOthers: what belongs to another user stays whole, and the reason is told.
func TestPurgeOfOthers(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	for _, sh := range publicShells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			l.uid = 65534
			if err := os.Chown(l.dir, 65534, 65534); err != nil {
				t.Fatal(err)
			}
			cats := furnish(t, l)
			before := contents(t, cats)
			entries := mustInventory(t, l, "").Entries
			if len(entries) != len(furniture()) {
				t.Errorf("%d entries", len(entries))
			}
			for name, err := range purgeAll(t, l, entries, ownerOf(2)) {
				if !isPlace(err, Denied) || !strings.Contains(err.Error(), "belongs to uid 0") {
					t.Errorf("%s: %v", name, err)
				}
			}
			// Of a directory that is open to all, too, nothing goes but what is whole the user's own.
			if err := os.Chmod(cats, 0o777); err != nil {
				t.Fatal(err)
			}
			for name, err := range purgeAll(t, l, entries, ownerOf(2)) {
				if strings.Contains(name, ".new-") || strings.HasSuffix(name, otherTree) {
					continue // nobody's directory
				}
				if !isPlace(err, Denied) {
					t.Errorf("open: %s: %v", name, err)
				}
			}
			for _, gone := range []string{".new-" + someNonce, otherTree + ".run"} {
				delete(before, gone)
			}
			wantContents(t, cats, before)
		})
	}
}

// TestPurgeArguments: nothing is asked to be removed that this tool has not made.
func TestPurgeArguments(t *testing.T) {
	t.Parallel()
	l := newLocal(t, shellOf(t, 0))
	put(t, filepath.Join(l.root(), "cats", "x"), "")
	for _, e := range []Entry{
		{Kind: KindOther, Table: "cats", Name: "x"},
		{Kind: KindTree, Table: "cats", Name: "x"},
		{Kind: KindTree, Table: "..", Name: oldTree},
		{Kind: KindTree, Table: "", Name: oldTree},
		{Kind: KindTrash, Table: "cats", Name: ".trash-../../x"},
		{Kind: KindTrash, Table: "cats", Name: oldTree},
		{Kind: KindWork, Table: "cats", Name: ".." + oldTree + ".push"},
	} {
		if err := l.volume().Purge(t.Context(), l.root(), e, nil); err == nil {
			t.Errorf("%+v: no error", e)
		}
	}
	if l.sessions != 0 {
		t.Errorf("%d sessions", l.sessions)
	}
	// The remote side checks the same.
	for _, name := range []string{"x", "..", ".", "", "../cats", oldTree + "/x", ".trash-*", "-rf", "." + oldTree + ".push2", "0123456789ABCDEF", ".trash-a b"} {
		out := raw(t, l, []string{"purge", l.root(), "cats", noTree, "0", "feed", name, "d", "1", "-"}, "")
		if !strings.HasPrefix(out, "ERR feed - argument ") {
			t.Errorf("%q: %s", name, out)
		}
	}
}

// TestPurgeTakesLong: while a large tree is removed, and while one is counted, the session says that it lives.
func TestPurgeTakesLong(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			furnish(t, l)
			e := mustInventory(t, l, "").Entries
			l.prefix = "rm() { case $* in *-rf*) sleep 7 ;; esac; command rm \"$@\"; }\n"
			began := time.Now()
			for _, entry := range e {
				if entry.Kind != KindTree || entry.kind != typeDirectory {
					continue
				}
				out := raw(t, l, []string{"purge", l.root(), "cats", noTree, "0", "feed", entry.Name, entry.kind, entry.changed, entry.record}, "")
				if !strings.Contains(out, "T feed\n") || !strings.HasSuffix(out, "PURGED feed removed\n") {
					t.Errorf("after %s: %q", time.Since(began), out)
				}
			}
		})
	}
}
