//go:build unix

package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// second is the dataset of course, of which little has changed: one file has other content, two have other names, one is new.
func second() map[string]string {
	files := course()
	files["images/0/00005.png"] = "changed"
	delete(files, "images/1/00006.png")
	files["renamed.png"] = "file 6"
	delete(files, "images/2/00007.png")
	files["images/$(touch pwned)/00007.png"] = "file 7"
	files["new"] = "new"
	return files
}

// wantPublishedBoth checks that there are two trees and nothing else.
func wantPublishedBoth(t *testing.T, l *local, first, next Plan, before, after map[string]string) {
	t.Helper()
	l.wantLeft(t, first.TreeID, first.TreeID+".sha256", next.TreeID, next.TreeID+".sha256")
	wantTree(t, first, before)
	wantTree(t, next, after)
}

// transferNext sends the second dataset to a volume that has the first.
func transferNext(t *testing.T, l *local) (Plan, Report) {
	t.Helper()
	d := write(t, second())
	p := l.finePlan(t, d)
	report, err := l.volume().Transfer(t.Context(), p, d, watched(t, Options{}))
	if err != nil {
		t.Fatal(err)
	}
	if report.InFlight != 0 || report.TakenOverBytes+report.Bytes != p.Manifest.Bytes() {
		t.Errorf("report %+v", report)
	}
	return p, report
}

// TestTakesOver: what an older tree has, under whatever name, is linked and not sent.
func TestTakesOver(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			first := mustTransfer(t, l, course())
			next, report := transferNext(t, l)
			wantPublishedBoth(t, l, first, next, course(), second())
			sent := int64(len("changed") + len("new"))
			if report.Files != 2 || report.Bytes != sent || report.TakenOverFiles != int64(len(second())-2) || report.Retries != 0 {
				t.Errorf("report %+v", report)
			}
			if !linked(t, filepath.Join(first.Dir(), "big"), filepath.Join(next.Dir(), "big")) ||
				!linked(t, filepath.Join(first.Dir(), "images/1/00006.png"), filepath.Join(next.Dir(), "renamed.png")) {
				t.Error("what was taken over is not linked")
			}
			if names := names(t, l.dir); slices.Contains(names, "pwned") {
				t.Error("a file name was executed")
			}
		})
	}
}

func linked(t *testing.T, a, b string) bool {
	t.Helper()
	one, err := os.Stat(a)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.Stat(b)
	if err != nil {
		t.Fatal(err)
	}
	return os.SameFile(one, other)
}

// TestTakesOverAttack: names of older trees pass through an archive of links as well.
func TestTakesOverAttack(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			before, after := attack(), map[string]string{}
			delete(before, "big")
			delete(before, "$(touch pwned) big")
			for name, content := range before {
				after[name] = content
				if len(name) < 200 {
					after["moved/"+name] = content
				}
			}
			l := newLocal(t, sh)
			first := mustTransfer(t, l, before)
			d := write(t, after)
			p := l.finePlan(t, d)
			report, err := l.volume().Transfer(t.Context(), p, d, Options{})
			if err != nil {
				t.Fatal(err)
			}
			wantPublishedBoth(t, l, first, p, before, after)
			if report.Bytes != 0 || report.TakenOverFiles != int64(len(after)) {
				t.Errorf("report %+v", report)
			}
		})
	}
}

// TestWithoutLinks: where the file system cannot link, what has the same name is copied on the volume, and the rest is sent. The script's
// tar and xargs stand for such a file system: they fail at links as tar and cp do there.
func TestWithoutLinks(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			first := mustTransfer(t, l, course())
			l.prefix = `tar() {
	case "$*" in
	*" -C $dir" | *" -C $dir "*) command tar "$@" ".$tree.push/in-$nonce-$serial/sums"; echo "tar: cannot create hard link: Operation not permitted" >&2; return 1 ;;
	*) command tar "$@" ;;
	esac
}
xargs() {
	case "$*" in
	*cp?-l*) echo "cp: cannot create hard link: Operation not permitted" >&2; return 1 ;;
	*) command xargs "$@" ;;
	esac
}
`
			next, report := transferNext(t, l)
			wantPublishedBoth(t, l, first, next, course(), second())
			if report.Files != 4 || report.TakenOverFiles != int64(len(second())-4) || report.Retries != 0 {
				t.Errorf("report %+v", report)
			}
			if linked(t, filepath.Join(first.Dir(), "big"), filepath.Join(next.Dir(), "big")) {
				t.Error("it was linked")
			}
		})
	}
}

