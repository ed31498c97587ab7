package cmd

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/tracebloc/kubectl-tracebloc/hack/pages"
)

// Whatever a page says to type is run: here, on a cluster by e2e/docs, or by what hack/pages/proofs.go names. Every entry of that list
// is needed, and what it names is there.
func TestEveryCommandIsProved(t *testing.T) {
	used := map[string]bool{}
	count := map[pages.Class]int{}
	for _, page := range documentation(t) {
		for _, line := range page.Lines() {
			class, err := pages.Classify(line)
			if err != nil {
				t.Error(err)
				continue
			}
			count[class]++
			if proof, found := pages.ProofOf(line); found {
				used[proof.Match] = true
				if err := proof.Missing("../.."); err != nil {
					t.Errorf("%s:%d: %q: %v", line.Page, line.Number, line.Text, err)
				}
			}
		}
	}
	for _, proof := range pages.Proofs() {
		if !used[proof.Match] {
			t.Errorf("no page has a line that matches %q; take its proof away", proof.Match)
		}
	}
	for _, class := range []pages.Class{pages.Offline, pages.Cluster, pages.Elsewhere} {
		if count[class] < 5 {
			t.Errorf("only %d lines are of class %s: the pages are not read as they are meant", count[class], class)
		}
	}
}

// Every call of the plugin on any page, also in a workflow or in the middle of a sentence, has a command and flags that exist.
func TestShownCallsParse(t *testing.T) {
	seen := 0
	for _, page := range documentation(t) {
		for _, line := range slices.Concat(page.Lines(), page.Shown()) {
			for _, words := range pages.Commands(plain(line.Text)) {
				args, ours := pluginArgs(words)
				if !ours {
					continue
				}
				seen++
				if err := parses(args); err != nil {
					t.Errorf("%s:%d: %s: %v", line.Page, line.Number, line.Text, err)
				}
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d calls are shown: the pages are not read as they are meant", seen)
	}
}

// pluginArgs are the arguments of a call of the plugin.
func pluginArgs(words []string) ([]string, bool) {
	switch {
	case len(words) > 1 && words[0] == "kubectl" && words[1] == "tracebloc":
		return words[2:], true
	case words[0] == binary:
		return words[1:], true
	}
	return nil, false
}

var (
	angled   = regexp.MustCompile(`<([a-z][a-z -]*)>`)
	brackets = strings.NewReplacer("[", " ", "]", " ", "(", " ", ")", " ", "|", " ")
)

// plain makes a call of a line that describes calls: brackets around what may be left out go, and <names> become words.
func plain(text string) string {
	text = angled.ReplaceAllString(text, "NAME")
	if strings.Contains(text, " [") && !strings.ContainsAny(text, `'"`) {
		text = brackets.Replace(text)
	}
	return text
}

// placeholders are the words that stand for a value which is no text.
func placeholders() *strings.Replacer {
	return strings.NewReplacer("DURATION", "1h", "=N", "=1", "…", "x")
}

// parses holds the arguments against the command tree.
func parses(args []string) error {
	if len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || strings.ToUpper(args[0]) == args[0] && args[0] != "") {
		return nil // what a shell asks, and COMMAND
	}
	root := NewRootCommand("", genericiooptions.IOStreams{In: strings.NewReader(""), Out: io.Discard, ErrOut: io.Discard})
	root.InitDefaultHelpCmd()
	for i := range args {
		args[i] = placeholders().Replace(args[i])
	}
	c, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if c == root && len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		return fmt.Errorf("there is no command %q", args[0])
	}
	c.InitDefaultHelpFlag()
	return c.ParseFlags(rest)
}

// The rule by which this file finds out what stands where must be able to say no.
func TestParses(t *testing.T) {
	for line, good := range map[string]bool{
		"push ./a --task=seq2seq":       true,
		"push ./a --tsk=seq2seq":        false,
		"psuh ./a":                      false,
		"wait RUN --timeout=DURATION":   true,
		"wait RUN --timeout=an-hour":    false,
		"help push":                     true,
		"runs -A -o wide --context=abc": true,
	} {
		if err := parses(strings.Fields(line)); (err == nil) != good {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// The table of tasks in the README has all of them, in their order, and README and docs/tasks.md agree on the layout.
func TestREADMEHasEveryTask(t *testing.T) {
	section := docPage(t, "README.md").Section("The sixteen tasks")
	var names []string
	for line := range strings.Lines(section) {
		if m := regexp.MustCompile("^\\| \\[`([a-z0-9_]+)`\\]\\(docs/tasks.md#([a-z0-9_]+)\\) \\|").FindStringSubmatch(line); m != nil && m[1] == m[2] {
			names = append(names, m[1])
		}
	}
	if !slices.Equal(names, taskNames()) {
		t.Errorf("the README has the tasks %q, want %q", names, taskNames())
	}
}

var measured = regexp.MustCompile(`\d+(\.\d+)? (s|times|%)`)

// What the README says of speed is what was measured.
func TestREADMENumbersAreMeasured(t *testing.T) {
	numbers := measured.FindAllString(docPage(t, "README.md").Section("Compared with kubectl cp, and by hand"), -1)
	if len(numbers) < 5 {
		t.Errorf("only %q are compared", numbers)
	}
	benchmarks := docPage(t, "docs/benchmarks.md").Text
	for _, n := range numbers {
		if !strings.Contains(benchmarks, " "+n) {
			t.Errorf("docs/benchmarks.md does not have %q", n)
		}
	}
}

// Links between pages, and to files of the repository, lead somewhere; the README has one to every page.
func TestREADMELinksEveryPage(t *testing.T) {
	readme := docPage(t, "README.md").Text
	for _, page := range documentation(t) {
		if filepath.Dir(filepath.FromSlash(page.Name)) == "docs" && !strings.Contains(readme, "("+page.Name+")") && !strings.Contains(readme, "("+page.Name+"#") {
			t.Errorf("README.md has no link to %s", page.Name)
		}
	}
	for _, m := range regexp.MustCompile(`\]\(([a-zA-Z][^):#]*)[)#]`).FindAllStringSubmatch(readme, -1) {
		if _, err := os.Stat(filepath.Join("..", "..", filepath.FromSlash(m[1]))); err != nil {
			t.Errorf("README.md has a link to %s, which is not there", m[1])
		}
	}
}
