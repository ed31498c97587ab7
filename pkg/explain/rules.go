package explain

import (
	"slices"
	"strings"
)

// taskField is the field of the root that decides which other fields are needed.
const taskField = "category"

// rule is one consequence of a conditional of the schema for one field.
type rule struct {
	path string // of the field that it is about

	on     string   // path of the field that decides; "" if nothing does
	values []string // of that field, for which the rule holds

	effect effect
	detail string // of a narrowed type
	among  []string
}

type effect int

const (
	required  effect = iota // must be there
	forbidden               // must not be there
	narrowed                // must have the type in detail
	exclusive               // exactly one of the fields in among must be there
)

// rulesOf collects the conditionals at a place and below it.
func rulesOf(n *node, names []string) []rule {
	var rules []rule
	for _, part := range append([]*node{n}, n.AllOf...) {
		on, values := condition(part.If, names)
		if on == "" || part.Then == nil {
			continue
		}
		for _, r := range consequences(part.Then, names) {
			r.on, r.values = on, values
			rules = append(rules, r)
		}
	}
	rules = append(rules, choices(n.OneOf, names)...)
	for _, child := range n.holder().Properties {
		rules = append(rules, rulesOf(child.node, below(names, child.name))...)
	}
	return rules
}

// condition reads "field is one of values", the only form of condition that can be put into words here.
func condition(n *node, names []string) (on string, values []string) {
	if n == nil || len(n.Properties) != 1 {
		return "", nil
	}
	field := n.Properties[0]
	for _, value := range field.node.Enum {
		values = append(values, value.Value)
	}
	if !field.node.Const.IsZero() {
		values = append(values, field.node.Const.Value)
	}
	if len(values) == 0 {
		return "", nil
	}
	return strings.Join(below(names, field.name), "."), values
}

// consequences are the rules that a place of a conditional lays on the fields below it.
func consequences(n *node, names []string) []rule {
	var rules []rule
	add := func(name string, e effect, detail string) {
		rules = append(rules, rule{path: strings.Join(below(names, name), "."), effect: e, detail: detail})
	}
	for _, name := range n.Required {
		add(name, required, "")
	}
	for _, child := range n.Properties {
		switch {
		case child.node.never:
			add(child.name, forbidden, "")
			continue
		case len(child.node.Type) > 0:
			add(child.name, narrowed, child.node.typeName())
		}
		rules = append(rules, consequences(child.node, below(names, child.name))...)
	}
	return rules
}

// choices reads a oneOf whose branches ask for one field each.
func choices(branches []*node, names []string) []rule {
	var among []string
	for _, branch := range branches {
		if len(branch.Required) != 1 {
			return nil
		}
		among = append(among, strings.Join(below(names, branch.Required[0]), "."))
	}
	rules := make([]rule, len(among))
	for i, path := range among {
		rules[i] = rule{path: path, effect: exclusive, among: among}
	}
	return rules
}

// rulesFor are the rules about one field.
func (s *Schema) rulesFor(path string) []rule {
	var rules []rule
	for _, r := range s.rules {
		if r.path == path {
			rules = append(rules, r)
		}
	}
	return rules
}

// verdict is what one task makes of a field.
type verdict struct{ task, text string }

// verdicts says what becomes of a field for each task that the schema has a rule for, or names as its user, in the order
// of the tasks.
func (s *Schema) verdicts(f Field) []verdict {
	tasks := s.root.Properties.lookup(taskField)
	if tasks == nil {
		return nil
	}
	var verdicts []verdict
	for _, task := range tasks.Enum {
		text := s.verdict(f, task.Value)
		if text == "" && slices.Contains(f.node.Tasks, task.Value) {
			text = "optional"
		}
		if text != "" {
			verdicts = append(verdicts, verdict{task.Value, text})
		}
	}
	return verdicts
}

// verdict words the rules of one task: "required as Object with column and policy".
func (s *Schema) verdict(f Field, task string) string {
	text, as := "", ""
	var with []string
	for _, r := range s.rules {
		if r.on != taskField || !slices.Contains(r.values, task) {
			continue
		}
		inside, isInside := strings.CutPrefix(r.path, f.Path+".")
		switch {
		case r.path == f.Path && r.effect == forbidden:
			return "not allowed"
		case r.path == f.Path && r.effect == required:
			text = "required"
		case r.path == f.Path && r.effect == narrowed:
			as = " as " + r.detail
		case isInside && r.effect == required && !strings.Contains(inside, "."):
			with = append(with, inside)
		}
	}
	if text += as; len(with) > 0 {
		text += " with " + list(with)
	}
	return strings.TrimSpace(text)
}

// requirements words the rules about a field that no task decides.
func (s *Schema) requirements(f Field) []string {
	var lines []string
	for _, r := range s.rulesFor(f.Path) {
		switch {
		case r.effect == exclusive:
			lines = append(lines, "exactly one of "+list(r.among)+" must be there")
		case r.effect == required && r.on != taskField:
			lines = append(lines, "required where "+r.on+" is "+strings.Join(r.values, " or "))
		case r.effect == forbidden && r.on != taskField:
			lines = append(lines, "not allowed where "+r.on+" is "+strings.Join(r.values, " or "))
		}
	}
	return lines
}

// neededBySome tells whether some tasks need the field.
func (s *Schema) neededBySome(path string) bool {
	return slices.ContainsFunc(s.rulesFor(path), func(r rule) bool { return r.on == taskField && r.effect == required })
}

// list is "a, b and c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
