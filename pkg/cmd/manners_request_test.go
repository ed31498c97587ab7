package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/client-go/rest"
)

// limit is the --request-timeout of these tests: long enough for an answer to begin on a busy machine. What they wait for takes twice as long.
const limit = 2 * time.Second

// boundedClient is a client with the transport that --request-timeout makes.
func boundedClient(t *testing.T) *http.Client {
	t.Helper()
	config := &rest.Config{Timeout: limit}
	boundRequests(config)
	if config.Timeout != 0 {
		t.Error("client-go would bound the requests as well")
	}
	return &http.Client{Transport: config.WrapTransport(&http.Transport{DisableKeepAlives: true})}
}

// An answer that comes in two pieces, with more than --request-timeout between
// them, arrives where it is a stream, and breaks off where it is not.
func TestRequestTimeout(t *testing.T) {
	t.Parallel()
	more := func(r *http.Request) <-chan struct{} {
		wait, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 2*limit)
		context.AfterFunc(r.Context(), cancel)
		return wait.Done()
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "one ")
		w.(http.Flusher).Flush()
		<-more(r)
		_, _ = io.WriteString(w, "two")
	}))
	t.Cleanup(server.Close)
	for path, stream := range map[string]bool{
		"/api/v1/namespaces/ml/pods?watch=true":          true,
		"/api/v1/namespaces/ml/pods?watch=1":             true,
		"/api/v1/namespaces/ml/pods/p/log?follow=true":   true,
		"/api/v1/namespaces/ml/pods/p/exec?command=x":    true,
		"/k8s/c/x/api/v1/namespaces/ml/pods/p/exec":      true,
		"/api/v1/namespaces/ml/pods/p/portforward":       true,
		"/api/v1/namespaces/ml/pods":                     false,
		"/api/v1/namespaces/ml/pods?watch=false":         false,
		"/api/v1/namespaces/ml/pods/p/log?previous=true": false,
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			response, err := boundedClient(t).Get(server.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			text, err := io.ReadAll(response.Body)
			var late *requestTimeoutError
			if stream && (err != nil || string(text) != "one two") || !stream && (!errors.As(err, &late) || string(text) != "one ") {
				t.Errorf("got %q and %v", text, err)
			}
		})
	}
}

// silentServer answers nothing.
func silentServer(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(server.Close)
	return server
}

func TestRequestTimeoutWithoutAnswer(t *testing.T) {
	t.Parallel()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, silentServer(t).URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := boundedClient(t).Do(request)
	if err == nil {
		_ = response.Body.Close()
	}
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() || !strings.Contains(fmt.Sprint(err), "no answer within --request-timeout=2s") {
		t.Errorf("got %v", err)
	}
}

