package explain

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Widths of the text, in characters, as in kubectl explain.
const (
	textWidth = 76
	listWidth = 78
	indent    = 4
	// shownValues is how many values of an enum a list of fields shows; the field itself shows all.
	shownValues = 4
)

// Print writes what there is to say about a field: its type, what it means, which values it takes, which tasks need it, an
// example, and the fields in it. With recursive, all fields below it are listed by name and type only.
func (s *Schema) Print(w io.Writer, f Field, recursive bool) error {
	var p page
	s.header(&p, f)
	p.section("DESCRIPTION", wrap(description(f.node), textWidth))
	s.facts(&p, f)
	example, err := s.example(f)
	if err != nil {
		return err
	}
	p.section("EXAMPLE", example)
	if holder := f.node.holder(); len(holder.Properties) > 0 {
		p.line(0, "FIELDS:")
		s.list(&p, holder, f.names, 1, recursive)
		if recursive {
			p.line(0, "")
		}
	}
	_, err = io.WriteString(w, p.text.String())
	return err
}

// page collects the lines of an answer.
type page struct{ text strings.Builder }

func (p *page) line(indent int, text string) {
	if text != "" {
		p.text.WriteString(strings.Repeat(" ", indent))
	}
	p.text.WriteString(text)
	p.text.WriteByte('\n')
}

// section writes a title and indented lines, or nothing where there are none.
func (p *page) section(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	p.line(0, title+":")
	for _, line := range lines {
		p.line(indent, line)
	}
	p.line(0, "")
}

// header says which document and field this is.
func (s *Schema) header(p *page, f Field) {
	group, version, found := strings.Cut(s.fixed("apiVersion"), "/")
	if !found {
		group, version = "", group
	}
	for _, row := range []struct{ name, value string }{{"GROUP", group}, {"KIND", s.fixed("kind")}, {"VERSION", version}} {
		if row.value != "" {
			p.line(0, fmt.Sprintf("%-11s %s", row.name+":", row.value))
		}
	}
	p.line(0, "")
	if len(f.names) == 0 {
		return
	}
	p.line(0, "FIELD: "+quoteUnsafe(f.names[len(f.names)-1])+" <"+f.node.typeName()+">"+mark(f.required, " -required-"))
	if values := f.node.choices(); len(values) > 0 {
		p.section("ENUM", values)
		return
	}
	p.line(0, "")
}

// facts are the sections between the description and the example.
func (s *Schema) facts(p *page, f Field) {
	p.section("LIMITS", f.node.limits())
	if !f.node.Default.IsZero() {
		p.section("DEFAULT", []string{shown(f.node.Default)})
	}
	p.section("REQUIRED", s.requirements(f))
	verdicts := s.verdicts(f)
	if len(f.names) == 0 {
		verdicts = nil // the document is needed by every task
	}
	width := 0
	for _, v := range verdicts {
		width = max(width, len(v.task))
	}
	lines := make([]string, len(verdicts))
	for i, v := range verdicts {
		lines[i] = fmt.Sprintf("%-*s  %s", width, v.task, v.text)
	}
	p.section("TASKS", lines)
}

// list writes the fields of an object.
func (s *Schema) list(p *page, holder *node, names []string, level int, recursive bool) {
	margin := 2 * level
	for _, child := range holder.Properties {
		f := newField(child.node, below(names, child.name), holder)
		p.line(margin, child.name+"\t<"+child.node.typeName()+">"+mark(f.required, " -required-")+
			mark(!f.required && s.neededBySome(f.Path), " -required by some tasks-"))
		if values := child.node.choices(); len(values) > shownValues {
			p.line(margin, "enum: "+strings.Join(values[:shownValues], ", ")+", ....")
		} else if len(values) > 0 {
			p.line(margin, "enum: "+strings.Join(values, ", "))
		}
		if recursive {
			s.list(p, child.node.holder(), f.names, level+1, true)
			continue
		}
		for _, line := range wrap(child.node.Description, listWidth-margin) {
			p.line(margin+2, line)
		}
		p.line(0, "")
	}
}

func mark(set bool, text string) string {
	if set {
		return text
	}
	return ""
}

// description is that of the place, and of the entries of a map.
func description(n *node) string {
	if values := n.values(); values != nil && n.Description != "" && values.Description != "" {
		return n.Description + "\n" + values.Description
	}
	return n.Description
}

// choices are the values that a place can have, where the schema counts them.
func (n *node) choices() []string {
	if !n.Const.IsZero() {
		return []string{shown(n.Const)}
	}
	values := make([]string, len(n.Enum))
	for i, value := range n.Enum {
		values[i] = shown(value)
	}
	return values
}

// limits words what else the schema asks of a value.
func (n *node) limits() []string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	switch {
	case n.MinItems != nil && n.MaxItems != nil && *n.MinItems == *n.MaxItems:
		add("exactly %d items", *n.MinItems)
	case n.MinItems != nil:
		add("at least %s", count(*n.MinItems, "item"))
	}
	if n.MaxItems != nil && (n.MinItems == nil || *n.MinItems != *n.MaxItems) {
		add("at most %s", count(*n.MaxItems, "item"))
	}
	if n.MinProperties != nil {
		add("at least %s", count(*n.MinProperties, "field"))
	}
	if n.MinLength != nil {
		add("at least %s", count(*n.MinLength, "character"))
	}
	if n.Minimum != nil {
		add("at least %d", *n.Minimum)
	}
	if n.Items != nil {
		for _, limit := range n.Items.limits() {
			add("each item: %s", limit)
		}
	}
	return lines
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// shown is a scalar as text, in quotes where it would not be seen.
func shown(value yaml.Node) string {
	if value.ShortTag() == "!!str" && strings.Trim(value.Value, " \t,\"'`\\;|") == "" {
		return strconv.Quote(value.Value)
	}
	return value.Value
}

// quoteUnsafe is a name that came from the user, fit for a terminal.
func quoteUnsafe(name string) string {
	if quoted := strconv.Quote(name); quoted != `"`+name+`"` {
		return quoted
	}
	return name
}

// wrap breaks text into lines of at most width characters; a longer word has a line of its own.
func wrap(text string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
				lines = append(lines, line)
				line = ""
			}
			if line != "" {
				line += " "
			}
			line += word
		}
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
