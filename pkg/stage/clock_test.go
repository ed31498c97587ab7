//go:build unix

package stage

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// touchAll gives everything below a directory the time of a clock that is wrong by so much.
func touchAll(t *testing.T, dir string, wrong time.Duration) {
	t.Helper()
	at := time.Now().Add(wrong)
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, at, at)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestClockJumps: what lies on the volume may be of the future or of long ago, in part or as a whole, because a clock was put right in
// between. No time stamp decides what is in a tree; at worst something is sent again.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	sh := gnu(t, "dash")
	for name, jump := range map[string]struct{ tree, work time.Duration }{
		"older tree of the future":    {tree: 240 * time.Hour},
		"older tree of long ago":      {tree: -24000 * time.Hour},
		"work of the future":          {work: 240 * time.Hour},
		"work of long ago":            {work: -24000 * time.Hour},
		"each in its own direction":   {tree: 240 * time.Hour, work: -240 * time.Hour},
		"and the other way round too": {tree: -240 * time.Hour, work: 240 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			first := mustTransfer(t, l, course())
			next := write(t, second())
			p := l.finePlan(t, next)
			begun := false
			ctx, cancel := context.WithCancelCause(t.Context())
			_, err := l.volume().Transfer(ctx, p, next, Options{Parallel: 2, Progress: func(at Progress) {
				if at.Files+at.TakenOverFiles > 0 && !begun {
					begun = true
					cancel(errInterrupted)
				}
			}})
			cancel(nil)
			if err == nil {
				t.Fatal("nothing was interrupted")
			}
			touchAll(t, first.Dir(), jump.tree)
			if work := filepath.Join(filepath.Dir(p.Dir()), "."+p.TreeID+".push"); contents(t, work) != nil {
				touchAll(t, work, jump.work)
			}
			report, err := l.volume().Transfer(t.Context(), p, next, watched(t, Options{}))
			if err != nil || report.Files+report.TakenOverFiles != int64(len(second())) {
				t.Fatalf("%v, %+v", err, report)
			}
			wantPublishedBoth(t, l, first, p, course(), second())
		})
	}
}
