package krew

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Who has no krew installs the same archive by the script, into a place that is not there yet, under the shells that there are.
func TestInstallScript(t *testing.T) {
	script, err := filepath.Abs(filepath.Join(scripts, "install.sh"))
	if err != nil {
		t.Fatal(err)
	}
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			prefix := filepath.Join(l.home, "new place", "it's here")
			args := append(shell[1:], script, "--base-url", l.releases, "--prefix", prefix, "--skip-signature")
			l.run(t, shell[0], args...).succeeds(t, dist.manifest.Spec.Version)
			for _, file := range []string{"kubectl-tracebloc", "kubectl_complete-tracebloc"} {
				if info, err := os.Stat(filepath.Join(prefix, "bin", file)); err != nil || info.Mode().Perm() != 0o755 {
					t.Errorf("%s: %v, %v; want mode 0755", file, info, err)
				}
			}
			l.path = filepath.Join(prefix, "bin") + string(os.PathListSeparator) + l.path
			l.run(t, "kubectl", "tracebloc", "version", "--client").succeeds(t, strings.TrimPrefix(dist.manifest.Spec.Version, "v"))
			r := l.run(t, "kubectl", "__complete", "tracebloc", "pu").succeeds(t)
			if !strings.Contains("\n"+r.stdout, "\npush") {
				t.Errorf("kubectl completes nothing:\n%s%s", r.stdout, r.stderr)
			}
		})
	}
}

// shells are the shells of this machine that the script is made for; those that every machine of the tests has must be there.
func shells(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, name := range []string{"dash", "bash"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		found[name] = []string{path}
	}
	busybox, err := busyboxes()
	if err != nil {
		t.Fatal(err)
	}
	for path := range strings.SplitSeq(busybox, string(os.PathListSeparator)) {
		found[filepath.Base(path)] = []string{path, "sh"}
	}
	return found
}
