package cmd

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight"
	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
)

// GitHub shows ten annotations of a severity for a step, and fifty for a job;
// the log of the step has the others.
const (
	githubPerRule = 10
	githubTotal   = 50
)

// githubTitle is the title of what is about no rule.
const githubTitle = "kubectl tracebloc validate"

// github writes the report as workflow commands of GitHub Actions: one line a
// finding, errors first, after one that counts what is left out.
func (r *validationReport) github(w workspace) []byte {
	var b strings.Builder
	items, omitted := r.worst(githubPerRule, githubTotal)
	if omitted > 0 {
		text := fmt.Sprintf("%s, %s, %s; %d of them are not shown here, -o json has more",
			plural(int64(r.Status.Errors), "error"), plural(int64(r.Status.Warnings), "warning"), plural(int64(r.Status.Notes), "note"), omitted)
		b.WriteString(workflowCommand(items[0].Severity, [][2]string{{"title", githubTitle}}, text))
	}
	for _, item := range items {
		properties, text := item.annotation(w)
		b.WriteString(workflowCommand(item.Severity, append(properties, [2]string{"title", item.Rule}), text))
	}
	if r.failure != "" {
		b.WriteString(workflowCommand(preflight.SeverityError, [][2]string{{"title", githubTitle}}, r.failure))
	}
	return []byte(b.String())
}

// annotation is where an item is shown, and its text. Standard input is no file
// that an annotation could stand beside.
func (i findingItem) annotation(w workspace) (properties [][2]string, text string) {
	text = i.text()
	switch i.File {
	case "":
		return nil, text
	case stdinFile:
		place := stdinFile
		if i.Line > 0 {
			place += fmt.Sprintf(":%d:%d", i.Line, i.Col)
		}
		return nil, place + ": " + text
	}
	path, _ := w.place(i.File)
	properties = append(properties, [2]string{"file", path})
	if i.Line > 0 {
		properties = append(properties, [2]string{"line", strconv.FormatInt(i.Line, 10)})
	}
	if i.Col > 0 {
		properties = append(properties, [2]string{"col", strconv.FormatInt(i.Col, 10)})
	}
	return properties, text
}

// workflowCommand is one line. The runner takes every line of the output that
// begins with two colons for a command, and some for one that have ##[ anywhere;
// of foreign text nothing gets to the beginning of a line, or out of its place.
func workflowCommand(severity preflight.Severity, properties [][2]string, message string) string {
	command := map[preflight.Severity]string{preflight.SeverityError: "error", preflight.SeverityWarning: "warning"}[severity]
	if command == "" {
		command = "notice"
	}
	written := make([]string, 0, len(properties))
	for _, p := range properties {
		written = append(written, p[0]+"="+escapeProperty(progress.Escape(p[1])))
	}
	return "::" + command + " " + strings.Join(written, ",") + "::" + escapeData(progress.Escape(message)) + "\n"
}

// escapeData is how the runner expects the text of a command.
func escapeData(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(text)
}

// escapeProperty is how the runner expects the value of a property.
func escapeProperty(value string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(value)
}
