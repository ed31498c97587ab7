package release

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
	authnv1 "k8s.io/api/authentication/v1"
	authzv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Check is one API call that a push will make.
type Check struct {
	Namespace, Verb, Group, Resource, Subresource string
	// Name narrows the check to one object, for Roles with resourceNames.
	Name string
	// For says what the call is for.
	For string
	// Optional calls have another way, or are for diagnostics only.
	Optional bool
}

// String is the check in the words of kubectl auth can-i: "create pods/exec".
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
}

// PushChecks lists every call that a push to this release makes from here on
// and made on the way here (contract cluster.md §3.1). Fields of the Release
// that are not known yet get the names that every chart uses.
func (r *Release) PushChecks(serviceAccount string) []Check {
	checks := []Check{
		{Verb: "list", Group: "apps", Resource: "deployments", For: "find the release"},
		{Verb: "get", Resource: "services", Name: ServiceName, For: "find the ingestion endpoint"},
		{Verb: "get", Resource: "configmaps", Name: r.AuthzConfigMap, For: "read the ingestion policy"},
		{Verb: "list", Resource: "configmaps", For: "find earlier runs into the table"},
		{Verb: "get", Resource: "persistentvolumeclaims", Name: r.claimName(), For: "check the shared volume"},
		{Verb: "create", Resource: "pods", For: "stage the files"},
		{Verb: "get", Resource: "pods", For: "stage the files and follow the run"},
		{Verb: "list", Resource: "pods", For: "find jobs-manager and follow the run"},
		{Verb: "watch", Resource: "pods", For: "wait for the stage Pod and follow the run"},
		{Verb: "delete", Resource: "pods", For: "remove the stage Pod"},
		tokenCheck(serviceAccount),
		{Verb: "list", Group: "batch", Resource: "jobs", For: "find earlier runs into the table"},
		{Verb: "get", Group: "batch", Resource: "jobs", For: "follow the run"},
		{Verb: "watch", Group: "batch", Resource: "jobs", For: "follow the run"},
		{Verb: "get", Resource: "pods", Subresource: "log", For: "read the log of the run"},
		{Verb: "list", Resource: "events", For: "explain why a Pod does not start", Optional: true},
	}
	checks = append(checks, streamChecks("exec", "copy the files into the stage Pod")...)
	checks = append(checks, streamChecks("portforward", "reach jobs-manager")...)
	for i := range checks {
		checks[i].Namespace = r.Namespace
	}
	return checks
}

func tokenCheck(serviceAccount string) Check {
	return Check{Verb: "create", Resource: "serviceaccounts", Subresource: "token", Name: serviceAccount, For: "make the token for the submit"}
}

// streamChecks are the two verbs of a streaming subresource. A WebSocket needs
// get, and from Kubernetes 1.35 on create as well; SPDY needs create only. So
// create is what must be there, and without get the client falls back to SPDY.
func streamChecks(subresource, purpose string) []Check {
	return []Check{
		{Verb: "create", Resource: "pods", Subresource: subresource, For: purpose},
		{Verb: "get", Resource: "pods", Subresource: subresource, For: purpose + " over WebSocket rather than SPDY", Optional: true},
	}
}

func (r *Release) claimName() string {
	if r.PVC.Name != "" {
		return r.PVC.Name
	}
	return "client-pvc"
}

// reviewsAtOnce bounds the questions in flight, below client-go's own rate limit.
const reviewsAtOnce = 4

// Access asks the API server whether the user may make each call. The results
// have the order of the checks; a question that failed is VerdictUnknown. The
// error is only that of ctx.
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
	user := ""
	for i := range results {
		if results[i].Verdict != VerdictDenied {
			continue
		}
		if user == "" {
			user = subjectFlag(ctx, client)
		}
		results[i].Remedy = roleRemedy(user, results[i].Namespace)
	}
}

// subjectFlag is the flag by which kubectl create rolebinding names the user;
// a placeholder where the cluster does not say (SelfSubjectReview came with
// Kubernetes 1.28).
func subjectFlag(ctx context.Context, client kubernetes.Interface) string {
	who, err := client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authnv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil || who.Status.UserInfo.Username == "" {
		return "--user=YOUR-USER"
	}
	name := who.Status.UserInfo.Username
	if account, ok := strings.CutPrefix(name, "system:serviceaccount:"); ok {
		return "--serviceaccount=" + shellWord(account)
	}
	return "--user=" + shellWord(name)
}

// roleRemedy is what a cluster admin runs; "edit" covers every call of a push
// (contract cluster.md §3.1).
func roleRemedy(subject, namespace string) string {
	return fmt.Sprintf("ask an admin of the cluster: kubectl create rolebinding tracebloc-push --clusterrole=edit %s -n %s", subject, namespace)
}

// shellWord quotes a name that a shell would read otherwise, since users copy
// the line.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("@%_+=:,./-", r)
	}
	if s != "" && strings.TrimFunc(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// AccessError names every call that a push needs and the user may not make.
type AccessError struct {
	Namespace string
	Denied    []CheckResult
}

func (e *AccessError) Error() string {
	names := make([]string, 0, len(e.Denied))
	for _, d := range e.Denied {
		names = append(names, d.Check.String())
	}
	return fmt.Sprintf("a push needs permissions in namespace %q that you do not have: %s (%s)",
		e.Namespace, strings.Join(names, ", "), e.Denied[0].Remedy)
}

// Missing turns results into one *AccessError, or nil when nothing that a push
// needs is denied. Unknown answers do not count: the call itself will tell.
func Missing(results []CheckResult) error {
	var denied []CheckResult
	for _, r := range results {
		if r.Verdict == VerdictDenied && !r.Optional {
			denied = append(denied, r)
		}
	}
	if len(denied) == 0 {
		return nil
	}
	return &AccessError{Namespace: denied[0].Namespace, Denied: denied}
}
