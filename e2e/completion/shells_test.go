package completion

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// typed stands for the parts of bash and of the package bash-completion that a terminal would bring: what was typed, and the listing of
// files. The scripts of kubectl and of the plugin need _get_comp_words_by_ref or _init_completion, and _filedir, of that package.
const typed = `
shopt -s extglob
compopt() { :; }
_init_completion() { words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=${words[cword]}; prev=${words[cword-1]}; }
_filedir() {
    if [[ $1 == -d ]]; then mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return; fi
    mapfile -t COMPREPLY < <(compgen -d -- "$cur"; compgen -f -X "!*.@(${1%|})" -- "$cur")
}
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE} COLUMNS=200
$start
for word in "${COMPREPLY[@]}"; do printf '%s\n' "$word"; done
`

// bash completes words with a script. how is COMP_TYPE: 9 for Tab, 37 for a menu.
func (m machine) bash(t *testing.T, script string, how int, words ...string) []string {
	t.Helper()
	start := "__start_" + filepath.Base(words[0])
	text := script + fmt.Sprintf("\nstart=%s COMP_TYPE=%d\n", start, how) + typed
	file := filepath.Join(t.TempDir(), "completion.bash")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, _ := m.run(t, "", "/bin/bash", append([]string{"--norc", file}, words...)...)
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	for i, line := range lines {
		lines[i], _, _ = strings.Cut(line, "  (") // the description
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines
}

// Both ways to complete in bash give the same: kubectl's script behind "kubectl tracebloc", and the plugin's own behind its file name.
func TestBash(t *testing.T) {
	m := newMachine(t, "a.csv", "b.txt", "spec.yaml", "spec.yml", "other.json", "data/labels.csv", "run.log")
	scripts := map[string]string{}
	scripts["kubectl"], _ = m.run(t, "", "kubectl", "completion", "bash")
	scripts["kubectl-tracebloc"], _ = m.run(t, "", "kubectl-tracebloc", "completion", "bash")
	for _, tt := range []struct{ words, want []string }{
		{[]string{"push", ""}, []string{"a.csv", "data"}},
		{[]string{"push", "-f", ""}, []string{"data", "other.json", "spec.yaml", "spec.yml"}},
		{[]string{"validate", "spec"}, []string{"spec.yaml", "spec.yml"}},
		{[]string{"logs", "--filename", ""}, []string{"b.txt", "data", "run.log"}},
		{[]string{"push", "--intent", "tr"}, []string{"train"}},
		{[]string{"push", "--task", "time_s"}, []string{"time_series_classification", "time_series_forecasting"}},
		{[]string{"status", ""}, []string{"5a3901", "77aa"}},
		{[]string{"logs", "job/ingest-job-5"}, []string{"job/ingest-job-5a3901"}},
		{[]string{"info", "--table", ""}, []string{"pets"}},
		{[]string{"runs", "-n", "m"}, []string{"ml", "mobile"}},
		{[]string{"completion", "b"}, []string{"bash"}},
	} {
		for name, script := range scripts {
			line := append([]string{name}, tt.words...)
			if name == "kubectl" {
				line = append([]string{name, "tracebloc"}, tt.words...)
			}
			for _, how := range []int{9, 37} {
				got := m.bash(t, script, how, line...)
				slices.Sort(got)
				if !slices.Equal(got, tt.want) {
					t.Errorf("%q (%d): got %q, want %q", line, how, got, tt.want)
				}
			}
		}
	}
	if _, err := os.Stat(filepath.Join(m.dir, "owned")); err == nil {
		t.Error("a name from the cluster was executed")
	}
}

// Every shell that is here reads its script; of the others the text has to do, which pkg/cmd's tests look at.
func TestScriptsParse(t *testing.T) {
	m := newMachine(t)
	read := 0
	for shell, check := range map[string][]string{
		"bash":       {"bash", "-n"},
		"zsh":        {"zsh", "-n"},
		"fish":       {"fish", "--no-execute"},
		"powershell": {"pwsh", "-NoProfile", "-NonInteractive", "-Command", "$e = $null; [void][System.Management.Automation.Language.Parser]::ParseFile($args[0], [ref]$null, [ref]$e); exit $e.Count"},
	} {
		script, _ := m.run(t, "", "kubectl-tracebloc", "completion", shell)
		if !strings.Contains(script, "kubectl-tracebloc") || !strings.Contains(script, "__complete") {
			t.Errorf("%s: the script does not ask the plugin", shell)
		}
		path, err := exec.LookPath(check[0])
		if err != nil {
			t.Logf("%s is not here", check[0])
			continue
		}
		file := filepath.Join(t.TempDir(), "completion."+shell)
		if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
		m.run(t, "", path, append(slices.Clone(check[1:]), file)...)
		read++
	}
	if read == 0 {
		t.Error("no shell is here, not even bash")
	}
}
