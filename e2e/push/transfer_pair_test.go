package push

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/e2e/link"
)

// Two clients push the same data at once: one waits for the other, both end, and there is one tree and one run.
func testSameData(t *testing.T, l *lab) {
	dir := photos(t, filepath.Join(t.TempDir(), "twins"), 60, 30, 1<<20)
	first, _ := l.halfway(t, dir, link.Shape{Rate: 4 << 20}, 20)
	second := l.start(t, dir)
	second.says(t, "another push of the same data is at work")
	one, two := first.wait(), second.wait()
	s := l.succeeded(t, dir, one)
	l.onlyTrees(t, "twins", s.Path)
	l.nothingLeft(t, "twins")
	if two.code != 0 {
		t.Errorf("the second push ended with %d\n%s", two.code, two.stderr)
	}
	if s := two.staged(t); s.SentBytes != 0 {
		t.Errorf("the second push sent %d bytes", s.SentBytes)
	}
	if a, b := one.object(t).Status.Job, two.object(t).Status.Job; a != b {
		t.Errorf("the two have the jobs %s and %s", a, b)
	}
}

// One of two clients with the same data is killed: the other takes over what has arrived.
func testSameDataKilled(t *testing.T, l *lab) {
	dir := photos(t, filepath.Join(t.TempDir(), "orphan"), 61, 40, 1<<20)
	first, _ := l.halfway(t, dir, link.Shape{Rate: 4 << 20}, 60)
	second := l.start(t, dir)
	second.says(t, "another push of the same data is at work")
	first.signal(syscall.SIGKILL)
	first.wait()
	s := l.succeeded(t, dir, second.wait())
	if s.TakenOverBytes == 0 {
		t.Errorf("nothing was taken over: %+v", s)
	}
	l.onlyTrees(t, "orphan", s.Path)
	t.Logf("%+v", s)
}

// Two clients push different data into the same table at once: each has a right tree of its own, and one that comes to the submit when
// the other's run is there is told so.
func testDifferentData(t *testing.T, l *lab) {
	_, flag := through(t, link.Shape{Rate: 20 << 20})
	var dirs []string
	var clients []*client
	for i := range 2 {
		dirs = append(dirs, photos(t, filepath.Join(t.TempDir(), "rivals"), 62+uint64(i), 30, 1<<20))
	}
	for _, dir := range dirs {
		clients = append(clients, l.start(t, dir, flag))
	}
	var trees []string
	submitted := 0
	for i, c := range clients {
		r := c.wait()
		if r.code == 0 {
			submitted++
		} else {
			r.expect(t, 6, `table "rivals"`, "is ingesting into it right now", "another --table")
		}
		tree := r.staged(t).Path
		if diff := cmp.Diff(sums(t, dirs[i]), l.tree(t, l.onDisk(tree))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tree, diff)
		}
		trees = append(trees, tree)
	}
	if submitted == 0 {
		t.Error("neither was submitted")
	}
	l.forget(t, "rivals")
	l.onlyTrees(t, "rivals", trees...)
	l.nothingLeft(t, "rivals")
}

// Files that change, go or are replaced while they are sent are named, and nothing of them is used. When they are at rest, the push
// goes on.
func testMoving(t *testing.T, l *lab) {
	for _, move := range []struct {
		name string
		do   func(picture string) error
	}{
		{"changed", func(picture string) error { return patch(picture, 1<<19, "changed") }},
		{"grown", func(picture string) error { return patch(picture, 1<<20, "more") }},
		{"shrunk", func(picture string) error { return os.Truncate(picture, 1<<19) }},
		{"removed", os.Remove},
		{"replaced by a link", func(picture string) error { return errors.Join(os.Remove(picture), os.Symlink("000000.png", picture)) }},
	} {
		t.Run(move.name, func(t *testing.T) {
			table := "moving_" + strings.ReplaceAll(move.name, " ", "_")
			dir := photos(t, filepath.Join(t.TempDir(), table), 70, 24, 1<<20)
			c, _ := l.halfway(t, dir, link.Shape{Rate: 6 << 20}, 1, "--parallel=1")
			picture := filepath.Join(dir, "images", "000023.png")
			if err := move.do(picture); err != nil {
				t.Fatal(err)
			}
			r := c.wait().expect(t, 7, "000023.png", "push again")
			if o := r.object(t); o.Status.Step != "stage" || o.Status.Job != "" {
				t.Errorf("got %+v", o.Status)
			}
			l.onlyTrees(t, table)
			l.nothingLeft(t, table)
			if err := os.RemoveAll(picture); err != nil {
				t.Fatal(err)
			}
			photo(t, picture, 71, 23, 1<<20)
			s := l.good(t, dir)
			if s.TakenOverBytes == 0 {
				t.Errorf("nothing was taken over: %+v", s)
			}
			t.Logf("%s", r.stderr[strings.LastIndex(r.stderr[:len(r.stderr)-1], "\n")+1:])
		})
	}
}

// patch writes text into a file, at an offset.
func patch(path string, offset int64, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteAt([]byte(text), offset)
	return errors.Join(err, file.Close())
}
