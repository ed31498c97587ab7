package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds on what a document may unfold to: aliases let a small file stand for
// a huge one.
const (
	maxNodes = 200_000
	maxDepth = 64
	maxJSON  = 4 * MaxBytes
)

// place is where a value and the name of its field stand.
type place struct{ key, value *yaml.Node }

// document is one parsed spec: its values as JSON in the order of the file, the
// places they came from, and what YAML alone has to say against it.
type document struct {
	name     string
	json     bytes.Buffer
	places   map[string]place
	findings []finding

	nodes  int
	full   bool
	active map[*yaml.Node]bool // aliases being unfolded
}

// newDocument unfolds the root mapping of a file.
func newDocument(name string, root *yaml.Node) *document {
	d := &document{
		name:   name,
		places: map[string]place{"": {value: root}},
		active: map[*yaml.Node]bool{},
	}
	d.write(root, nil)
	return d
}

func placeKey(path []string) string { return strings.Join(path, "\x00") }

// position finds the line and column of a path, or of the nearest thing around
// it that is in the file.
func (d *document) position(path []string, atKey bool) (line, col int) {
	for n := len(path); n >= 0; n-- {
		at, ok := d.places[placeKey(path[:n])]
		if !ok {
			continue
		}
		node := at.value
		if at.key != nil && (atKey || n < len(path) || node.Line == 0) {
			node = at.key
		}
		return node.Line, node.Column
	}
	return 0, 0
}

func (d *document) reject(message string, path []string) {
	d.findings = append(d.findings, errorAt(message, path...))
	d.json.WriteString("null")
}

// write appends a node's JSON. What has no JSON form is reported and written
// as null.
func (d *document) write(n *yaml.Node, path []string) {
	d.nodes++
	switch {
	case d.full:
		d.json.WriteString("null")
		return
	case d.nodes > maxNodes || d.json.Len() > maxJSON:
		d.full = true
		d.reject("the document unfolds to more values than a spec can have", nil)
		return
	case len(path) > maxDepth:
		d.reject(fmt.Sprintf("nested more than %d levels deep", maxDepth), path)
		return
	}
	if n.Kind == yaml.AliasNode {
		d.unfold(n.Alias, path, func(target *yaml.Node) { d.write(target, path) })
		return
	}
	if message := badTag(n); message != "" {
		d.reject(message, path)
		return
	}
	switch n.Kind {
	case yaml.MappingNode:
		d.writeMapping(n, path)
	case yaml.SequenceNode:
		d.json.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				d.json.WriteByte(',')
			}
			itemPath := childPath(path, fmt.Sprint(i))
			d.places[placeKey(itemPath)] = place{value: item}
			d.write(item, itemPath)
		}
		d.json.WriteByte(']')
	default:
		d.writeScalar(n, path)
	}
}

// unfold follows an alias unless that leads back to where it stands.
func (d *document) unfold(target *yaml.Node, path []string, follow func(*yaml.Node)) {
	if target == nil || d.active[target] {
		d.reject("an alias contains itself", path)
		return
	}
	d.active[target] = true
	follow(target)
	delete(d.active, target)
}

// badTag words what is wrong with the tag of a node: YAML readers that are
// safe to use on foreign input know only the types of JSON, and dates.
func badTag(n *yaml.Node) string {
	tag := n.ShortTag()
	switch n.Kind {
	case yaml.MappingNode:
		if tag == "!!map" {
			return ""
		}
	case yaml.SequenceNode:
		if tag == "!!seq" {
			return ""
		}
	default:
		switch kindOfTag(tag) {
		case kindString, kindBool, kindInt, kindFloat, kindNull:
			return ""
		case kindTimestamp:
			return fmt.Sprintf("%q is read as a date, which has no place in a spec; put it in quotes", n.Value)
		case kindMerge:
			return `"<<" is only allowed as the name of a field; put it in quotes`
		}
	}
	return fmt.Sprintf("the tag %q has no place in a spec; leave it out", tag)
}

func (d *document) writeMapping(n *yaml.Node, path []string) {
	var fields []place
	d.collect(n, path, map[string]*yaml.Node{}, &fields)
	d.json.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			d.json.WriteByte(',')
		}
		fieldPath := childPath(path, f.key.Value)
		d.places[placeKey(fieldPath)] = f
		d.writeString(f.key.Value)
		d.json.WriteByte(':')
		d.write(f.value, fieldPath)
	}
	d.json.WriteByte('}')
}

