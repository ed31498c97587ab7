package run

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// RefusedError is a final answer of jobs-manager: this submission will not run,
// however often it is sent.
type RefusedError struct {
	Status int    // HTTP status
	Detail string // the server's own words, escaped, at most 4 KiB
	Key    string
	// Ambiguous says that an earlier attempt with the same key got no answer, so
	// that a run may exist in spite of the refusal.
	Ambiguous bool
	// Hint is the next step for the user.
	Hint string
}

// Auth reports whether the caller's identity was refused rather than the spec.
func (e *RefusedError) Auth() bool {
	return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
}

func (e *RefusedError) Error() string {
	text := fmt.Sprintf("jobs-manager refused the run with HTTP %d", e.Status)
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	if e.Ambiguous {
		text += fmt.Sprintf("; an earlier attempt with key %q got no answer and may have been accepted", e.Key)
	}
	return text
}

// AmbiguousError ends a submission of which nobody knows whether it was accepted.
// It wraps what ended the last attempt, a canceled context among others.
type AmbiguousError struct {
	Key       string
	Namespace string
	Attempts  int // how often the submission was tried
	Err       error
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("submitting the run: no usable answer after %d attempt(s), so it may have been accepted: %v; "+
		"look for it with \"kubectl tracebloc status %s -n %s\" or push again with --idempotency-key %s, which cannot start a second run",
		e.Attempts, e.Err, e.Key, e.Namespace, e.Key)
}

func (e *AmbiguousError) Unwrap() error { return e.Err }

// NotSubmittedError ends a submission that certainly never reached jobs-manager.
type NotSubmittedError struct {
	Attempts int
	Err      error
}

func (e *NotSubmittedError) Error() string {
	return fmt.Sprintf("submitting the run: jobs-manager was not reached in %d attempt(s), nothing was submitted: %v", e.Attempts, e.Err)
}

func (e *NotSubmittedError) Unwrap() error { return e.Err }

var (
	unknownFields = regexp.MustCompile(`\(((?:'[^']{1,100}'(?:, )?)+) (?:was|were) unexpected\)`)
	unknownValue  = regexp.MustCompile(`'([^']{1,100})' is not one of`)
	quotedName    = regexp.MustCompile(`'([^']+)'`)
)

const upgrade = "upgrade the release's client chart (helm upgrade; helm repo update alone changes nothing), then push again"

// schemaHint explains a spec that passed our schema and not the server's, which
// has its own copy.
func schemaHint(detail, config string) string {
	if m := unknownFields.FindStringSubmatch(detail); m != nil {
		var names []string
		for _, name := range quotedName.FindAllStringSubmatch(m[1], -1) {
			names = append(names, fmt.Sprintf("%q", name[1]))
		}
		return fmt.Sprintf("the schema of this release is older than this plugin's: it does not know the spec's field %s; %s", strings.Join(names, ", "), upgrade)
	}
	if m := unknownValue.FindStringSubmatch(detail); m != nil {
		what := "value"
		if spec, _ := readSpec(config); spec.task == m[1] {
			what = "task"
		}
		return fmt.Sprintf("the schema of this release is older than this plugin's: it does not know the %s %q; %s", what, m[1], upgrade)
	}
	return "where the spec passes \"kubectl tracebloc validate\", the schema of this release may be older than this plugin's: " + upgrade
}

// hint says what to do about a refusal (contract, cluster §2.3 and §5.1). detail
// is escaped.
func hint(status int, detail, namespace string, submission Submission) string {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return schemaHint(detail, submission.Config)
	case http.StatusUnauthorized:
		return "the service account's token was not accepted; on OpenShift the chart needs clusterScope=true for the token review " +
			"(kubectl tracebloc info)"
	case http.StatusForbidden:
		return "the release's ingestion-authz policy does not let this service account write the table " +
			"(kubectl tracebloc info); a changed policy counts after jobs-manager has restarted"
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return "the service has no ingestion endpoint: the release's chart must be client 1.3.3 or newer"
	case http.StatusConflict:
		return fmt.Sprintf("the key %s was used before with another spec or image digest, or something of such a run is left over "+
			"(kubectl tracebloc status %s -n %s): push with another --idempotency-key, or without the flag", submission.Key, submission.Key, namespace)
	case http.StatusRequestEntityTooLarge:
		return "the spec is too large for the server; a ConfigMap holds it, which has room for 1 MiB"
	}
	return ""
}

// serverHint says what a lasting server error of that status is known for.
func serverHint(status int) string {
	switch status {
	case http.StatusServiceUnavailable:
		return " (an old release without an ingestor digest answers so: try --image-digest sha256:...)"
	case http.StatusInternalServerError:
		return " (kubectl logs deploy -l app.kubernetes.io/name=client shows jobs-manager's reason)"
	}
	return ""
}
