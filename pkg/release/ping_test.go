package release

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		body   string
		want   string
	}{
		{name: "healthy", status: 200, body: `{"status":"ok"}`},
		{name: "before healthz", status: 404},
		{name: "wants a token", status: 401},
		{name: "redirects", status: 302},
		{name: "fails otherwise", status: 500},
		{name: "not ready", status: 503, body: "{\"authz_mount\":false}\n\x1b[2J",
			want: `jobs-manager answers that it is not ready (status 503): "{\"authz_mount\":false}\n\x1b[2J"; see its log`},
		{name: "not ready, without a word", status: 503, want: `jobs-manager answers that it is not ready (status 503); see its log`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || r.URL.Path != "/healthz" || r.Header.Get("Authorization") != "" {
					t.Errorf("%s %s", r.Method, r.URL)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			}))
			defer server.Close()
			err := Ping(t.Context(), server.URL)
			if got := message(err); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			var notReady *NotReadyError
			if (tt.status == 503) != errors.As(err, &notReady) {
				t.Errorf("got a %T", err)
			}
		})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestPingBoundsTheReport(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		for r.Context().Err() == nil {
			if _, err := w.Write([]byte(strings.Repeat("x", 1<<16))); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	if got := len(message(Ping(t.Context(), server.URL))); got < maxPingBody || got > maxPingBody+200 {
		t.Errorf("message has %d bytes", got)
	}
}

func TestPingRefused(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	err = Ping(t.Context(), address)
	if err == nil || !strings.HasPrefix(err.Error(), "jobs-manager does not answer through the port-forward: ") {
		t.Errorf("got %v", err)
	}
}

func TestPingCanceled(t *testing.T) {
	t.Parallel()
	reached, release := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(reached)
		<-release
	}))
	defer server.Close()
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-reached
		cancel()
	}()
	if err := Ping(ctx, server.URL); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
