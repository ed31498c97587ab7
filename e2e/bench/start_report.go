package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// startHead begins the section of the page that bench start writes; the next heading of its level ends it. It stands behind
// reportRest, in the part that the other measurements leave alone.
const startHead = "\n## Size and start\n"

func printStart(out io.Writer, where string, rows []startRow) {
	fmt.Fprintln(out, where)
	fmt.Fprintf(out, "%-52s %10s %10s %4s   %s\n", "WORK", "AT MOST", "MEASURED", "MET", "BESIDE")
	for _, r := range rows {
		fmt.Fprintf(out, "%-52s %10s %10s %4s   %s of %s\n", strings.ReplaceAll(r.work, "`", ""), r.most(), r.format(r.measured), r.verdict(), r.format(r.yardstick), r.beside)
	}
}

// most is the limit as text.
func (r startRow) most() string {
	if r.limit == 0 {
		return "none"
	}
	return r.format(r.limit)
}

// writeStart writes the section into the page, in place of what it held, or at the page's end.
func writeStart(path, where string, rows []startRow) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	var section strings.Builder
	section.WriteString(startHead)
	section.WriteString("\n`make bench-start` writes this section. CPU time is what a command uses of all cores, in user and system mode.\n")
	fmt.Fprintf(&section, "\nMeasured on %s.\n\n", where)
	section.WriteString("| work | at most | measured | met | beside |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		fmt.Fprintf(&section, "| %s | %s | %s | %s | %s of `%s` |\n", r.work, r.most(), r.format(r.measured), r.verdict(), r.format(r.yardstick), r.beside)
	}
	before, rest, found := strings.Cut(string(old), startHead)
	if found {
		if _, after, more := strings.Cut(rest, "\n## "); more {
			section.WriteString("\n## " + after)
		}
	}
	if err := os.WriteFile(path, []byte(before+section.String()), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
