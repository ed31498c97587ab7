package expat

import (
	"strconv"
	"strings"
)

// dtd is what the document type declares.
type dtd struct {
	entities map[string]*entity
	length   int // of all values
	// standalone says that the document does; skips, that a parameter entity was named, behind which a parser that does
	// not read it takes no declaration any more.
	standalone, skips bool
}

// entity is a general entity of the document.
type entity struct {
	value    string
	external bool // not in the document, or no text: the ingestor does not know it
	open     bool // it is being read
}

// reference reads a reference behind its ampersand, and gives its characters to the receiver, or begins to read the
// entity that it names.
func (p *parser) reference(character func(r rune)) {
	r := p.next()
	if r == '#' {
		character(p.characterReference())
		return
	}
	name, r := p.plainName(r)
	if r != ';' {
		p.fail("not well-formed: a reference has no semicolon")
		return
	}
	switch name {
	case "lt":
		character('<')
	case "gt":
		character('>')
	case "amp":
		character('&')
	case "apos":
		character('\'')
	case "quot":
		character('"')
	default:
		p.enter(name)
	}
}

// enter begins to read an entity.
func (p *parser) enter(name string) {
	e := p.dtd.entities[name]
	switch {
	case e == nil || e.external:
		p.fail("entity %s is not defined in the document", quoted(name))
		return
	case e.open:
		p.fail("entity %s names itself", quoted(name))
		return
	}
	p.expanded += int64(len(e.value))
	if p.expanded > expansionFree && p.direct+p.expanded > expansionFactor*p.direct {
		p.fail("entities make the document more than %d times longer", expansionFactor)
		return
	}
	e.open = true
	p.inputs = append(p.inputs, &stream{r: strings.NewReader(e.value), entity: e, depth: len(p.open)})
}

// leave ends the innermost entity.
func (p *parser) leave() {
	last := len(p.inputs) - 1
	p.inputs[last].entity.open = false
	p.inputs = p.inputs[:last]
}

// characterReference reads a number behind &#.
func (p *parser) characterReference() rune {
	base, r := 10, p.next()
	if r == 'x' {
		base, r = 16, p.next()
	}
	var digits strings.Builder
	for ; r != ';'; r = p.next() {
		if r == eof || r > 'f' {
			p.fail("not well-formed: a reference is no number")
			return ' '
		}
		// A number is at most 0x10ffff, but may have zeros in front.
		if digits.Len() > 0 || r != '0' {
			digits.WriteRune(r)
		}
		if digits.Len() > 8 {
			break
		}
	}
	n, err := strconv.ParseUint(digits.String(), base, 32)
	if err != nil || strings.ContainsAny(digits.String(), "+_") || n > 0x10ffff || !isChar(rune(n)) {
		p.fail("a reference names a character that is not valid")
		return ' '
	}
	return rune(n)
}

// doctype reads a document type declaration behind its first word.
func (p *parser) doctype() {
	r, spaced := p.space()
	if !spaced {
		p.fail("not well-formed: the document type has no name")
	}
	_, r = p.name(r)
	if isSpace(r) {
		r, _ = p.space()
	}
	if r == 'S' || r == 'P' {
		r = p.externalID(r)
	}
	if r == '[' {
		p.subset()
		r, _ = p.space()
	}
	if r != '>' {
		p.fail("not well-formed: the document type declaration is broken")
	}
}

// externalID reads where something outside of the document is, and returns the next character that is no blank.
func (p *parser) externalID(first rune) rune {
	literals := 1
	if first == 'P' {
		p.expect("UBLIC")
		literals = 2
	} else {
		p.expect("YSTEM")
	}
	r := p.next()
	for range literals {
		if !isSpace(r) {
			p.fail("not well-formed: an external identifier is broken")
			return eof
		}
		r, _ = p.space()
		p.skipQuoted(p.quoteMark(r))
		r = p.next()
	}
	if isSpace(r) {
		r, _ = p.space()
	}
	return r
}

