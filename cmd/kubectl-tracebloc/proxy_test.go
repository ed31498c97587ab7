//go:build unix

package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// proxy is an HTTP proxy that takes every CONNECT to one address, and counts.
type proxy struct {
	*httptest.Server
	tunnels atomic.Int32
	auth    atomic.Value // the Proxy-Authorization of the last CONNECT
}

func startProxy(t *testing.T, to string) *proxy {
	t.Helper()
	p := &proxy{}
	p.auth.Store("")
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		p.tunnels.Add(1)
		p.auth.Store(r.Header.Get("Proxy-Authorization"))
		server, err := net.Dial("tcp", to)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusOK)
		client, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			_ = server.Close()
			return
		}
		go func() {
			_, _ = io.Copy(server, client)
			_ = server.Close()
		}()
		_, _ = io.Copy(client, server)
		_ = client.Close()
	}))
	t.Cleanup(p.Close)
	return p
}

// The API server has a name that only the proxy can reach. What names a proxy
// counts as for kubectl: the flag, then the kubeconfig, then the environment.
func TestProxy(t *testing.T) {
	server := startAPI(t, nil)
	address := server.Listener.Addr().String()
	for name, tt := range map[string]struct {
		env, flags    []string
		file          bool // proxy-url in the kubeconfig
		want, another bool // which proxy is used
		reached       bool
	}{
		"none":                    {},
		"HTTPS_PROXY":             {env: []string{"HTTPS_PROXY=PROXY"}, want: true, reached: true},
		"https_proxy":             {env: []string{"https_proxy=PROXY"}, want: true, reached: true},
		"HTTP_PROXY":              {env: []string{"HTTP_PROXY=PROXY"}},
		"NO_PROXY of the server":  {env: []string{"HTTPS_PROXY=PROXY", "NO_PROXY=example.org,.cluster.invalid"}},
		"NO_PROXY of another":     {env: []string{"HTTPS_PROXY=PROXY", "NO_PROXY=example.org"}, want: true, reached: true},
		"proxy-url":               {file: true, want: true, reached: true},
		"proxy-url beside others": {env: []string{"HTTPS_PROXY=ANOTHER", "NO_PROXY=cluster.invalid"}, file: true, want: true, reached: true},
		"--proxy-url":             {flags: []string{"--proxy-url=ANOTHER"}, file: true, another: true, reached: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			used, other := startProxy(t, address), startProxy(t, address)
			urls := strings.NewReplacer("PROXY", used.URL, "ANOTHER", other.URL)
			fill := func(words []string) (filled []string) {
				for _, word := range words {
					name, value, _ := strings.Cut(word, "=")
					filled = append(filled, name+"="+urls.Replace(value))
				}
				return filled
			}
			kubeconfig := server.kubeconfig(t, func(cluster *clientcmdapi.Cluster, _ *clientcmdapi.AuthInfo) {
				cluster.Server, cluster.TLSServerName = "https://api.cluster.invalid:6443", "example.com" // the name in httptest's certificate
				if tt.file {
					cluster.ProxyURL = used.URL
				}
			})
			r := finish(t, plugin(t, fill(tt.env), append([]string{"runs", "-o", "name", "--kubeconfig", kubeconfig}, fill(tt.flags)...)...))
			if reached := r.code == 0; reached != tt.reached || (used.tunnels.Load() > 0) != tt.want || (other.tunnels.Load() > 0) != tt.another {
				t.Errorf("got %+v; tunnels %d and %d", r, used.tunnels.Load(), other.tunnels.Load())
			}
		})
	}
}

// The password of a proxy is sent to it, and neither logged nor in an error.
func TestProxyPassword(t *testing.T) {
	server := startAPI(t, nil)
	p := startProxy(t, server.Listener.Addr().String())
	kubeconfig := server.kubeconfig(t, func(cluster *clientcmdapi.Cluster, _ *clientcmdapi.AuthInfo) {
		cluster.Server, cluster.TLSServerName = "https://api.cluster.invalid:6443", "example.com"
	})
	address := strings.TrimPrefix(p.URL, "http://")
	for _, at := range []string{address, "127.0.0.1:1"} {
		r := finish(t, plugin(t, []string{"HTTPS_PROXY=http://dana:canary@" + at}, "runs", "-v=10", "--kubeconfig", kubeconfig))
		if (r.code == 0) != (at == address) || strings.Contains(r.stderr+r.stdout, "canary") {
			t.Errorf("got %+v", r)
		}
	}
	if got := p.auth.Load(); got != "Basic ZGFuYTpjYW5hcnk=" {
		t.Errorf("the proxy got %q", got)
	}
}

// An API server on this machine is reached without the proxy of the environment.
func TestProxyIsNotForLoopback(t *testing.T) {
	server := startAPI(t, nil)
	p := startProxy(t, server.Listener.Addr().String())
	r := finish(t, plugin(t, []string{"HTTPS_PROXY=" + p.URL, "HTTP_PROXY=" + p.URL, "ALL_PROXY=" + p.URL}, "runs", "--kubeconfig", server.kubeconfig(t, nil)))
	if r.code != 0 || p.tunnels.Load() != 0 {
		t.Errorf("got %+v after %d tunnels", r, p.tunnels.Load())
	}
}
