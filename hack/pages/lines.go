package pages

import "strings"

// Line is one command line that a page shows.
type Line struct {
	Page string
	// Number is the line of the page that it begins on.
	Number int
	// Text is what is to be typed; it has several lines where the shell would ask for more.
	Text string
	// Output is what the page shows below it.
	Output []string
}

// Prompt is how a console block marks what is to be typed.
const Prompt = "$ "

// Lines are the command lines of the page: those behind a prompt in console blocks, and every line of shell blocks. The examples
// of a page that is generated from a command's help stand in a block without a word behind its fence.
func (p Page) Lines() []Line {
	var lines []Line
	for _, b := range p.Blocks() {
		switch {
		case strings.HasPrefix(b.Text, "#!"): // a file, not something to type
		case b.Info == "console":
			lines = append(lines, p.console(b)...)
		case b.Info == "sh" || b.Info == "bash" || b.Info == "shell":
			lines = append(lines, p.script(b)...)
		case b.Info == "" && b.Section == "Examples" && strings.HasPrefix(p.Name, "docs/commands/"):
			lines = append(lines, p.script(b)...)
		}
	}
	return lines
}

// console reads a terminal session: a command goes on as long as the shell would ask for more.
func (p Page) console(b Block) []Line {
	var lines []Line
	open := false
	for i, text := range strings.Split(strings.TrimSuffix(b.Text, "\n"), "\n") {
		last := len(lines) - 1
		switch {
		case open:
			lines[last].Text += "\n" + strings.TrimPrefix(text, "> ")
			open = !Complete(lines[last].Text)
		case strings.HasPrefix(text, Prompt):
			lines = append(lines, Line{Page: p.Name, Number: b.Line + i, Text: strings.TrimPrefix(text, Prompt)})
			open = !Complete(lines[last+1].Text)
		case last >= 0:
			lines[last].Output = append(lines[last].Output, text)
		}
	}
	return lines
}

// script reads a piece of a script; comments and blank lines say nothing to a shell.
func (p Page) script(b Block) []Line {
	var lines []Line
	open := false
	for i, text := range strings.Split(b.Text, "\n") {
		trimmed := strings.TrimSpace(text)
		switch {
		case open:
			last := &lines[len(lines)-1]
			last.Text += "\n" + text
			open = !Complete(last.Text)
		case trimmed == "" || strings.HasPrefix(trimmed, "#"):
		default:
			lines = append(lines, Line{Page: p.Name, Number: b.Line + i, Text: trimmed})
			open = !Complete(trimmed)
		}
	}
	return lines
}

// Shown are the parts of a page's block that look like a call of the plugin, whatever the block is: a workflow's step, a usage
// line. Only the flags of such a call can be held against the plugin.
func (p Page) Shown() []Line {
	var shown []Line
	for _, b := range p.Blocks() {
		if b.Info == "console" || b.Info == "sh" || b.Info == "bash" || b.Info == "shell" {
			continue
		}
		for i, text := range strings.Split(b.Text, "\n") {
			text = strings.TrimSpace(text)
			for _, marker := range []string{"- run: ", "run: ", "- ", "# "} {
				text = strings.TrimPrefix(text, marker)
			}
			if strings.HasPrefix(text, "kubectl tracebloc") {
				shown = append(shown, Line{Page: p.Name, Number: b.Line + i, Text: text})
			}
		}
	}
	for _, span := range p.CodeSpans() {
		if strings.HasPrefix(span.Text, "kubectl tracebloc") {
			shown = append(shown, span)
		}
	}
	return shown
}
