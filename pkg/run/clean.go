package run

import (
	"regexp"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
)

var (
	// escapeSequence is one ANSI escape: a control sequence, an operating system
	// command up to its end mark, or a two-byte escape.
	escapeSequence = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])`)
	// colorSequence changes colors and weight and nothing else.
	colorSequence = regexp.MustCompile(`\x1b\[[0-9;]*m`)
)

// stripANSI removes escape sequences. What merely looks like the start of one
// stays, for progress.Escape to make visible.
func stripANSI(text string) string {
	if !strings.Contains(text, "\x1b") {
		return text
	}
	return escapeSequence.ReplaceAllString(text, "")
}

// printable makes one line of a Pod's log safe for a terminal: colors are kept
// when asked, other escape sequences go, everything else that could act on a
// terminal becomes visible.
func printable(text string, colors bool) string {
	if !colors || !strings.Contains(text, "\x1b") {
		return progress.Escape(stripANSI(text))
	}
	var b strings.Builder
	for {
		at := colorSequence.FindStringIndex(text)
		if at == nil {
			b.WriteString(progress.Escape(stripANSI(text)))
			break
		}
		b.WriteString(progress.Escape(stripANSI(text[:at[0]])))
		b.WriteString(text[at[0]:at[1]])
		text = text[at[1]:]
	}
	// A line that was cut, or that never switched its color off, must not paint
	// the rest of the terminal.
	b.WriteString("\x1b[0m")
	return b.String()
}

func isBlank(text string) bool { return strings.TrimSpace(stripANSI(text)) == "" }

// maxMessage bounds foreign text inside one sentence of ours.
const maxMessage = 500

// oneLine makes a message from the cluster fit into one line of ours.
func oneLine(text string) string {
	text = progress.Escape(strings.Join(strings.Fields(stripANSI(text)), " "))
	return shorten(text, maxMessage)
}

// shorten cuts text to at most limit bytes at a character's edge.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "..."
}
