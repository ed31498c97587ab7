package cmd

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestUnknownWords(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"pussh"}, `unknown command "pussh" for "kubectl tracebloc"; did you mean "push"? (see 'kubectl tracebloc --help')`},
		{[]string{"frobnicate"}, `unknown command "frobnicate" for "kubectl tracebloc" (see 'kubectl tracebloc --help')`},
		{[]string{"push", "--tabel=x", "."}, `unknown flag: --tabel; did you mean "--table"? (see 'kubectl tracebloc push --help')`},
		{[]string{"push", "--idempotency=x", "."}, `unknown flag: --idempotency; did you mean "--idempotency-key"? (see 'kubectl tracebloc push --help')`},
		{[]string{"runs", "--namespcae=x"}, `unknown flag: --namespcae; did you mean "--namespace"? (see 'kubectl tracebloc runs --help')`},
		{[]string{"runs", "--zz"}, `unknown flag: --zz (see 'kubectl tracebloc runs --help')`},
		{[]string{"runs", "-Z"}, `unknown shorthand flag: 'Z' in -Z (see 'kubectl tracebloc runs --help')`},
	} {
		_, _, err := runRootCommand(t, test.args...)
		if err == nil || err.Error() != test.want || ExitCode(err) != exitSpec {
			t.Errorf("%q: exit code %d, got %v", test.args, ExitCode(err), err)
		}
	}
}

// Help reads like kubectl's: its headings in its order, the name as it is typed
// in every command line, and the list of global flags in a place of its own.
func TestHelpLooksLikeKubectls(t *testing.T) {
	stdout, _, err := runRootCommand(t, "push", "--help")
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, heading := range []string{"\nExit codes:\n", "\nExamples:\n", "\nOptions:\n", "\nUsage:\n  kubectl tracebloc push ", "\nUse \"kubectl tracebloc options\" for a list of global"} {
		i := strings.Index(stdout[at:], heading)
		if i < 0 {
			t.Fatalf("%q does not come after what comes before it:\n%s", heading, stdout)
		}
		at += i
	}
	if strings.Contains(stdout, "--kubeconfig") {
		t.Error("a global flag is among those of the command")
	}
	stdout, _, err = runRootCommand(t, "options")
	if err != nil || !strings.HasPrefix(stdout, "The following options can be passed to any command:\n") || !strings.Contains(stdout, "--kubeconfig=''") {
		t.Errorf("got %v and %q", err, stdout)
	}
}

func TestKubectlName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	finds := func(known ...string) func(string) (string, error) {
		return func(name string) (string, error) {
			for _, k := range known {
				if k == name {
					return "/usr/bin/" + name, nil
				}
			}
			return "", os.ErrNotExist
		}
	}
	for _, test := range []struct {
		path  string
		known []string
		want  string
	}{
		{"", []string{"kubectl"}, "kubectl"},
		{"kubectl-1.30", []string{"kubectl-1.30"}, "kubectl"},
		{path("kubectl"), []string{"kubectl"}, "kubectl"},
		{path("kubectl.exe"), []string{"kubectl"}, "kubectl"},
		{path("kubectl"), nil, path("kubectl")},
		{path("oc"), []string{"oc", "kubectl"}, "oc"},
		{path("my tool"), []string{"my tool"}, `"` + path("my tool") + `"`},
	} {
		if runtime.GOOS == "windows" && strings.ContainsAny(test.want, " ~") {
			continue // quoting doubles the backslashes, and short names have a tilde
		}
		if got := kubectlName(test.path, finds(test.known...)); got != test.want {
			t.Errorf("%q: got %q, want %q", test.path, got, test.want)
		}
	}
}

// Commands in messages are those of the kubectl that started the plugin.
func TestKubectlPath(t *testing.T) {
	dir := t.TempDir()
	tool := filepath.Join(dir, "kubectl-next")
	if runtime.GOOS == "windows" {
		tool += ".exe"
	}
	if err := os.WriteFile(tool, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	err := errors.New(`pvc "kubectl " is not bound (kubectl describe pvc client-pvc -n ml); see kubectl.io`)
	for path, want := range map[string]string{
		"":   err.Error(),
		tool: `pvc "kubectl " is not bound (kubectl-next describe pvc client-pvc -n ml); see kubectl.io`,
	} {
		t.Setenv("KUBECTL_PATH", path)
		var out strings.Builder
		PrintError(&out, err)
		if got := out.String(); got != "error: "+want+"\n" {
			t.Errorf("KUBECTL_PATH=%q: got %q", path, got)
		}
	}
	t.Setenv("KUBECTL_PATH", tool)
	if got := comeBack("ml", "5a39"); !strings.HasPrefix(got, "The run goes on in the cluster: kubectl-next tracebloc logs 5a39 -n ml -f, or kubectl-next tracebloc status") {
		t.Errorf("got %q", got)
	}
}
