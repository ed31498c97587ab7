//go:build unix

package stage

import (
	"errors"
	"flag"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// contents reads a tree; a directory that is not there is nil.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		all[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// listing is what lies in the table's directory.
func (l *local) listing(t testing.TB) []string {
	t.Helper()
	return names(t, filepath.Join(l.root(), "cats"))
}

// wantPublished checks that the tree, and nothing else, is there.
func (l *local) wantPublished(t testing.TB, p Plan, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, contents(t, p.Dir())); diff != "" {
		t.Errorf("published tree (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{p.TreeID, p.TreeID + ".sha256"}, l.listing(t)); diff != "" {
		t.Errorf("directory of the table (-want +got):\n%s", diff)
	}
}

// wantLeft waits for what is to be left in the table's directory: sessions that were given up tidy up by themselves.
func (l *local) wantLeft(t testing.TB, want ...string) {
	t.Helper()
	slices.Sort(want)
	if !eventually(func() bool { return slices.Equal(want, l.listing(t)) }) {
		t.Errorf("directory of the table: %q, want %q", l.listing(t), want)
	}
}

// wantWork waits until nobody is at work any more and the work directory of the plan, with its receipts, is what there is.
func (l *local) wantWork(t testing.TB, p Plan) {
	t.Helper()
	work := l.work(p)
	l.wantLeft(t, filepath.Base(work))
	if !eventually(func() bool { return cmp.Equal([]string{"big", "done", "tree"}, names(t, work)) }) {
		t.Errorf("work directory: %q", names(t, work))
	}
}

// wantUnpublished waits until nobody is at work any more: there is no tree, and no work directory, or one with receipts.
func (l *local) wantUnpublished(t testing.TB, p Plan) {
	t.Helper()
	work := l.work(p)
	idle := func() bool {
		left := l.listing(t)
		return len(left) == 0 || slices.Equal(left, []string{filepath.Base(work)}) && slices.Equal(names(t, work), []string{"big", "done", "tree"})
	}
	if !eventually(idle) {
		t.Errorf("directory of the table: %q, work directory: %q", l.listing(t), names(t, work))
	}
}

// work is the work directory of a plan.
func (l *local) work(p Plan) string {
	return filepath.Join(l.root(), p.Table, "."+p.TreeID+".push")
}

// eventually asks again until the answer is yes, or some time has passed in which a machine that is busy would have got there.
func eventually(done func() bool) bool {
	for range 300 {
		if done() {
			return true
		}
		time.Sleep(100 * time.Millisecond)
	}
	return false
}

// names is what lies in a directory.
func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// crowd runs cases beside each other, more of them than there are processors: they wait most of the time.
func crowd[C any](t *testing.T, cases map[string]C, test func(t *testing.T, c C)) {
	t.Helper()
	places := make(chan struct{}, 6)
	var all sync.WaitGroup
	for name, c := range cases {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			t.Run(name, func(t *testing.T) { test(t, c) })
		})
	}
	all.Wait()
}

// localSeed makes a test that failed do the same again.
var localSeed = flag.Uint64("local-seed", 0, "the seed that a test on local shells has printed; 0 is a new one")

// dice is a source of randomness whose seed is in the test's log.
func dice(t testing.TB) *rand.Rand {
	t.Helper()
	seed := *localSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-local-seed=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
