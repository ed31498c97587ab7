package preflight

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

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
	dir := s.dir
	if spilled := dir != ""; spilled != (limit < 1000) {
		t.Errorf("with %d keys in memory, spilled is %v", limit, spilled)
	}
	must(t, s.close())
	if dir != "" {
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left behind: %v", dir, err)
		}
	}
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
	if _, err := os.Stat(canceled.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left behind: %v", canceled.dir, err)
	}
}