// TestLinksInTheWay: links of an attempt that broke before it had its receipt are no hindrance.
func TestLinksInTheWay(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			first := mustTransfer(t, l, course())
			l.prefix = `xargs() {
	command xargs "$@"
	case "$*" in *cp?-l*) return 1 ;; esac
}
`
			next, report := transferNext(t, l)
			wantPublishedBoth(t, l, first, next, course(), second())
			if report.TakenOverFiles < int64(len(second())-4) || !linked(t, filepath.Join(first.Dir(), "big"), filepath.Join(next.Dir(), "big")) {
				t.Errorf("report %+v", report)
			}
		})
	}
}

// TestForeignLinks: links to files of another user may be forbidden; then the files are copied.
func TestForeignLinks(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can have two users")
	}
	l := newLocal(t, gnu(t, "dash"))
	first := mustTransfer(t, l, course())
	for _, dir := range []string{l.dir, l.root(), filepath.Dir(first.Dir())} {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	l.uid = 65534
	next, report := transferNext(t, l)
	wantPublishedBoth(t, l, first, next, course(), second())
	if report.TakenOverFiles < int64(len(second())-4) {
		t.Errorf("report %+v", report)
	}
}

// TestTakesOverUnfinished: the work directory of another tree is as good a source, and stays until its owner is known to be gone.
func TestTakesOverUnfinished(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			d := write(t, course())
			p := l.finePlan(t, d)
			v := l.volume()
			first := interrupt(t, l, p, func(ctx context.Context, o Options) (Report, error) { return v.Transfer(ctx, p, d, o) }, "killed")
			next := write(t, second())
			plan := l.finePlan(t, next)
			report, err := l.owned(2).Transfer(t.Context(), plan, next, watched(t, Options{}))
			if err != nil {
				t.Fatal(err)
			}
			l.wantPublished(t, plan, second())
			if report.TakenOverFiles == 0 && first.Files > 10 || report.Bytes+report.TakenOverBytes != plan.Manifest.Bytes() {
				t.Errorf("report %+v after %+v", report, first)
			}
		})
	}
}

// TestOlderIsNotTrusted: an older tree that somebody has changed is not taken from, or what came from it is found to be wrong before it
// gets a name; everything is sent then.
func TestOlderIsNotTrusted(t *testing.T) {
	t.Parallel()
	type damaged struct {
		shell  shell
		damage func(dir string) error
		links  bool // what was not damaged may be linked
	}
	later := time.Now().Add(24 * time.Hour)
	old := time.Now().Add(-time.Hour)
	cases := map[string]damaged{}
	for name, c := range map[string]damaged{
		"newer": {damage: func(dir string) error {
			path := filepath.Join(dir, "labels.csv")
			return errors.Join(os.WriteFile(path, []byte(noise(3001)[1:]), 0o600), os.Chtimes(path, later, later))
		}},
		"other size": {damage: func(dir string) error {
			path := filepath.Join(dir, "labels.csv")
			return errors.Join(os.WriteFile(path, []byte("short"), 0o600), os.Chtimes(path, old, old))
		}},
		"removed": {damage: func(dir string) error { return os.Remove(filepath.Join(dir, "labels.csv")) }, links: true},
		"a link": {damage: func(dir string) error {
			path := filepath.Join(dir, "labels.csv")
			return errors.Join(os.Remove(path), os.Symlink("/etc/passwd", path))
		}},
		"a folder": {damage: func(dir string) error {
			path := filepath.Join(dir, "labels.csv")
			return errors.Join(os.Remove(path), os.Mkdir(path, 0o755))
		}, links: true},
		"a pipe": {damage: func(dir string) error {
			path := filepath.Join(dir, "labels.csv")
			return errors.Join(os.Remove(path), mkfifo(path))
		}},
		"no sums":     {damage: func(dir string) error { return os.Remove(dir + ".sha256") }},
		"no tree":     {damage: os.RemoveAll},
		"link itself": {damage: func(dir string) error { return errors.Join(os.Rename(dir, dir+"x"), os.Symlink(dir+"x", dir)) }},
		"wrong sums": {damage: func(dir string) error {
			return os.WriteFile(dir+".sha256", []byte(strings.Repeat("x", 5000)+"\n"+strings.Repeat("0", 64)+"  ./../../x\n\x00"), 0o600)
		}},
		"empty sums": {damage: func(dir string) error { return os.WriteFile(dir+".sha256", nil, 0o600) }},
	} {
		c.shell = shellOf(t, len(cases))
		cases[name+"/"+c.shell.name] = c
	}
	crowd(t, cases, func(t *testing.T, c damaged) {
		l := newLocal(t, c.shell)
		first := mustTransfer(t, l, course())
		if err := c.damage(first.Dir()); err != nil {
			t.Fatal(err)
		}
		next, report := transferNext(t, l)
		wantTree(t, next, second())
		if report.TakenOverFiles != 0 && !c.links {
			t.Errorf("report %+v", report)
		}
	})
}

