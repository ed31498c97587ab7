//go:build unix

package stage

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// raw runs the script past all checks of the client, and returns what it says but its signs of life.
func raw(t testing.TB, l *local, words []string, stdin string) string {
	t.Helper()
	var out strings.Builder
	_ = l.Exec(t.Context(), l.volume().Target, command(words...), strings.NewReader(stdin), &out, io.Discard)
	return out.String()
}

// twice is a frame as a client sends it: its first line comes twice.
func twice(frame string) string {
	head, _, _ := strings.Cut(frame, "\n")
	return head + "\n" + frame + "\n"
}

// TestRefusedNames calls the script past the client's own checks: it removes directories, so it checks again.
func TestRefusedNames(t *testing.T) {
	t.Parallel()
	type word struct {
		shell shell
		task  string
		at    int
		value string
	}
	cases := map[string]word{}
	for n := range 2 {
		for name, c := range map[string]word{
			"task":           {at: 0, value: "session"},
			"relative root":  {at: 1, value: ".tracebloc-staging"},
			"other root":     {at: 1, value: "/etc"},
			"root with dots": {at: 1, value: "/tmp/../etc/.tracebloc-staging"},
			"root with dot":  {at: 1, value: "/tmp/./.tracebloc-staging"},
			"root of spaces": {at: 1, value: "/tmp/a b/.tracebloc-staging"},
			"root of shell":  {at: 1, value: "/tmp/$(touch pwned)/.tracebloc-staging"},
			"empty table":    {at: 2, value: ""},
			"table up":       {at: 2, value: ".."},
			"table slash":    {at: 2, value: "a/b"},
			"table glob":     {at: 2, value: "*"},
			"table option":   {at: 2, value: "-rf"},
			"empty tree":     {at: 3, value: ""},
			"short tree":     {at: 3, value: "abc"},
			"long tree":      {at: 3, value: "0123456789abcdef0"},
			"tree up":        {at: 3, value: "../../../../../x"},
			"tree dots":      {at: 3, value: "../0123456789abc"},
			"empty owner":    {at: 4, value: ""},
			"owner slash":    {at: 4, value: "../x"},
			"owner glob":     {at: 4, value: "*"},
			"owner dot":      {at: 4, value: "aa.bb"},
			"empty nonce":    {at: 5, value: ""},
			"nonce slash":    {at: 5, value: "../feed"},
		} {
			for _, task := range []string{"worker", "remove"} {
				c.shell, c.task = shellOf(t, 2*n+len(cases)), task
				cases[c.shell.name+"/"+task+"/"+name] = c
			}
		}
	}
	crowd(t, cases, func(t *testing.T, c word) {
		l := newLocal(t, c.shell)
		words := []string{c.task, l.root(), "cats", "0123456789abcdef", "0", "feed", map[string]string{"worker": "join", "remove": "-"}[c.task]}
		words[c.at] = c.value
		out := raw(t, l, words, "Q\n")
		if !strings.HasPrefix(out, "ERR "+words[5]+" - argument ") || strings.Count(out, "\n") != 1 {
			t.Errorf("got %q", out)
		}
		if left := names(t, l.dir); slices.ContainsFunc(left, func(name string) bool { return !strings.HasPrefix(name, "session.") }) {
			t.Errorf("left behind: %q", left)
		}
	})
}

// TestRefusedFrames: frames that no client sends lead nowhere.
func TestRefusedFrames(t *testing.T) {
	t.Parallel()
	sum := strings.Repeat("a", 64)
	line := func(path string) string { return sum + "  " + path }
	id := func(path string) string { return digest([]byte(line(path) + "\n")) }
	type sent struct {
		shell shell
		frame string
	}
	cases := map[string]sent{}
	for _, sh := range shells(t) {
		for name, frame := range map[string]string{
			"unknown":       "Z 1 2 3",
			"lower case":    "q",
			"empty":         "",
			"shard up":      "S ../../x 1 raw 0 1",
			"shard short":   "S " + sum[1:] + " 1 raw 0 1",
			"shard size":    "S " + sum + " 1 raw -1 1",
			"shard groups":  "S " + sum + " $(x) raw 0 1",
			"copy up":       "C " + sum + " 1 raw 0 1 ../x",
			"copy dots":     "C " + sum + " 1 raw 0 1 ..",
			"copy nothing":  "C " + sum + " 1 raw 0 1",
			"give up":       "G ../../../../etc",
			"give dots":     "G ..",
			"give slash":    "G .0123456789abcdef.push/",
			"give a word":   "G cats",
			"range up":      "R ../x 0 1 " + sum + " raw:1",
			"range before":  "R " + sum + " -1 1 " + sum + " raw:1",
			"range codec":   "R " + sum + " 0 1 " + sum + " sh:1",
			"range size":    "R " + sum + " 0 1 " + sum + " raw:x",
			"whole up":      "F " + id("./../x") + " 1 1\n" + line("./../x"),
			"whole within":  "F " + id("./a/../../x") + " 1 1\n" + line("./a/../../x"),
			"whole at end":  "F " + id("./a/..") + " 1 1\n" + line("./a/.."),
			"whole root":    "F " + id("/etc/passwd") + " 1 1\n" + line("/etc/passwd"),
			"whole other":   "F " + sum + " 1 1\n" + line("./x"),
			"whole id":      "F ../x 1 1\n" + line("./x"),
			"outcome up":    "O ../x feed",
			"outcome of":    "O " + sum + " ../x",
			"outcome all":   "O " + sum + " *",
			"outcome range": "O " + sum + " feed ../../x",
			"publish":       "P 1 1 x",
			"publish files": "P $(id) 1 " + sum,
			"kick":          "K ../x",
			"kick glob":     "K *",
			"kick nobody":   "K",
		} {
			cases[sh.name+"/"+name] = sent{sh, frame}
		}
	}
	crowd(t, cases, func(t *testing.T, c sent) {
		l := newLocal(t, c.shell)
		put(t, filepath.Join(l.root(), "cats", "precious"), "")
		out := raw(t, l, []string{"worker", l.root(), "cats", "0123456789abcdef", "0", "feed", "join"}, twice(c.frame)+strings.Repeat("Q\n", 4))
		_, after, _ := strings.Cut(out, "READY feed\n")
		if !strings.HasPrefix(after, "ERR feed - frame ") || strings.Count(after, "\n") != 1 {
			t.Errorf("got %q", out)
		}
		l.wantLeft(t, "precious")
	})
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
				_, err := l.volume().Transfer(t.Context(), p, d, Options{})
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

// TestSymlinkForWork: a link in place of the work directory, or of its tree, is not followed.
func TestSymlinkForWork(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		for _, place := range []string{"", "tree"} {
			t.Run(sh.name+"/work/"+place, func(t *testing.T) {
				t.Parallel()
				l := newLocal(t, sh)
				elsewhere := t.TempDir()
				d := write(t, small())
				p := l.plan(t, d)
				link := filepath.Join(l.work(p), place)
				mkdirs(t, filepath.Dir(link))
				if err := os.Symlink(elsewhere, link); err != nil {
					t.Fatal(err)
				}
				_, err := l.volume().Transfer(t.Context(), p, d, Options{})
				var refused *VolumeError
				if place == "" && (!errors.As(err, &refused) || refused.Reason != InTheWay) {
					t.Errorf("got %v", err)
				}
				if place != "" {
					if err != nil {
						t.Errorf("got %v", err)
					}
					l.wantPublished(t, p, small())
				}
				if got := contents(t, elsewhere); len(got) != 0 && place == "" {
					t.Errorf("behind the link: %v", got)
				}
			})
		}
	}
}

