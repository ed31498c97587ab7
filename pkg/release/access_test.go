package release

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authnv1 "k8s.io/api/authentication/v1"
	authzv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// answerReviews lets the user do what allowed says.
func answerReviews(client *fake.Clientset, allowed func(a *authzv1.ResourceAttributes) (authzv1.SubjectAccessReviewStatus, error)) {
	client.PrependReactor("create", "selfsubjectaccessreviews", func(a clienttesting.Action) (bool, runtime.Object, error) {
		review := a.(clienttesting.CreateAction).GetObject().(*authzv1.SelfSubjectAccessReview).DeepCopy()
		status, err := allowed(review.Spec.ResourceAttributes)
		if err != nil {
			return true, nil, err
		}
		review.Status = status
		return true, review, nil
	})
}

func allowAllBut(denied ...string) func(a *authzv1.ResourceAttributes) (authzv1.SubjectAccessReviewStatus, error) {
	return func(a *authzv1.ResourceAttributes) (authzv1.SubjectAccessReviewStatus, error) {
		name := Check{Verb: a.Verb, Group: a.Group, Resource: a.Resource, Subresource: a.Subresource}.String()
		return authzv1.SubjectAccessReviewStatus{Allowed: !slices.Contains(denied, name)}, nil
	}
}

func answerWhoAmI(client *fake.Clientset, name string) {
	client.PrependReactor("create", "selfsubjectreviews", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &authnv1.SelfSubjectReview{Status: authnv1.SelfSubjectReviewStatus{UserInfo: authnv1.UserInfo{Username: name}}}, nil
	})
}

// The list of calls is a contract with docs and Roles: contract cluster.md §3.1.
func TestPushChecks(t *testing.T) {
	t.Parallel()
	r := &Release{Namespace: "ml", AuthzConfigMap: "acme-ingestion-authz", PVC: PVC{Name: "datasets"}}
	var got []string
	for _, check := range r.PushChecks("ingestor") {
		if check.Namespace != "ml" || check.For == "" || check.Role != RolePush {
			t.Errorf("%+v", check)
		}
		line := strings.TrimSpace(check.String() + " " + check.Name)
		if check.Optional {
			line += " (optional)"
		}
		got = append(got, line)
	}
	want := []string{
		"list deployments.apps", "get services jobs-manager", "get configmaps acme-ingestion-authz", "list configmaps",
		"get persistentvolumeclaims datasets", "get namespaces ml (optional)", "create pods", "get pods", "list pods", "watch pods", "delete pods",
		"create serviceaccounts/token ingestor", "list jobs.batch", "get jobs.batch", "watch jobs.batch", "get pods/log",
		"list events (optional)", "watch events (optional)", "create pods/exec", "get pods/exec (optional)",
		"create pods/portforward", "get pods/portforward (optional)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := (&Release{}).PushChecks(""); got[4].Name != "client-pvc" || got[11].Name != "ingestor" {
		t.Errorf("without a release the names are %q and %q", got[4].Name, got[11].Name)
	}
}

// What Discover and MintToken really call is in the list.
func TestPushChecksAreTheCalls(t *testing.T) {
	t.Parallel()
	client := newShape().client()
	client.PrependReactor("create", "serviceaccounts", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &authnv1.TokenRequest{Status: authnv1.TokenRequestStatus{Token: "t"}}, nil
	})
	r, err := Discover(t.Context(), client, "ml", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := MintToken(t.Context(), client, "ml", "ingestor", time.Hour); err != nil {
		t.Fatal(err)
	}
	type call struct{ namespace, words, name string }
	asked := map[call]bool{}
	for _, check := range r.PushChecks("ingestor") {
		asked[call{check.Namespace, check.String(), check.Name}] = true
	}
	for _, a := range client.Actions() {
		resource := a.GetResource()
		made := call{a.GetNamespace(), Check{Verb: a.GetVerb(), Group: resource.Group, Resource: resource.Resource, Subresource: a.GetSubresource()}.String(), ""}
		switch named := a.(type) {
		case clienttesting.GetAction:
			made.name = named.GetName()
		case clienttesting.CreateActionImpl:
			made.name = named.Name
		}
		if resource.Resource == "namespaces" {
			made.namespace = made.name // the API server authorizes a namespace inside itself
		}
		if !asked[made] {
			t.Errorf("nobody asks for %+v", made)
		}
	}
}

func TestAccess(t *testing.T) {
	t.Parallel()
	client := fake.NewClientset()
	answerReviews(client, func(a *authzv1.ResourceAttributes) (authzv1.SubjectAccessReviewStatus, error) {
		switch {
		case a.Resource == "events":
			return authzv1.SubjectAccessReviewStatus{}, errors.New("webhook is away")
		case a.Subresource == "exec":
			return authzv1.SubjectAccessReviewStatus{Reason: "no rule", EvaluationError: "role \"x\" not found"}, nil
		case a.Resource == "serviceaccounts" && a.Name != "ingestor":
			return authzv1.SubjectAccessReviewStatus{}, nil
		}
		return authzv1.SubjectAccessReviewStatus{Allowed: true}, nil
	})
	answerWhoAmI(client, "dana o'neill")
	results, err := Access(t.Context(), client, (&Release{Namespace: "ml"}).PushChecks("ingestor"))
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range results {
		want := VerdictAllowed
		switch {
		case result.Resource == "events":
			want = VerdictUnknown
		case result.Subresource == "exec":
			want = VerdictDenied
		}
		if result.Verdict != want {
			t.Errorf("%s: %s, want %s", result.String(), result.Verdict, want)
		}
	}
	missing := Missing(results)
	var access *AccessError
	if !errors.As(missing, &access) || len(access.Denied) != 1 || access.Denied[0].Reason != `no rule role "x" not found` {
		t.Fatalf("got %+v", missing)
	}
	want := `a push needs permissions in namespace "ml" that you do not have: create pods/exec (ask an admin of the cluster: ` +
		`kubectl create rolebinding tracebloc-edit --clusterrole=edit --user='dana o'\''neill' -n ml)`
	if missing.Error() != want {
		t.Errorf("got  %s\nwant %s", missing, want)
	}
}

func TestAccessAllAllowed(t *testing.T) {
	t.Parallel()
	client := fake.NewClientset()
	answerReviews(client, allowAllBut("list events", "get pods/exec"))
	results, err := Access(t.Context(), client, (&Release{Namespace: "ml"}).PushChecks("ingestor"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Missing(results); err != nil {
		t.Errorf("optional calls stand in the way: %v", err)
	}
}

func TestAccessCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Access(ctx, fake.NewClientset(), (&Release{}).PushChecks("")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestWhoAmI(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"dana":                              "--user=dana",
		"dana@example.com":                  "--user=dana@example.com",
		"oidc:dana#1":                       "--user='oidc:dana#1'",
		"system:serviceaccount:ci:pusher":   "--serviceaccount=ci:pusher",
		"system:serviceaccount:ci":          "--user=system:serviceaccount:ci",
		"":                                  "--user=YOUR-USER",
		"a; rm -rf /":                       "--user='a; rm -rf /'",
		"arn:aws:iam::1:role/ml-engineer,x": "--user=arn:aws:iam::1:role/ml-engineer,x",
	} {
		client := fake.NewClientset()
		answerWhoAmI(client, name)
		if got := whoAmI(t.Context(), client).flag(); got != want {
			t.Errorf("%q: got %s, want %s", name, got, want)
		}
	}
}
