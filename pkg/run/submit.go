package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/transport"
)

const (
	submitPath = "/internal/submit-ingestion-run"
	// attemptTimeout is how long chart and server bound a submission by themselves
	// (contract, cluster §2.3).
	attemptTimeout = 30 * time.Second
	// submitAttempts with the backoff below are at least two and a half minutes: a
	// jobs-manager that was restarted is Ready again by then.
	submitAttempts = 10
)

// Submission is what jobs-manager is asked to run.
type Submission struct {
	Key         string // idempotency key; the same for every attempt
	Config      string // the ingest spec, YAML
	ImageDigest string // "sha256:" and 64 hex digits; "" for the release's own
}

// Accepted is the run that jobs-manager has made, now or for the same key before.
type Accepted struct {
	Job       string
	Namespace string
	Replay    bool // the key was known already: nothing new was started
}

// Submitter posts a run to jobs-manager. Its fields are set before Submit and
// not changed after.
type Submitter struct {
	// Connect opens a way to whichever jobs-manager Pod is Ready now, and is
	// called again after every attempt that broke. baseURL is like
	// "http://127.0.0.1:41234"; the function that it returns ends the connection.
	Connect func(ctx context.Context) (baseURL string, disconnect func(), err error)
	// Token returns a fresh token for jobs-manager. It is called once, and once
	// more when the server does not accept the first one.
	Token func(ctx context.Context) (string, error)
	// Namespace is named in the errors that say how to look for the run.
	Namespace string
	// Notify, when set, is told about each retry in one line.
	Notify func(message string)

	transport http.RoundTripper // nil: one connection per attempt, without a proxy
}

// Submit posts the run (contract, cluster §2) until the answer is certain. An
// attempt that ends without a final answer is repeated with the same key, so a
// run that was accepted unseen is found again and not started twice.
//
// The error is a *RefusedError when the server said no, an *AmbiguousError when
// the run may exist all the same, and a *NotSubmittedError when it cannot. Errors
// of Connect and Token are wrapped in the last two.
func (s *Submitter) Submit(ctx context.Context, submission Submission) (Accepted, error) {
	body, err := encode(submission)
	if err != nil {
		return Accepted{}, err
	}
	post := &poster{Submitter: s, body: body, client: s.httpClient()}
	defer post.disconnect()
	backoff := wait.Backoff{Duration: time.Second, Factor: 2, Jitter: 0.2, Steps: submitAttempts, Cap: 30 * time.Second}
	ambiguous := false
	for attempt := 1; ; attempt++ {
		accepted, err := post.attempt(ctx)
		if err == nil {
			return accepted, nil
		}
		var refused *RefusedError
		if errors.As(err, &refused) {
			refused.Key, refused.Ambiguous = submission.Key, ambiguous
			refused.Hint = hint(refused.Status, refused.Detail, s.Namespace, submission)
			return Accepted{}, refused
		}
		var again *attemptError
		retry := errors.As(err, &again)
		ambiguous = ambiguous || retry && again.sent
		if retry && ctx.Err() == nil && attempt < submitAttempts {
			pause := max(backoff.Step(), again.after)
			s.notify(fmt.Sprintf("submit attempt %d: %v; trying again with the same key in %s", attempt, err, pause.Round(time.Second)))
			if sleep(ctx, pause) {
				continue
			}
		}
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
			err = fmt.Errorf("%w (last attempt: %w)", cause, err)
		}
		if !retry && !ambiguous {
			return Accepted{}, fmt.Errorf("submitting the run: %w", err)
		}
		if ambiguous {
			return Accepted{}, &AmbiguousError{Key: submission.Key, Namespace: s.Namespace, Attempts: attempt, Err: err}
		}
		return Accepted{}, &NotSubmittedError{Attempts: attempt, Err: err}
	}
}

func (s *Submitter) notify(message string) {
	if s.Notify != nil {
		s.Notify(message)
	}
}

func encode(submission Submission) ([]byte, error) {
	if err := CheckKey(submission.Key); err != nil {
		return nil, err
	}
	body, err := json.Marshal(struct {
		Config string `json:"ingest_config"`
		Key    string `json:"idempotency_key"`
		Digest string `json:"image_digest,omitempty"`
	}{submission.Config, submission.Key, submission.ImageDigest})
	if err != nil {
		return nil, fmt.Errorf("encoding the submission: %w", err)
	}
	return body, nil
}

func (s *Submitter) httpClient() *http.Client {
	over := s.transport
	if over == nil {
		// The address is the local end of a port-forward: no proxy may see the
		// token, and a connection is as short-lived as the forward.
		over = &http.Transport{Proxy: nil, DisableKeepAlives: true, MaxResponseHeaderBytes: maxBody}
	}
	return &http.Client{
		// -v shows it like the requests to the API server, with the token masked.
		Transport: transport.DebugWrappers(over),
		// A redirect would carry the token elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// poster makes the attempts of one submission over one connection at a time.
type poster struct {
	*Submitter
	client *http.Client
	body   []byte

	token     string
	refreshed bool
	baseURL   string
	close     func()
}

func (p *poster) disconnect() {
	if p.close != nil {
		p.close()
		p.close = nil
	}
}

// attempt posts once, or twice when the token has to be renewed. Except after an
// answer that is final the connection is closed, for the next attempt to make a new one.
func (p *poster) attempt(ctx context.Context) (Accepted, error) {
	if err := p.prepare(ctx); err != nil {
		return Accepted{}, err
	}
	accepted, err := p.post(ctx)
	var refused *RefusedError
	if errors.As(err, &refused) && refused.Status == http.StatusUnauthorized && !p.refreshed {
		p.refreshed, p.token = true, ""
		if err := p.prepare(ctx); err != nil {
			return Accepted{}, err
		}
		accepted, err = p.post(ctx)
	}
	if err != nil {
		p.disconnect()
	}
	return accepted, err
}

// prepare sees to a token and a connection. A missing token is final, a missing
// connection is not: the Pod may be on its way back.
func (p *poster) prepare(ctx context.Context) error {
	if p.token == "" {
		token, err := p.Token(ctx)
		if err != nil {
			return fmt.Errorf("getting a token: %w", err)
		}
		p.token = token
	}
	if p.close != nil {
		return nil
	}
	baseURL, disconnect, err := p.Connect(ctx)
	if err != nil {
		return &attemptError{err: fmt.Errorf("connecting to jobs-manager: %w", err)}
	}
	p.baseURL, p.close = strings.TrimSuffix(baseURL, "/"), disconnect
	return nil
}

func (p *poster) post(ctx context.Context) (Accepted, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, attemptTimeout, fmt.Errorf("no answer within %s", attemptTimeout))
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.baseURL+submitPath, bytes.NewReader(p.body))
	if err != nil {
		return Accepted{}, fmt.Errorf("building the request: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := p.client.Do(request)
	if err != nil {
		return Accepted{}, &attemptError{sent: !neverSent(err), err: lost(ctx, err)}
	}
	defer func() { _ = response.Body.Close() }()
	return read(response)
}

// neverSent reports whether not even a connection was made.
func neverSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// lost names what broke a request, without the URL: its port means nothing to a user.
func lost(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return fmt.Errorf("connection to jobs-manager lost: %w", errors.Unwrap(err))
}

// sleep reports whether the time passed before the context ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
