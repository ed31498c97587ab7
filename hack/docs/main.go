// docs writes what is generated from the code, so that it cannot differ from it: the pages of docs/ that are the command
// reference and the list of preflight rules, and the man pages.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/tracebloc/kubectl-tracebloc/pkg/cmd"
	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight"
)

func main() {
	err := run(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run writes the pages of the one directory that the command line names.
func run(args []string) error {
	flags := flag.NewFlagSet("docs", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: docs DIRECTORY\n       docs -man [-version VERSION] [-date YYYY-MM-DD] DIRECTORY")
		flags.PrintDefaults()
	}
	man := flags.Bool("man", false, "write man pages, and nothing else")
	version := flags.String("version", "", "version in the footer of the man pages; none by default")
	date := flags.String("date", "", "day of the release in the footer of the man pages; none by default")
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp // what is wrong has been printed
	}
	if flags.NArg() != 1 || !*man && flags.NFlag() > 0 {
		flags.Usage()
		return flag.ErrHelp
	}
	if !*man {
		return generate(flags.Arg(0))
	}
	if *date != "" {
		if _, err := time.Parse(time.DateOnly, *date); err != nil {
			return fmt.Errorf("-date=%q: must be a day such as 2026-11-24", *date)
		}
	}
	return writeManPages(flags.Arg(0), edition{version: *version, date: *date})
}

func generate(dir string) error {
	if err := writeCommands(filepath.Join(dir, "commands")); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "preflight.md"), []byte(rulesPage()), 0o644)
}

func writeCommands(dir string) error {
	root := newRoot()
	withoutDate(root)
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return doc.GenMarkdownTreeCustom(root, dir, func(string) string { return "" }, pageName)
}

// newRoot is the command tree, with nothing in it of whoever generates the pages.
func newRoot() *cobra.Command {
	root := cmd.NewRootCommand("", genericiooptions.IOStreams{In: os.Stdin, Out: io.Discard, ErrOut: io.Discard})
	// The default cache directory is in a home.
	if f := root.PersistentFlags().Lookup("cache-dir"); f != nil {
		f.DefValue = "$HOME/.kube/cache"
	}
	return root
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
