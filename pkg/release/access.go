package release

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
	authzv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Check is one API call that a command will make.
type Check struct {
	// Namespace is empty for all namespaces.
	Namespace, Verb, Group, Resource, Subresource string
	// Name narrows the check to one object, for Roles with resourceNames.
	Name string
	// For says what the call is for.
	For string
	// Optional calls have another way, or are for diagnostics only.
	Optional bool
	// Role is the one that the check was asked for.
	Role Role
}

// String names the call in the words of a Role: "create pods/exec".
func (c Check) String() string {
	resource := c.Resource
	if c.Group != "" {
		resource += "." + c.Group
	}
	if c.Subresource != "" {
		resource += "/" + c.Subresource
	}
	return c.Verb + " " + resource
}

// CanI is the command that asks the cluster for the call. What follows a slash
// there is the name of an object, not a subresource.
func (c Check) CanI() string {
	resource := c.Resource
	if c.Group != "" {
		resource += "." + c.Group
	}
	if c.Name != "" {
		resource += "/" + c.Name
	}
	line := "kubectl auth can-i " + c.Verb + " " + shellWord(resource)
	if c.Subresource != "" {
		line += " --subresource=" + c.Subresource
	}
	if c.Namespace == "" {
		return line + " --all-namespaces"
	}
	return line + " -n " + shellWord(c.Namespace)
}

// Verdict is the answer to a Check.
type Verdict string

// The verdicts. VerdictUnknown means that the question itself failed.
const (
	VerdictAllowed Verdict = "allowed"
	VerdictDenied  Verdict = "denied"
	VerdictUnknown Verdict = "unknown"
)

// CheckResult is a Check with its answer.
type CheckResult struct {
	Check
	Verdict Verdict
	// Reason is what the API server, or the failure to ask it, said. It is
	// foreign text and may be empty.
	Reason string
	// Remedy is the next step for a call that is not allowed.
	Remedy string

	user subject // who is denied
}

// reviewsAtOnce bounds the questions in flight, below client-go's own rate limit.
const reviewsAtOnce = 8

// Access asks the API server whether the user may make each call. It asks one
// by one: the list of rules that the API server can also give is of RBAC only,
// and may be incomplete. The results have the order of the checks; a question
// that failed is VerdictUnknown. The error is only that of ctx.
func Access(ctx context.Context, client kubernetes.Interface, checks []Check) ([]CheckResult, error) {
	results := make([]CheckResult, len(checks))
	var group errgroup.Group
	group.SetLimit(reviewsAtOnce)
	for i, check := range checks {
		group.Go(func() error {
			results[i] = review(ctx, client, check)
			return nil
		})
	}
	_ = group.Wait() // no question returns an error
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("ask the API server for permissions: %w", err)
	}
	addRemedies(ctx, client, results)
	return results, nil
}

func review(ctx context.Context, client kubernetes.Interface, check Check) CheckResult {
	question := &authzv1.SelfSubjectAccessReview{Spec: authzv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authzv1.ResourceAttributes{
			Namespace: check.Namespace, Verb: check.Verb, Group: check.Group,
			Resource: check.Resource, Subresource: check.Subresource, Name: check.Name,
		},
	}}
	answer, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, question, metav1.CreateOptions{})
	result := CheckResult{Check: check}
	switch {
	case err != nil:
		result.Verdict, result.Reason = VerdictUnknown, err.Error()
	case answer.Status.Allowed:
		result.Verdict = VerdictAllowed
	default:
		result.Verdict = VerdictDenied
		result.Reason = strings.TrimSpace(answer.Status.Reason + " " + answer.Status.EvaluationError)
	}
	return result
}

// addRemedies asks for the user's name only when something is missing.
func addRemedies(ctx context.Context, client kubernetes.Interface, results []CheckResult) {
	var user subject
	for i := range results {
		result := &results[i]
		if result.Verdict != VerdictDenied {
			continue
		}
		if user.name == "" {
			user = whoAmI(ctx, client)
		}
		result.user = user
		result.Remedy = roleRemedy(user, result.Namespace, builtInRole([]Check{result.Check}))
	}
}
