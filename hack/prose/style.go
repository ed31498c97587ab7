package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxLine is the longest line of prose, in characters. A table's row is one line however long it is.
const maxLine = 200

// checkHeadings wants one title at most, and no level left out: readers with a screen reader go by them, and so do outlines.
func checkHeadings(p *page) []problem {
	var problems []problem
	titles, above := 0, 1
	for _, h := range p.headings {
		if h.level == 1 {
			titles++
		}
		switch {
		case h.text == "":
			problems = append(problems, problem{p.name, h.line, "the heading is empty"})
		case h.level == 1 && titles > 1:
			problems = append(problems, problem{p.name, h.line, fmt.Sprintf("%q is a second title; a page has one", h.text)})
		case h.level > above+1:
			problems = append(problems, problem{p.name, h.line, fmt.Sprintf("heading %q has level %d after level %d", h.text, h.level, above)})
		}
		above = h.level
	}
	return problems
}

// machine is a path that only the machine of whoever wrote it has. /home/user and /home/runner stand for anybody's.
var machine = regexp.MustCompile(`(?:^|[\s"'(=:` + "`" + `])((?:/root|/work|/Users|/home/[A-Za-z0-9_.-]+|[A-Za-z]:\\Users)[/\\][^\s"'` + "`" + `)]*)`)

// checkPaths looks at code too: that is where such paths are pasted.
func checkPaths(p *page) []problem {
	var problems []problem
	for i, line := range strings.Split(p.text, "\n") {
		for _, m := range machine.FindAllStringSubmatch(line, -1) {
			if !strings.HasPrefix(m[1], "/home/user/") && !strings.HasPrefix(m[1], "/home/runner/") {
				problems = append(problems, problem{p.name, i + 1, fmt.Sprintf("%q is a path of one machine", m[1])})
			}
		}
	}
	return problems
}

// checkLines looks at the lines that are no code.
func checkLines(p *page) []problem {
	var problems []problem
	prose := strings.Split(p.prose, "\n")
	for i, line := range strings.Split(p.text, "\n") {
		if strings.HasPrefix(prose[i], hidden) && strings.Trim(prose[i], hidden) == "" {
			continue
		}
		if n := utf8.RuneCountInString(line); n > maxLine && !strings.HasPrefix(line, "|") {
			problems = append(problems, problem{p.name, i + 1, fmt.Sprintf("the line has %d characters; break it, %d is the limit", n, maxLine)})
		}
		if strings.TrimRight(line, " \t") != line {
			problems = append(problems, problem{p.name, i + 1, "there are spaces at the end of the line"})
		}
	}
	return problems
}