func (p *parser) skipQuoted(quote rune) {
	for r := p.next(); r != quote; r = p.next() {
		if r == eof {
			p.fail("a quoted value is never closed")
			return
		}
	}
}

// subset reads the declarations of the document itself.
func (p *parser) subset() {
	for p.err == nil {
		r, _ := p.space()
		switch r {
		case ']':
			return
		case '%':
			if _, r = p.name(p.next()); r != ';' {
				p.fail("not well-formed: a reference has no semicolon")
			}
			p.dtd.skips = !p.dtd.standalone
		case '<':
			p.declarationMarkup()
		default:
			p.fail("not well-formed: the document type declaration is broken")
		}
	}
}

func (p *parser) declarationMarkup() {
	switch r := p.next(); r {
	case '?':
		p.instruction()
		return
	case '!':
	default:
		p.fail("not well-formed: the document type declaration is broken")
		return
	}
	r := p.next()
	if r == '-' {
		p.comment()
		return
	}
	switch word, after := p.name(r); {
	case word == "ENTITY" && isSpace(after):
		p.entity()
	case (word == "ELEMENT" || word == "ATTLIST" || word == "NOTATION") && isSpace(after):
		// Nothing that these declare is known to the ingestor's validator.
		for r = p.next(); r != '>' && p.err == nil; r = p.next() {
			switch r {
			case '"', '\'':
				p.skipQuoted(r)
			case '<', eof:
				p.fail("a declaration is never closed")
			}
		}
	default:
		p.fail("not well-formed: unknown declaration %s", quoted(word))
	}
}

// entity reads a declaration of an entity behind its first word.
func (p *parser) entity() {
	r, _ := p.space()
	parameter := r == '%'
	if parameter {
		var spaced bool
		if r, spaced = p.space(); !spaced {
			p.fail("not well-formed: the declaration of an entity is broken")
		}
	}
	name, r := p.name(r)
	if !isSpace(r) {
		p.fail("not well-formed: entity %s has no value", quoted(name))
	}
	r, _ = p.space()
	e := &entity{}
	if r == 'S' || r == 'P' {
		e.external = true
		r = p.externalID(r)
		if r == 'N' && !parameter {
			p.expect("DATA")
			if r, _ = p.space(); p.err == nil {
				_, r = p.name(r)
			}
		}
	} else {
		e.value = p.entityValue(p.quoteMark(r))
		r = p.next()
	}
	if isSpace(r) {
		r, _ = p.space()
	}
	if r != '>' {
		p.fail("not well-formed: the declaration of entity %s is broken", quoted(name))
	}
	if _, known := p.dtd.entities[name]; parameter || known || p.dtd.skips || p.err != nil {
		return
	}
	if p.dtd.entities == nil {
		p.dtd.entities = map[string]*entity{}
	}
	p.dtd.entities[name] = e
	p.hold(entitySize + len(name))
}

// entityValue reads the value of an entity: references to characters are replaced, those to entities are not yet.
func (p *parser) entityValue(quote rune) string {
	var b strings.Builder
	for p.err == nil {
		r := p.next()
		if p.dtd.length++; p.dtd.length > maxEntities {
			p.fail("the values of entities are longer than %d characters", maxEntities)
		}
		switch r {
		case quote:
			return b.String()
		case eof:
			p.fail("the value of an entity is never closed")
		case '%':
			p.fail("a parameter entity is named in the value of an entity")
		case '&':
			if r = p.next(); r == '#' {
				b.WriteRune(p.characterReference())
				continue
			}
			name, after := p.name(r)
			if after != ';' {
				p.fail("not well-formed: a reference has no semicolon")
			}
			b.WriteString("&" + name + ";")
			p.dtd.length += len(name)
		default:
			b.WriteRune(r)
		}
	}
	return ""
}
