package expat

import (
	"strings"
)

const (
	xmlNamespace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsNamespace = "http://www.w3.org/2000/xmlns/"
)

// binding binds a prefix, or "" for names without one, to a namespace.
type binding struct {
	prefix, uri string
	outer       int // the binding of the prefix that this one hides, -1 for none
}

func (b binding) size() int { return bindingSize + len(b.prefix) + len(b.uri) }

// startTag reads a start tag behind its bracket.
func (p *parser) startTag(first rune) {
	line := p.line
	if p.rooted && len(p.open) == 0 {
		p.fail("an element stands behind the root element")
	}
	name, r := p.name(first)
	p.hold(len(name))
	element := element{name: name, bindings: len(p.bindings)}
	r = p.readAttributes(name, r)
	full := p.expand(name)
	if r == '/' {
		p.expect(">")
	}
	p.openElement(element, full, line)
	if r == '/' {
		p.closeElement()
	}
}

// readAttributes reads the attributes of a start tag behind its name, and returns the character behind them. Their names
// are held until then, because each may be given once only.
func (p *parser) readAttributes(element string, r rune) rune {
	var prefixed []string
	held := 0
	note := func(name string) {
		p.attributes[name] = true
		p.hold(len(name))
		held += len(name)
	}
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
			p.fail("not well-formed: the tag of %s is broken", quoted(element))
			return r
		}
		attribute := p.attribute(r)
		if p.attributes[attribute] {
			p.fail("attribute %s is given twice", quoted(attribute))
		}
		note(attribute)
		if strings.Contains(attribute, ":") && !strings.HasPrefix(attribute, "xmlns:") {
			prefixed = append(prefixed, attribute)
		}
		if len(p.attributes) > maxAttributes {
			p.fail("an element has more than %d attributes", maxAttributes)
		}
		r = p.next()
	}
	for _, attribute := range prefixed {
		if p.err != nil {
			return r
		}
		full := p.expand(attribute)
		if p.attributes[full] {
			p.fail("attribute %s is given twice, by two prefixes", quoted(attribute))
		}
		note(full)
	}
	p.held -= held
	return r
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
	p.held -= len(p.open[last].name)
	p.unbind(p.open[last].bindings)
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
	b := binding{prefix: prefix, uri: uri, outer: -1}
	if i, ok := p.bound[prefix]; ok {
		b.outer = i
	}
	p.bound[prefix] = len(p.bindings)
	p.bindings = append(p.bindings, b)
	p.hold(b.size())
}

// unbind takes back all bindings but the first ones.
func (p *parser) unbind(first int) {
	for i := len(p.bindings) - 1; i >= first; i-- {
		b := p.bindings[i]
		p.held -= b.size()
		if b.outer < 0 {
			delete(p.bound, b.prefix)
		} else {
			p.bound[b.prefix] = b.outer
		}
	}
	clear(p.bindings[first:])
	p.bindings = p.bindings[:first]
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
	if i, ok := p.bound[prefix]; ok {
		if uri := p.bindings[i].uri; uri != "" {
			return "{" + uri + "}" + local
		}
		return local
	}
	if found {
		p.fail("prefix %s of %s is not declared", quoted(prefix), quoted(name))
	}
	return local
}