// unpublished brings everything onto the volume, and ends when it is to get its name.
func unpublished(t *testing.T, l *local, p Plan, d *dataset.Dataset) {
	t.Helper()
	l.stdin = func(_ int, r io.Reader) io.Reader {
		return &tap{r: r, each: func(_ int64, b []byte) (int, error) {
			if bytes.HasPrefix(b, []byte("P ")) {
				return 0, io.EOF
			}
			return len(b), nil
		}}
	}
	v := l.owned(9)
	v.Check = func(context.Context) error { return &GoneError{Reason: "it was deleted"} }
	var gone *GoneError
	if _, err := v.Transfer(t.Context(), p, d, Options{}); !errors.As(err, &gone) {
		t.Fatalf("got %v", err)
	}
	l.stdin = nil
	l.wantWork(t, p)
}

// TestTakenOverIsDamaged: what an earlier attempt of the same push has left, and somebody has damaged, is sent again.
func TestTakenOverIsDamaged(t *testing.T) {
	t.Parallel()
	type damaged struct {
		shell  shell
		damage func(work string) error
	}
	cases := map[string]damaged{}
	for name, damage := range map[string]func(work string) error{
		"tree gone":     func(work string) error { return os.RemoveAll(filepath.Join(work, "tree")) },
		"receipts gone": func(work string) error { return os.RemoveAll(filepath.Join(work, "done")) },
		"file gone":     func(work string) error { return os.Remove(filepath.Join(work, "tree", "labels.csv")) },
		"file shrunk":   func(work string) error { return os.Truncate(filepath.Join(work, "tree", "labels.csv"), 5) },
		"tree is a link": func(work string) error {
			tree := filepath.Join(work, "tree")
			return errors.Join(os.Rename(tree, work+"x"), os.Symlink(work+"x", tree))
		},
		"receipt is foreign": func(work string) error {
			return os.WriteFile(filepath.Join(work, "done", "x"), []byte("x\n"+strings.Repeat("a", 64)+"  ./../../../etc/passwd\n"), 0o600)
		},
		"receipt is half": func(work string) error {
			found, err := filepath.Glob(filepath.Join(work, "done", "*"))
			if err != nil || len(found) == 0 {
				return fmt.Errorf("receipts %q: %w", found, err)
			}
			return os.Truncate(found[0], 70)
		},
	} {
		sh := shellOf(t, len(cases))
		cases[name+"/"+sh.name] = damaged{sh, damage}
	}
	crowd(t, cases, func(t *testing.T, c damaged) {
		l := newLocal(t, c.shell)
		files := course()
		delete(files, "big")
		d := write(t, files)
		p := l.finePlan(t, d)
		unpublished(t, l, p, d)
		if err := c.damage(l.work(p)); err != nil {
			t.Fatal(err)
		}
		if _, err := l.owned(2).Transfer(t.Context(), p, d, Options{}); err != nil {
			t.Fatal(err)
		}
		wantTree(t, p, files)
		if _, err := os.Lstat(l.work(p)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the work directory is still there: %v", err)
		}
	})
}
