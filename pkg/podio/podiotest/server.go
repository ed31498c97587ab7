//go:build unix

package podiotest

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/cri-streaming/pkg/streaming"
	"k8s.io/klog/v2"
)

// Options say what a Server serves and what goes wrong in it. The zero value serves every Pod without faults.
type Options struct {
	// Namespace, Pod and Container are the only ones that exist; an empty one stands for any.
	Namespace, Pod, Container string

	// Volume is the directory of that name in Server: that of another Server is a volume that two Pods share. Empty is a new directory.
	Volume string

	// Dir is the working directory of the commands; empty stands for Volume.
	Dir string

	// NoWebSocket leaves out the WebSocket support of the API server, as before Kubernetes 1.30: the node refuses the upgrade.
	NoWebSocket bool

	// Refuse answers a request with a Status instead of serving it; nil serves it. It may be called concurrently.
	Refuse func(*http.Request) *metav1.Status

	// Fault says what happens to a client connection, counted from 0 in the order of their arrival; nil leaves it alone. NodeFault is
	// the same for the connections from the API server to the node.
	Fault, NodeFault func(connection int) *Fault

	// Stdin stands between the session and the process and may corrupt, cut, hold up or watch what the process reads; it is called
	// for every session with a stdin. What it returns may call Server.Strike.
	Stdin func(io.Reader) io.Reader

	// Stdout stands in the same way between what the process writes and the session.
	Stdout func(io.Writer) io.Writer

	// Ports maps a port of the Pod to an address on this machine ("127.0.0.1:1234"). Nothing listens on the others.
	Ports map[int]string

	// Env is the environment of the commands beside PATH, as "NAME=value".
	Env []string

	// Path is the PATH of the commands; empty stands for the applets of busybox and nothing else.
	Path string
}

// Server is a cluster of one container. It ends with its test, and so do the processes that it still runs then.
type Server struct {
	// Volume is the working directory of every command unless Options named another. It is new and empty unless Options named it.
	Volume string

	options Options
	config  *rest.Config
	cri     streaming.Server
	clients *listener // connections from the client to the API server
	node    *listener // connections from the API server to the node
	runtime *runtime
	deleted atomic.Bool

	mu       sync.Mutex
	requests []string
}

// Start starts a Server that lives as long as t. A missing busybox fails the test.
func Start(t testing.TB, options Options) *Server {
	t.Helper()
	s := &Server{Volume: options.Volume, options: options}
	if s.Volume == "" {
		s.Volume = t.TempDir()
	}
	path := options.Path
	if path == "" {
		path = applets(t)
	}
	dir := options.Dir
	if dir == "" {
		dir = s.Volume
	}
	s.runtime = newRuntime(dir, path, options)

	node := httptest.NewUnstartedServer(nil)
	s.node = newListener(node.Listener, options.NodeFault)
	node.Listener = s.node
	config := streaming.DefaultConfig
	config.BaseURL = &url.URL{Scheme: "http", Host: node.Listener.Addr().String()}
	cri, err := streaming.NewServer(config, s.runtime)
	if err != nil {
		t.Fatalf("make the streaming server: %v", err)
	}
	s.cri = cri
	start(node, cri, node.Start)

	api := httptest.NewUnstartedServer(nil)
	s.clients = newListener(api.Listener, options.Fault)
	api.Listener = s.clients
	start(api, s.handler(), api.StartTLS)
	s.config = &rest.Config{
		Host: api.URL,
		TLSClientConfig: rest.TLSClientConfig{
			CAData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw}),
		},
	}

	t.Cleanup(func() {
		// The connections go first: Close waits for requests that a fault holds up.
		s.clients.closeAll()
		s.node.closeAll()
		s.runtime.stop()
		api.Close()
		node.Close()
	})
	return s
}

// start serves handler without a log: what a test breaks would fill it.
func start(server *httptest.Server, handler http.Handler, begin func()) {
	server.Config.Handler = handler
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.BaseContext = func(net.Listener) context.Context {
		return klog.NewContext(context.Background(), klog.New(nil))
	}
	begin()
}

// Config returns a new rest.Config for the Server.
func (s *Server) Config() *rest.Config { return rest.CopyConfig(s.config) }

// Strike does fault to every open connection of a client, at once.
func (s *Server) Strike(kind Kind) { s.clients.strike(kind) }

// StrikeNode does fault to every open connection between the API server and the node, at once: a kubelet or a container runtime that
// is restarted.
func (s *Server) StrikeNode(kind Kind) { s.node.strike(kind) }

// Delete ends the Pod: its processes are killed, and from now on there is no such Pod. It does not wait.
func (s *Server) Delete() {
	s.deleted.Store(true)
	s.runtime.kill()
}

// Deleted tells whether Delete was called.
func (s *Server) Deleted() bool { return s.deleted.Load() }

// Received is the number of bytes that came over all connections of clients, the TLS handshakes and framing included.
func (s *Server) Received() int64 { return s.clients.received.Load() }

// Requests returns the requests that came so far, in order: "exec websocket", "exec spdy", "portforward websocket", "portforward spdy".
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}

// Running returns the number of commands that have not ended, whether or not a client still waits for them.
func (s *Server) Running() int { return s.runtime.count() }

func (s *Server) record(subresource string, websocket bool) {
	transport := "spdy"
	if websocket {
		transport = "websocket"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, fmt.Sprintf("%s %s", subresource, transport))
}
