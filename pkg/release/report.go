package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
)

// Status is the outcome of one check of a Report.
type Status string

// The statuses. A warning does not keep a push from working.
const (
	StatusOK      Status = "ok"
	StatusMissing Status = "missing"
	StatusWarning Status = "warning"
)

// The checks of a Report that are neither steps of Inspect nor permissions.
const (
	CheckAccount  = "service account"
	CheckToken    = "token"
	CheckEndpoint = "endpoint"
	CheckTarget   = "destination"
)

// Report tells whether a push would work, and what is missing.
type Report struct {
	// Release holds what could be found; only Namespace and MountPath are sure.
	Release *Release
	// ServiceAccount is the one that a push would use, empty when there is none.
	ServiceAccount string
	Checks         []ReportCheck

	access *AccessError // the permissions that are missing, or nil
}

// ReportCheck is one line of a Report.
type ReportCheck struct {
	Name   string
	Status Status
	// Detail and Remedy may hold foreign text.
	Detail, Remedy string
	// Denied marks a check that is about permission.
	Denied bool
}

// Question is what a Report answers.
type Question struct {
	Namespace string
	// Release may be empty, as for Discover.
	Release string
	// Table may be empty: then any table that the policy allows will do.
	Table string
	// Answers asks jobs-manager for its health, through a port-forward to the
	// Release's Pod and Port.
	Answers func(ctx context.Context, r *Release) error
	// Earlier says in a sentence which run a push into Table would meet, "" for none.
	// It is not called without a Table.
	Earlier func(ctx context.Context) (string, error)
}

// Examine makes every check of a push that can be made without writing
// anything; the token that it makes is dropped. It goes on after a failure,
// but not when the cluster cannot be asked at all: twenty checks that fail for
// the same reason help nobody. The error is only that of ctx.
func Examine(ctx context.Context, client kubernetes.Interface, q Question) (*Report, error) {
	r, steps := Inspect(ctx, client, q.Namespace, q.Release)
	e := &examination{client: client, question: q, report: &Report{Release: r}}
	e.addSteps(steps)
	if ctx.Err() != nil || hopeless(steps[0].Err) {
		return e.report, ctx.Err()
	}
	e.checkAccount()
	if err := e.checkAccess(ctx); err != nil {
		return e.report, err
	}
	e.checkToken(ctx)
	e.checkEndpoint(ctx)
	e.checkDestination(ctx)
	return e.report, ctx.Err()
}

// hopeless reports whether the error of the first call is about every call: no
// connection, or credentials that the cluster does not accept.
func hopeless(err error) bool {
	var status apierrors.APIStatus
	var notFound *NotFoundError
	var several *SeveralError
	var old *TooOldError
	switch {
	case err == nil, errors.As(err, &notFound), errors.As(err, &several), errors.As(err, &old):
		return false
	default:
		return apierrors.IsUnauthorized(err) || !errors.As(err, &status)
	}
}

// examination fills a Report.
type examination struct {
	client   kubernetes.Interface
	question Question
	report   *Report
}

func (e *examination) add(check ReportCheck) { e.report.Checks = append(e.report.Checks, check) }

// missing reports whether the check with this name failed; those that build on
// it are left out then.
func (e *examination) missing(name string) bool {
	return slices.ContainsFunc(e.report.Checks, func(c ReportCheck) bool { return c.Name == name && c.Status == StatusMissing })
}

func (e *examination) addSteps(steps []Step) {
	for _, step := range steps {
		check := ReportCheck{Name: step.Name, Status: StatusOK, Detail: step.Detail}
		switch {
		case step.Err != nil:
			check.Status, check.Detail, check.Denied = StatusMissing, step.Err.Error(), IsDenied(step.Err)
		case step.Warning != "":
			check.Status, check.Detail = StatusWarning, step.Warning
		}
		e.add(check)
	}
}

func (e *examination) checkAccount() {
	r, table := e.report.Release, e.question.Table
	if r.AuthzConfigMap == "" || e.missing(StepPolicy) {
		return
	}
	account, err := r.ServiceAccount(table, "")
	if err != nil {
		e.add(ReportCheck{Name: CheckAccount, Status: StatusMissing, Detail: err.Error(), Denied: true})
		return
	}
	e.report.ServiceAccount = account
	detail := account + " may write some tables; --table asks about one"
	if table != "" {
		detail = fmt.Sprintf("%s may write table %q", account, table)
	} else if r.coversAll(account) {
		detail = account + " may write every table"
	}
	e.add(ReportCheck{Name: CheckAccount, Status: StatusOK, Detail: detail})
}

