package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

// pascalVOC looks at every .xml under SRC_PATH, wherever it stands (contract/ingestor.md §2.2).
func pascalVOC(in *ingestor) validator {
	return validator{name: "Pascal VOC XML Validator", doing: "Validating Pascal VOC XML files", check: func() ([]string, error) {
		files, err := visible(in.config.source)
		if err != nil {
			return []string{"Validation error: " + pyOSError(err)}, nil
		}
		seen := false
		var lines []string
		for _, f := range files {
			if filepath.Ext(f) != ".xml" {
				continue
			}
			seen = true
			data, err := os.ReadFile(f)
			if err != nil {
				return []string{"Validation error: " + pyOSError(err)}, nil
			}
			for _, line := range vocFile(data) {
				lines = append(lines, filepath.Base(f)+": "+line)
			}
		}
		if !seen {
			return []string{"No XML files found to validate"}, nil
		}
		return lines, nil
	}}
}

func vocFile(data []byte) []string {
	root, err := parseXML(data)
	if err != nil {
		return []string{fmt.Sprintf("XML parsing error: %v", err)}
	}
	if root.tag != "annotation" {
		return []string{fmt.Sprintf("Root element must be 'annotation', found %s", spec.PyString(root.tag))}
	}
	var v vocProblems
	v.missing("Missing required root elements: %s", root, "filename", "folder", "segmented", "size", "source")
	for _, tag := range []string{"folder", "filename"} {
		v.named(root, "", tag)
	}
	if e := v.required(root, "", "segmented"); e != nil && e.text != "0" && e.text != "1" {
		v.add("Segmented element must be '0' or '1'")
	}
	if source := v.required(root, "", "source"); source != nil {
		v.missing("Missing required source elements: %s", source, "annotation", "database")
		for _, tag := range []string{"database", "annotation"} {
			if source.find(tag) != nil {
				v.named(source, "", tag)
			}
		}
	}
	if size := v.required(root, "", "size"); size != nil {
		v.size(size)
	}
	objects := 0
	for _, e := range root.children {
		if e.tag == "object" {
			v.object(e, fmt.Sprintf("Object %d: ", objects))
			objects++
		}
	}
	return v.lines
}

// vocProblems gathers what is wrong with one file.
type vocProblems struct{ lines []string }

func (v *vocProblems) add(format string, args ...any) {
	v.lines = append(v.lines, fmt.Sprintf(format, args...))
}

func (v *vocProblems) missing(format string, e *element, sorted ...string) {
	if absent := e.lacks(sorted...); len(absent) > 0 {
		v.add(format, spec.PyList(absent))
	}
}

// required finds a child that must be there.
func (v *vocProblems) required(parent *element, prefix, tag string) *element {
	e := parent.find(tag)
	if e == nil {
		v.add("%sMissing required '%s' element", prefix, tag)
	}
	return e
}

// named checks a child that must be there and have text.
func (v *vocProblems) named(parent *element, prefix, tag string) {
	if e := v.required(parent, prefix, tag); e != nil && e.blank() {
		v.add("%s%s element must have non-empty text content", prefix, strings.ToUpper(tag[:1])+tag[1:])
	}
}

func (v *vocProblems) size(size *element) {
	v.missing("Missing required size elements: %s", size, "depth", "height", "width")
	for _, tag := range []string{"width", "height", "depth"} {
		e := v.required(size, "", tag)
		if e == nil {
			continue
		}
		switch n, ok := e.integer(); {
		case !ok:
			v.add("%s must be a valid integer, found: %s", tag, e.shown())
		case n <= 0:
			v.add("%s must be a positive integer, found: %d", tag, n)
		}
	}
}

func (v *vocProblems) object(e *element, prefix string) {
	v.missing(prefix+"Missing required elements: %s", e, "bndbox", "difficult", "name", "pose", "truncated")
	v.named(e, prefix, "name")
	v.named(e, prefix, "pose")
	if t := v.required(e, prefix, "truncated"); t != nil && t.text != "0" && t.text != "1" {
		v.add("%sTruncated element must be '0' or '1', found: %s", prefix, t.shown())
	}
	if d := v.required(e, prefix, "difficult"); d != nil {
		if n, ok := d.integer(); !ok || n < 0 || d.text == "" {
			v.add("%sDifficult element must be a non-negative integer, found: %s", prefix, d.shown())
		}
	}
	if box := v.required(e, prefix, "bndbox"); box != nil {
		v.box(box, prefix)
	}
}

func (v *vocProblems) box(box *element, prefix string) {
	v.missing(prefix+"Missing required bndbox elements: %s", box, "xmax", "xmin", "ymax", "ymin")
	at := map[string]int{}
	for _, tag := range []string{"xmin", "ymin", "xmax", "ymax"} {
		e := v.required(box, prefix, tag)
		if e == nil {
			continue
		}
		switch n, ok := e.integer(); {
		case !ok:
			v.add("%s%s must be a valid integer, found: %s", prefix, tag, e.shown())
		case n < 0:
			v.add("%s%s must be non-negative, found: %d", prefix, tag, n)
		default:
			at[tag] = n
		}
	}
	if len(at) < 4 {
		return
	}
	for _, axis := range []string{"x", "y"} {
		if low, high := at[axis+"min"], at[axis+"max"]; low >= high {
			v.add("%s%smin (%d) must be less than %smax (%d)", prefix, axis, low, axis, high)
		}
	}
	if (at["xmax"]-at["xmin"])*(at["ymax"]-at["ymin"]) == 0 {
		v.add("%sBounding box has zero area", prefix)
	}
}