// TestPlantedInTree: what somebody else puts into the work directory is not published. Once is overcome; again and again is not.
func TestPlantedInTree(t *testing.T) {
	t.Parallel()
	for i, c := range []struct {
		name  string
		plant func(tree string) error
	}{
		{"link", func(tree string) error { return os.Symlink("/etc", filepath.Join(tree, "etc")) }},
		{"file", func(tree string) error { return os.WriteFile(filepath.Join(tree, "more"), nil, 0o600) }},
		{"fifo", func(tree string) error { return mkfifo(filepath.Join(tree, "fifo")) }},
	} {
		for _, always := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", c.name, always), func(t *testing.T) {
				t.Parallel()
				l := newLocal(t, shellOf(t, i))
				d := write(t, small())
				p := l.plan(t, d)
				planted := false
				_, err := l.volume().Transfer(t.Context(), p, d, Options{Progress: func(at Progress) {
					if at.Step == "" || planted && !always {
						return
					}
					planted = true
					if err := c.plant(filepath.Join(l.work(p), "tree")); err != nil && !errors.Is(err, os.ErrExist) {
						t.Error(err)
					}
				}})
				if !always {
					if err != nil || !planted {
						t.Fatalf("planted %v: %v", planted, err)
					}
					l.wantPublished(t, p, small())
					return
				}
				var refused *VolumeError
				if !errors.As(err, &refused) || refused.Reason != Mismatch {
					t.Errorf("got %v", err)
				}
				if contents(t, p.Dir()) != nil {
					t.Error("a tree was published")
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
		for name, files := range map[string]map[string]string{
			"shard": {"a": noise(100), "large": noise(fineRange + 10), "z": noise(100)},
			"range": {"large": noise(3 * fineRange)},
		} {
			t.Run(sh.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				l := newLocal(t, sh)
				// dash and busybox count in 512 bytes, bash in 1024.
				l.prefix = "trap '' XFSZ; ulimit -f 8\n"
				d := write(t, files)
				p := l.finePlan(t, d)
				_, err := l.volume().Transfer(t.Context(), p, d, Options{})
				var refused *VolumeError
				if !errors.As(err, &refused) || refused.Reason != NoSpace {
					t.Errorf("got %v", err)
				}
				l.wantUnpublished(t, p)
				if name == "range" {
					l.wantLeft(t)
				}
			})
		}
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
				l.shell = public(t, sh)
			} else if err := os.Chmod(l.dir, 0o555); err != nil {
				t.Fatal(err)
			}
			_, err := l.volume().Transfer(t.Context(), p, d, Options{})
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
	l := newLocal(t, shell{name: "dash", argv: gnu(t, "dash").argv, path: shellOf(t, 0).path})
	path := t.TempDir()
	for _, tool := range []string{"base64", "cat", "cut", "dd", "od", "tr", "rm"} {
		if err := os.Symlink(filepath.Join(l.shell.path, tool), filepath.Join(path, tool)); err != nil {
			t.Fatal(err)
		}
	}
	l.shell.path = path
	d := write(t, small())
	_, err := l.volume().Transfer(t.Context(), l.plan(t, d), d, Options{})
	var refused *VolumeError
	if !errors.As(err, &refused) || refused.Reason != NoTool || !strings.Contains(err.Error(), "--stage-image") {
		t.Errorf("got %v", err)
	}
}

func mkfifo(path string) error { return syscall.Mkfifo(path, 0o600) }

// public is a shell that other users can run as well.
func public(t *testing.T, sh shell) shell {
	t.Helper()
	if len(sh.argv) == 1 {
		return sh
	}
	program, err := os.ReadFile(sh.argv[0])
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(reachable(t), filepath.Base(sh.argv[0]))
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	return busybox(t, path)
}
