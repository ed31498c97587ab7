package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	testKey = "k7f3q2m9x4c8b1zt"
	created = `{"job_name":"ingest-job-5a3907a66777","namespace":"ml","replay":false}`
	replay  = `{"job_name":"ingest-job-5a3907a66777","namespace":"ml","replay":true}`
)

// pipeListener is a network without sockets, so that it runs on fake time.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fixture is a jobs-manager that gives a scripted answer to each request, and a
// Submitter that is connected to it.
type fixture struct {
	*Submitter
	answers  []http.HandlerFunc
	mu       sync.Mutex
	received []map[string]string
	minted   int
	connects int
	open     atomic.Int32
	notes    []string
}

func newFixture(t *testing.T, answers ...http.HandlerFunc) *fixture {
	t.Helper()
	f := &fixture{answers: answers}
	listener := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: http.HandlerFunc(f.serve), ReadHeaderTimeout: time.Hour}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		close(listener.closed)
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	f.Submitter = &Submitter{
		Namespace: "ml",
		Connect: func(context.Context) (string, func(), error) {
			f.connects++
			f.open.Add(1)
			return "http://127.0.0.1:1/", func() { f.open.Add(-1) }, nil
		},
		Token: func(context.Context) (string, error) {
			f.minted++
			return fmt.Sprintf("secret-%d", f.minted), nil
		},
		Notify:    func(message string) { f.notes = append(f.notes, message) },
		transport: &http.Transport{DialContext: listener.dial, DisableKeepAlives: true},
	}
	return f
}

func (f *fixture) serve(w http.ResponseWriter, r *http.Request) {
	var body map[string]string
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Method != http.MethodPost || r.URL.Path != submitPath ||
		r.Header.Get("Content-Type") != "application/json" || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer secret-") {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	f.mu.Lock()
	f.received = append(f.received, body)
	next := f.answers[min(len(f.received), len(f.answers))-1]
	f.mu.Unlock()
	next(w, r)
}

// bodies returns what was posted so far.
func (f *fixture) bodies() []map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.received)
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func drop(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// silence accepts and never answers.
func silence(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func after(seconds string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", seconds)
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

func TestSubmitAccepted(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		answers []http.HandlerFunc
		want    Accepted
		posts   int
		minted  int
		slept   time.Duration // at least
	}{
		{"created", []http.HandlerFunc{answer(201, created)}, Accepted{Job: "ingest-job-5a3907a66777", Namespace: "ml"}, 1, 1, 0},
		{"replay", []http.HandlerFunc{answer(200, replay)}, Accepted{Job: "ingest-job-5a3907a66777", Namespace: "ml", Replay: true}, 1, 1, 0},
		{"lost answer", []http.HandlerFunc{drop, answer(200, replay)}, Accepted{Job: "ingest-job-5a3907a66777", Namespace: "ml", Replay: true}, 2, 1, time.Second},
		{"no answer", []http.HandlerFunc{silence, answer(200, replay)}, Accepted{Job: "ingest-job-5a3907a66777", Namespace: "ml", Replay: true}, 2, 1, 31 * time.Second},
		{"server errors", []http.HandlerFunc{answer(500, "oops"), answer(503, ""), answer(502, ""), answer(201, created)}, Accepted{Job: "ingest-job-5a3907a66777", Namespace: "ml"}, 4, 1, 7 * time.Second},
		{"too many requests", []http.HandlerFunc{after("20"), answer(201, created)}, Accepted{Job: "ingest-job-5a3907a66777", Namespace: "ml"}, 2, 1, 20 * time.Second},
		{"not JSON", []http.HandlerFunc{answer(200, "<html>"), answer(200, replay)}, Accepted{Job: "ingest-job-5a3907a66777", Namespace: "ml", Replay: true}, 2, 1, time.Second},
		{"no job", []http.HandlerFunc{answer(200, `{"namespace":"ml"}`), answer(200, replay)}, Accepted{Job: "ingest-job-5a3907a66777", Namespace: "ml", Replay: true}, 2, 1, time.Second},
		{"a job that is no name", []http.HandlerFunc{answer(200, `{"job_name":"../x","namespace":"ml"}`), answer(200, replay)}, Accepted{Job: "ingest-job-5a3907a66777", Namespace: "ml", Replay: true}, 2, 1, time.Second},
		{"huge body", []http.HandlerFunc{answer(200, strings.Repeat(" ", 1<<20)+created), answer(200, replay)}, Accepted{Job: "ingest-job-5a3907a66777", Namespace: "ml", Replay: true}, 2, 1, time.Second},
		{"token expired", []http.HandlerFunc{answer(401, `{"detail":"token expired"}`), answer(201, created)}, Accepted{Job: "ingest-job-5a3907a66777", Namespace: "ml"}, 2, 2, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, test.answers...)
				begin := time.Now()
				got, err := f.Submit(t.Context(), Submission{Key: testKey, Config: "table: t\n"})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Error(diff)
				}
				if len(f.bodies()) != test.posts || f.minted != test.minted {
					t.Errorf("%d posts with %d tokens, want %d with %d", len(f.bodies()), f.minted, test.posts, test.minted)
				}
				if waited := time.Since(begin); waited < test.slept {
					t.Errorf("waited only %s", waited)
				}
				for _, body := range f.bodies() {
					want := map[string]string{"ingest_config": "table: t\n", "idempotency_key": testKey}
					if diff := cmp.Diff(want, body); diff != "" {
						t.Error(diff)
					}
				}
				if n := f.open.Load(); n != 0 {
					t.Errorf("%d connections are left open", n)
				}
				f.keepsSecrets(t, nil)
			})
		})
	}
}

