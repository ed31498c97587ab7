package rbac

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
)

// All of it happens in one release, side by side.
func TestRules(t *testing.T) {
	t.Parallel()
	r := standins.Install(t, release.Options{NoDecoys: true})
	t.Run("rules", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T, *release.Release){"each": eachRule, "printed": printedRole, "printed to watch": printedRoleToWatch} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, r)
			})
		}
	})
	noStagePods(t, r)
}

// Every rule of push.yaml is needed: without it a push ends before the upload and says what is missing. Without one that is
// optional a push finds another way.
func eachRule(t *testing.T, r *release.Release) {
	all := grants(role(t, "push"))
	if len(all) < 20 {
		t.Fatalf("push.yaml has only %d permissions", len(all))
	}
	found := 0
	for i, g := range all {
		if g.optional {
			found++
		}
		t.Run(g.words, func(t *testing.T) {
			t.Parallel()
			u := newUser(t, r, without(all, g)...)
			push := append(dataset(t, fmt.Sprintf("rule_%d", i)), "-o", "json")
			if g.optional {
				u.run(t, push...).expect(t, 0)
				u.run(t, "info").expect(t, 0)
				return
			}
			refused := u.run(t, push...).expect(t, 5, "a push needs permissions", ": "+g.words+" (", g.canI(), "kubectl apply -f -")
			refused.refused(t)
			if n := strings.Count(refused.stderr, "kubectl auth can-i "); n != 1 {
				t.Errorf("%d permissions are said to be missing, want 1:\n%s", n, refused.stderr)
			}
			u.run(t, "info").expect(t, 5, g.words, g.canI(), "kubectl apply -f -")
		})
	}
	if found != len(optional()) {
		t.Errorf("push.yaml has %d optional permissions, want %d", found, len(optional()))
	}
}

// What is missing comes out all at once, and the Role that is printed is all that it takes.
func printedRole(t *testing.T, r *release.Release) {
	for name, rules := range map[string][]grant{"nothing": nil, "watch": grants(role(t, "watch"))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t, r, without(rules, grant{})...)
			push := append(dataset(t, "printed_"+name), "-o", "json")
			refused := u.run(t, push...).expect(t, 5, "create pods/exec", "create serviceaccounts/token", "list deployments.apps")
			refused.refused(t)
			u.asks(t, refused.stderr, "no")
			u.apply(t, refused.stderr)
			u.asks(t, refused.stderr, "yes")
			u.run(t, push...).expect(t, 0)
			u.run(t, "info").expect(t, 0)
		})
	}
}

// Who has no right to watch is told so by each command that only looks, and can look after the printed Role was applied.
func printedRoleToWatch(t *testing.T, r *release.Release) {
	pushed := newUser(t, r, role(t, "push")...).run(t, append(dataset(t, "looked_at"), "-o", "json")...).expect(t, 0).object(t)
	name := pushed.Metadata.Name
	for _, command := range [][]string{{"runs"}, {"status", name}, {"logs", name}, {"wait", name}} {
		t.Run(command[0], func(t *testing.T) {
			t.Parallel()
			u := newUser(t, r)
			refused := u.run(t, command...).expect(t, 5, "watching runs needs permissions", "list jobs.batch", "get pods/log")
			u.apply(t, refused.stderr)
			u.looks(t, name, "looked_at")
		})
	}
}
