// docs writes the pages of docs/ that are generated from the code, so that they cannot differ from it: the command
// reference and the list of preflight rules.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/tracebloc/kubectl-tracebloc/pkg/cmd"
	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: docs DIRECTORY")
		os.Exit(2)
	}
	if err := generate(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func generate(dir string) error {
	if err := writeCommands(filepath.Join(dir, "commands")); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "preflight.md"), []byte(rulesPage()), 0o644)
}

func writeCommands(dir string) error {
	root := cmd.NewRootCommand("", genericiooptions.IOStreams{In: os.Stdin, Out: io.Discard, ErrOut: io.Discard})
	// The default cache directory is that of whoever generates the docs.
	if flag := root.PersistentFlags().Lookup("cache-dir"); flag != nil {
		flag.DefValue = "$HOME/.kube/cache"
	}
	withoutDate(root)
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return doc.GenMarkdownTreeCustom(root, dir, func(string) string { return "" }, pageName)
}

// pageName links to a page by the name of its file: the name that people type has a space.
func pageName(name string) string { return strings.ReplaceAll(name, " ", "-") }

// withoutDate leaves out the line with the date of generation.
func withoutDate(c *cobra.Command) {
	c.DisableAutoGenTag = true
	for _, sub := range c.Commands() {
		withoutDate(sub)
	}
}

func rulesPage() string {
	var b strings.Builder
	b.WriteString("# Preflight rules\n\nWhat `push` and `validate --data` check before anything is sent. An error keeps the ingestor from ingesting the " +
		"dataset cleanly, a\nwarning is ingested but perhaps not as meant, a note is worth knowing. The last column names the section of the " +
		"ingestor's\ncontract that the rule mirrors; `spec` is the contract of the spec.\n")
	for _, g := range preflight.RuleGroups() {
		fmt.Fprintf(&b, "\n## %s\n\n| rule | severity | what | way out | mirrors |\n| --- | --- | --- | --- | --- |\n", g.Title)
		for _, r := range g.Rules {
			section := "§" + r.Section
			if r.Section == "spec" {
				section = r.Section
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", r.ID, r.Severity, cell(r.Summary), cell(r.Remedy), section)
		}
	}
	return b.String()
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
