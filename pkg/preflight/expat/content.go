package expat

import (
	"slices"
	"strings"
)

// content reads the next piece of the document: markup, a reference, or one character. It is false at the end.
func (p *parser) content() bool {
	r := p.next()
	if r == '<' || r == '&' {
		p.brackets = 0
	}
	switch {
	case r == eof:
		return p.endInput()
	case r == '<':
		p.markup()
	case r == '&' && len(p.open) > 0:
		p.reference(p.character)
	case len(p.open) > 0:
		p.bracket(r)
		p.character(r)
	case !isSpace(r):
		p.fail("text stands outside of the root element")
	}
	return true
}

func (p *parser) character(r rune) { p.events.Text(r) }

// bracket refuses the end of a CDATA section outside of one.
func (p *parser) bracket(r rune) {
	switch {
	case r == ']':
		p.brackets++
	case r == '>' && p.brackets >= 2:
		p.fail("not well-formed: ]]> stands in text")
	default:
		p.brackets = 0
	}
}

// endInput goes back from an entity to where it was named; it is false at the end of the document.
func (p *parser) endInput() bool {
	in := p.input()
	switch {
	case p.err != nil:
		return false
	case in.entity != nil:
		if len(p.open) != in.depth {
			p.fail("an element does not end in the entity in which it begins")
		}
		p.leave()
		return true
	case !p.rooted:
		p.fail("no element found")
	case len(p.open) > 0:
		p.fail("element %s is never closed", quoted(p.open[len(p.open)-1].name))
	}
	return false
}

// markup reads what begins with a pointed bracket.
func (p *parser) markup() {
	switch r := p.next(); r {
	case '/':
		p.endTag()
	case '?':
		p.instruction()
	case '!':
		p.declared()
	default:
		p.startTag(r)
	}
}

// declared reads a comment, a CDATA section or the document type.
func (p *parser) declared() {
	switch r := p.next(); {
	case r == '-':
		p.comment()
	case r == '[' && len(p.open) > 0:
		p.expect("CDATA[")
		p.section()
	case r == 'D' && !p.rooted && !p.typed:
		p.expect("OCTYPE")
		p.typed = true
		p.doctype()
	default:
		p.fail("not well-formed: a declaration stands where none may")
	}
}

// comment reads a comment behind its first dash.
func (p *parser) comment() {
	p.expect("-")
	for dashes := 0; p.err == nil; {
		r := p.next()
		switch {
		case r == eof:
			p.fail("a comment is never closed")
		case dashes == 2 && r != '>':
			p.fail("not well-formed: two dashes stand in a comment")
		case dashes == 2:
			return
		case r == '-':
			dashes++
		default:
			dashes = 0
		}
	}
}

// section reads a CDATA section.
func (p *parser) section() {
	for brackets := 0; p.err == nil; {
		r := p.next()
		switch {
		case r == eof:
			p.fail("a CDATA section is never closed")
			return
		case r == '>' && brackets >= 2:
			for range brackets - 2 {
				p.character(']')
			}
			return
		case r == ']':
			brackets++
			continue
		}
		for range brackets {
			p.character(']')
		}
		brackets = 0
		p.character(r)
	}
}

// instruction reads a processing instruction.
func (p *parser) instruction() {
	target, r := p.plainName(p.next())
	if strings.EqualFold(target, "xml") {
		p.fail("the XML declaration is not at the start of the document, or not in lower case")
	}
	if r == '?' {
		p.expect(">")
		return
	}
	if !isSpace(r) {
		p.fail("not well-formed: a processing instruction has no valid name")
	}
	for p.err == nil {
		for r == '?' {
			if r = p.next(); r == '>' {
				return
			}
		}
		if r == eof {
			p.fail("a processing instruction is never closed")
		}
		r = p.next()
	}
}

// declaration reads the XML declaration, if the document begins with one.
func (p *parser) declaration() {
	var start []rune
	for _, want := range "<?xml " {
		r := p.next()
		start = append(start, r)
		if r != want && (want != ' ' || !isSpace(r)) {
			for _, r := range slices.Backward(start) {
				p.back(r)
			}
			return
		}
	}
	p.back(' ')
	names := []string{"version", "encoding", "standalone"}
	for p.err == nil {
		r, spaced := p.space()
		if r == '?' {
			p.expect(">")
			if len(names) == 3 {
				p.fail("XML declaration not well-formed: it has no version")
			}
			return
		}
		name, value := p.pseudo(r)
		for len(names) > 0 && names[0] != name && names[0] != "version" {
			names = names[1:]
		}
		if !spaced || len(names) == 0 || names[0] != name || !p.declares(name, value) {
			p.fail("XML declaration not well-formed: %s", quoted(name))
			return
		}
		names = names[1:]
	}
}

// pseudo reads name="value" of the XML declaration.
func (p *parser) pseudo(first rune) (name, value string) {
	name, r := p.name(first)
	if isSpace(r) {
		r, _ = p.space()
	}
	if r != '=' {
		p.fail("XML declaration not well-formed: %s has no value", quoted(name))
		return name, ""
	}
	r, _ = p.space()
	quote := p.quoteMark(r)
	var b strings.Builder
	for r = p.next(); r != quote; r = p.next() {
		if !isName(r) || r == ':' || r > 'z' || b.Len() > maxName {
			p.fail("XML declaration not well-formed: the value of %s is broken", quoted(name))
			return name, ""
		}
		b.WriteRune(r)
	}
	return name, b.String()
}

// declares takes a value of the XML declaration; it is false for an impossible one.
func (p *parser) declares(name, value string) bool {
	switch name {
	case "encoding":
		if p.wide && !strings.HasPrefix(strings.ToLower(value), "utf-16") {
			p.fail("the document is not in the encoding %s that it declares", quoted(value))
		}
		return value != "" && value[0]|0x20 >= 'a' && value[0]|0x20 <= 'z'
	case "standalone":
		p.dtd.standalone = value == "yes"
		return value == "yes" || value == "no"
	}
	return true
}
