package krew

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each platform's archive is installed by krew as that platform's krew would.
func TestInstallEveryPlatform(t *testing.T) {
	for _, p := range dist.manifest.Spec.Platforms {
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.env = []string{"KREW_OS=" + p.os(), "KREW_ARCH=" + p.arch()}
			l.run(t, "kubectl", "krew", "install", "--manifest="+l.manifest(t)).succeeds(t, "Installed plugin: tracebloc", "Caveats:")
			if diff := cmp.Diff(p.installed(dist.manifest.Spec.Version), l.ours(t)); diff != "" {
				t.Errorf("in the krew root (-want +got):\n%s", diff)
			}
			checkBinary(t, p, filepath.Join(l.root, "store", "tracebloc", dist.manifest.Spec.Version, p.Bin))
		})
	}
}

// The archive of this machine runs as kubectl's plugin, kubectl has nothing to say against it, and after the one command that the
// manifest names, kubectl completes it.
func TestRunsAndCompletes(t *testing.T) {
	l := newLab(t)
	l.run(t, "kubectl", "krew", "install", "--manifest="+l.manifest(t)).succeeds(t)
	l.run(t, "kubectl", "tracebloc", "version", "--client").succeeds(t, strings.TrimPrefix(dist.manifest.Spec.Version, "v"))
	plugins := l.run(t, "kubectl", "plugin", "list").succeeds(t, filepath.Join(l.root, "bin", here(t).Bin))
	if strings.Contains(strings.ToLower(plugins.stderr), "warning") {
		t.Errorf("kubectl warns of the plugin:\n%s", plugins.stderr)
	}
	if before := l.run(t, "kubectl", "__complete", "tracebloc", "pu"); strings.Contains(before.stdout, "push") {
		t.Error("completion works without the command of the caveats, which is not needed then")
	}
	l.run(t, "sh", "-c", completionCommand(t)).succeeds(t)
	for _, test := range []struct{ args, want []string }{
		{[]string{"pu"}, []string{"push"}},
		{[]string{"push", "--task", ""}, []string{"image_classification", "time_to_event_prediction"}},
		{[]string{"completion", ""}, []string{"bash", "powershell"}},
	} {
		r := l.run(t, "kubectl", append([]string{"__complete", "tracebloc"}, test.args...)...).succeeds(t)
		for _, word := range test.want {
			if !strings.Contains("\n"+r.stdout, "\n"+word) {
				t.Errorf("%s offers no %s:\n%s", r.command, word, r.stdout)
			}
		}
	}
}

// wrongSum is the sum of nothing here. It has letters: YAML would take digits alone for a number.
var wrongSum = strings.Repeat("0f", 32)

// An archive whose bytes are not those that the manifest promises is refused, and nothing of it stays.
func TestWrongSum(t *testing.T) {
	l := newLab(t)
	l.run(t, "kubectl", "krew", "install", "--manifest="+l.manifest(t, here(t).SHA256, wrongSum)).fails(t, "checksum does not match")
	if left := l.ours(t); len(left) > 0 {
		t.Errorf("the refused archive left %q", left)
	}
}

func TestOtherPlatform(t *testing.T) {
	l := newLab(t)
	l.env = []string{"KREW_OS=linux", "KREW_ARCH=ppc64le"}
	l.run(t, "kubectl", "krew", "install", "--manifest="+l.manifest(t)).fails(t, "does not offer installation for this platform")
	if left := l.ours(t); len(left) > 0 {
		t.Errorf("a platform that is not offered got %q", left)
	}
}

// The way of a user: from an index, as krew-index is one, to the plugin, to the next version, and away.
func TestIndex(t *testing.T) {
	const older = "v0.0.0-0" // no version is lower
	l := newLab(t)
	index := filepath.Join(l.home, "index")
	l.env = []string{"KREW_DEFAULT_INDEX_URI=" + index}
	publish(t, l, index, l.manifest(t, "version: "+dist.manifest.Spec.Version, "version: "+older))
	l.run(t, "kubectl", "krew", "install", "tracebloc").succeeds(t, "Installed plugin: tracebloc")
	if diff := cmp.Diff(here(t).installed(older), l.ours(t)); diff != "" {
		t.Errorf("installed (-want +got):\n%s", diff)
	}
	publish(t, l, index, l.manifest(t))
	l.run(t, "kubectl", "krew", "upgrade", "tracebloc").succeeds(t, "Upgraded plugin: tracebloc")
	if diff := cmp.Diff(here(t).installed(dist.manifest.Spec.Version), l.ours(t)); diff != "" {
		t.Errorf("upgraded (-want +got):\n%s", diff)
	}
	l.run(t, "kubectl", "tracebloc", "version", "--client").succeeds(t)
	l.run(t, "kubectl", "krew", "info", "tracebloc").succeeds(t, dist.manifest.Spec.Version, dist.manifest.Spec.Homepage)
	l.run(t, "kubectl", "krew", "uninstall", "tracebloc").succeeds(t, "Uninstalled plugin: tracebloc")
	if left := l.ours(t); len(left) > 0 {
		t.Errorf("uninstalled, and there is still %q", left)
	}
	l.run(t, "kubectl", "tracebloc", "version", "--client").fails(t)
}

// publish commits the manifest to the index, a git repository.
func publish(t *testing.T, l *lab, index, manifest string) {
	t.Helper()
	text, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(index, "plugins"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(index, "plugins", "tracebloc.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	l.run(t, "git", "-C", index, "init", "-q", "-b", "master").succeeds(t)
	l.run(t, "git", "-C", index, "add", ".").succeeds(t)
	l.run(t, "git", "-C", index, "-c", "user.name=index", "-c", "user.email=index@example.com", "commit", "-q", "-m", "tracebloc").succeeds(t)
}
