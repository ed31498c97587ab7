package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// pipelineLines finds the command lines of the plugin in a text. What a shell would put in for a variable is a word.
func pipelineLines(text string) (all [][]string) {
	line := regexp.MustCompile(`kubectl[ -]tracebloc ((?:[a-z]+)(?: [^|&;>#\n` + "`" + `]+)?)`)
	for _, m := range line.FindAllStringSubmatch(text, -1) {
		all = append(all, strings.Fields(strings.NewReplacer(`"`, "", `'`, "", `$@`, "DATASET").Replace(m[1])))
	}
	return all
}

// Every command line in the page and the examples is one that the plugin takes.
func TestPipelineLines(t *testing.T) {
	files, err := filepath.Glob("../../docs/examples/ci/*")
	if err != nil || len(files) < 5 {
		t.Fatalf("%q, %v", files, err)
	}
	texts := map[string]string{}
	for _, path := range append(files, "../../docs/ci.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(text)
		if filepath.Ext(path) == ".md" {
			texts[path] = codeBlocks(string(text))
		}
	}
	seen := map[string]bool{}
	for name, text := range texts {
		for _, args := range pipelineLines(text) {
			if err := parsesLine(args); err != nil {
				t.Errorf("%s: kubectl tracebloc %s: %v", name, strings.Join(args, " "), err)
			}
			seen[args[0]] = true
		}
	}
	for _, c := range []string{"validate", "push", "wait", "info", "status"} {
		if !seen[c] {
			t.Errorf("no example of %s", c)
		}
	}
}

// codeBlocks are the code blocks of a page.
func codeBlocks(text string) string {
	var code strings.Builder
	for i, part := range strings.Split(text, "```") {
		if i%2 == 1 {
			code.WriteString(part)
		}
	}
	return code.String()
}

// parsesLine does what a run does before it runs: it finds the command, and reads its flags and arguments.
func parsesLine(args []string) error {
	root := NewRootCommand("v0.0.0", genericiooptions.NewTestIOStreamsDiscard())
	c, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if !c.HasParent() {
		return fmt.Errorf("there is no command %q", args[0])
	}
	if err := c.ParseFlags(rest); err != nil {
		return err
	}
	return c.ValidateArgs(c.Flags().Args())
}

// A command line that the plugin does not take is told from one that it does.
func TestParsesLine(t *testing.T) {
	for line, good := range map[string]bool{
		"push churn --idempotency-key=k --no-progress -o json":  true,
		"wait k -n ml -o json":                                  true,
		"push churn --no-such-flag":                             false,
		"wait k -o":                                             false,
		"puhs churn":                                            false,
		"validate churn/ingest.yaml --data churn -o github":     true,
		"status k -n ml -o jsonpath={.status.phase} --timeouts": false,
	} {
		if err := parsesLine(strings.Fields(line)); (err == nil) != good {
			t.Errorf("%s: %v", line, err)
		}
	}
}
