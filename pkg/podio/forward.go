package podio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/klog/v2"
	"k8s.io/streaming/pkg/httpstream"
)

// loopback is the only address that a Forward listens on: everybody who reaches the port speaks with the caller's credentials.
const loopback = "127.0.0.1"

// PortError says that the node could not connect to the port inside the Pod, as a rule because nothing listens there. Message is the
// node's text as it came: escape it before it is printed.
type PortError struct {
	Port    int
	Message string
}

// Error quotes the node's text.
func (e *PortError) Error() string {
	return fmt.Sprintf("port %d of the pod does not answer: %q", e.Port, e.Message)
}

// Forward is an open port-forward: connections to Addr arrive at the port of the Pod.
type Forward struct {
	// Addr is the local end, "127.0.0.1:43210".
	Addr string

	stop context.CancelFunc
	done chan struct{}

	mu  sync.Mutex
	err error
}

// Forward opens a port-forward from a free port of 127.0.0.1 to port inside the Pod (a container port, not that of a Service).
//
// It returns when Addr accepts connections, or when ctx ends; later ctx has no meaning, and Close ends the forward. That the port of the
// Pod answers is not tried: when the first connection to Addr is closed without an answer, Err tells why.
//
// The error is an *apierrors.StatusError (k8s.io/apimachinery/pkg/api/errors) when the API server or the node refused, the cause of ctx, or
// that of the connection.
func (c *Client) Forward(ctx context.Context, namespace, pod string, port int) (*Forward, error) {
	f, err := c.forward(ctx, namespace, pod, port)
	if err != nil {
		return nil, fmt.Errorf("forward port %d of pod %q: %w", port, namespace+"/"+pod, err)
	}
	return f, nil
}

func (c *Client) forward(ctx context.Context, namespace, pod string, port int) (*Forward, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	handshake := handshake{warn: c.config.WarningHandler}
	config := rest.CopyConfig(c.config)
	config.Wrap(handshake.watch)
	location := c.rest.Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("portforward").URL()
	dialer, err := newDialer(config, location)
	if err != nil {
		return nil, err
	}

	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	f := &Forward{stop: stop, done: make(chan struct{})}
	ready := make(chan struct{})
	watched := &watchedDialer{Dialer: dialer, report: func(message string) { f.fail(&PortError{Port: port, Message: message}) }}
	forwarder, err := portforward.NewOnAddressesForStreamingWithContext(klog.NewContext(life, logger()), watched,
		[]string{loopback}, []string{"0:" + strconv.Itoa(port)}, ready, io.Discard, io.Discard)
	if err != nil {
		stop()
		return nil, err
	}
	// The dialers take no context, so that a server which does not answer would hold the caller.
	go f.run(forwarder, &handshake)

	select {
	case <-ready:
	case <-f.done:
		return nil, f.Err()
	case <-ctx.Done():
		stop()
		return nil, context.Cause(ctx)
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		stop()
		return nil, err
	}
	f.Addr = net.JoinHostPort(loopback, strconv.Itoa(int(ports[0].Local)))
	return f, nil
}

// newDialer returns the dialer of kubectl port-forward: SPDY tunneled through a WebSocket, and plain SPDY where that is refused.
func newDialer(config *rest.Config, location *url.URL) (httpstream.Dialer, error) {
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return nil, err
	}
	dialer := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, location)
	if disabled("KUBECTL_PORT_FORWARD_WEBSOCKETS") {
		return dialer, nil
	}
	tunnel, err := portforward.NewSPDYOverWebsocketDialerForStreamingWithLogger(logger(), location, config)
	if err != nil {
		return nil, err
	}
	return portforward.NewFallbackDialerForStreaming(tunnel, dialer, refusesWebSocket), nil
}

func (f *Forward) run(forwarder *portforward.PortForwarder, handshake *handshake) {
	defer close(f.done)
	defer f.stop()
	err := forwarder.ForwardPorts()
	if refusal := handshake.refusal(); refusal != nil {
		err = refusal
	}
	if err != nil {
		f.fail(err)
	}
}

// fail keeps the first error: a refused connection inside the Pod makes client-go drop the whole forward, which then reports a loss.
func (f *Forward) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

// Done is closed when the forward has ended and nothing listens on Addr any more. A lost node may be noticed only after 10 s without
// traffic, and a network that swallows everything not at all: give requests through Addr a deadline.
func (f *Forward) Done() <-chan struct{} { return f.done }

// Err returns why the forward ended or is about to end, and nil while it works and when Close ended it. It is a *PortError when the node
// could not reach the port, and IsLost tells when the connection to the Pod broke. After a *PortError the forward is of no use: client-go
// closes it.
func (f *Forward) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// Close ends the forward and the connections through it. It does not wait; Done does.
func (f *Forward) Close() { f.stop() }

// IsLost says whether err, from Forward.Err, means that the connection to the Pod broke: the Pod, its node, the API server or the network
// went away. A new Forward may succeed.
func IsLost(err error) bool { return errors.Is(err, portforward.ErrLostConnectionToPod) }
