//go:build unix

package stage

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestRefusedNames calls the scripts past the client's own checks: they remove directories, so they check again.
func TestRefusedNames(t *testing.T) {
	t.Parallel()
	good := []string{"", "cats", "0123456789abcdef", "0", "feed"}
	for _, sh := range shells(t) {
		for name, arguments := range map[string][]string{
			"relative root":  {".tracebloc-staging"},
			"other root":     {"/etc"},
			"root with dots": {"/tmp/../etc/.tracebloc-staging"},
			"empty table":    {"", ""},
			"table up":       {"", ".."},
			"table slash":    {"", "a/b"},
			"short tree":     {"", "", "abc"},
			"tree up":        {"", "", "../../../../../x"},
			"attempt slash":  {"", "", "", "../x"},
		} {
			t.Run(sh.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				l := newLocal(t, sh)
				words := append([]string{}, good...)
				words[0] = l.root()
				for i, a := range arguments {
					if a != "" || name == "empty table" && i == 1 {
						words[i] = a
					}
				}
				var out strings.Builder
				_ = l.Exec(t.Context(), l.volume().Target, command(removeScript, append(words, "-")...), nil, &out, &out)
				if !strings.HasPrefix(out.String(), "ERR feed argument ") {
					t.Errorf("got %q", out.String())
				}
			})
		}
	}
}

func TestCleanRefusesNames(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			p := mustTransfer(t, l, small())
			for _, name := range []string{p.TreeID, "..", ".", "", ".trash-", ".trash-../x", "../cats", "*", ".trash-*", "-rf", p.TreeID + ".sha256"} {
				err := l.volume().clean(t.Context(), p, []string{name})
				var refused *VolumeError
				if !errors.As(err, &refused) {
					t.Errorf("clean %q: %v", name, err)
				}
			}
			l.wantPublished(t, p, small())
		})
	}
}

// TestSymlinkInTheWay: nothing is written, and nothing is removed, where a link leads.
func TestSymlinkInTheWay(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		for _, place := range []string{Directory, Directory + "/cats"} {
			t.Run(sh.name+"/"+filepath.Base(place), func(t *testing.T) {
				t.Parallel()
				l := newLocal(t, sh)
				elsewhere := t.TempDir()
				d := write(t, small())
				p := l.plan(t, d)
				mkdirs(t, filepath.Dir(filepath.Join(l.dir, place)))
				put(t, filepath.Join(elsewhere, p.TreeID, "precious"), "")
				if err := os.Symlink(elsewhere, filepath.Join(l.dir, place)); err != nil {
					t.Fatal(err)
				}
				_, err := l.volume().Transfer(t.Context(), p, d, nil)
				var refused *VolumeError
				if !errors.As(err, &refused) || refused.Reason != InTheWay {
					t.Errorf("transfer: %v", err)
				}
				if err := l.volume().Remove(t.Context(), p, ""); !errors.As(err, &refused) || refused.Reason != InTheWay {
					t.Errorf("remove: %v", err)
				}
				if got := contents(t, elsewhere); len(got) != 1 {
					t.Errorf("behind the link: %v", got)
				}
			})
		}
	}
}

// TestPlantedInTree: what somebody else puts into the work directory is not published.
func TestPlantedInTree(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		for name, plant := range map[string]func(tree string) error{
			"link": func(tree string) error { return os.Symlink("/etc", filepath.Join(tree, "etc")) },
			"file": func(tree string) error { return os.WriteFile(filepath.Join(tree, "more"), nil, 0o600) },
			"fifo": func(tree string) error { return syscall.Mkfifo(filepath.Join(tree, "fifo"), 0o600) },
		} {
			t.Run(sh.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				l := newLocal(t, sh)
				d := write(t, small())
				p := l.plan(t, d)
				_, err := l.volume().Transfer(t.Context(), p, d, func(n int64) {
					found, err := filepath.Glob(filepath.Join(l.root(), "cats", ".*.push-*", "tree"))
					if n < 0 {
						return
					}
					if err != nil || len(found) != 1 {
						t.Errorf("work directories: %q, %v", found, err)
						return
					}
					if err := plant(found[0]); err != nil && !errors.Is(err, os.ErrExist) {
						t.Error(err)
					}
				})
				var refused *VolumeError
				if !errors.As(err, &refused) || refused.Reason != Mismatch {
					t.Errorf("got %v", err)
				}
				if left := l.listing(t); len(left) != 0 {
					t.Errorf("left behind: %q", left)
				}
			})
		}
	}
}

// TestNoSpace: a limit on the size of files stands for a full volume, which needs no root. SIGXFSZ is ignored so that it is an error
// like ENOSPC.
func TestNoSpace(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			l.prefix = "trap '' XFSZ; ulimit -f 64\n"
			d := write(t, map[string]string{"a": noise(100), "big": noise(3 * frameBytes), "z": noise(100)})
			p := l.plan(t, d)
			_, err := l.volume().Transfer(t.Context(), p, d, nil)
			var refused *VolumeError
			if !errors.As(err, &refused) || refused.Reason != NoSpace {
				t.Errorf("got %v", err)
			}
			if left := l.listing(t); len(left) != 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

func TestNotWritable(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			d := write(t, small())
			p := l.plan(t, d)
			if os.Geteuid() == 0 {
				l.uid = 65534 // root may write everywhere
			} else if err := os.Chmod(l.dir, 0o555); err != nil {
				t.Fatal(err)
			}
			_, err := l.volume().Transfer(t.Context(), p, d, nil)
			var refused *VolumeError
			if !errors.As(err, &refused) || refused.Reason != Denied || !strings.Contains(err.Error(), "the ingestor's") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestMissingTool(t *testing.T) {
	t.Parallel()
	// busybox would find its applets without PATH.
	all := shells(t)
	l := newLocal(t, shell{name: "dash", argv: all[1].argv, path: all[0].path})
	path := t.TempDir()
	for _, tool := range []string{"dd", "find", "kill", "ln", "mkdir", "mv", "od", "rm", "rmdir"} {
		if err := os.Symlink(filepath.Join(l.shell.path, tool), filepath.Join(path, tool)); err != nil {
			t.Fatal(err)
		}
	}
	l.shell.path = path
	d := write(t, small())
	_, err := l.volume().Transfer(t.Context(), l.plan(t, d), d, nil)
	var refused *VolumeError
	if !errors.As(err, &refused) || refused.Reason != NoTool || !strings.Contains(err.Error(), "--stage-image") {
		t.Errorf("got %v", err)
	}
}
