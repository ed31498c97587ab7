package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// troff collects the lines of a man page. What its methods take is plain text, with what bold marks.
type troff struct {
	b     strings.Builder
	begun bool // nothing but a heading stands above
}

// fillWidth is where lines of text are broken, in bytes: longer ones are hard to compare.
const fillWidth = 100

// The marks of bold text are control characters, which no help text has.
const (
	boldOn  = "\x01"
	boldOff = "\x02"
)

func bold(s string) string { return boldOn + s + boldOff }

// special is how man(7) wants what troff would otherwise read as an order, or set as another character: a hyphen that can be
// copied from the page is a minus, and a straight quote is no apostrophe.
var special = strings.NewReplacer(
	`\`, `\(rs`,
	"-", `\-`,
	"'", `\(aq`,
	"`", `\(ga`,
	"^", `\(ha`,
	"~", `\(ti`,
	`"`, `\(dq`,
	boldOn, `\fB`,
	boldOff, `\fR`,
)

// escape is the text as troff sets it; all of it is ASCII.
func escape(s string) string {
	var b strings.Builder
	for _, r := range special.Replace(s) {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\[u%04X]`, r)
		}
	}
	return b.String()
}

// line writes a line of text. A dot at its beginning would make it an order, and so would a quote, but those are escaped.
func (p *troff) line(escaped string) {
	if strings.HasPrefix(escaped, ".") {
		escaped = `\&` + escaped
	}
	p.b.WriteString(escaped + "\n")
	p.begun = false
}

// macro writes an order with its arguments. A hyphen stays one there: a date would be none without.
func (p *troff) macro(name string, args ...string) {
	p.b.WriteString("." + name)
	for _, a := range args {
		p.b.WriteString(` "` + strings.ReplaceAll(escape(a), `\-`, "-") + `"`)
	}
	p.b.WriteString("\n")
	p.begun = name == "SH"
}

// paragraph sets off what follows from what stands above it; right below a heading it is set off already.
func (p *troff) paragraph() {
	if !p.begun {
		p.macro("PP")
	}
}

// item begins an entry of a list by its tag.
func (p *troff) item(tag string) {
	p.macro("TP")
	p.line(escape(tag))
}

// text writes one paragraph, filled.
func (p *troff) text(s string) {
	line := ""
	for _, word := range strings.Fields(escape(s)) {
		if line != "" && len(line)+1+len(word) > fillWidth {
			p.line(line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		p.line(line)
	}
}

// verbatim writes lines as they are, set off; none for no lines.
func (p *troff) verbatim(lines []string) {
	if len(lines) == 0 {
		return
	}
	p.paragraph()
	p.macro("RS", "4")
	p.macro("EX")
	for _, line := range lines {
		p.line(escape(line))
	}
	p.macro("EE")
	p.macro("RE")
}

var (
	bullet    = regexp.MustCompile(`^ *[*•-] +`)
	emptyLine = regexp.MustCompile(`\n[ \t]*\n`)
)

// prose writes the paragraphs of a help text: kubectl's templates have joined their lines. Blocks that are set in by four spaces stay
// as they are, and lines with a bullet are a list.
func (p *troff) prose(s string) {
	for _, block := range emptyLine.Split(strings.Trim(s, "\n"), -1) {
		lines := strings.Split(strings.Trim(block, "\n"), "\n")
		switch {
		case strings.TrimSpace(block) == "":
		case bullet.MatchString(lines[0]):
			for _, line := range lines {
				if text := bullet.ReplaceAllString(line, ""); text != line {
					p.b.WriteString(".IP \\(bu 2\n")
					line = text
				}
				p.text(line)
			}
		case strings.HasPrefix(lines[0], "    "):
			for j := range lines {
				lines[j] = strings.TrimPrefix(lines[j], "    ")
			}
			p.verbatim(lines)
		default:
			p.paragraph()
			p.text(block)
		}
	}
}

// String is the page.
func (p *troff) String() string { return p.b.String() }