// A request that its own context ends is not said to have timed out.
func TestRequestTimeoutIsNotAnInterrupt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	config := &rest.Config{Timeout: time.Hour}
	boundRequests(config)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, silentServer(t).URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := config.WrapTransport(&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err == nil {
		_ = response.Body.Close()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestRequestTimeoutFlag(t *testing.T) {
	stdout, _, err := runRootCommand(t, "runs", "-n", "ml", "--server", silentServer(t).URL, "--request-timeout=50ms")
	if err == nil || !strings.Contains(err.Error(), "no answer within --request-timeout=50ms") || ExitCode(err) != exitRelease || stdout != "" {
		t.Errorf("got %v (exit code %d) and stdout %q", err, ExitCode(err), stdout)
	}
}

// A command that watches outlives --request-timeout, and its watches are not made anew.
func TestRequestTimeoutSparesWatches(t *testing.T) {
	s := newRunsServer(t)
	s.add(aRun{key: "77ab", table: "notes", task: "text_classification", age: 50 * time.Minute})
	ctx, interrupt := context.WithCancel(t.Context())
	const long = 2 * time.Second // enough for each single request on a slow machine
	stdout, stderr, end := s.start(ctx, nil, "runs", "-w", "--request-timeout="+long.String())
	stdout.shows(t, "77ab")
	for range 2 {
		<-s.watches
	}
	time.Sleep(long + long/2)
	s.finish("77ab", batchv1.JobComplete, 0, "skipped")
	stdout.shows(t, "SucceededWithLosses")
	interrupt()
	_ = end()
	if len(s.watches) != 0 || stderr.String() != "" {
		t.Errorf("%d watches were made anew, stderr %q", len(s.watches), stderr)
	}
}

// warningServer is an API server that warns in every answer.
func warningServer(t *testing.T, watching chan<- struct{}) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Warning", `299 - "batch/v0 is \"old\""`)
		w.Header().Add("Warning", "299 - \"left to right \u202e\"")
		w.Header().Add("Warning", `199 - "not for people"`)
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("watch") != "" {
			w.Header().Add("Warning", `299 - "seen in a watch"`)
			w.(http.Flusher).Flush()
			watching <- struct{}{}
			<-r.Context().Done()
			return
		}
		kind, version := "ConfigMapList", "v1"
		if strings.HasSuffix(r.URL.Path, "/jobs") {
			kind, version = "JobList", "batch/v1"
		}
		_, _ = fmt.Fprintf(w, `{"kind":%q,"apiVersion":%q,"metadata":{"resourceVersion":"1"},"items":[]}`, kind, version)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server
}

func sortedLines(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(lines)
	return lines
}

// Warnings of the API server come once each, on stderr, as they are safe to print.
func TestServerWarnings(t *testing.T) {
	server := warningServer(t, nil)
	stdout, stderr, err := runRootCommand(t, "runs", "-n", "ml", "-o", "json", "--server", server.URL)
	if err != nil || strings.Contains(stdout, "Warning") || !strings.HasPrefix(stdout, "{") {
		t.Errorf("error %v, stdout %q", err, stdout)
	}
	want := []string{`Warning: batch/v0 is "old"`, `Warning: left to right \u202e`}
	if got := sortedLines(stderr); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestServerWarningsOfWatches(t *testing.T) {
	watching := make(chan struct{}, 10)
	server := warningServer(t, watching)
	ctx, interrupt := context.WithCancel(t.Context())
	s := &runsServer{t: t, kubeconfig: serverKubeconfig(t, server.URL)}
	_, stderr, end := s.start(ctx, nil, "runs", "-w", "-o", "json")
	stderr.shows(t, "seen in a watch")
	for range 2 {
		<-watching
	}
	interrupt()
	_ = end()
	want := []string{`Warning: batch/v0 is "old"`, `Warning: left to right \u202e`, "Warning: seen in a watch"}
	if got := sortedLines(stderr.String()); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestResultWriterRemembers(t *testing.T) {
	t.Parallel()
	broken := errors.New("no space left on device")
	w := &resultWriter{out: fullWriter{broken}}
	if _, err := helpWriter(w).Write([]byte("help")); err != nil {
		t.Errorf("the templates of help would print %v", err)
	}
	if err := w.failed(); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	var out bytes.Buffer
	if w := helpWriter(&out); w != &out {
		t.Errorf("got %v", w)
	}
}

type fullWriter struct{ err error }

func (w fullWriter) Write([]byte) (int, error) { return 0, w.err }

func TestIsOnly(t *testing.T) {
	t.Parallel()
	cause, other := errors.New("broken pipe"), errors.New("run failed")
	for _, test := range []struct {
		err  error
		want bool
	}{
		{cause, true},
		{fail(exitRelease, fmt.Errorf("print the report: %w", cause)), true},
		{errors.Join(nil, cause), true},
		{errors.Join(other, cause), false},
		{other, false},
		{fmt.Errorf("%w; %w", cause, other), false},
	} {
		if got := isOnly(test.err, cause); got != test.want {
			t.Errorf("%v: got %v", test.err, got)
		}
	}
}

// serverKubeconfig is the path of a kubeconfig for the server at url.
func serverKubeconfig(t *testing.T, url string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	config := strings.ReplaceAll(readTestFile(t, "testdata/info/kubeconfig"), "http://127.0.0.1:1", url)
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
