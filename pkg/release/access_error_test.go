package release

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	authzv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/yaml"
)

// refusal is how the API server refuses to list Jobs.
func refusal() error {
	return apierrors.NewForbidden(schema.GroupResource{Group: "batch", Resource: "jobs"}, "", errors.New("no rule"))
}

func TestExplain(t *testing.T) {
	t.Parallel()
	admin := "(ask an admin of the cluster: kubectl create rolebinding tracebloc-%[1]s --clusterrole=%[1]s --user=dana -n ml)"
	view, edit := fmt.Sprintf(admin, "view"), fmt.Sprintf(admin, "edit")
	tests := []struct {
		name   string
		role   Role
		all    bool // namespaces
		denied []string
		err    error
		want   string // "" for the error as it is
	}{
		{name: "nothing", err: nil},
		{name: "not a refusal", err: apierrors.NewNotFound(schema.GroupResource{Resource: "jobs"}, "x"), denied: []string{"list jobs.batch"}},
		{name: "admission", role: RoleWatch, err: refusal()},
		{name: "watch", role: RoleWatch, err: fmt.Errorf("list the runs: %w", refusal()), denied: []string{"list jobs.batch", "get pods/log", "list events", "delete jobs.batch"},
			want: `watching runs needs permissions in namespace "ml" that you do not have: list jobs.batch, get pods/log ` + view},
		{name: "cancel", role: RoleCancel, err: refusal(), denied: []string{"delete jobs.batch", "create pods/exec"},
			want: `canceling a run needs permissions in namespace "ml" that you do not have: delete jobs.batch ` + edit},
		{name: "cleanup", role: RoleCleanup, err: refusal(), denied: []string{"delete pods", "create serviceaccounts/token"},
			want: `a cleanup needs permissions in namespace "ml" that you do not have: delete pods ` + edit},
		{name: "push explained, but it is a cleanup", role: RoleCleanup, denied: []string{"create pods/exec"},
			err:  &AccessError{Role: RolePush, Denied: []CheckResult{{Check: Check{Verb: "list", Resource: "pods"}}}},
			want: `a cleanup needs permissions in namespace "ml" that you do not have: create pods/exec ` + edit},
		{name: "explained before", role: RolePush, denied: []string{"create pods/exec"},
			err: &AccessError{Role: RolePush, Denied: []CheckResult{{Check: Check{Verb: "list", Resource: "pods"}}}}},
		{name: "everywhere", role: RoleWatch, all: true, err: refusal(), denied: []string{"list jobs.batch"},
			want: `watching runs needs permissions in all namespaces that you do not have: list jobs.batch` +
				` (ask an admin of the cluster: kubectl create clusterrolebinding tracebloc-view --clusterrole=view --user=dana)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client := fake.NewClientset()
			answerReviews(client, allowAllBut(tt.denied...))
			answerWhoAmI(client, "dana")
			namespace := "ml"
			if tt.all {
				namespace = metav1.NamespaceAll
			}
			got := Explain(t.Context(), client, tt.role, namespace, tt.err)
			if tt.want == "" {
				if !errors.Is(got, tt.err) || tt.err != nil && got.Error() != tt.err.Error() {
					t.Fatalf("got %v, want it as it is", got)
				}
				return
			}
			if got.Error() != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if !errors.Is(got, tt.err) || !apierrors.IsForbidden(got) {
				t.Errorf("%#v does not know what it came from", got)
			}
		})
	}
}

// Who may do nothing at all is as a rule in the wrong namespace.
func TestExplainNothingAllowed(t *testing.T) {
	t.Parallel()
	deny := func(*authzv1.ResourceAttributes) (authzv1.SubjectAccessReviewStatus, error) {
		return authzv1.SubjectAccessReviewStatus{}, nil
	}
	for namespace, want := range map[string]string{
		"ml": "; if the release is in another namespace, name it with -n)",
		"":   "; or name one namespace with -n)",
	} {
		client := fake.NewClientset()
		answerReviews(client, deny)
		var access *AccessError
		if err := Explain(t.Context(), client, RoleWatch, namespace, refusal()); !errors.As(err, &access) || !strings.HasSuffix(err.Error(), want) {
			t.Fatalf("%q: got %v", namespace, err)
		}
		if help := access.Help(); !strings.HasSuffix(help, " with -n.\n") {
			t.Errorf("%q: got %s", namespace, help)
		}
	}
}

func TestExplainCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	client, refused := fake.NewClientset(), refusal()
	if got := Explain(ctx, client, RoleWatch, "ml", refused); !errors.Is(got, refused) || len(client.Actions()) > 0 {
		t.Errorf("got %v after %d calls", got, len(client.Actions()))
	}
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	client := fake.NewClientset()
	answerReviews(client, allowAllBut("delete jobs.batch", "watch events"))
	if err := Allowed(t.Context(), client, RoleWatch, "ml"); err != nil {
		t.Errorf("watch: %v", err)
	}
	var access *AccessError
	if err := Allowed(t.Context(), client, RoleCancel, "ml"); !errors.As(err, &access) || len(access.Denied) != 1 || !apierrors.IsForbidden(err) {
		t.Errorf("cancel: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Allowed(ctx, client, RoleWatch, "ml"); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// denied makes the error of a user who lacks the calls, as Access would.
func denied(user subject, checks ...Check) *AccessError {
	var results []CheckResult
	for _, check := range checks {
		results = append(results, CheckResult{Check: check, Verdict: VerdictDenied, user: user})
	}
	return missing(append(results, CheckResult{Verdict: VerdictAllowed}))
}

func TestHelp(t *testing.T) {
	t.Parallel()
	r := &Release{Namespace: "ml", PVC: PVC{Name: "datasets"}}
	var lacks []Check
	for _, check := range r.PushChecks("loader") {
		switch check.String() {
		case "get persistentvolumeclaims", "create pods", "delete pods", "create serviceaccounts/token", "get jobs.batch", "create pods/exec", "create pods/portforward":
			lacks = append(lacks, check)
		}
	}
	got := denied(subject{name: "dana"}, lacks...).Help()
	want := `
To see for yourself:

    kubectl auth can-i get persistentvolumeclaims/datasets -n ml
    kubectl auth can-i create pods -n ml
    kubectl auth can-i delete pods -n ml
    kubectl auth can-i create serviceaccounts/loader --subresource=token -n ml
    kubectl auth can-i get jobs.batch -n ml
    kubectl auth can-i create pods --subresource=exec -n ml
    kubectl auth can-i create pods --subresource=portforward -n ml

To allow just that, an admin of the cluster runs:

kubectl apply -f - <<'EOF'
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: tracebloc-push-HASH
  namespace: "ml"
rules:
- apiGroups: [""]
  resources: ["persistentvolumeclaims"]
  resourceNames: ["datasets"]
  verbs: ["get"]
- apiGroups: [""]
  resources: ["pods"]
  verbs: ["create", "delete"]
- apiGroups: [""]
  resources: ["serviceaccounts/token"]
  resourceNames: ["loader"]
  verbs: ["create"]
- apiGroups: ["batch"]
  resources: ["jobs"]
  verbs: ["get"]
- apiGroups: [""]
  resources: ["pods/exec", "pods/portforward"]
  verbs: ["create"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: tracebloc-push-HASH
  namespace: "ml"
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: tracebloc-push-HASH
subjects:
- apiGroup: rbac.authorization.k8s.io
  kind: User
  name: "dana"
EOF
`
	if diff := cmp.Diff(want, strings.ReplaceAll(got, nameOf(t, got), "tracebloc-push-HASH")); diff != "" {
		t.Error(diff)
	}
	if text := denied(subject{name: unknownUser}, lacks...).Help(); !strings.Contains(text, "runs, with your name for YOUR-USER:") {
		t.Errorf("got %s", text)
	}
}

// nameOf is the name of the first object of a manifest.
func nameOf(t *testing.T, text string) string {
	t.Helper()
	_, after, found := strings.Cut(text, "\n  name: ")
	name, _, ok := strings.Cut(after, "\n")
	if !found || !ok {
		t.Fatalf("no name in %s", text)
	}
	return name
}

// Whatever the names are, the manifest is what was meant, and cannot end the
// here-document that it stands in.
func TestManifest(t *testing.T) {
	t.Parallel()
	check := Check{Namespace: "ml", Verb: "get", Resource: "configmaps", Name: "a: [b]\nEOF\nrm -rf \"$HOME\"", Role: RolePush}
	for name, user := range map[string]subject{
		"user":            {name: "oidc:dana <d@x.y>\nEOF\n---\u202e"},
		"service account": {name: "bot", namespace: "ci"},
	} {
		for _, namespace := range []string{"ml", ""} {
			check.Namespace = namespace
			text := denied(user, check).Manifest()
			if strings.Contains(text, "\nEOF") {
				t.Fatalf("%s: it ends its here-document:\n%s", name, text)
			}
			documents := strings.Split(text, "\n---\n")
			var r rbacv1.Role
			var b rbacv1.RoleBinding
			if len(documents) != 2 || yaml.UnmarshalStrict([]byte(documents[0]), &r) != nil || yaml.UnmarshalStrict([]byte(documents[1]), &b) != nil {
				t.Fatalf("%s: not two objects:\n%s", name, text)
			}
			kind := map[string]string{"ml": "Role", "": "ClusterRole"}[namespace]
			rules := []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{check.Name}, Verbs: []string{"get"}}}
			subjects := []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user.name}}
			if user.namespace != "" {
				subjects = []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: user.namespace, Name: user.name}}
			}
			if diff := cmp.Diff(rules, r.Rules) + cmp.Diff(subjects, b.Subjects); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			if r.Kind != kind || b.Kind != kind+"Binding" || b.RoleRef.Kind != kind || b.RoleRef.Name != r.Name || b.Name != r.Name || r.Namespace != namespace || b.Namespace != namespace {
				t.Errorf("%s in %q:\n%s", name, namespace, text)
			}
		}
	}
}

// What is applied for one user must not take away what was applied for another,
// nor what was applied before.
func TestManifestNames(t *testing.T) {
	t.Parallel()
	list := Check{Namespace: "ml", Verb: "list", Resource: "pods", Role: RoleWatch}
	get := list
	get.Verb = "get"
	seen := map[string]bool{}
	for _, e := range []*AccessError{
		denied(subject{name: "dana"}, list), denied(subject{name: "dana"}, get), denied(subject{name: "dana"}, list, get), denied(subject{name: "kim"}, list),
		denied(subject{name: "dana", namespace: "ci"}, list),
	} {
		seen[nameOf(t, e.Manifest())] = true
	}
	if len(seen) != 5 {
		t.Errorf("got only %v", seen)
	}
	if a, b := denied(subject{name: "dana"}, list).Manifest(), denied(subject{name: "dana"}, list).Manifest(); a != b {
		t.Error("the same gets two names")
	}
}

func TestCanI(t *testing.T) {
	t.Parallel()
	for want, check := range map[string]Check{
		"kubectl auth can-i list deployments.apps -n ml":                                 {Namespace: "ml", Verb: "list", Group: "apps", Resource: "deployments"},
		"kubectl auth can-i create serviceaccounts/ingestor --subresource=token -n ml":   {Namespace: "ml", Verb: "create", Resource: "serviceaccounts", Subresource: "token", Name: "ingestor"},
		"kubectl auth can-i get pods --subresource=log --all-namespaces":                 {Verb: "get", Resource: "pods", Subresource: "log"},
		"kubectl auth can-i get 'configmaps/$(id)' -n 'a b'":                             {Namespace: "a b", Verb: "get", Resource: "configmaps", Name: "$(id)"},
		"kubectl auth can-i get configmaps/acme-ingestion-authz -n tracebloc-production": {Namespace: "tracebloc-production", Verb: "get", Resource: "configmaps", Name: "acme-ingestion-authz"},
	} {
		if got := check.CanI(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
