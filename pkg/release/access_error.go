package release

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// AccessError names every call that a command needs and the user may not make.
// k8s.io/apimachinery/pkg/api/errors takes it for a refusal of the API server.
type AccessError struct {
	// Namespace is empty for all namespaces.
	Namespace string
	Role      Role
	Denied    []CheckResult
	// Nothing says that not one of the calls is allowed, so that the namespace
	// may be the wrong one.
	Nothing bool
	// Err is the refusal that made us ask, or nil.
	Err error

	user subject
}

// Error is one line with all calls and the next step.
func (e *AccessError) Error() string {
	names := make([]string, 0, len(e.Denied))
	for _, d := range e.Denied {
		names = append(names, d.Check.String())
	}
	where := fmt.Sprintf("in namespace %q", e.Namespace)
	if e.Namespace == "" {
		where = "in all namespaces"
	}
	next := e.remedy()
	if hint := e.elsewhere(); hint != "" {
		next += "; " + hint
	}
	return fmt.Sprintf("%s permissions %s that you do not have: %s (%s)", e.Role.who(), where, strings.Join(names, ", "), next)
}

// Unwrap returns Err.
func (e *AccessError) Unwrap() error { return e.Err }

// Status makes the error one of the API server's: reason Forbidden, code 403.
func (e *AccessError) Status() metav1.Status {
	return metav1.Status{Status: metav1.StatusFailure, Message: e.Error(), Reason: metav1.StatusReasonForbidden, Code: http.StatusForbidden}
}

// elsewhere is for those who look in the wrong place; empty for the others.
func (e *AccessError) elsewhere() string {
	lost := e.Nothing || slices.ContainsFunc(e.Denied, func(d CheckResult) bool { return d.Resource == "deployments" })
	switch {
	case !lost:
		return ""
	case e.Namespace == "":
		return "or name one namespace with -n"
	}
	return "if the release is in another namespace, name it with -n"
}

// remedy is the next step for all calls together.
func (e *AccessError) remedy() string {
	return roleRemedy(e.user, e.Namespace, builtInRole(e.checks()))
}

func (e *AccessError) checks() []Check {
	checks := make([]Check, 0, len(e.Denied))
	for _, d := range e.Denied {
		checks = append(checks, d.Check)
	}
	return checks
}

// Missing turns results into one *AccessError, or nil when nothing that the
// role needs is denied. Unknown answers do not count: the call itself will tell.
func Missing(results []CheckResult) error {
	if e := missing(results); e != nil {
		return e
	}
	return nil
}

func missing(results []CheckResult) *AccessError {
	e := &AccessError{Nothing: true}
	for _, r := range results {
		switch {
		case r.Optional:
		case r.Verdict == VerdictDenied:
			e.Denied = append(e.Denied, r)
		default:
			e.Nothing = false
		}
	}
	if len(e.Denied) == 0 {
		return nil
	}
	first := e.Denied[0]
	e.Namespace, e.Role, e.user = first.Namespace, first.Role, first.user
	return e
}

// Allowed asks whether the user may do all that a role needs, before a command
// does any of it. An empty namespace asks for all of them. The error is an
// *AccessError, or that of ctx.
func Allowed(ctx context.Context, client kubernetes.Interface, role Role, namespace string) error {
	results, err := Access(ctx, client, (&Release{Namespace: namespace}).Checks(role, ""))
	if err != nil {
		return err
	}
	return Missing(results)
}

// Explain turns the API server's refusal of a call that a command of the role
// made into an *AccessError with everything that the role lacks in the
// namespace, so that users do not learn it call by call; an empty namespace
// stands for all of them. Any other error, and nil, come back as they are.
func Explain(ctx context.Context, client kubernetes.Interface, role Role, namespace string, err error) error {
	return (&Release{Namespace: namespace}).explainAll(ctx, client, role, err)
}

// explainAll is Explain with the names of what is known of the release.
func (r *Release) explainAll(ctx context.Context, client kubernetes.Interface, role Role, err error) error {
	var known *AccessError
	if !apierrors.IsForbidden(err) || ctx.Err() != nil || errors.As(err, &known) && known.Role == role {
		return err
	}
	results, asked := Access(ctx, client, r.Checks(role, ""))
	if asked != nil {
		return err
	}
	e := missing(results)
	if e == nil {
		// An admission rule, or an authorizer that changed its mind: its own words are all there is.
		return err
	}
	e.Err = err
	return e
}
