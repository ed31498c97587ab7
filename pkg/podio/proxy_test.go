//go:build unix

package podio

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
)

// unreachable is a name that leads nowhere; a proxy knows better.
const unreachable = "https://api.cluster.invalid:6443"

// behindProxy is the config of a server that only the proxy can reach.
func behindProxy(server *podiotest.Server, proxy string) *rest.Config {
	config := server.Config()
	config.Host, config.ServerName = unreachable, "example.com" // the name in httptest's certificate
	config.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy) }
	return config
}

func join(a, b net.Conn) {
	go func() {
		_, _ = io.Copy(a, b)
		_ = a.Close()
	}()
	_, _ = io.Copy(b, a)
	_ = b.Close()
}

// connectProxy is an HTTP proxy whose tunnels all lead to one address; it counts them.
func connectProxy(t *testing.T, to string, count *atomic.Int32) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner, err := net.Dial("tcp", to)
		if r.Method != http.MethodConnect || r.Host != strings.TrimPrefix(unreachable, "https://") || err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		count.Add(1)
		w.WriteHeader(http.StatusOK)
		outer, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			_ = inner.Close()
			return
		}
		join(outer, inner)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// socksProxy is a SOCKS5 proxy without authentication that leads everybody to one address.
func socksProxy(t *testing.T, to string, count *atomic.Int32) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			outer, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				inner, err := net.Dial("tcp", to)
				if err != nil || !greet(outer) {
					_ = outer.Close()
					return
				}
				count.Add(1)
				join(outer, inner)
			}()
		}
	}()
	return "socks5://" + listener.Addr().String()
}

// greet takes one request to connect by name, of RFC 1928, and grants it.
func greet(conn net.Conn) bool {
	head := make([]byte, 2)
	if _, err := io.ReadFull(conn, head); err != nil || head[0] != 5 {
		return false
	}
	if _, err := io.CopyN(io.Discard, conn, int64(head[1])); err != nil {
		return false
	}
	if _, err := conn.Write([]byte{5, 0}); err != nil {
		return false
	}
	request := make([]byte, 5) // version, command, reserved, kind of address, length of the name
	if _, err := io.ReadFull(conn, request); err != nil || request[1] != 1 || request[3] != 3 {
		return false
	}
	name := make([]byte, int(request[4])+2)
	if _, err := io.ReadFull(conn, name); err != nil || binary.BigEndian.Uint16(name[request[4]:]) != 6443 {
		return false
	}
	_, err := conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	return err == nil
}

// Sessions and port-forwards go through the proxy of the kubeconfig, over both
// transports; what goes through the local end of a forward is not asked for one.
func TestProxy(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*testing.T, string, *atomic.Int32) string{"http": connectProxy, "socks5": socksProxy} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
				options.Ports = web(t)
				server := podiotest.Start(t, options)
				var tunnels atomic.Int32
				client, err := New(behindProxy(server, start(t, strings.TrimPrefix(server.Config().Host, "https://"), &tunnels)))
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range []*Client{client, client.SPDY()} {
					before := tunnels.Load()
					var stdout bytes.Buffer
					if err := c.Exec(t.Context(), stage, []string{"cat"}, strings.NewReader("hello"), &stdout, nil); err != nil || stdout.String() != "hello" {
						t.Errorf("exec: got %q and %v", &stdout, err)
					}
					if tunnels.Load() == before {
						t.Error("exec went past the proxy")
					}
				}
				before := tunnels.Load()
				f, err := client.Forward(t.Context(), "ml", "stage", 8080)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				opened := tunnels.Load()
				if answer, err := post(t.Context(), f.Addr, "hello"); err != nil || answer != "hello" {
					t.Errorf("forward: got %q and %v", answer, err)
				}
				if opened == before || tunnels.Load() != opened {
					t.Errorf("tunnels: %d before, %d for the forward, %d after a request through it", before, opened, tunnels.Load())
				}
			})
		})
	}
}
