package preflight

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

func never() error { return nil }

// fold runs claims through a ledger that holds so many keys, and gives what was judged, by row.
func fold(t *testing.T, claims []claim, limit int) []string {
	t.Helper()
	s := &scratch{canceled: never}
	var judged []string
	l := newLedger(s, func(h *holding, c claim) {
		judged = append(judged, fmt.Sprintf("%09d line %d label %d: key %x began at %d, time %d, held %v %d", c.row, c.line, c.label, h.key, h.row, c.time, c.timed, h.time))
		if c.timed {
			h.time = c.time
		}
		h.flags = h.flags + 2
	})
	l.limit = limit
	for _, c := range claims {
		l.add(c)
	}
	l.finish()
	if err := s.err(); err != nil {
		t.Fatal(err)
	}
	if spilled := l.parts != nil; spilled != (limit < 1000) {
		t.Errorf("with %d keys in memory, spilled is %v", limit, spilled)
	}
	if len(s.files) != 0 {
		t.Errorf("%d files are open though all was read", len(s.files))
	}
	must(t, s.close())
	slices.Sort(judged)
	return judged
}

// TestLedgerSpills: whatever fits into memory, each key's rows are judged in order, against the same holding.
func TestLedgerSpills(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	keys := make([]uint64, 800)
	for i := range keys {
		keys[i] = r.Uint64()
		if i%3 == 0 {
			keys[i] &= 0xffff // the same file at every depth
		}
	}
	keys[0] = 0
	var claims []claim
	for row := range int64(5000) {
		claims = append(claims, claim{key: keys[r.IntN(len(keys))], row: row + 1, line: 2*row + 3, label: r.Uint64(), time: r.Int64() - r.Int64(), timed: r.IntN(2) == 0})
	}
	want := fold(t, claims, maxHoldings)
	if len(want) < 4000 {
		t.Fatalf("only %d rows were judged", len(want))
	}
	for _, limit := range []int{1, 7, 100, 600} {
		if diff := cmp.Diff(want, fold(t, claims, limit)); diff != "" {
			t.Errorf("with %d keys in memory (-all +some):\n%.2000s", limit, diff)
		}
	}
}

func TestClaimCodec(t *testing.T) {
	t.Parallel()
	for _, c := range []claim{{}, {key: 1<<64 - 1, row: 1<<63 - 1, line: 7, label: 1 << 63, time: -1 << 63, timed: true}} {
		b := c.append(nil)
		if len(b) != claimSize || readClaim(b) != c {
			t.Errorf("%+v comes back from %d bytes as %+v", c, len(b), readClaim(b))
		}
	}
}

// TestScratchFails: what cannot be written or read is an error of the run, and nothing is left behind.
func TestScratchFails(t *testing.T) {
	t.Parallel()
	s := &scratch{canceled: never}
	l := newLedger(s, func(*holding, claim) {})
	l.limit = 1
	l.add(claim{key: 2, row: 1})
	l.add(claim{key: 3, row: 2})
	for _, p := range l.parts {
		if p != nil {
			must(t, p.file.Close())
		}
	}
	l.finish()
	if err := s.err(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("error %v, want that the file is closed", err)
	}
	must(t, s.close())

	canceled := &scratch{canceled: func() error { return context.Canceled }}
	l = newLedger(canceled, func(*holding, claim) {})
	l.limit = 1
	l.add(claim{key: 2, row: 1})
	l.add(claim{key: 3, row: 2})
	l.finish()
	if err := canceled.err(); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that the run was canceled", err)
	}
	must(t, canceled.close())
}

// TestScratchLeavesNothing: whatever ends the process, its files are gone with it, and a run that fails closes them.
func TestScratchLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	left := func() int {
		entries, err := os.ReadDir(dir)
		must(t, err)
		return len(entries)
	}
	s := &scratch{canceled: never}
	l := newLedger(s, func(*holding, claim) {})
	l.limit = 1
	for key := range uint64(100) {
		l.add(claim{key: bits.RotateLeft64(key+1, -partBits), row: int64(key)})
	}
	files := slices.Collect(maps.Keys(s.files))
	if len(files) != 1<<partBits {
		t.Fatalf("%d files are open", len(files))
	}
	if n := left(); n != 0 && runtime.GOOS != "windows" {
		t.Errorf("%d names are left while the files are open", n)
	}
	// Where a name cannot go before its file, it goes with it.
	kept := filepath.Join(dir, "kept")
	must(t, os.MkdirAll(filepath.Join(kept, "claims"), 0o700))
	s.dirs = append(s.dirs, kept)
	must(t, s.close())
	for _, file := range files {
		if _, err := file.Stat(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s is not closed: %v", file.Name(), err)
		}
	}
	if n := left(); n != 0 {
		t.Errorf("%d names are left behind", n)
	}
}

// TestLedgerBound: as many keys as a ledger may hold, and no more memory for those beyond.
func TestLedgerBound(t *testing.T) {
	t.Parallel()
	s := &scratch{canceled: never}
	l := newLedger(s, func(*holding, claim) {})
	r := rand.New(rand.NewPCG(3, 4))
	for row := range int64(maxHoldings + 1000) {
		l.add(claim{key: r.Uint64(), row: row})
	}
	if l.used != maxHoldings || len(l.slots) != 1<<17 || unsafe.Sizeof(holding{}) != 40 {
		t.Errorf("%d keys in %d slots of %d bytes", l.used, len(l.slots), unsafe.Sizeof(holding{}))
	}
	must(t, s.close())
}
