package release

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// chartRelease is a release of which nothing is known but what every chart has,
// as are the Roles in hack/rbac.
func chartRelease() *Release { return &Release{} }

// own are the calls of a role without those that it comes on top of.
func own(role Role) []need {
	return slices.DeleteFunc(chartRelease().needs(""), func(n need) bool { return !slices.Contains(n.roles, role) })
}

// readRole reads a file of hack/rbac.
func readRole(t *testing.T, role Role) (r rbacv1.Role, b rbacv1.RoleBinding) {
	t.Helper()
	text, err := os.ReadFile("../../hack/rbac/" + string(role) + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	documents := strings.Split(string(text), "\n---\n")
	if len(documents) != 2 {
		t.Fatalf("%s.yaml has %d documents, want a Role and a RoleBinding", role, len(documents))
	}
	for i, into := range []any{&r, &b} {
		if err := yaml.UnmarshalStrict([]byte(documents[i]), into); err != nil {
			t.Fatal(err)
		}
	}
	return r, b
}

// grants are the single permissions that rules give, in the words of a Check.
func grants(rules []rbacv1.PolicyRule) []string {
	var all []string
	for _, rule := range rules {
		names := rule.ResourceNames
		if len(names) == 0 {
			names = []string{""}
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					for _, name := range names {
						resource, subresource, _ := strings.Cut(resource, "/")
						all = append(all, strings.TrimSpace(Check{Verb: verb, Group: group, Resource: resource, Subresource: subresource}.String()+" "+name))
					}
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// Each Role in hack/rbac grants the calls of its commands, and nothing else.
func TestRolesGrantWhatIsNeeded(t *testing.T) {
	t.Parallel()
	for _, role := range Roles() {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			r, b := readRole(t, role)
			var want []string
			for _, n := range own(role) {
				want = append(want, strings.TrimSpace(n.String()+" "+n.Name))
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, grants(r.Rules)); diff != "" {
				t.Errorf("%s.yaml (-needed +granted):\n%s", role, diff)
			}
			name := "tracebloc-" + string(role)
			ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name}
			if r.Kind != "Role" || r.Name != name || b.Kind != "RoleBinding" || b.RoleRef != ref || r.Namespace+b.Namespace != "" {
				t.Errorf("%s.yaml: %s %q in %q, binding to %+v", role, r.Kind, r.Name, r.Namespace, b.RoleRef)
			}
			if len(b.Subjects) != 1 || b.Subjects[0].Kind != rbacv1.GroupKind {
				t.Errorf("%s.yaml binds %+v, want one group that nobody is in by accident", role, b.Subjects)
			}
		})
	}
}

// Who may push may also watch and clean up, as the docs promise.
func TestPushCoversOthers(t *testing.T) {
	t.Parallel()
	push := chartRelease().Checks(RolePush, "")
	for _, role := range []Role{RoleWatch, RoleCleanup} {
		for _, check := range chartRelease().Checks(role, "") {
			if check.Role = RolePush; !check.Optional && !slices.Contains(push, check) {
				t.Errorf("%s: %s", role, check)
			}
		}
	}
}

// tableRow is a call as docs/rbac.md shows it.
func tableRow(n need) string {
	object := n.Resource
	if n.Group != "" {
		object += "." + n.Group
	}
	if n.Subresource != "" {
		object += "/" + n.Subresource
	}
	object = "`" + object + "`"
	if n.Name != "" {
		object += " (`" + n.Name + "`)"
	}
	row := fmt.Sprintf("| %s | %s | %s |", n.Verb, object, n.For)
	for _, role := range Roles() {
		switch {
		case !slices.Contains(n.roles, role):
			row += " |"
		case n.Optional:
			row += " optional |"
		default:
			row += " yes |"
		}
	}
	return row
}

// The table and the questions of docs/rbac.md are those of the code.
func TestRBACDocs(t *testing.T) {
	t.Parallel()
	file, err := os.Open("../../docs/rbac.md")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var rows, questions []string
	inTable := false
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		inTable = strings.HasPrefix(line, "| verb |") || inTable && strings.HasPrefix(line, "|")
		switch {
		case inTable && !strings.HasPrefix(line, "| verb |") && !strings.HasPrefix(line, "| --- |"):
			rows = append(rows, line)
		case strings.HasPrefix(line, "kubectl auth can-i "):
			questions = append(questions, line)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	var wantRows, wantQuestions []string
	for _, n := range chartRelease().needs("") {
		wantRows = append(wantRows, tableRow(n))
	}
	for _, check := range chartRelease().PushChecks("") {
		if check.Namespace = "ml"; !check.Optional {
			wantQuestions = append(wantQuestions, check.CanI())
		}
	}
	if diff := cmp.Diff(wantRows, rows); diff != "" {
		t.Errorf("table (-code +docs):\n%s", diff)
	}
	if diff := cmp.Diff(wantQuestions, questions); diff != "" {
		t.Errorf("questions (-code +docs):\n%s", diff)
	}
}