func (f *fixture) keepsSecrets(t *testing.T, err error) {
	t.Helper()
	for _, text := range append(f.notes, fmt.Sprint(err)) {
		if strings.Contains(text, "secret-") {
			t.Errorf("the token is in %q", text)
		}
		if strings.ContainsAny(text, "\x1b\n\r") {
			t.Errorf("%q is not one printable line", text)
		}
	}
}

func TestSubmitSendsDigest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, answer(201, created))
		digest := "sha256:" + strings.Repeat("a", 64)
		if _, err := f.Submit(t.Context(), Submission{Key: testKey, Config: "a: \"ü\\u2028<&>\"\n", ImageDigest: digest}); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"ingest_config": "a: \"ü\\u2028<&>\"\n", "idempotency_key": testKey, "image_digest": digest}
		if diff := cmp.Diff(want, f.bodies()[0]); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSubmitRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		answers []http.HandlerFunc
		status  int
		auth    bool
		unsure  bool
		want    []string
	}{
		{"unknown field", []http.HandlerFunc{answer(400, `{"error":"schema","detail":"Additional properties are not allowed ('sequences' was unexpected)"}`)}, 400, false, false,
			[]string{"HTTP 400", "schema; Additional properties are not allowed ('sequences' was unexpected)", `field "sequences"`, "upgrade the release's client chart"}},
		{"unknown task", []http.HandlerFunc{answer(400, `{"detail":"'masked_language_modeling' is not one of ['image_classification']"}`)}, 400, false, false,
			[]string{`it does not know the task "masked_language_modeling"`, "upgrade the release's client chart", "helm repo update alone"}},
		{"unknown value", []http.HandlerFunc{answer(400, `{"detail":"'bucket' is not one of ['passthrough']"}`)}, 400, false, false,
			[]string{`it does not know the value "bucket"`, "upgrade the release's client chart"}},
		{"unknown fields", []http.HandlerFunc{answer(400, `{"detail":"Additional properties are not allowed ('file_options', 'a \"b\"' were unexpected)"}`)}, 400, false, false,
			[]string{`field "file_options", "a \"b\""; upgrade`}},
		{"plain text with escapes", []http.HandlerFunc{answer(400, "bad \x1b[31mthing\x1b[0m\x07\r\nhere")}, 400, false, false,
			[]string{`bad thing\x07 here`, "tracebloc validate"}},
		{"FastAPI list", []http.HandlerFunc{answer(422, `{"detail":[{"loc":["body","idempotency_key"],"msg":"field required","type":"value_error"}]}`)}, 422, false, false,
			[]string{"HTTP 422: body.idempotency_key: field required"}},
		{"token twice", []http.HandlerFunc{answer(401, `{"detail":"token expired"}`)}, 401, true, false, []string{"token expired", "clusterScope"}},
		{"not allowed", []http.HandlerFunc{answer(403, `{"detail":"no"}`)}, 403, true, false, []string{"ingestion-authz"}},
		{"conflict", []http.HandlerFunc{answer(409, "")}, 409, false, false, []string{"HTTP 409", "another --idempotency-key", "kubectl tracebloc status " + testKey}},
		{"too large", []http.HandlerFunc{answer(413, "")}, 413, false, false, []string{"1 MiB"}},
		{"another service", []http.HandlerFunc{answer(404, "<html>nginx</html>")}, 404, false, false, []string{"<html>nginx</html>", "1.3.3"}},
		{"redirect", []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere/", http.StatusFound)
		}}, 302, false, false, []string{"HTTP 302"}},
		{"huge text", []http.HandlerFunc{answer(400, strings.Repeat("ü", 1<<20))}, 400, false, false, []string{"üüü..."}},
		{"after a lost answer", []http.HandlerFunc{drop, answer(409, "")}, 409, false, true, []string{"may have been accepted", testKey}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, test.answers...)
				_, err := f.Submit(t.Context(), Submission{Key: testKey, Config: "category: masked_language_modeling\n"})
				var refused *RefusedError
				if !errors.As(err, &refused) {
					t.Fatalf("got %v", err)
				}
				if refused.Status != test.status || refused.Auth() != test.auth || refused.Ambiguous != test.unsure || refused.Key != testKey {
					t.Errorf("got %+v", refused)
				}
				for _, want := range test.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%q is missing in %q", want, err)
					}
				}
				if len(err.Error()) > maxDetail+1000 {
					t.Errorf("the error has %d bytes", len(err.Error()))
				}
				if n := f.open.Load(); n != 0 {
					t.Errorf("%d connections are left open", n)
				}
				f.keepsSecrets(t, err)
			})
		})
	}
}

