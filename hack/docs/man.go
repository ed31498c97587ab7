package main

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manSection is that of programs which people run.
const manSection = "1"

// edition is what the footer of a man page says. It has no time of day, so that the pages of one commit are the same bytes on every
// machine. Either field may be empty.
type edition struct {
	version string
	date    string // "2026-11-24"
}

// writeManPages writes a page for every command into dir, which is made where it is missing.
func writeManPages(dir string, e edition) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, c := range available(newRoot()) {
		if err := os.WriteFile(filepath.Join(dir, manFile(c)), []byte(manPage(c, e)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// available is the command and everything below it that help would show.
func available(c *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && !sub.IsAdditionalHelpTopicCommand() {
			all = append(all, available(sub)...)
		}
	}
	return all
}

// manName is what man is asked for: man kubectl-tracebloc-push.
func manName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

func manFile(c *cobra.Command) string { return manName(c) + "." + manSection }

// manPage is the page of one command in man(7), which every man program reads.
func manPage(c *cobra.Command, e edition) string {
	p := &troff{}
	root := c.Root()
	p.macro("TH", strings.ToUpper(manName(c)), manSection, e.date, strings.TrimSpace(manName(root)+" "+e.version), root.CommandPath())
	// Names of commands are long: breaking them, or blanks to fill the line, would make them hard to read.
	p.macro("nh")
	p.b.WriteString(".ad l\n")
	p.macro("SH", "NAME")
	p.text(manName(c) + " - " + c.Short)
	p.macro("SH", "SYNOPSIS")
	p.text(bold(synopsis(c)) + " [options]")

	long, codes := splitCodes(cmp.Or(c.Long, c.Short))
	p.macro("SH", "DESCRIPTION")
	p.prose(long)
	manCommands(p, c)
	manFlags(p, c)
	if len(codes) > 0 {
		p.macro("SH", "EXIT STATUS")
		for _, code := range codes {
			p.item(bold(code.number))
			p.text(code.meaning)
		}
	}
	manExamples(p, c.Example)
	p.macro("SH", "SEE ALSO")
	p.text(strings.Join(related(c), ", "))
	return p.String()
}

func synopsis(c *cobra.Command) string {
	line := strings.TrimSuffix(c.UseLine(), " [flags]")
	if len(available(c)) > 1 && !strings.Contains(line, "COMMAND") {
		line += " COMMAND"
	}
	return line
}

// codesBlock is the end of every help text, as pkg/cmd writes it.
var codesBlock = regexp.MustCompile(`(?s)\n*Exit codes:\n(.*)$`)

var codeLine = regexp.MustCompile(`(?m)^ *\* (\d+): (.+)$`)

type exitCode struct{ number, meaning string }

// splitCodes takes the exit codes out of a help text.
func splitCodes(long string) (rest string, codes []exitCode) {
	at := codesBlock.FindStringSubmatchIndex(long)
	if at == nil {
		return long, nil
	}
	for _, m := range codeLine.FindAllStringSubmatch(long[at[2]:at[3]], -1) {
		codes = append(codes, exitCode{m[1], m[2]})
	}
	return long[:at[0]], codes
}

func manCommands(p *troff, c *cobra.Command) {
	for i, sub := range available(c)[1:] {
		if i == 0 {
			p.macro("SH", "COMMANDS")
		}
		p.item(bold(manName(sub)) + "(" + manSection + ")")
		p.text(sub.Short)
	}
}

// manFlags lists the command's own flags. Those of every command stand on one page, that of the command which prints them.
func manFlags(p *troff, c *cobra.Command) {
	own, global := c.NonInheritedFlags(), c.InheritedFlags()
	if c == c.Root() {
		own, global = c.PersistentFlags(), nil
	}
	if own.HasAvailableFlags() {
		p.macro("SH", "OPTIONS")
		listFlags(p, own)
	}
	if global == nil || !global.HasAvailableFlags() {
		return
	}
	p.macro("SH", "GLOBAL OPTIONS")
	p.text(bold(manName(c.Root())) + "(" + manSection + ") has the options that every command takes.")
}

// listFlags words flags as the help does: with their default.
func listFlags(p *troff, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Deprecated != "" {
			return
		}
		_, usage := pflag.UnquoteUsage(f)
		name := bold("--"+f.Name) + "=" + f.DefValue
		if f.Value.Type() == "string" {
			name = bold("--"+f.Name) + "='" + f.DefValue + "'"
		}
		if f.Shorthand != "" && f.ShorthandDeprecated == "" {
			name = bold("-"+f.Shorthand) + ", " + name
		}
		p.item(name)
		p.text(usage)
	})
}

// manExamples sets the comment above each example as text: it may be broken into lines, a command may not.
func manExamples(p *troff, examples string) {
	if strings.TrimSpace(examples) == "" {
		return
	}
	p.macro("SH", "EXAMPLES")
	var code []string
	flush := func() {
		p.verbatim(code)
		code = nil
	}
	for line := range strings.Lines(examples) {
		line = strings.TrimSpace(line)
		comment, isComment := strings.CutPrefix(line, "# ")
		switch {
		case line == "":
			flush()
		case isComment:
			flush()
			p.paragraph()
			p.text(comment + ":")
		default:
			code = append(code, line)
		}
	}
	flush()
}

// related names the pages that are one step away.
func related(c *cobra.Command) []string {
	pages := []string{bold("kubectl") + "(" + manSection + ")"}
	if c.HasParent() {
		pages = append(pages, bold(manName(c.Parent()))+"("+manSection+")")
		for _, sibling := range available(c.Parent())[1:] {
			if sibling != c && sibling.Parent() == c.Parent() {
				pages = append(pages, bold(manName(sibling))+"("+manSection+")")
			}
		}
	}
	return pages
}
