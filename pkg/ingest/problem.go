package ingest

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Severity tells what must be put right from what should be looked at.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Problem is one thing that is wrong in a spec. Line and Col count from 1 and
// are 0 where the spec was not read from a file; Path is empty where the whole
// document is meant. Path and Message hold foreign text only in quoted form.
type Problem struct {
	File     string   `json:"file,omitempty"`
	Line     int      `json:"line,omitempty"`
	Col      int      `json:"column,omitempty"`
	Path     string   `json:"path,omitempty"`
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
}

// String is file:line:col: path: message, without the parts that are unknown.
// Warnings say so in front of the message.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		b.WriteByte(':')
		if p.Line > 0 {
			fmt.Fprintf(&b, "%d:%d:", p.Line, p.Col)
		}
		b.WriteByte(' ')
	}
	if p.Path != "" {
		b.WriteString(p.Path)
		b.WriteString(": ")
	}
	if p.Severity == SeverityWarning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems are the problems of one spec in the order of their places.
type Problems []Problem

// Errors counts the problems that make the spec unusable.
func (ps Problems) Errors() int { return ps.count(SeverityError) }

// Warnings counts the others.
func (ps Problems) Warnings() int { return ps.count(SeverityWarning) }

func (ps Problems) count(s Severity) int {
	n := 0
	for _, p := range ps {
		if p.Severity == s {
			n++
		}
	}
	return n
}

// Err is nil when there are no errors, otherwise an error that lists them, one
// a line.
func (ps Problems) Err() error {
	var lines []string
	for _, p := range ps {
		if p.Severity == SeverityError {
			lines = append(lines, p.String())
		}
	}
	switch len(lines) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("the spec is not valid: %s", lines[0])
	}
	return fmt.Errorf("the spec is not valid:\n  %s", strings.Join(lines, "\n  "))
}

// finding is a problem that has not met the file's positions yet.
type finding struct {
	path     []string // segments; the last may name a field that is not there
	atKey    bool     // the field's name is meant, not its value
	severity Severity
	message  string
	shown    []string // what to show for path, where that holds more than the user wrote
}

func errorAt(message string, path ...string) finding {
	return finding{path: path, severity: SeverityError, message: message}
}

func warningAt(message string, path ...string) finding {
	return finding{path: path, severity: SeverityWarning, message: message}
}

// problems gives findings their places, puts them in order and drops what is
// said twice. A nil document has no places.
func (d *document) problems(findings []finding) Problems {
	var ps Problems
	seen := map[Problem]bool{}
	for _, f := range findings {
		shown := f.path
		if f.shown != nil {
			shown = f.shown
		}
		p := Problem{Path: displayPath(shown), Severity: f.severity, Message: f.message}
		if d != nil {
			p.File = d.name
			p.Line, p.Col = d.position(f.path, f.atKey)
		}
		if !seen[p] {
			seen[p] = true
			ps = append(ps, p)
		}
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col),
			cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	return ps.cut()
}

// maxProblems is how many problems of one spec are told; a file that is no
// spec at all has one in every line.
const maxProblems = 100

// cut ends a long list with the number of what is left out.
func (ps Problems) cut() Problems {
	if len(ps) <= maxProblems {
		return ps
	}
	rest := ps[maxProblems-1:]
	more := Problem{File: rest[0].File, Line: rest[0].Line, Col: rest[0].Col, Severity: SeverityWarning}
	more.Message = fmt.Sprintf("%d more problems from here on are not shown", len(rest))
	if rest.Errors() > 0 {
		more.Severity = SeverityError
	}
	return append(ps[:maxProblems-1:maxProblems-1], more)
}

var (
	plainSegment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
	indexSegment = regexp.MustCompile(`^(?:0|[1-9][0-9]*)$`)
)

// displayPath writes spec.sidecars[0].source, and schema["a b"] for names that
// could be misread.
func displayPath(path []string) string {
	var b strings.Builder
	for i, segment := range path {
		switch {
		case indexSegment.MatchString(segment) && i > 0 && path[0] != "schema":
			b.WriteString("[" + segment + "]")
		case plainSegment.MatchString(segment):
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(segment)
		default:
			b.WriteString("[" + strconv.Quote(segment) + "]")
		}
	}
	return b.String()
}
