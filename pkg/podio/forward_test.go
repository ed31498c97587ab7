//go:build unix

package podio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
)

// web starts an HTTP server that returns what it is sent, and returns it as port 8080 of the Pod.
func web(t *testing.T) map[int]string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(w, req.Body)
	}))
	t.Cleanup(server.Close)
	return map[int]string{8080: server.Listener.Addr().String()}
}

func forward(t *testing.T, server *podiotest.Server, port int) *Forward {
	t.Helper()
	f, err := newClient(t, server).Forward(t.Context(), "ml", "stage", port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// post sends body through a connection of its own and returns the answer.
func post(ctx context.Context, address, body string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	return string(answer), err
}

func TestForward(t *testing.T) {
	t.Parallel()
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		options.Ports = web(t)
		f := forward(t, podiotest.Start(t, options), 8080)
		if host, _, err := net.SplitHostPort(f.Addr); err != nil || host != "127.0.0.1" {
			t.Errorf("got address %q", f.Addr)
		}
		group, ctx := errgroup.WithContext(t.Context())
		for i := range 8 {
			group.Go(func() error {
				for _, size := range []int{0, 1, 100_000} {
					body := strings.Repeat(fmt.Sprint(i), size)
					if answer, err := post(ctx, f.Addr, body); err != nil || answer != body {
						return fmt.Errorf("%d bytes: got %d back and error %w", size, len(answer), err)
					}
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
		if err := f.Err(); err != nil {
			t.Errorf("a working forward has the error %v", err)
		}

		f.Close()
		<-f.Done()
		if err := f.Err(); err != nil {
			t.Errorf("a closed forward has the error %v", err)
		}
		if _, err := post(t.Context(), f.Addr, ""); err == nil {
			t.Error("something listens after Close")
		}
	})
}

func TestForwardOutlivesContext(t *testing.T) {
	t.Parallel()
	server := podiotest.Start(t, podiotest.Options{Ports: web(t)})
	ctx, cancel := context.WithCancel(t.Context())
	f, err := newClient(t, server).Forward(ctx, "ml", "stage", 8080)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cancel()
	if answer, err := post(t.Context(), f.Addr, "hello"); err != nil || answer != "hello" {
		t.Errorf("got %q and error %v", answer, err)
	}
}

func TestForwardNothingListens(t *testing.T) {
	t.Parallel()
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		options.Ports = web(t)
		f := forward(t, podiotest.Start(t, options), 8081)
		if _, err := post(t.Context(), f.Addr, ""); err == nil {
			t.Fatal("a port where nothing listens answers")
		}
		check := func(when string) {
			t.Helper()
			var port *PortError
			if err := f.Err(); !errors.As(err, &port) || port.Port != 8081 || !strings.Contains(port.Message, "connection refused") {
				t.Errorf("%s: got %v", when, err)
			}
		}
		check("when the connection ends")
		<-f.Done()
		check("when the forward ends")
	})
}

func TestForwardLost(t *testing.T) {
	t.Parallel()
	strikes := map[string]func(*podiotest.Server){
		"connection closed": func(s *podiotest.Server) { s.Strike(podiotest.Cut) },
		"connection reset":  func(s *podiotest.Server) { s.Strike(podiotest.Reset) },
		"node restarted":    func(s *podiotest.Server) { s.StrikeNode(podiotest.Reset) },
	}
	for name, strike := range strikes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
				options.Ports = web(t)
				server := podiotest.Start(t, options)
				f := forward(t, server, 8080)
				if _, err := post(t.Context(), f.Addr, "hello"); err != nil {
					t.Fatal(err)
				}
				strike(server)
				// Without traffic the API server's tunnel notices a lost node only at the next ping, up to 10 s later.
				go func() { _, _ = post(t.Context(), f.Addr, "hello") }()
				<-f.Done()
				if !IsLost(f.Err()) {
					t.Errorf("got %v", f.Err())
				}
			})
		})
	}
}

func TestForwardRefused(t *testing.T) {
	t.Parallel()
	refuse := func(*http.Request) *metav1.Status {
		return &apierrors.NewForbidden(podResource, "stage", errors.New("no port-forward")).ErrStatus
	}
	tests := []struct {
		name    string
		options podiotest.Options
		port    int
		is      func(error) bool
	}{
		{"forbidden", podiotest.Options{Refuse: refuse}, 8080, apierrors.IsForbidden},
		{"no pod", podiotest.Options{Pod: "other"}, 8080, apierrors.IsNotFound},
		{"port 0", podiotest.Options{}, 0, func(err error) bool { return err != nil }},
		{"port too high", podiotest.Options{}, 65536, func(err error) bool { return err != nil }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f, err := newClient(t, podiotest.Start(t, test.options)).Forward(t.Context(), "ml", "stage", test.port)
			if f != nil || !test.is(err) {
				t.Fatalf("got %v and error %v", f, err)
			}
			if prefix := fmt.Sprintf(`forward port %d of pod "ml/stage": `, test.port); !strings.HasPrefix(err.Error(), prefix) {
				t.Errorf("%q does not begin with %q", err, prefix)
			}
		})
	}
}

func TestForwardCanceled(t *testing.T) {
	t.Parallel()
	server := podiotest.Start(t, podiotest.Options{Fault: func(int) *podiotest.Fault { return &podiotest.Fault{Kind: podiotest.Stall} }})
	client := newClient(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	if _, err := client.Forward(ctx, "ml", "stage", 8080); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := client.Forward(ctx, "ml", "stage", 8080); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled before: got %v", err)
	}
}

func TestForwardTransport(t *testing.T) {
	tests := []struct {
		value       string
		noWebSocket bool
		want        []string
	}{
		{"true", false, []string{"portforward websocket"}},
		{"true", true, []string{"portforward websocket", "portforward spdy"}},
		{"false", false, []string{"portforward spdy"}},
	}
	for _, test := range tests {
		t.Setenv("KUBECTL_PORT_FORWARD_WEBSOCKETS", test.value)
		server := podiotest.Start(t, podiotest.Options{NoWebSocket: test.noWebSocket, Ports: web(t)})
		f := forward(t, server, 8080)
		if answer, err := post(t.Context(), f.Addr, "hello"); err != nil || answer != "hello" {
			t.Errorf("got %q and error %v", answer, err)
		}
		if diff := cmp.Diff(test.want, server.Requests()); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	}
}
