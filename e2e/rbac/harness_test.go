// Package rbac tests the built plugin as users who have the Roles of hack/rbac, and less, in a real cluster.
package rbac

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"sigs.k8s.io/yaml"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/releasetest"
)

// standins holds the images for every test of this package that installs a release.
var standins releasetest.Images

// result is how one command line ended.
type result struct {
	code           int
	stdout, stderr string
}

// user is somebody in the release's namespace.
type user struct {
	release          *release.Release
	name, kubeconfig string
}

// newUser makes a user who has the rules and nothing else.
func newUser(t *testing.T, r *release.Release, rules ...rbacv1.PolicyRule) user {
	t.Helper()
	u := user{release: r, name: "user-" + rand.String(8), kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	if err := r.WriteRoleKubeconfig(t.Context(), u.name, rules, u.kubeconfig); err != nil {
		t.Fatal(err)
	}
	return u
}

// role reads the rules of hack/rbac/NAME.yaml.
func role(t *testing.T, name string) []rbacv1.PolicyRule {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "hack", "rbac", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return rulesOf(t, string(text))
}

// rulesOf reads the Role that a manifest begins with.
func rulesOf(t *testing.T, manifest string) []rbacv1.PolicyRule {
	t.Helper()
	first, _, _ := strings.Cut(manifest, "\n---\n")
	var r rbacv1.Role
	if err := yaml.UnmarshalStrict([]byte(first), &r); err != nil || len(r.Rules) == 0 {
		t.Fatalf("no rules: %v\n%s", err, manifest)
	}
	return r.Rules
}

// apply gives an admin the here-document that the plugin printed for the user.
func (u user) apply(t *testing.T, text string) {
	t.Helper()
	_, after, found := strings.Cut(text, "kubectl apply -f - <<'EOF'\n")
	manifest, _, ended := strings.Cut(after, "EOF\n")
	if !found || !ended {
		t.Fatalf("there is nothing to apply:\n%s", text)
	}
	c := exec.CommandContext(t.Context(), "kubectl", "apply", "-f", "-")
	c.Stdin = strings.NewReader(manifest)
	finish(t, c).expect(t, 0)
	for _, rule := range rulesOf(t, manifest) {
		if err := u.release.AwaitRule(t.Context(), u.name, rule); err != nil {
			t.Fatal(err)
		}
	}
}

// run calls "kubectl tracebloc ARGS" as the user; kubectl finds the built plugin on the PATH, as it does for users.
func (u user) run(t *testing.T, args ...string) result {
	t.Helper()
	c := exec.CommandContext(t.Context(), "kubectl", append([]string{"tracebloc"}, args...)...)
	c.Env = append(os.Environ(), "KUBECONFIG="+u.kubeconfig)
	return finish(t, c)
}

func finish(t *testing.T, c *exec.Cmd) result {
	t.Helper()
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	err := c.Run()
	r := result{stdout: out.String(), stderr: errOut.String()}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		r.code = exit.ExitCode()
	case err != nil:
		t.Fatalf("%v: %v", c.Args, err)
	}
	return r
}

// expect ends the test unless the exit code is want and stderr has all of the texts.
func (r result) expect(t *testing.T, want int, texts ...string) result {
	t.Helper()
	if r.code != want {
		t.Fatalf("exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", r.code, want, r.stdout, r.stderr)
	}
	for _, text := range texts {
		if !strings.Contains(r.stderr, text) {
			t.Errorf("stderr lacks %q:\n%s", text, r.stderr)
		}
	}
	return r
}

// asks runs the questions that the plugin printed, as they are, and wants one answer to all of them.
func (u user) asks(t *testing.T, text, want string) {
	t.Helper()
	asked := 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "    kubectl auth can-i ") {
			continue
		}
		c := exec.CommandContext(t.Context(), "sh", "-c", line)
		c.Env = append(os.Environ(), "KUBECONFIG="+u.kubeconfig)
		if got := strings.TrimSpace(finish(t, c).stdout); got != want {
			t.Errorf("%s answers %q, want %q", strings.TrimSpace(line), got, want)
		}
		asked++
	}
	if asked < 5 {
		t.Errorf("only %d questions are printed:\n%s", asked, text)
	}
}

