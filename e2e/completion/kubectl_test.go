package completion

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ask is kubectl's answer to its own completion: the candidates without their descriptions, and the directive.
func (m machine) ask(t *testing.T, words ...string) (names []string, directive string, all string) {
	t.Helper()
	stdout, stderr := m.run(t, "", "kubectl", append([]string{"__complete", "tracebloc"}, words...)...)
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "Completion ended with directive: ") && !strings.HasPrefix(line, "[Debug] ") { // both are cobra's
			t.Errorf("%q: stderr has %q", words, line)
		}
	}
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	for _, line := range lines[:len(lines)-1] {
		name, _, _ := strings.Cut(line, "\t")
		names = append(names, name)
	}
	return names, lines[len(lines)-1], stdout
}

// What kubectl completes behind its own name, through the shim on the PATH.
func TestKubectl(t *testing.T) {
	m := newMachine(t)
	for _, tt := range []struct {
		words     []string
		want      []string
		directive string
	}{
		{[]string{"stat"}, []string{"status"}, ":4"},
		{[]string{"push", ""}, []string{"csv"}, ":8"},
		{[]string{"validate", ""}, []string{"yaml", "yml", "json"}, ":8"},
		{[]string{"validate", "-o", ""}, []string{"json", "yaml", "sarif", "github"}, ":4"},
		{[]string{"push", "--intent", ""}, []string{"train", "test"}, ":4"},
		{[]string{"push", "--intent="}, []string{"train", "test"}, ":4"},
		{[]string{"push", "--compr"}, []string{"--compress"}, ":4"},
		{[]string{"status", ""}, []string{"77aa", "5a3901"}, ":36"},
		{[]string{"status", "5"}, []string{"5a3901"}, ":36"},
		{[]string{"status", "5a3901", ""}, nil, ":36"},
		{[]string{"cancel", ""}, []string{"5a3901"}, ":36"},
		{[]string{"info", "--table", ""}, []string{"pets"}, ":36"},
		{[]string{"info", "--release", ""}, []string{"lab"}, ":4"},
		{[]string{"runs", "-n", ""}, []string{"ml", "mobile"}, ":4"},
		{[]string{"runs", "--context", ""}, []string{"lab", "production"}, ":4"},
		{[]string{"runs", "-l", ""}, nil, ":4"},
		{[]string{"logs", "--filename", ""}, []string{"log", "txt"}, ":8"},
	} {
		names, directive, all := m.ask(t, tt.words...)
		if !slices.Equal(names, tt.want) || directive != tt.directive {
			t.Errorf("%q: got %q %s, want %q %s", tt.words, names, directive, tt.want, tt.directive)
		}
		if strings.ContainsAny(all, "\x1b\r") {
			t.Errorf("%q: control characters in %q", tt.words, all)
		}
	}
	_, _, all := m.ask(t, "push", "--task", "seq")
	if !strings.Contains(all, "seq2seq\t") {
		t.Errorf("tasks have no descriptions: %q", all)
	}
	if _, err := os.Stat(filepath.Join(m.dir, "owned")); err == nil {
		t.Error("a name from the cluster was executed")
	}
}

// kubectl offers the plugin itself, and is not disturbed where the shim finds no plugin.
func TestKubectlWithoutPlugin(t *testing.T) {
	m := newMachine(t)
	stdout, _ := m.run(t, "", "kubectl", "__complete", "traceb")
	if !strings.HasPrefix(stdout, "tracebloc\t") {
		t.Errorf("got %q", stdout)
	}
	// The plugin has to be there for kubectl to ask at all; the shim then asks the same one.
	lonely := t.TempDir()
	for _, name := range []string{"kubectl", "kubectl_complete-tracebloc"} {
		target, err := os.Readlink(filepath.Join(programs, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(lonely, name)); err != nil {
			t.Fatal(err)
		}
	}
	m.env[0] = "PATH=" + lonely + ":/usr/bin:/bin"
	stdout, _ = m.run(t, "", "kubectl", "__complete", "tracebloc", "status", "")
	if strings.Contains(stdout, "5a3901") {
		t.Errorf("got %q", stdout)
	}
}
