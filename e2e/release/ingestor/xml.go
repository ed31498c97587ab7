package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// element is a part of an XML file as Python's ElementTree shows it: text is what stands before the first child, and empty is None.
type element struct {
	tag, text string
	children  []*element
}

// parseXML reads the one root element of a file.
func parseXML(data []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	var root *element
	var open []*element
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if root == nil {
				return nil, errors.New("no element found")
			}
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{tag: token.Name.Local}
			if token.Name.Space != "" {
				e.tag = "{" + token.Name.Space + "}" + token.Name.Local
			}
			switch {
			case len(open) > 0:
				parent := open[len(open)-1]
				parent.children = append(parent.children, e)
			case root != nil:
				return nil, errors.New("junk after document element")
			default:
				root = e
			}
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if n := len(open); n > 0 && len(open[n-1].children) == 0 {
				open[n-1].text += string(token)
			}
		}
	}
}

// find is the first child with the tag, nil when there is none.
func (e *element) find(tag string) *element {
	at := slices.IndexFunc(e.children, func(c *element) bool { return c.tag == tag })
	if at < 0 {
		return nil
	}
	return e.children[at]
}

// lacks are those of the tags that no child has.
func (e *element) lacks(tags ...string) []string {
	return slices.DeleteFunc(tags, func(tag string) bool { return e.find(tag) != nil })
}

func (e *element) blank() bool { return strings.TrimSpace(e.text) == "" }

// shown is the text in an f-string.
func (e *element) shown() string {
	if e.text == "" {
		return "None"
	}
	return e.text
}

// integer is Python's int of the text, 0 for none.
func (e *element) integer() (n int, ok bool) {
	if e.text == "" {
		return 0, true
	}
	n, err := strconv.Atoi(strings.TrimSpace(e.text))
	return n, err == nil
}