// ingestionRun is the part of -o json that the tests read.
type ingestionRun struct {
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Status struct {
		Phase    string `json:"phase"`
		ExitCode *int   `json:"exitCode"`
		Step     string `json:"step"`
		Job      string `json:"job"`
		Staging  struct {
			SentBytes int64 `json:"sentBytes"`
		} `json:"staging"`
	} `json:"status"`
}

// object reads the IngestionRun from stdout; there must be nothing else on it.
func (r result) object(t *testing.T) ingestionRun {
	t.Helper()
	var o ingestionRun
	if err := json.Unmarshal([]byte(r.stdout), &o); err != nil {
		t.Fatalf("stdout is no IngestionRun: %v\n%s", err, r.stdout)
	}
	if o.Status.ExitCode == nil || *o.Status.ExitCode != r.code {
		t.Errorf("status.exitCode is not the code of the process, %d:\n%s", r.code, r.stdout)
	}
	return o
}

// dataset writes a CSV for a push into the table.
func dataset(t *testing.T, table string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), table+".csv")
	if err := os.WriteFile(file, []byte("age,income,label\n31,1200.5,stays\n54,900.0,leaves\n29,777.25,leaves\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"push", file, "--task=tabular_classification"}
}

// refused checks that a push ended before it made anything in the cluster.
func (r result) refused(t *testing.T) {
	t.Helper()
	o := r.object(t)
	if o.Status.Phase != "Refused" || !slices.Contains([]string{"release", "access"}, o.Status.Step) || o.Status.Job != "" || o.Status.Staging.SentBytes != 0 {
		t.Errorf("got %+v", o)
	}
}

// noStagePods fails the test when a stage Pod is left in the namespace, a terminating one after a minute.
func noStagePods(t *testing.T, r *release.Release) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	selector := metav1.ListOptions{LabelSelector: "app.kubernetes.io/managed-by=kubectl-tracebloc,app.kubernetes.io/component=stage"}
	for {
		pods, err := r.Client.CoreV1().Pods(r.Options.Namespace).List(ctx, selector)
		if err != nil {
			t.Fatal(err)
		}
		if len(pods.Items) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%d stage pods are left behind", len(pods.Items))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// grant is a single permission of a rule, in the plugin's words: "create pods/exec".
type grant struct {
	words    string
	rule     rbacv1.PolicyRule
	optional bool
}

// optional are the permissions that a push does without; docs/rbac.md says how.
func optional() []string {
	return []string{"list events", "watch events", "get pods/exec", "get pods/portforward", "get namespaces"}
}

// grants takes rules apart.
func grants(rules []rbacv1.PolicyRule) []grant {
	var all []grant
	for _, rule := range rules {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				name, subresource, _ := strings.Cut(resource, "/")
				words := verb + " " + name
				if group := rule.APIGroups[0]; group != "" {
					words += "." + group
				}
				if subresource != "" {
					words += "/" + subresource
				}
				single := rbacv1.PolicyRule{APIGroups: rule.APIGroups, Resources: []string{resource}, ResourceNames: rule.ResourceNames, Verbs: []string{verb}}
				all = append(all, grant{words: words, rule: single, optional: slices.Contains(optional(), words)})
			}
		}
	}
	return all
}

// without puts the grants together again, but for one.
func without(all []grant, left grant) []rbacv1.PolicyRule {
	var rules []rbacv1.PolicyRule
	for _, g := range all {
		if g.words != left.words {
			rules = append(rules, g.rule)
		}
	}
	return rules
}

// canI is the command that the plugin prints for the grant, up to the names in it.
func (g grant) canI() string {
	verb, resource, _ := strings.Cut(g.words, " ")
	resource, _, _ = strings.Cut(resource, "/")
	return fmt.Sprintf("kubectl auth can-i %s %s", verb, resource)
}
