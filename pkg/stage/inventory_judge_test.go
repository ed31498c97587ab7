//go:build unix

package stage

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	place := DefaultRoot + "/cats/" + oldTree
	reads := func(dirs ...string) func(string) bool {
		return func(dir string) bool {
			for _, d := range dirs {
				if dir == d {
					return true
				}
			}
			return false
		}
	}
	tree := Entry{Kind: KindTree, Table: "cats", Name: oldTree, kind: typeDirectory, Age: 2 * day, Record: &Record{Key: "key-1"}}
	work := Entry{Kind: KindWork, Table: "cats", Name: "." + oldTree + ".push", kind: typeDirectory, Age: 2 * day, Owners: []string{"aa"}}
	pod := func(uid, table, kept string, alive bool) stray {
		return stray{Pod: &Pod{Name: "stage-" + uid, UID: types.UID(uid)}, table: table, kept: kept, alive: alive}
	}
	with := func(e Entry, change func(*Entry)) Entry {
		change(&e)
		return e
	}
	for name, c := range map[string]struct {
		entry     Entry
		situation situation
		olderThan time.Duration // a day by default
		why, kept string        // parts; kept "" is to go
	}{
		"alone":              {entry: tree, why: `"key-1", which the cluster does not have`},
		"failed run":         {entry: tree, situation: situation{runs: []Run{{Key: "key-1", Phase: "Failed", Reads: reads(place)}}}, why: `"key-1": Failed`},
		"other run":          {entry: tree, situation: situation{runs: []Run{{Key: "key-2", Active: true, Reads: reads("/data/shared/x")}}}},
		"active by key":      {entry: tree, situation: situation{runs: []Run{{Key: "key-1", Phase: "Pending", Active: true, Reads: reads()}}}, kept: `run "key-1" is not over`},
		"active by path":     {entry: tree, situation: situation{runs: []Run{{Key: "key-2", Active: true, Reads: reads(place)}}}, kept: `run "key-2" is not over, and reads it`},
		"active and blind":   {entry: tree, situation: situation{runs: []Run{{Key: "key-2", Active: true, Blind: true, Reads: reads()}}}, kept: "its spec cannot be read"},
		"active, doubtful":   {entry: tree, situation: situation{runs: []Run{{Key: "key-1", Active: true, Doubt: "no job"}}}, kept: `run "key-1" may not be over: no job`},
		"work, blind":        {entry: work, situation: situation{runs: []Run{{Key: "key-2", Active: true, Blind: true}}}, kept: "its spec cannot be read"},
		"over and blind":     {entry: tree, situation: situation{runs: []Run{{Key: "key-1", Phase: "Complete", Blind: true}}}},
		"young":              {entry: with(tree, func(e *Entry) { e.Age = day - 1 }), kept: "younger than 24h"},
		"just staged":        {entry: with(tree, func(e *Entry) { e.Age = time.Minute }), olderThan: 1, kept: `"key-1" may be submitted`},
		"just staged, over":  {entry: with(tree, func(e *Entry) { e.Age = time.Minute }), olderThan: 1, situation: situation{runs: []Run{{Key: "key-1", Phase: "Failed"}}}},
		"no record":          {entry: with(tree, func(e *Entry) { e.Record, e.Age = nil, time.Minute }), olderThan: 1, why: "no run was submitted"},
		"record alone":       {entry: with(tree, func(e *Entry) { e.kind = typeNone })},
		"sums alone":         {entry: with(tree, func(e *Entry) { e.kind, e.Record = typeNone, nil }), why: "what is left"},
		"a link":             {entry: with(tree, func(e *Entry) { e.kind = typeLink }), kept: "symbolic link"},
		"a file":             {entry: with(tree, func(e *Entry) { e.kind = "f" }), kept: "not the directory"},
		"work is a file":     {entry: with(work, func(e *Entry) { e.kind = "f" }), kept: "not the directory"},
		"trash is a link":    {entry: Entry{Kind: KindTrash, Table: "cats", Name: ".trash-x", kind: typeLink, Age: 2 * day}, why: "removal"},
		"temporary file":     {entry: Entry{Kind: KindTemporary, Table: "cats", Name: ".new-x", kind: "f", Age: 2 * day}, why: "cut off"},
		"other":              {entry: Entry{Kind: KindOther, Table: "cats", Name: "images", Age: -1}, why: "not from this tool", kept: "left alone"},
		"closed":             {entry: Entry{Kind: KindOther, Table: "cats", Closed: true, UID: 7, Age: -1}, kept: "uid 7"},
		"work":               {entry: work, why: "transfer"},
		"work, pod gone":     {entry: work, situation: situation{pods: []stray{pod("bb", "dogs", "it runs", true)}}},
		"work, pod ended":    {entry: work, situation: situation{pods: []stray{pod("aa", "cats", "young", false)}}},
		"work, pod alive":    {entry: work, situation: situation{pods: []stray{pod("aa", "dogs", "it runs", true)}}, kept: `through pod "stage-aa"`},
		"work, pod orphaned": {entry: work, situation: situation{pods: []stray{pod("aa", "cats", "", true)}}},
		"work, odd lock":     {entry: with(work, func(e *Entry) { e.Owners = []string{strangePlace} }), kept: "lock"},
		"push under way":     {entry: tree, situation: situation{pods: []stray{pod("bb", "cats", "it runs", true)}}, kept: `a push of the table may be at work, through pod "stage-bb"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.olderThan == 0 {
				c.olderThan = day
			}
			item := c.situation.item(DefaultRoot, c.entry, c.olderThan)
			if !strings.Contains(item.Why, c.why) || item.Why == "" {
				t.Errorf("why %q, want %q", item.Why, c.why)
			}
			if !strings.Contains(item.Kept, c.kept) || (c.kept == "") != (item.Kept == "") {
				t.Errorf("kept %q, want %q", item.Kept, c.kept)
			}
			if c.entry.Name != "" && item.Path != DefaultRoot+"/cats/"+c.entry.Name {
				t.Errorf("path %q", item.Path)
			}
		})
	}
}

// TestGone: a Pod that is there keeps its place in the lock, whatever is thought of it.
func TestGone(t *testing.T) {
	t.Parallel()
	s := situation{pods: []stray{{Pod: &Pod{UID: "aa"}, alive: true}, {Pod: &Pod{UID: "bb"}}}}
	got := s.gone(Entry{Owners: []string{"aa", "bb", "cc"}})
	if strings.Join(got, " ") != "bb cc" {
		t.Errorf("got %q", got)
	}
}

func TestYounger(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		24 * time.Hour: "it is younger than 24h", 90 * time.Minute: "it is younger than 1h30m", 90 * time.Second: "it is younger than 1m30s",
		10 * time.Minute: "it is younger than 10m", 10 * time.Hour: "it is younger than 10h", time.Second: "it is younger than 1s",
	} {
		if got := younger(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}
