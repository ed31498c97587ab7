package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"time"

	"k8s.io/client-go/rest"
)

// boundRequests takes --request-timeout out of the hands of client-go, whose
// HTTP client bounds the reading of every answer with it, and so cuts watches
// and logs that are followed.
func boundRequests(config *rest.Config) {
	limit := config.Timeout
	config.Timeout = 0
	if limit <= 0 {
		return
	}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &boundedTripper{next: next, limit: limit} })
}

// boundedTripper gives each request, with its answer, at most limit.
type boundedTripper struct {
	next  http.RoundTripper
	limit time.Duration
}

func (t *boundedTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	if isStream(req) {
		return t.next.RoundTrip(req)
	}
	ctx, cancel := context.WithTimeoutCause(req.Context(), t.limit, &requestTimeoutError{t.limit})
	response, err := t.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		defer cancel()
		return nil, timedOut(ctx, err)
	}
	response.Body = &boundedBody{ReadCloser: response.Body, ctx: ctx, cancel: cancel}
	return response, nil
}

// WrappedRoundTripper lets client-go find the transport below.
func (t *boundedTripper) WrappedRoundTripper() http.RoundTripper { return t.next }

// isStream tells a request whose answer lasts as long as it is wanted from one
// that is over with its answer.
func isStream(req *http.Request) bool {
	query := req.URL.Query()
	set := func(name string) bool { return query.Get(name) == "true" || query.Get(name) == "1" }
	switch path.Base(req.URL.Path) {
	case "exec", "portforward", "attach":
		return true
	}
	return set("watch") || set("follow") || req.Header.Get("Upgrade") != ""
}

// boundedBody ends the time of a request when its answer was read.
type boundedBody struct {
	io.ReadCloser
	ctx    context.Context // that of the one request that this is the answer to
	cancel context.CancelFunc
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = timedOut(b.ctx, err)
	}
	return n, err
}

func (b *boundedBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

// timedOut names the limit where that is what ended a request.
func timedOut(ctx context.Context, err error) error {
	var late *requestTimeoutError
	if errors.As(context.Cause(ctx), &late) {
		return late
	}
	return err
}

// requestTimeoutError is a net.Error.
type requestTimeoutError struct{ limit time.Duration }

func (e *requestTimeoutError) Error() string {
	return fmt.Sprintf("no answer within --request-timeout=%s", e.limit)
}

// Timeout makes client-go take it for what it is.
func (*requestTimeoutError) Timeout() bool { return true }

// Temporary completes a net.Error.
func (*requestTimeoutError) Temporary() bool { return true }
