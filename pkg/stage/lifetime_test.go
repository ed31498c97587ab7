//go:build unix

package stage

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLifetime: the Pod ends soon without sessions, later when none of them hears of its client, and at its limit in any case. Its naps
// are counted and not slept.
func TestLifetime(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		for name, c := range map[string]struct {
			nap   string // what happens meanwhile
			limit string
			want  int
		}{
			"no session":     {"", "7200", 4},
			"still":          {"[ -e session.aa ] || printf . >session.aa", "7200", 121},
			"alive":          {"printf . >>session.aa", "150", 30},
			"one of two":     {"printf . >>session.aa; printf . >session.bb", "150", 30},
			"comes late":     {"[ $(wc -c <naps) -lt 3 ] || printf . >>session.aa", "150", 30},
			"ends":           {"if [ $(wc -c <naps) -lt 10 ]; then printf . >>session.aa; else rm -f session.aa; fi", "7200", 13},
			"other files":    {"printf . >>other.aa", "7200", 4},
			"no time at all": {"", "4", 0},
		} {
			t.Run(sh.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				script := "sleep() { printf . >>naps; " + c.nap + "\n}\n" + lifetime()
				argv := append(append([]string{}, sh.argv...), "-c", script, "tracebloc-stage", c.limit)
				cmd := exec.Command(argv[0], argv[1:]...)
				cmd.Dir, cmd.Env = dir, []string{"PATH=" + sh.path}
				if out, err := cmd.CombinedOutput(); err != nil || len(out) != 0 {
					t.Errorf("%v: %s", err, out)
				}
				naps, err := os.ReadFile(filepath.Join(dir, "naps"))
				if err != nil && c.want != 0 || len(naps) != c.want {
					t.Errorf("ended after %d looks, want %d", len(naps), c.want)
				}
			})
		}
	}
}

// TestLifetimeTerminated: the end of a Pod is not waited for.
func TestLifetimeTerminated(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			argv := append(append([]string{}, sh.argv...), "-c", "echo ready >ready\n"+lifetime(), "tracebloc-stage", "7200")
			cmd := exec.Command(argv[0], argv[1:]...)
			cmd.Dir, cmd.Env = t.TempDir(), []string{"PATH=" + sh.path}
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }()
			eventually(func() bool { return len(names(t, cmd.Dir)) == 1 })
			time.Sleep(300 * time.Millisecond) // until the trap is set
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestGiveBeats: while an older tree is looked at, which may take long, the session says that it lives.
func TestGiveBeats(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			p := mustTransfer(t, l, small())
			l.prefix = "find() { case $* in *-newer*) sleep 7 ;; esac; command find \"$@\"; }\n"
			out := raw(t, l, []string{"worker", l.root(), "cats", "0123456789abcdef", "0", "feed", "join"}, twice("G "+p.TreeID)+twice("Q"))
			_, out, _ = strings.Cut(out, "READY feed\n")
			if !strings.HasPrefix(out, "T feed\n") || !strings.Contains(out, "\nHAVE feed ") || !strings.HasSuffix(out, "GOT feed\n") {
				t.Errorf("got %q", out)
			}
		})
	}
}
