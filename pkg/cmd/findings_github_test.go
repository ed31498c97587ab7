package cmd

import (
	"strings"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight"
	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
)

// command is what the runner of GitHub Actions makes of one line of output.
type command struct {
	name       string
	properties map[string]string
	data       string
}

// readCommand reads a line as the runner does: the name and the properties end
// at the next two colons, properties are parted by commas, and then escapes are
// undone. A line that is no command fails the test.
func readCommand(t *testing.T, line string) command {
	t.Helper()
	line = strings.TrimRight(line, "\r\n")
	rest, found := strings.CutPrefix(strings.TrimLeft(line, " \t"), "::")
	head, data, ended := strings.Cut(rest, "::")
	if !found || !ended {
		t.Fatalf("%q is no workflow command", line)
	}
	c := command{properties: map[string]string{}}
	name, properties, _ := strings.Cut(head, " ")
	c.name = name
	for _, property := range strings.Split(properties, ",") {
		key, value, ok := strings.Cut(property, "=")
		if !ok || c.properties[key] != "" {
			t.Fatalf("property %q of %q", property, line)
		}
		c.properties[key] = unescapeProperty(value)
	}
	c.data = unescapeData(data)
	return c
}

func unescapeData(text string) string {
	return strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%").Replace(text)
}

func unescapeProperty(text string) string {
	return strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%").Replace(text)
}

// attacks are names and values that would be commands, or properties, if they
// got out of their place.
func attacks() []string {
	return []string{
		"\n::set-output name=x::y", "\r::add-path::/evil", "\r\n::stop-commands::token", "%0A::set-env name=PATH::/evil", "%250A::error::x",
		"::error file=other::x", ",line=7", "a,file=b", "x::y", "##[add-path]/evil", "\n##[set-env name=A]B", " ::debug::x", "\t::debug::x",
		"\x1b[2J", "\u2028::error::x", "\u0085::error::x", "\v::error::x", "\x00", "\xff\xfe::", "%", "%2C", "a%3Ab",
	}
}

// Nothing of a hostile name or value becomes a command of its own, a property,
// or part of one.
func TestWorkflowCommandAttacks(t *testing.T) {
	t.Parallel()
	for _, attack := range attacks() {
		r := newValidationReport(&validateOptions{specs: []string{attack}, data: attack})
		r.add(findingItem{Rule: "file-name", Severity: preflight.SeverityError, File: "d/" + attack, Line: 3, Col: 2, Column: attack, Value: attack, Message: attack, Remedy: attack})
		r.add(findingItem{Rule: ruleSpecField, Severity: preflight.SeverityWarning, File: attack + "/x", Field: attack, Message: attack})
		r.add(findingItem{Rule: ruleSpecField, Severity: preflight.SeverityNote, File: stdinFile, Message: attack})
		r.failure = attack
		lines := splitLines(string(r.github(workspace{root: "/w", dir: "/w"})))
		want := []struct{ name, title string }{{"error", "file-name"}, {"warning", ruleSpecField}, {"notice", ruleSpecField}, {"error", githubTitle}}
		if len(lines) != len(want) {
			t.Fatalf("%q: %d lines: %q", attack, len(lines), lines)
		}
		for i, line := range lines {
			c := readCommand(t, line)
			if c.name != want[i].name || c.properties["title"] != want[i].title {
				t.Errorf("%q: got %+v", attack, c)
			}
			delete(c.properties, "title")
			delete(c.properties, "file")
			if places := len(c.properties); i == 0 && (places != 2 || c.properties["line"] != "3" || c.properties["col"] != "2") || i > 0 && places != 0 {
				t.Errorf("%q: properties %q", attack, c.properties)
			}
		}
	}
}

// splitLines ends lines where any reader of output might.
func splitLines(text string) []string {
	ends := func(r rune) bool { return strings.ContainsRune("\r\n\v\f\u0085\u2028\u2029", r) }
	return strings.FieldsFunc(text, ends)
}

func FuzzWorkflowCommand(f *testing.F) {
	for _, attack := range attacks() {
		f.Add(attack)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got := unescapeData(escapeData(text)); got != text {
			t.Errorf("the runner reads %q for %q", got, text)
		}
		if escaped := escapeProperty(text); strings.ContainsAny(escaped, ":,\r\n") || unescapeProperty(escaped) != text {
			t.Errorf("%q is escaped as %q", text, escaped)
		}
		line := workflowCommand(preflight.SeverityError, [][2]string{{"file", text}, {"title", "t"}}, text)
		if strings.Count(line, "\n") != 1 || len(splitLines(line)) != 1 {
			t.Fatalf("%q is no single line", line)
		}
		c := readCommand(t, line)
		if c.name != "error" || len(c.properties) != 2 || c.properties["title"] != "t" || c.properties["file"] != progress.Escape(text) || c.data != progress.Escape(text) {
			t.Errorf("%q is read as %+v", line, c)
		}
	})
}
