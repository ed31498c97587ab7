//go:build unix

package stage

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	oldTree   = "00000000000000aa"
	otherTree = "00000000000000bb"
	someNonce = "fedcba9876543210"
)

// recordText is the record of a run as a push stores it.
func recordText(key string) string {
	return `{"key":"` + key + `","spec_sha256":"` + strings.Repeat("a", 64) + `","table":"cats","created":"2026-03-04T05:06:07Z"}` + "\n"
}

// seen is what the tests compare of an Entry.
type seen struct {
	Kind               Kind
	Table, Name        string
	Files, Bytes       int64
	Key                string
	Owners             []string
	Closed, Young, Odd bool
}

func sights(in Inventory) []seen {
	var all []seen
	for _, e := range in.Entries {
		s := seen{Kind: e.Kind, Table: e.Table, Name: e.Name, Files: e.Files, Bytes: e.Bytes, Owners: e.Owners, Closed: e.Closed}
		s.Young = e.Age >= 0 && e.Age < time.Hour
		s.Odd = e.Kind != KindOther && e.kind != typeDirectory
		if e.Record != nil {
			s.Key = e.Record.Key
		}
		all = append(all, s)
	}
	return all
}

// age makes everything below dir old, and all of the same time.
func age(t testing.TB, dir string) {
	t.Helper()
	at := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.Type()&os.ModeSymlink != 0 {
			return err
		}
		return os.Chtimes(path, at, at)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func link(t testing.TB, target, path string) {
	t.Helper()
	mkdirs(t, filepath.Dir(path))
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func mustInventory(t testing.TB, l *local, table string) Inventory {
	t.Helper()
	found, err := l.volume().Inventory(t.Context(), l.root(), table)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// furnish puts one of each kind into the table cats.
func furnish(t testing.TB, l *local) string {
	t.Helper()
	cats := filepath.Join(l.root(), "cats")
	put(t, filepath.Join(cats, oldTree, "images", "a b.png"), "12345")
	put(t, filepath.Join(cats, oldTree, "labels.csv"), "1234567")
	put(t, filepath.Join(cats, oldTree+".sha256"), "sums")
	put(t, filepath.Join(cats, oldTree+".run"), recordText("key-1"))
	put(t, filepath.Join(cats, otherTree+".run"), "no record")
	put(t, filepath.Join(cats, "."+oldTree+".push", "tree", "x"), "123")
	put(t, filepath.Join(cats, "."+oldTree+".push", "lock", ownerOf(2)+"."+someNonce), "9")
	put(t, filepath.Join(cats, "."+oldTree+".push", "lock", ownerOf(2)+".feed"), "")
	put(t, filepath.Join(cats, "."+otherTree+".push", "done", "x"), "1")
	put(t, filepath.Join(cats, ".trash-"+someNonce+"-3", "half"), "1234")
	put(t, filepath.Join(cats, ".new-"+someNonce), "1")
	return cats
}

func furniture() []seen {
	return []seen{
		{Kind: KindTemporary, Table: "cats", Name: ".new-" + someNonce, Files: 1, Bytes: 1, Odd: true},
		{Kind: KindTrash, Table: "cats", Name: ".trash-" + someNonce + "-3", Files: 1, Bytes: 4},
		{Kind: KindTree, Table: "cats", Name: oldTree, Files: 2, Bytes: 12, Key: "key-1"},
		{Kind: KindTree, Table: "cats", Name: otherTree, Odd: true},
		{Kind: KindWork, Table: "cats", Name: "." + oldTree + ".push", Files: 3, Bytes: 4, Owners: []string{ownerOf(2)}},
		{Kind: KindWork, Table: "cats", Name: "." + otherTree + ".push", Files: 1, Bytes: 1},
	}
}

var sortSights = cmpopts.SortSlices(func(a, b seen) bool {
	if a.Table != b.Table {
		return a.Table < b.Table
	}
	if a.Kind != b.Kind {
		return a.Kind < b.Kind
	}
	return a.Name < b.Name
})

func TestInventory(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			if found := mustInventory(t, l, ""); len(found.Entries) != 0 || found.Truncated {
				t.Errorf("of nothing: %+v", found)
			}
			furnish(t, l)
			put(t, filepath.Join(l.root(), "dogs", oldTree, "x"), "1")
			age(t, l.root())
			put(t, filepath.Join(l.root(), "dogs", oldTree+".run"), recordText("key-2"))

			all := append(furniture(), seen{Kind: KindTree, Table: "dogs", Name: oldTree, Files: 1, Bytes: 1, Key: "key-2", Young: true})
			if diff := cmp.Diff(all, sights(mustInventory(t, l, "")), sortSights); diff != "" {
				t.Errorf("all (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(furniture(), sights(mustInventory(t, l, "cats")), sortSights); diff != "" {
				t.Errorf("one table (-want +got):\n%s", diff)
			}
			if found := mustInventory(t, l, "birds"); len(found.Entries) != 0 {
				t.Errorf("no table: %+v", found)
			}
		})
	}
}

// oddNames are not from this tool, and each of them is something to a shell or to a tool.
var oddNames = []string{
	"a b", "new\nline", "$(touch pwned)", "`touch pwned`", "-rf", "--help", "*", "?", "[a]", "~", ";touch pwned", "'", `"`, `\`, "#", "\x1b[31m", "\xff\xfe", "ünï",
	"0123456789abcdeg", "0123456789ABCDEF", "0123456789abcdef0", "0123456789abcde", "0123456789abcdef.RUN", "0123456789abcdef.run2", "0123456789abcdef\n", "\n0123456789abcdef",
	"ITEM x cats", ".trash-", ".trash-a b", ".trash-x\ny", ".trash-$(x)", ".trash-A", ".new-", ".new-*", ".new-x\n", "..0123456789abcdef.push", ".0123456789abcdef.push2",
	".0123456789abcdef.push\n", ".0123456789abcdeg.push", "...", "..x", " ", "\t", strings.Repeat("long", 60),
}

// TestInventoryOfOddNames: what this tool has not made is told of, and never taken for what it has made.
func TestInventoryOfOddNames(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			var want []seen
			for n, name := range oddNames {
				// A listing has room for some names only.
				table := "t" + strings.Repeat("x", n/6)
				if n%2 == 0 {
					put(t, filepath.Join(l.root(), table, name), "x")
				} else {
					put(t, filepath.Join(l.root(), table, name, name), "x")
				}
				want = append(want, seen{Kind: KindOther, Table: table, Name: name, Files: -1, Bytes: -1})
			}
			for _, name := range []string{"no table", "x\ny", "-x", "ünï", "$(touch pwned)"} {
				put(t, filepath.Join(l.root(), name, oldTree, "x"), "x")
				want = append(want, seen{Kind: KindOther, Name: name, Files: -1, Bytes: -1})
			}
			put(t, filepath.Join(l.root(), "loose"), "x")
			want = append(want, seen{Kind: KindOther, Name: "loose", Files: -1, Bytes: -1})
			found := mustInventory(t, l, "")
			if diff := cmp.Diff(want, sights(found), sortSights); diff != "" || found.Truncated {
				t.Errorf("truncated %v (-want +got):\n%s", found.Truncated, diff)
			}
			if got := names(t, l.dir); !cmp.Equal(got, []string{Directory}) {
				t.Errorf("beside the staging directory: %q", got)
			}
		})
	}
}

// TestInventoryFollowsNoLink: what a symlink leads to is neither counted nor read, wherever the link is.
func TestInventoryFollowsNoLink(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			outside := filepath.Join(l.dir, "outside")
			put(t, filepath.Join(outside, oldTree, "x"), "12345")
			put(t, filepath.Join(outside, "lock", ownerOf(7)+"."+someNonce), "")
			put(t, filepath.Join(outside, "record"), recordText("secret"))
			cats := filepath.Join(l.root(), "cats")
			put(t, filepath.Join(cats, oldTree, "x"), "1")
			link(t, outside, filepath.Join(cats, oldTree, "link"))
			link(t, filepath.Join(outside, "record"), filepath.Join(cats, oldTree+".run"))
			link(t, outside, filepath.Join(cats, otherTree))
			mkdirs(t, filepath.Join(cats, "."+oldTree+".push"))
			link(t, filepath.Join(outside, "lock"), filepath.Join(cats, "."+oldTree+".push", "lock"))
			link(t, outside, filepath.Join(cats, "."+otherTree+".push"))
			link(t, outside, filepath.Join(cats, ".trash-x"))
			link(t, outside, filepath.Join(l.root(), "linked"))
			found := mustInventory(t, l, "")
			strange := []string{strangePlace}
			want := []seen{
				{Kind: KindOther, Name: "linked", Files: -1, Bytes: -1},
				{Kind: KindTrash, Table: "cats", Name: ".trash-x", Odd: true, Young: true},
				{Kind: KindTree, Table: "cats", Name: oldTree, Files: 1, Bytes: 1, Young: true},
				{Kind: KindTree, Table: "cats", Name: otherTree, Odd: true, Young: true},
				{Kind: KindWork, Table: "cats", Name: "." + oldTree + ".push", Owners: strange, Young: true},
				{Kind: KindWork, Table: "cats", Name: "." + otherTree + ".push", Odd: true, Young: true},
			}
			if diff := cmp.Diff(want, sights(found), sortSights); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if _, err := l.volume().Inventory(t.Context(), l.root(), "linked"); !isPlace(err, InTheWay) {
				t.Errorf("the table is a link: %v", err)
			}
		})
	}
}

// publicShells are shells that every user of this machine can run.
func publicShells(t *testing.T) []shell {
	t.Helper()
	all := []shell{gnu(t, "dash"), gnu(t, "bash")}
	for _, path := range busyboxes(t) {
		program, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		public := filepath.Join(reachable(t), filepath.Base(path))
		if err := os.WriteFile(public, program, 0o755); err != nil {
			t.Fatal(err)
		}
		all = append(all, busybox(t, public))
	}
	return all
}

func needsRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can have two users")
	}
}

func isPlace(err error, reason Reason) bool {
	var refused *PlaceError
	return errors.As(err, &refused) && refused.Reason == reason
}

// TestInventoryIsBounded: a table with too many things, or names that are too long for one answer, is cut off, and says so.
func TestInventoryIsBounded(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			for _, n := range []string{"1", "2", "3", "4", "5"} {
				mkdirs(t, filepath.Join(l.root(), "cats", strings.Repeat(n, 16)), filepath.Join(l.root(), "table"+n))
			}
			out := raw(t, l, []string{"inventory", l.root(), noTable, noTree, "0", "feed", "3"}, "")
			if got := strings.Count(out, "ITEM feed cats "); got != 3 || !strings.Contains(out, "MORE feed cats\n") || !strings.Contains(out, "MORE feed -\n") {
				t.Errorf("got %s", out)
			}
			for n := range 60 {
				put(t, filepath.Join(l.root(), "dogs", strings.Repeat("x", 200)+string(rune('A'+n))), "")
			}
			if found := mustInventory(t, l, "dogs"); !found.Truncated || len(found.Entries) == 0 || len(found.Entries) > 20 {
				t.Errorf("truncated %v, %d entries", found.Truncated, len(found.Entries))
			}
		})
	}
}

// TestInventoryRefuses: a place that cannot be read is no empty one.
func TestInventoryRefuses(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	const nobody = 65534
	for _, sh := range publicShells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			l.uid = nobody
			if err := os.Chown(l.dir, nobody, nobody); err != nil {
				t.Fatal(err)
			}
			cats := furnish(t, l)
			if err := os.Chmod(cats, 0o700); err != nil {
				t.Fatal(err)
			}
			want := []seen{{Kind: KindOther, Table: "cats", Files: -1, Bytes: -1, Closed: true}}
			if diff := cmp.Diff(want, sights(mustInventory(t, l, ""))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err := os.Chmod(l.root(), 0o700); err != nil {
				t.Fatal(err)
			}
			if found, err := l.volume().Inventory(t.Context(), l.root(), ""); !isPlace(err, Denied) {
				t.Errorf("%+v, %v", found, err)
			}
		})
	}
}

// FuzzInventory: whatever the other side says, nothing comes of it but entries of the right form.
func FuzzInventory(f *testing.F) {
	record := "7b226b6579223a226b227d"
	f.Add("ITEM", "cats "+oldTree+" d 65534 100 2 12 - "+record)
	f.Add("ITEM", "cats ."+oldTree+".push d 0 100 2 12 "+ownerOf(1)+",?,. -")
	f.Add("ITEM", "cats ../../etc d 0 - -1 99999999999999999999 - zz")
	f.Add("ITEM", " "+oldTree+" 0  0 0  0 00")
	f.Add("OTHER", "- 2f6461746100")
	f.Add("CLOSED", "cats x")
	f.Add("MORE", "-")
	f.Fuzz(func(t *testing.T, verb, fields string) {
		in := Inventory{clock: 1000}
		in.note(DefaultRoot, "", answer{verb: verb, fields: strings.Split(fields, " ")})
		in.note(DefaultRoot, "cats", answer{verb: verb, fields: strings.Split(fields, " ")})
		for _, e := range in.Entries {
			if e.Table != "" && !tableName.MatchString(e.Table) {
				t.Errorf("table %q", e.Table)
			}
			if e.Kind == KindOther {
				continue
			}
			if kindOf(e.Name) != e.Kind || strings.ContainsAny(e.Name, "/ \n") || e.Table == "" || e.Age < 0 {
				t.Errorf("entry %+v", e)
			}
			if filepath.Dir(e.Path(DefaultRoot)) != DefaultRoot+"/"+e.Table {
				t.Errorf("path %q", e.Path(DefaultRoot))
			}
			if slices.Contains(e.Owners, "") {
				t.Errorf("owners %q", e.Owners)
			}
		}
	})
}

// TestInventoryArguments: names that could not have come from this tool are not asked for.
func TestInventoryArguments(t *testing.T) {
	t.Parallel()
	l := newLocal(t, shellOf(t, 0))
	for _, c := range [][2]string{{"/data", ""}, {"relative/" + Directory, ""}, {l.root(), "a b"}, {l.root(), "../cats"}, {l.root(), "-"}} {
		if _, err := l.volume().Inventory(context.Background(), c[0], c[1]); err == nil {
			t.Errorf("root %q, table %q: no error", c[0], c[1])
		}
	}
	if l.sessions != 0 {
		t.Errorf("%d sessions", l.sessions)
	}
}