func (e *examination) checkAccess(ctx context.Context) error {
	results, err := Access(ctx, e.client, e.report.Release.PushChecks(e.report.ServiceAccount))
	if err != nil {
		return err
	}
	e.report.access = missing(results)
	for _, result := range results {
		check := ReportCheck{Name: result.String(), Status: StatusOK, Detail: result.For, Remedy: result.Remedy, Denied: true}
		switch {
		case result.Verdict == VerdictUnknown:
			check.Status, check.Detail = StatusWarning, "could not be asked: "+result.Reason
		case result.Verdict == VerdictDenied && result.Optional:
			check.Status, check.Detail = StatusWarning, "not allowed, which a push does without; it would be used to "+result.For
		case result.Verdict == VerdictDenied:
			check.Status, check.Detail = StatusMissing, "not allowed; needed to "+result.For
		}
		e.add(check)
	}
	return nil
}

// probeTokenLife is the shortest life of a token that the API server grants.
const probeTokenLife = 10 * time.Minute

func (e *examination) checkToken(ctx context.Context) {
	account := e.report.ServiceAccount
	if account == "" || e.missing(tokenCheck(account).String()) {
		return
	}
	check := ReportCheck{Name: CheckToken, Status: StatusOK, Detail: "made one of service account " + account, Denied: true}
	if _, _, err := MintToken(ctx, e.client, e.report.Release.Namespace, account, probeTokenLife); err != nil {
		check.Status, check.Detail = StatusMissing, err.Error()
	}
	e.add(check)
}

func (e *examination) checkEndpoint(ctx context.Context) {
	r := e.report.Release
	if r.Port == 0 || r.HTTPDisabled || e.missing(streamChecks("portforward", "")[0].String()) {
		return
	}
	check := ReportCheck{Name: CheckEndpoint, Status: StatusOK, Detail: "jobs-manager answers"}
	if err := e.question.Answers(ctx, r); err != nil {
		check.Status, check.Denied = StatusMissing, IsDenied(err)
		check.Detail = fmt.Sprintf("%v (kubectl logs %s -n %s)", err, r.Pod, r.Namespace)
	}
	e.add(check)
}

func (e *examination) checkDestination(ctx context.Context) {
	table := e.question.Table
	if table == "" || e.missing("list configmaps") || e.missing("list jobs.batch") {
		return
	}
	check := ReportCheck{Name: CheckTarget, Status: StatusOK, Detail: fmt.Sprintf("no earlier run into table %q", table)}
	earlier, err := e.question.Earlier(ctx)
	switch {
	case err != nil:
		check.Status, check.Detail, check.Denied = StatusMissing, err.Error(), IsDenied(err)
	case earlier != "":
		check.Status, check.Detail = StatusWarning, earlier
	}
	e.add(check)
}

// UnreadyError says that a push would not work.
type UnreadyError struct {
	Namespace string
	// Missing are the checks that failed, of Total.
	Missing []ReportCheck
	Total   int
	// Access holds the permissions among them, or is nil.
	Access *AccessError
}

func (e *UnreadyError) Error() string {
	if len(e.Missing) == 1 && e.Missing[0].Remedy == "" {
		return fmt.Sprintf("a push to namespace %q would not work: %s", e.Namespace, e.Missing[0].Detail)
	}
	remedy := ""
	if e.Access != nil {
		remedy = " (" + e.Access.remedy() + ")"
	}
	names := make([]string, 0, len(e.Missing))
	for _, check := range e.Missing {
		names = append(names, check.Name)
	}
	return fmt.Sprintf("a push to namespace %q would not work: %d of %d checks found something missing: %s%s",
		e.Namespace, len(e.Missing), e.Total, strings.Join(names, ", "), remedy)
}

// Help is that of Access, and empty without one.
func (e *UnreadyError) Help() string {
	if e.Access == nil {
		return ""
	}
	return e.Access.Help()
}

// OnlyDenied reports whether permissions are all that is missing.
func (e *UnreadyError) OnlyDenied() bool {
	return !slices.ContainsFunc(e.Missing, func(c ReportCheck) bool { return !c.Denied })
}

// Err is nil when a push would work, else an *UnreadyError.
func (r *Report) Err() error {
	var missing []ReportCheck
	for _, check := range r.Checks {
		if check.Status == StatusMissing {
			missing = append(missing, check)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &UnreadyError{Namespace: r.Release.Namespace, Missing: missing, Total: len(r.Checks), Access: r.access}
}
