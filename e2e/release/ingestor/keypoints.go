package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

// object is a JSON object of a cell with its names in the order of the text, as Python's dict keeps them.
type object struct {
	names  []string
	values map[string]any // numbers as json.Number
}

// cellObject reads a cell as JSON. kind is Python's name of another type that it holds; problem means that it is no JSON, as a
// missing cell is none.
func cellObject(cell any) (o *object, kind string, problem bool) {
	text, isText := cell.(string)
	if !isText {
		if cell == nil {
			return nil, "", true
		}
		return nil, map[bool]string{true: "int", false: "float"}[isInt(cell)], false
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	first, err := d.Token()
	if err != nil {
		return nil, "", true
	}
	if first != json.Delim('{') {
		var v any
		if json.Unmarshal([]byte(text), &v) != nil {
			return nil, "", true
		}
		return nil, pyType(v), false
	}
	o = &object{values: map[string]any{}}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, "", true
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return nil, "", true
		}
		key, _ := name.(string)
		if _, twice := o.values[key]; !twice {
			o.names = append(o.names, key)
		}
		o.values[key] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, "", true
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, "", true
	}
	return o, "", false
}

func isInt(v any) bool { _, ok := v.(int64); return ok }

func pyType(v any) string {
	switch v.(type) {
	case []any:
		return "list"
	case string:
		return "str"
	case bool:
		return "bool"
	case float64:
		return "float"
	}
	return "NoneType"
}

// lack are the names of o, sorted, that other does not have.
func (o *object) lack(other *object) []string {
	only := slices.DeleteFunc(slices.Clone(o.names), func(n string) bool { _, there := other.values[n]; return there })
	slices.Sort(only)
	return only
}

func keypointAnnotation(in *ingestor) validator {
	return onFrame(in, "Keypoint Annotation", "Validating keypoints", func(f *frame) []string {
		cells, there := f.column("Annotation")
		if !there {
			return []string{"Missing required column: Annotation"}
		}
		var lines []string
		var objects []*object
		for i, cell := range cells {
			o, problems := annotationCell(cell, in.config.keypoints)
			objects = append(objects, o)
			for _, p := range problems {
				lines = append(lines, fmt.Sprintf("Row %d: %s", i+1, p))
			}
		}
		var first *object
		for i, o := range objects {
			switch {
			case o == nil:
			case first == nil:
				first = o
			case len(first.lack(o))+len(o.lack(first)) > 0:
				lines = append(lines, fmt.Sprintf("Row %d: Keypoint names differ from first record. Missing: %s, Extra: %s",
					i+1, spec.PyList(first.lack(o)), spec.PyList(o.lack(first))))
			}
		}
		return lines
	})
}

// annotationCell is the keypoints of one record, nil when the cell holds none, and what is wrong with them.
func annotationCell(cell any, want int) (o *object, problems []string) {
	o, kind, broken := cellObject(cell)
	switch {
	case broken:
		return nil, []string{"Invalid JSON in Annotation"}
	case o == nil:
		return nil, []string{"Annotation must be a JSON object, got " + kind}
	}
	if want > 0 && len(o.names) != want {
		problems = append(problems, fmt.Sprintf("annotation has %d keypoint(s) but the dataset declared num_keypoints=%d.", len(o.names), want))
	}
	box := struct{ left, top, right, bottom float64 }{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	placed := 0
	for _, name := range o.names {
		x, y, problem := coordinates(name, o.values[name])
		if problem != "" {
			problems = append(problems, problem)
			continue
		}
		if x.value < 0 || y.value < 0 {
			problems = append(problems, fmt.Sprintf("Keypoint %s has negative coordinates (%s, %s)", spec.PyString(name), x.text, y.text))
		}
		placed++
		box.left, box.right = min(box.left, x.value), max(box.right, x.value)
		box.top, box.bottom = min(box.top, y.value), max(box.bottom, y.value)
	}
	if w, h := box.right-box.left, box.bottom-box.top; placed >= 2 && (w <= 0 || h <= 0) {
		problems = append(problems, fmt.Sprintf("Keypoints produce a degenerate bounding box (width=%.4f, height=%.4f). At least 2 keypoints must differ in both x and y coordinates.", w, h))
	}
	return o, problems
}

// coordinate is a number with its own spelling.
type coordinate struct {
	value float64
	text  string
}

func coordinates(name string, v any) (x, y coordinate, problem string) {
	var pair []any
	switch v := v.(type) {
	case []any:
		if len(v) != 2 {
			return x, y, fmt.Sprintf("Keypoint %s must have exactly 2 coordinates [x, y], got %d", spec.PyString(name), len(v))
		}
		pair = v
	case map[string]any:
		if v["x"] != nil && v["y"] != nil {
			pair = []any{v["x"], v["y"]}
		}
	}
	if pair == nil {
		return x, y, fmt.Sprintf("Keypoint %s must be [x, y] list or {\"x\": x, \"y\": y} dict", spec.PyString(name))
	}
	for i, into := range []*coordinate{&x, &y} {
		n := asNumber(pair[i])
		value, err := n.Float64()
		if err != nil {
			return x, y, fmt.Sprintf("Keypoint %s coordinates must be numeric", spec.PyString(name))
		}
		*into = coordinate{value, n.String()}
	}
	return x, y, ""
}

// asNumber is a JSON value as Python counts it: true and false are numbers there. Empty: it is none.
func asNumber(v any) json.Number {
	switch v := v.(type) {
	case json.Number:
		return v
	case bool:
		if v {
			return "1"
		}
		return "0"
	}
	return ""
}

func keypointVisibility(in *ingestor) validator {
	return onFrame(in, "Keypoint Visibility", "Validating visibility", func(f *frame) []string {
		cells, there := f.column("Visibility")
		if !there {
			return []string{"Missing required column: Visibility"}
		}
		annotations, _ := f.column("Annotation")
		var lines []string
		for i, cell := range cells {
			var annotation *object
			if annotations != nil {
				annotation, _, _ = cellObject(annotations[i])
			}
			for _, p := range visibilityCell(cell, annotation) {
				lines = append(lines, fmt.Sprintf("Row %d: %s", i+1, p))
			}
		}
		return lines
	})
}

func visibilityCell(cell any, annotation *object) []string {
	o, _, broken := cellObject(cell)
	switch {
	case broken:
		return []string{"Invalid JSON in Visibility"}
	case o == nil:
		return []string{"Visibility must be a JSON object"}
	}
	var problems []string
	for _, name := range o.names {
		if v, err := asNumber(o.values[name]).Float64(); err != nil || (v != 0 && v != 1) {
			problems = append(problems, fmt.Sprintf("Visibility[%s] must be 0 or 1, got %v", spec.PyString(name), o.values[name]))
		}
	}
	if annotation == nil {
		return problems
	}
	if missing := annotation.lack(o); len(missing) > 0 {
		problems = append(problems, "Visibility missing keys: "+spec.PyList(missing))
	}
	if extra := o.lack(annotation); len(extra) > 0 {
		problems = append(problems, "Visibility has extra keys not in Annotation: "+spec.PyList(extra))
	}
	return problems
}
