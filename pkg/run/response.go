package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
)

const (
	maxBody   = 64 << 10
	maxDetail = 4 << 10
	// maxRetryAfter keeps a server from parking the user for hours.
	maxRetryAfter = time.Minute
)

// attemptError is an ending after which the submission is sent again.
type attemptError struct {
	sent  bool          // the server may have accepted it
	after time.Duration // what the server asked us to wait, 0 when it did not
	err   error
}

func (e *attemptError) Error() string { return e.err.Error() }
func (e *attemptError) Unwrap() error { return e.err }

// read turns an HTTP answer into an outcome: Accepted, a *RefusedError, or an
// *attemptError for all that says nothing final.
func read(response *http.Response) (Accepted, error) {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	status := response.StatusCode
	retryable := status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
	switch {
	case status >= 200 && status < 300:
		accepted, err := readAccepted(body, err)
		if err != nil {
			return Accepted{}, &attemptError{sent: true, err: fmt.Errorf("jobs-manager answered HTTP %d without a usable body: %w", status, err)}
		}
		return accepted, nil
	case retryable:
		err := fmt.Errorf("jobs-manager answered HTTP %d%s%s", status, colon(detail(body)), serverHint(status))
		return Accepted{}, &attemptError{sent: true, after: retryAfter(response.Header), err: err}
	}
	return Accepted{}, &RefusedError{Status: status, Detail: detail(body)}
}

func readAccepted(body []byte, err error) (Accepted, error) {
	if err != nil {
		return Accepted{}, err
	}
	if len(body) > maxBody {
		return Accepted{}, fmt.Errorf("it is larger than %d bytes", maxBody)
	}
	var answer struct {
		Job       string `json:"job_name"`
		Namespace string `json:"namespace"`
		Replay    bool   `json:"replay"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return Accepted{}, fmt.Errorf("it is not the expected JSON: %w", err)
	}
	if answer.Job == "" || answer.Namespace == "" {
		return Accepted{}, errors.New("job_name or namespace is missing")
	}
	// Both become parts of API paths and of commands that we print.
	if len(validation.IsDNS1123Subdomain(answer.Job)) > 0 || len(validation.IsDNS1123Label(answer.Namespace)) > 0 {
		return Accepted{}, fmt.Errorf("job_name %q or namespace %q is not a Kubernetes name", shorten(answer.Job, maxKey), shorten(answer.Namespace, maxKey))
	}
	return Accepted{Job: answer.Job, Namespace: answer.Namespace, Replay: answer.Replay}, nil
}

func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if value == "" {
		return 0
	}
	var wait time.Duration
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = time.Until(at)
	}
	return min(max(wait, 0), maxRetryAfter)
}

// detail makes a server's error text printable. The shape of the body is not
// documented (contract, cluster §2.3): the usual JSON forms are unwrapped,
// anything else is quoted as it is.
func detail(body []byte) string {
	text := ""
	if value, ok := decode(body); ok {
		text = strings.Join(messages(value, nil), "; ")
	}
	if text == "" {
		text = string(bytes.ToValidUTF8(body, []byte("?")))
	}
	text = strings.Join(strings.Fields(stripANSI(text)), " ")
	return shorten(progress.Escape(text), maxDetail)
}

func decode(body []byte) (any, bool) {
	var value any
	err := json.Unmarshal(body, &value)
	return value, err == nil
}

// messages collects the texts of {"detail": "..."}, {"error": ..., "detail": ...},
// {"detail": [{"loc": [...], "msg": "..."}]} and the like, in that order.
func messages(value any, into []string) []string {
	switch v := value.(type) {
	case string:
		return append(into, v)
	case []any:
		for _, item := range v {
			into = messages(item, into)
		}
	case map[string]any:
		if msg, ok := v["msg"].(string); ok {
			return append(into, location(v["loc"])+msg)
		}
		for _, name := range []string{"error", "message", "detail", "details", "errors"} {
			into = messages(v[name], into)
		}
	}
	return into
}

func location(value any) string {
	parts, _ := value.([]any)
	names := make([]string, 0, len(parts))
	for _, part := range parts {
		names = append(names, fmt.Sprint(part))
	}
	if len(names) == 0 {
		return ""
	}
	return strings.Join(names, ".") + ": "
}

func colon(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}