// collect lists the fields of a mapping, its own before those that it merges
// in with "<<", which never replace its own.
func (d *document) collect(n *yaml.Node, path []string, seen map[string]*yaml.Node, fields *[]place) {
	own := map[string]*yaml.Node{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		d.nodes++
		if d.nodes > maxNodes {
			return // write reports it at the next value
		}
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if kindOfTag(key.ShortTag()) == kindMerge {
			merged = append(merged, value)
			continue
		}
		if !d.checkKey(key, n.Content[i], path) {
			continue
		}
		if first := own[key.Value]; first != nil {
			d.addAt(n.Content[i], fmt.Sprintf("the field stands twice; first in line %d", first.Line), path, key.Value)
			continue
		}
		own[key.Value] = key
		if seen[key.Value] == nil {
			seen[key.Value] = key
			*fields = append(*fields, place{key, value})
		}
	}
	for _, source := range merged {
		d.merge(source, path, seen, fields)
	}
}

// merge takes in the fields of one mapping, or of a list of mappings.
func (d *document) merge(source *yaml.Node, path []string, seen map[string]*yaml.Node, fields *[]place) {
	d.nodes++
	target := source
	if source.Kind == yaml.AliasNode {
		target = source.Alias
	}
	switch {
	case d.nodes > maxNodes:
	case target == nil || d.active[target]:
		d.addAt(source, "an alias contains itself", path, "<<")
	case target.Kind == yaml.MappingNode:
		d.active[target] = true
		d.collect(target, path, seen, fields)
		delete(d.active, target)
	case target.Kind == yaml.SequenceNode && source == target:
		for _, item := range target.Content {
			d.merge(item, path, seen, fields)
		}
	default:
		d.addAt(source, `"<<" merges mappings only`, path, "<<")
	}
}

// addAt reports a field by the node that stands for it, which need not be the
// one that counts.
func (d *document) addAt(n *yaml.Node, message string, path []string, name string) {
	shown := childPath(path, name)
	at := childPath(shown, fmt.Sprintf("%d:%d", n.Line, n.Column))
	d.places[placeKey(at)] = place{value: n}
	d.findings = append(d.findings, finding{path: at, severity: SeverityError, message: message, shown: shown})
}

// checkKey refuses names of fields that are not strings, and warns about those
// that old readers take for something else.
func (d *document) checkKey(key, written *yaml.Node, path []string) bool {
	if key == nil || key.Kind != yaml.ScalarNode {
		d.addAt(written, "the name of a field must be a string", path, "")
		return false
	}
	if kind := kindOfTag(key.ShortTag()); kind != kindString {
		if kind == "" {
			kind = scalarKind(key.ShortTag())
		}
		d.addAt(written, fmt.Sprintf("the name %q is read as %s; put it in quotes", key.Value, kind.withArticle()), path, key.Value)
		return false
	}
	if message := misread(key); message != "" {
		d.findings = append(d.findings, finding{
			path: childPath(path, key.Value), atKey: true, severity: SeverityWarning, message: "the name " + message,
		})
	}
	return true
}

// misread warns about words without quotes that YAML 1.1 reads otherwise than
// YAML 1.2.
func misread(n *yaml.Node) string {
	const styles = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle | yaml.TaggedStyle
	if n.Style&styles != 0 {
		return ""
	}
	old, now := resolve11(n.Value), kindOfTag(n.ShortTag())
	if old == now || old == kindInt && now == kindFloat || old == kindFloat && now == kindInt {
		return ""
	}
	if now == kindString {
		return fmt.Sprintf("%q is %s to YAML 1.1 readers, the ingestor among them; put it in quotes", n.Value, old.withArticle())
	}
	return fmt.Sprintf("%q is %s, but %s to YAML 1.1 readers, the ingestor among them; "+
		"write it plainly, or put it in quotes", n.Value, now.withArticle(), old.withArticle())
}

func (d *document) writeScalar(n *yaml.Node, path []string) {
	if message := misread(n); message != "" {
		d.findings = append(d.findings, warningAt(message, path...))
	}
	if n.ShortTag() == "!!str" {
		d.writeString(n.Value)
		return
	}
	var value any
	if err := n.Decode(&value); err != nil {
		d.reject(fmt.Sprintf("%q does not fit the tag %q", n.Value, n.ShortTag()), path)
		return
	}
	if number, ok := value.(float64); ok {
		if math.IsInf(number, 0) || math.IsNaN(number) {
			d.reject(fmt.Sprintf("%q is not a finite number", n.Value), path)
			return
		}
		if number == math.Trunc(number) && math.Abs(number) < 1<<53 {
			value = int64(number) // JSON Schema takes 224.0 for an integer, encoding/json does not
		}
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		d.reject(fmt.Sprintf("%q has no place in a spec", n.Value), path)
		return
	}
	d.json.Write(encoded)
}

// writeString appends a JSON string; a string always has a JSON form.
func (d *document) writeString(s string) {
	encoded, _ := json.Marshal(s)
	d.json.Write(encoded)
}

// childPath is path with one more segment, in memory of its own.
func childPath(path []string, segment string) []string {
	return append(path[:len(path):len(path)], segment)
}
