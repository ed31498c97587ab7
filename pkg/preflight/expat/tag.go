package expat

import (
	"strings"
)

const (
	xmlNamespace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsNamespace = "http://www.w3.org/2000/xmlns/"
)

// binding binds a prefix, or "" for names without one, to a namespace.
type binding struct{ prefix, uri string }

// startTag reads a start tag behind its bracket.
func (p *parser) startTag(first rune) {
	line := p.line
	if p.rooted && len(p.open) == 0 {
		p.fail("an element stands behind the root element")
	}
	name, r := p.name(first)
	element := element{name: name, bindings: len(p.bindings)}
	var prefixed []string
	clear(p.attributes)
	for p.err == nil {
		spaced := isSpace(r)
		if spaced {
			r, _ = p.space()
		}
		if r == '>' || r == '/' {
			break
		}
		if !spaced {
			p.fail("not well-formed: the tag of %s is broken", quoted(name))
			return
		}
		attribute := p.attribute(r)
		if p.attributes[attribute] {
			p.fail("attribute %s is given twice", quoted(attribute))
		}
		p.attributes[attribute] = true
		if strings.Contains(attribute, ":") && !strings.HasPrefix(attribute, "xmlns:") {
			prefixed = append(prefixed, attribute)
		}
		if len(p.attributes) > maxAttributes {
			p.fail("an element has more than %d attributes", maxAttributes)
		}
		r = p.next()
	}
	for _, attribute := range prefixed {
		full := p.expand(attribute)
		if p.attributes[full] {
			p.fail("attribute %s is given twice, by two prefixes", quoted(attribute))
		}
		p.attributes[full] = true
	}
	full := p.expand(name)
	if r == '/' {
		p.expect(">")
	}
	p.openElement(element, full, line)
	if r == '/' {
		p.closeElement()
	}
}

func (p *parser) openElement(element element, name string, line int64) {
	if len(p.open) == maxDepth {
		p.fail("elements are nested more than %d deep", maxDepth)
	}
	if p.err != nil {
		return
	}
	p.rooted = true
	p.open = append(p.open, element)
	if err := p.events.Start(name, line); err != nil {
		p.err = err
	}
}

func (p *parser) closeElement() {
	if p.err != nil {
		return
	}
	last := len(p.open) - 1
	p.bindings = p.bindings[:p.open[last].bindings]
	p.open = p.open[:last]
	p.events.End()
}

// endTag reads an end tag behind its slash.
func (p *parser) endTag() {
	name, r := p.name(p.next())
	if isSpace(r) {
		r, _ = p.space()
	}
	switch {
	case r != '>':
		p.fail("not well-formed: the end tag of %s is broken", quoted(name))
	case len(p.open) <= p.input().depth:
		p.fail("end tag %s has no start tag", quoted(name))
	case p.open[len(p.open)-1].name != name:
		p.fail("end tag %s stands where element %s is open", quoted(name), quoted(p.open[len(p.open)-1].name))
	}
	p.closeElement()
}

// attribute reads name="value", and binds the prefix that it may declare.
func (p *parser) attribute(first rune) string {
	name, r := p.name(first)
	if isSpace(r) {
		r, _ = p.space()
	}
	if r != '=' {
		p.fail("not well-formed: attribute %s has no value", quoted(name))
	}
	r, _ = p.space()
	p.parted(name)
	declares := name == "xmlns" || strings.HasPrefix(name, "xmlns:")
	value := p.attributeValue(p.quoteMark(r), declares)
	if declares && p.err == nil {
		p.bind(strings.TrimPrefix(strings.TrimPrefix(name, "xmlns"), ":"), value)
	}
	return name
}

// attributeValue reads up to the quote, and returns the value if it is to be kept.
func (p *parser) attributeValue(quote rune, keep bool) string {
	var b strings.Builder
	character := func(r rune) {
		if keep && b.Len() <= maxName {
			b.WriteRune(r)
		}
	}
	level := len(p.inputs)
	for p.err == nil {
		r := p.next()
		switch {
		case r == eof && len(p.inputs) > level:
			p.leave()
		case r == eof:
			p.fail("the value of an attribute is never closed")
		case r == quote && len(p.inputs) == level:
			return b.String()
		case r == '<':
			p.fail("not well-formed: < stands in the value of an attribute")
		case r == '&':
			p.reference(character)
		case isSpace(r):
			character(' ')
		default:
			character(r)
		}
	}
	return ""
}

// bind applies the rules of XML namespaces to a declaration.
func (p *parser) bind(prefix, uri string) {
	switch {
	case prefix == "xmlns", uri == xmlnsNamespace, (prefix == "xml") != (uri == xmlNamespace):
		p.fail("a reserved namespace or prefix is declared")
	case uri == "" && prefix != "":
		p.fail("prefix %s is bound to no namespace", quoted(prefix))
	}
	p.bindings = append(p.bindings, binding{prefix, uri})
}

// parted reports whether a name is one, or two with a colon between them.
func (p *parser) parted(name string) bool {
	prefix, local, found := strings.Cut(name, ":")
	if !found || (prefix != "" && local != "" && !strings.Contains(local, ":") && isNameStart([]rune(local)[0])) {
		return true
	}
	p.fail("not well-formed: a colon stands in name %s", quoted(name))
	return false
}

// expand writes a name with its namespace.
func (p *parser) expand(name string) string {
	prefix, local, found := strings.Cut(name, ":")
	if !found {
		prefix, local = "", name
	}
	if !p.parted(name) {
		return name
	}
	if prefix == "xml" {
		return "{" + xmlNamespace + "}" + local
	}
	for i := len(p.bindings) - 1; i >= 0; i-- {
		if b := p.bindings[i]; b.prefix == prefix && b.uri != "" {
			return "{" + b.uri + "}" + local
		} else if b.prefix == prefix {
			return local
		}
	}
	if found {
		p.fail("prefix %s of %s is not declared", quoted(prefix), quoted(name))
	}
	return local
}
