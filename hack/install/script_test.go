//go:build unix

package install

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestScriptParses(t *testing.T) {
	for _, sh := range shells(t) {
		c := exec.CommandContext(t.Context(), sh.argv[0], append(sh.argv[1:len(sh.argv):len(sh.argv)], "-n", "../install.sh")...)
		if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s -n: %v\n%s", sh.name, err, out)
		}
	}
	if checker, err := exec.LookPath("shellcheck"); err == nil {
		if out, err := exec.CommandContext(t.Context(), checker, "--shell=sh", "../install.sh").CombinedOutput(); err != nil {
			t.Errorf("shellcheck: %v\n%s", err, out)
		}
	}
}

// Half of the script, as a connection that breaks leaves it in front of | sh, is no command.
func TestScriptThatWasCut(t *testing.T) {
	server := newServer(t)
	text := script(t)
	begin := strings.Index(text, "\n{\n")
	if begin < 0 || strings.Trim(text[:begin], "#") == "" {
		t.Fatal("the script does not begin with comments and a brace")
	}
	for line := range strings.SplitSeq(text[:begin], "\n") {
		if line != "" && !strings.HasPrefix(line, "#") {
			t.Errorf("stands before the brace: %q", line)
		}
	}
	each(t, shells(t), func(t *testing.T, sh shell) {
		m := newMachine(t, sh, usual)
		m.env = []string{"TRACEBLOC_BASE_URL=" + server.base()}
		before := m.tree(t)
		end := len(strings.TrimSpace(text))
		for size := 1; size < end; size += step(size, end) {
			if got := m.finish(t, m.command(t, text[:size], "--prefix", filepath.Join(m.home, "p"))); got.stdout != "" {
				t.Errorf("cut after %d bytes: stdout is %q", size, got.stdout)
			}
		}
		if diff := cmp.Diff(before, m.tree(t)); diff != "" {
			t.Errorf("files changed (-before +after):\n%s", diff)
		}
		if asked := server.asked(); len(asked) > 0 {
			t.Errorf("the server was asked: %q", asked)
		}
	})
}

// step is small at the end, where commands are called.
func step(size, end int) int {
	if size > end-30 {
		return 1
	}
	return min(191, end-30-size+1)
}

func TestHelp(t *testing.T) {
	each(t, shells(t), func(t *testing.T, sh shell) {
		m := newMachine(t, sh, usual)
		for _, flag := range []string{"--help", "-h"} {
			got := m.run(t, flag)
			if got.want(t, 0); got.stderr != "" || !strings.HasPrefix(got.stdout, "Install the kubectl plugin tracebloc") {
				t.Errorf("%s prints %q, and on stderr %q", flag, got.stdout, got.stderr)
			}
		}
	})
}