func TestSubmitAmbiguous(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"drop", drop, "connection to jobs-manager lost"},
		{"silence", silence, "no answer within 30s"},
		{"500", answer(500, `{"detail":"configmaps is forbidden"}`), "configmaps is forbidden"},
		{"503", answer(503, "digest"), "--image-digest"},
		{"unusable", answer(200, `{}`), "job_name or namespace is missing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, test.answer)
				_, err := f.Submit(t.Context(), Submission{Key: testKey})
				var ambiguous *AmbiguousError
				if !errors.As(err, &ambiguous) {
					t.Fatalf("got %v", err)
				}
				if ambiguous.Attempts != submitAttempts || len(f.bodies()) != submitAttempts || f.connects != submitAttempts {
					t.Errorf("%d attempts, %d posts, %d connections", ambiguous.Attempts, len(f.bodies()), f.connects)
				}
				for _, want := range []string{test.want, "may have been accepted", "kubectl tracebloc status " + testKey + " -n ml"} {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%q is missing in %q", want, err)
					}
				}
				if len(f.notes) != submitAttempts-1 {
					t.Errorf("%d notes", len(f.notes))
				}
				f.keepsSecrets(t, err)
			})
		})
	}
}

func TestSubmitCanceledInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, silence)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Second, cancel)
		_, err := f.Submit(ctx, Submission{Key: testKey})
		var ambiguous *AmbiguousError
		if !errors.As(err, &ambiguous) || !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestSubmitDeadlineBetweenAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, drop)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := f.Submit(ctx, Submission{Key: testKey})
		var ambiguous *AmbiguousError
		if !errors.As(err, &ambiguous) || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		if !strings.Contains(err.Error(), "connection to jobs-manager lost") {
			t.Errorf("the last attempt is missing in %q", err)
		}
	})
}

func TestSubmitNeverConnected(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, drop)
		down := errors.New("no pod is Ready")
		f.Connect = func(context.Context) (string, func(), error) { f.connects++; return "", nil, down }
		_, err := f.Submit(t.Context(), Submission{Key: testKey})
		var not *NotSubmittedError
		if !errors.As(err, &not) || !errors.Is(err, down) || f.connects != submitAttempts {
			t.Fatalf("got %v after %d connects", err, f.connects)
		}
	})
}

func TestSubmitConnectionComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, answer(201, created))
		connect := f.Connect
		failures := 3
		f.Connect = func(ctx context.Context) (string, func(), error) {
			if failures--; failures >= 0 {
				return "", nil, errors.New("no pod is Ready")
			}
			return connect(ctx)
		}
		if _, err := f.Submit(t.Context(), Submission{Key: testKey}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestSubmitWithoutToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, drop)
		denied := errors.New("denied")
		f.Token = func(context.Context) (string, error) { return "", denied }
		_, err := f.Submit(t.Context(), Submission{Key: testKey})
		if !errors.Is(err, denied) || f.connects != 0 {
			t.Fatalf("got %v after %d connects", err, f.connects)
		}
	})
}

func TestSubmitRefusesBadKey(t *testing.T) {
	t.Parallel()
	var s Submitter
	if _, err := s.Submit(t.Context(), Submission{Key: "-"}); err == nil || !strings.Contains(err.Error(), "idempotency key") {
		t.Fatalf("got %v", err)
	}
}

// A port that nobody listens on proves that nothing was submitted.
func TestSubmitDialRefused(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := Submitter{
		Connect: func(context.Context) (string, func(), error) { return "http://" + address, func() {}, nil },
		Token:   func(context.Context) (string, error) { return "t", nil },
		Notify:  func(string) { cancel() },
	}
	_, err = s.Submit(ctx, Submission{Key: testKey})
	var not *NotSubmittedError
	if !errors.As(err, &not) {
		t.Fatalf("got %v", err)
	}
}

func FuzzDetail(f *testing.F) {
	f.Add([]byte(`{"error":"a","detail":[{"loc":["b",1],"msg":"c"}]}`))
	f.Add([]byte("\x1b]0;x\x07\xff"))
	f.Fuzz(func(t *testing.T, body []byte) {
		text := detail(body)
		if strings.ContainsAny(text, "\x1b\r\n\x00\x07") || len(text) > maxDetail+3 {
			t.Errorf("%q becomes %q", body, text)
		}
		if _, err := readAccepted(body, nil); err == nil && !json.Valid(body) {
			t.Errorf("%q is accepted", body)
		}
	})
}
