package preflight

import (
	"bufio"
	"errors"
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight/expat"
)

// vocShape is an element of an annotation that the ingestor looks at, and what it looks at inside. Only the first child
// of a name counts, but for those that may come many times.
type vocShape struct {
	name string
	kids []vocShape
	many bool
}

// vocAnnotation is the part of Pascal VOC that is held against rules; everything else is passed over.
func vocAnnotation() vocShape {
	leaves := func(names ...string) []vocShape {
		shapes := make([]vocShape, len(names))
		for i, name := range names {
			shapes[i] = vocShape{name: name}
		}
		return shapes
	}
	box := vocShape{name: "bndbox", kids: leaves("xmin", "ymin", "xmax", "ymax")}
	return vocShape{name: "annotation", kids: append(leaves("folder", "filename", "segmented"),
		vocShape{name: "source", kids: leaves("database", "annotation")},
		vocShape{name: "size", kids: leaves("width", "height", "depth")},
		vocShape{name: "object", many: true, kids: append(leaves("name", "pose", "truncated", "difficult"), box)},
	)}
}

// vocElement is an element that was found.
type vocElement struct {
	shape *vocShape
	line  int64
	text  vocText
	kids  []*vocElement // the first of each of the shape's kids; nil for what is not there
}

// child is the first child of a name; nil for none.
func (e *vocElement) child(name string) *vocElement {
	for i := range e.shape.kids {
		if e.shape.kids[i].name == name {
			return e.kids[i]
		}
	}
	return nil
}

// missing lists the children that are not there.
func (e *vocElement) missing() []string {
	var names []string
	for i, kid := range e.shape.kids {
		if e.kids[i] == nil && !kid.many {
			names = append(names, kid.name)
		}
	}
	return names
}

// maxVOCText bounds what is kept of a text: more than the longest number that Python reads.
const maxVOCText = maxPythonDigits + 100

// vocText is the text of an element in front of its first child, as ElementTree gives it.
type vocText struct {
	kept  strings.Builder
	cut   bool // there is more of it
	solid bool // a character of it is no blank
	ended bool // a child came
}

func (t *vocText) add(r rune) {
	switch {
	case t.ended:
		return
	case t.kept.Len()+utf8.UTFMax > maxVOCText:
		t.cut = true
	default:
		t.kept.WriteRune(r)
	}
	t.solid = t.solid || !pythonSpace(r)
}

// flag reports whether the text is exactly 0 or 1.
func (t *vocText) flag() bool { return t.kept.String() == "0" || t.kept.String() == "1" }

// integer reads the text as Python does.
func (t *vocText) integer() (*big.Int, bool) {
	if t.cut {
		return nil, false
	}
	return pythonInt(t.kept.String())
}

func (t *vocText) shown() string { return clip([]byte(t.kept.String())) }

// errVOCRoot stands for a document that is no annotation.
var errVOCRoot = errors.New("the root element is no annotation")

// vocReader finds the elements of an annotation that have rules, and holds no more than one object at a time.
type vocReader struct {
	root   vocShape
	found  *vocElement   // the root
	open   []*vocElement // the known elements that are open
	beyond int           // open elements below them that are not known
	// object is given each object as it ends; it is nil-free but for its kids.
	object func(e *vocElement)
	// wrong is the name of a root that is none.
	wrong string
}

// read reads a document. The errors are those of expat.Parse, and errVOCRoot.
func (v *vocReader) read(r *bufio.Reader) error {
	return expat.Parse(r, expat.Events{Start: v.start, End: v.end, Text: v.text})
}

func (v *vocReader) start(name string, line int64) error {
	if v.found == nil {
		if name != v.root.name {
			v.wrong = name
			return errVOCRoot
		}
		v.found = newVOCElement(&v.root, line)
		v.open = append(v.open, v.found)
		return nil
	}
	top := v.open[len(v.open)-1]
	if v.beyond == 0 {
		top.text.ended = true
		for i := range top.shape.kids {
			kid := &top.shape.kids[i]
			if kid.name != name || (top.kids[i] != nil && !kid.many) {
				continue
			}
			e := newVOCElement(kid, line)
			top.kids[i] = e
			v.open = append(v.open, e)
			return nil
		}
	}
	v.beyond++
	return nil
}

func newVOCElement(shape *vocShape, line int64) *vocElement {
	return &vocElement{shape: shape, line: line, kids: make([]*vocElement, len(shape.kids))}
}

func (v *vocReader) end() {
	if v.beyond > 0 {
		v.beyond--
		return
	}
	last := len(v.open) - 1
	e := v.open[last]
	v.open = v.open[:last]
	if e.shape.many {
		v.object(e)
	}
}

func (v *vocReader) text(r rune) {
	if v.beyond == 0 && len(v.open) > 0 {
		v.open[len(v.open)-1].text.add(r)
	}
}
