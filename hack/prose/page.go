package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// hidden stands in the prose of a page for each byte that is none.
const hidden = "\x00"

// page is one document. Of Markdown it knows what the documents here use, and what GitHub makes of it.
type page struct {
	name string
	text string
	// prose is text with all code, comments and front matter hidden, so that both have the same offsets.
	prose    string
	headings []heading
	anchors  map[string]bool
	broken   []problem
}

type heading struct {
	line, level int
	text        string
}

var (
	fence    = regexp.MustCompile("^\\s*(?:>\\s*)?(`{3,}|~{3,})(.*)$")
	atx      = regexp.MustCompile(`^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$`)
	listItem = regexp.MustCompile(`^\s*(?:[-*+]|\d+[.)])\s`)
	named    = regexp.MustCompile(`<a\s+(?:name|id)="([^"]+)"`)
)

func parse(name, text string) *page {
	p := &page{name: name, text: text, anchors: map[string]bool{}}
	m := &masker{page: p}
	for i, line := range strings.SplitAfter(text, "\n") {
		m.line(i+1, line)
	}
	if m.fence != "" {
		p.broken = append(p.broken, problem{name, m.opened, "the code block that begins here is not closed"})
	}
	p.prose = hideSpans(hideComments(m.prose.String()))
	p.findHeadings()
	return p
}

// masker goes through the lines of a page and hides those that are code.
type masker struct {
	*page
	prose strings.Builder

	fence  string // what closes the code block, "" outside of one
	opened int    // its first line
	front  bool   // in the front matter
	list   bool   // in a list, where indented lines are text
	blank  bool   // the line before was empty
	code   bool   // the line before was indented code
}

func (m *masker) line(n int, line string) {
	bare := strings.TrimRight(line, "\r\n")
	begins := fence.FindStringSubmatch(bare)
	code := true
	switch {
	case n == 1 && bare == "---":
		m.front = true
	case m.front:
		m.front = bare != "---"
	case m.fence != "":
		if begins != nil && strings.HasPrefix(begins[1], m.fence) && strings.TrimSpace(begins[2]) == "" {
			m.fence = ""
		}
	case begins != nil && !strings.Contains(begins[2], "`"):
		m.fence, m.opened = begins[1], n
	default:
		code = m.indented(bare)
	}
	m.blank = strings.TrimSpace(bare) == ""
	if code {
		line = hide(line)
	}
	m.prose.WriteString(line)
}

// indented tells whether a line is code because it is set in by four spaces after an empty one.
func (m *masker) indented(bare string) bool {
	deep := strings.HasPrefix(bare, "    ") || strings.HasPrefix(bare, "\t")
	empty := strings.TrimSpace(bare) == ""
	switch {
	case listItem.MatchString(bare) && (!deep || m.list):
		m.list = true
	case !empty && !strings.HasPrefix(bare, " ") && m.blank:
		m.list = false
	}
	m.code = deep && !m.list && (m.blank || m.code) || empty && m.code
	return m.code
}

var comment = regexp.MustCompile(`(?s)<!--.*?-->`)

// hide replaces every byte but the ends of lines, so that offsets stay.
func hide(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] != '\n' {
			b[i] = hidden[0]
		}
	}
	return string(b)
}

func hideComments(s string) string { return comment.ReplaceAllStringFunc(s, hide) }

// hideSpans hides code between backquotes: as many of them close it as opened it, in the same paragraph.
func hideSpans(s string) string {
	var b strings.Builder
	for s != "" {
		start := strings.IndexByte(s, '`')
		if start < 0 {
			break
		}
		ticks := len(s[start:]) - len(strings.TrimLeft(s[start:], "`"))
		end := closing(s[start+ticks:], ticks)
		stop := start + ticks
		if end >= 0 {
			stop += end + ticks
			b.WriteString(s[:start] + hide(s[start:stop]))
		} else {
			b.WriteString(s[:stop])
		}
		s = s[stop:]
	}
	return b.String() + s
}

// closing is where exactly so many backquotes stand, before the end of the paragraph; -1 for nowhere.
func closing(s string, ticks int) int {
	if end := paragraphEnd.FindStringIndex(s); end != nil {
		s = s[:end[0]]
	}
	for at := 0; at < len(s); {
		next := strings.IndexByte(s[at:], '`')
		if next < 0 {
			return -1
		}
		at += next
		run := len(s[at:]) - len(strings.TrimLeft(s[at:], "`"))
		if run == ticks {
			return at
		}
		at += run
	}
	return -1
}

var paragraphEnd = regexp.MustCompile(`\n[ \t]*(?:\n|$)`)

// findHeadings reads them from the text, for code belongs to their anchors.
func (p *page) findHeadings() {
	lines, prose := strings.Split(p.text, "\n"), strings.Split(p.prose, "\n")
	seen := map[string]int{}
	for i := range lines {
		m := atx.FindStringSubmatch(lines[i])
		if m == nil || !strings.Contains(prose[i], "#") {
			continue
		}
		p.headings = append(p.headings, heading{line: i + 1, level: len(m[1]), text: m[2]})
		anchor := slug(m[2])
		// GitHub numbers those that are there already.
		if n := seen[anchor]; n > 0 {
			p.anchors[fmt.Sprintf("%s-%d", anchor, n)] = true
		} else {
			p.anchors[anchor] = true
		}
		seen[anchor]++
	}
	for _, m := range named.FindAllStringSubmatch(p.prose, -1) {
		p.anchors[m[1]] = true
	}
}

var (
	linked = regexp.MustCompile(`!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])`)
	tag    = regexp.MustCompile(`</?[a-zA-Z][^>]*>`)
)

// slug is the anchor that GitHub makes of a heading: lower case, spaces as hyphens, and of all else only letters, digits, marks,
// underscores and hyphens.
func slug(heading string) string {
	text := linked.ReplaceAllString(heading, "$1")
	text = tag.ReplaceAllString(text, "")
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', unicode.IsLetter(r), unicode.IsMark(r), unicode.IsDigit(r), unicode.Is(unicode.Pc, r):
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(text))
}

// lineOf is the number of the line of an offset.
func (p *page) lineOf(offset int) int { return 1 + strings.Count(p.text[:offset], "\n") }
