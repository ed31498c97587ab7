//go:build unix

package cmd

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

// journal is what klog writes, also from goroutines.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// reset empties the journal.
func (j *journal) reset() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.text.Reset()
}

// keepJournal makes klog write into a journal until the end of the test, and returns a function that sets -v and empties it. klog's own way
// to restore its state must not meet goroutines of servers that still log; what stays is that it writes to stderr as its output.
func keepJournal(t *testing.T) (j *journal, verbosity func(v int)) {
	t.Helper()
	var flags flag.FlagSet
	klog.InitFlags(&flags)
	set := func(name, value string) {
		t.Helper()
		if err := flags.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	j = &journal{}
	klog.SetOutput(j)
	set("logtostderr", "false")
	set("stderrthreshold", "FATAL")
	t.Cleanup(func() {
		set("v", "0")
		klog.SetOutput(os.Stderr)
	})
	return j, func(v int) {
		set("v", strconv.Itoa(v))
		j.reset()
	}
}

// tokenServer is the API server that mints tokens, and says no more than that.
func tokenServer(t *testing.T) kubernetes.Interface {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"kind":"TokenRequest","apiVersion":"authentication.k8s.io/v1","spec":{"expirationSeconds":3600},`+
			`"status":{"token":"canary-minted","expirationTimestamp":"2036-11-23T10:00:00Z"}}`)
	}))
	t.Cleanup(server.Close)
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL, BearerToken: "canary-user"})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// jobsManager accepts every submit that comes with the minted token.
func jobsManager(t *testing.T) map[int]string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/healthz":
		case r.Header.Get("Authorization") != "Bearer canary-minted":
			w.WriteHeader(http.StatusForbidden)
		default:
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"ingestion_run_id":"5a3907a66777","job_name":"ingest-job-5a3907a66777","namespace":"ml"}`)
		}
	}))
	t.Cleanup(server.Close)
	return map[int]string{8080: server.Listener.Addr().String()}
}

// -v=6 shows the requests to jobs-manager and the one that mints the token like
// all others, and no level shows a token: not in a body, a header, or the bytes
// that a tunnel carries.
func TestTokensAreNotLogged(t *testing.T) {
	log, verbosity := keepJournal(t)
	ports := jobsManager(t)
	for _, noWebSocket := range []bool{false, true} {
		cluster := podiotest.Start(t, podiotest.Options{Ports: ports, NoWebSocket: noWebSocket})
		for v := 0; v <= 10; v++ {
			t.Run(fmt.Sprintf("websocket=%v,v=%d", !noWebSocket, v), func(t *testing.T) {
				verbosity(v)
				submitOnce(t, cluster)
				klog.Flush()
				text := log.String()
				if strings.Contains(text, "canary") || strings.Contains(text, fmt.Sprintf("%x", "canary")) || strings.Contains(text, fmt.Sprint([]byte("canary"))[1:20]) {
					t.Errorf("a token is in\n%s", text)
				}
				for _, request := range []string{"/serviceaccounts/ingestor/token", "/pods/stage/exec", "/pods/stage/portforward", "/healthz", "/internal/submit-ingestion-run"} {
					if shown := strings.Contains(text, request); shown != (v >= 6) {
						t.Errorf("%s is shown: %v\n%s", request, shown, text)
					}
				}
			})
		}
	}
}

// submitOnce does what a push does with a token.
func submitOnce(t *testing.T, cluster *podiotest.Server) {
	t.Helper()
	config := cluster.Config()
	config.BearerToken = "canary-user"
	streams, err := podio.New(config)
	if err != nil {
		t.Fatal(err)
	}
	target := podio.Target{Namespace: "ml", Pod: "stage"}
	if err := streams.Exec(t.Context(), target, []string{"cat"}, strings.NewReader("data"), io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	client := tokenServer(t)
	s := &server{streams: streams, release: &release.Release{Namespace: "ml", Pod: "stage", Port: 8080}}
	defer s.close()
	if err := s.ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	submitter := &run.Submitter{
		Namespace: "ml",
		Connect: func(context.Context) (string, func(), error) {
			return "http://" + s.forward.Addr, func() {}, nil
		},
		Token: func(ctx context.Context) (string, error) {
			token, _, err := release.MintToken(ctx, client, "ml", "ingestor", time.Hour)
			return token, err
		},
	}
	accepted, err := submitter.Submit(t.Context(), run.Submission{Key: "5a3907a66777", Config: "table: pets\n"})
	if err != nil || accepted.Job == "" {
		t.Fatalf("got %+v and %v", accepted, err)
	}
}
