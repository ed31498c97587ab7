package release

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Help is a block for the terminal, below the error: the questions by which
// anybody can see for themselves, and what a cluster admin applies. It holds
// foreign text.
func (e *AccessError) Help() string {
	var b strings.Builder
	b.WriteString("\nTo see for yourself:\n\n")
	for _, d := range e.Denied {
		fmt.Fprintf(&b, "    %s\n", d.CanI())
	}
	b.WriteString("\nTo allow just that, an admin of the cluster runs")
	if e.user.name == unknownUser {
		b.WriteString(", with your name for " + unknownUser)
	}
	fmt.Fprintf(&b, ":\n\nkubectl apply -f - <<'EOF'\n%sEOF\n", e.Manifest())
	if hint := e.elsewhere(); hint != "" {
		// The error itself may have scrolled away by now.
		fmt.Fprintf(&b, "\n%s%s.\n", strings.ToUpper(hint[:1]), hint[1:])
	}
	return b.String()
}

// Manifest is a Role with just the missing rules, and its binding to the user,
// as YAML for kubectl apply; a ClusterRole where it is about all namespaces.
func (e *AccessError) Manifest() string {
	kind := "Role"
	namespace := fmt.Sprintf("  namespace: %s\n", yamlText(e.Namespace))
	if e.Namespace == "" {
		kind, namespace = "ClusterRole", ""
	}
	var rules strings.Builder
	for _, rule := range policyRules(e.checks()) {
		rules.WriteString(ruleText(rule))
	}
	binding := e.subjectText()
	// One that is applied later must not take away what an earlier one gave, to this user or another.
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(kind + namespace + rules.String() + binding)) // a hash takes everything
	name := fmt.Sprintf("tracebloc-%s-%08x", e.Role, sum.Sum32())
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: %s\nkind: %s\nmetadata:\n  name: %s\n%srules:\n%s", rbacv1.SchemeGroupVersion, kind, name, namespace, rules.String())
	fmt.Fprintf(&b, "---\napiVersion: %s\nkind: %sBinding\nmetadata:\n  name: %s\n%s", rbacv1.SchemeGroupVersion, kind, name, namespace)
	fmt.Fprintf(&b, "roleRef:\n  apiGroup: %s\n  kind: %s\n  name: %s\n%s", rbacv1.GroupName, kind, name, binding)
	return b.String()
}

func (e *AccessError) subjectText() string {
	user := e.user
	if user.namespace != "" {
		return fmt.Sprintf("subjects:\n- kind: %s\n  name: %s\n  namespace: %s\n", rbacv1.ServiceAccountKind, yamlText(user.name), yamlText(user.namespace))
	}
	return fmt.Sprintf("subjects:\n- apiGroup: %s\n  kind: %s\n  name: %s\n", rbacv1.GroupName, rbacv1.UserKind, yamlText(user.name))
}

// policyRules are the fewest rules that allow the calls and nothing else:
// resources that want the same verbs share a rule.
func policyRules(checks []Check) []rbacv1.PolicyRule {
	var single []rbacv1.PolicyRule
	for _, c := range checks {
		rule := rbacv1.PolicyRule{APIGroups: []string{c.Group}, Resources: []string{c.path()}, Verbs: []string{c.Verb}}
		if c.Name != "" {
			rule.ResourceNames = []string{c.Name}
		}
		same := slices.IndexFunc(single, func(old rbacv1.PolicyRule) bool {
			return sameObjects(old, rule) && slices.Equal(old.Resources, rule.Resources)
		})
		if same < 0 {
			single = append(single, rule)
			continue
		}
		single[same].Verbs = append(single[same].Verbs, c.Verb)
	}
	var rules []rbacv1.PolicyRule
	for _, rule := range single {
		same := slices.IndexFunc(rules, func(old rbacv1.PolicyRule) bool {
			return sameObjects(old, rule) && slices.Equal(old.Verbs, rule.Verbs)
		})
		if same < 0 {
			rules = append(rules, rule)
			continue
		}
		rules[same].Resources = append(rules[same].Resources, rule.Resources...)
	}
	return rules
}

func sameObjects(a, b rbacv1.PolicyRule) bool {
	return slices.Equal(a.APIGroups, b.APIGroups) && slices.Equal(a.ResourceNames, b.ResourceNames)
}

// path is the resource as a rule spells it: "pods/exec".
func (c Check) path() string {
	if c.Subresource == "" {
		return c.Resource
	}
	return c.Resource + "/" + c.Subresource
}

// ruleText has the lists on one line each: a Role of a push is to fit a screen.
func ruleText(rule rbacv1.PolicyRule) string {
	names := ""
	if len(rule.ResourceNames) > 0 {
		names = fmt.Sprintf("  resourceNames: %s\n", yamlList(rule.ResourceNames))
	}
	return fmt.Sprintf("- apiGroups: %s\n  resources: %s\n%s  verbs: %s\n", yamlList(rule.APIGroups), yamlList(rule.Resources), names, yamlList(rule.Verbs))
}

func yamlList(words []string) string {
	out := make([]string, 0, len(words))
	for _, word := range words {
		out = append(out, yamlText(word))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// yamlText quotes a foreign text: YAML reads the strings of JSON, which hold no
// line break that could end the here-document around it.
func yamlText(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		return `""` // no string is beyond JSON
	}
	return string(text)
}
