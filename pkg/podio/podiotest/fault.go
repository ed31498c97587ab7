//go:build unix

package podiotest

import (
	"net"
	"sync"
	"sync/atomic"
)

// Kind is a way in which a connection fails.
type Kind int

// The ways in which a connection fails.
const (
	Cut       Kind = iota // the peer closes it in good order (FIN)
	Reset                 // the peer, or something between, drops it (RST)
	Stall                 // nothing is read or written any more, and it stays open
	Corrupt               // one bit of what comes next is wrong, which TLS finds
	HalfClose             // the server reads the end of it, while what the server writes still arrives
	Slow                  // Rate bytes pass in a second, and no more
)

// Fault strikes a connection when After bytes have passed, the TLS handshake and framing included: those that the server reads, or with
// Answers those that it writes.
type Fault struct {
	Kind    Kind
	After   int64
	Answers bool
	Rate    int64 // of Slow, in bytes per second
}

// listener counts the connections, keeps the open ones, and gives them their faults.
type listener struct {
	net.Listener
	fault    func(int) *Fault
	received atomic.Int64 // bytes that were read from all connections

	mu       sync.Mutex
	accepted int
	open     map[*conn]struct{}
}

func newListener(inner net.Listener, fault func(int) *Fault) *listener {
	return &listener{Listener: inner, fault: fault, open: map[*conn]struct{}{}}
}

func (l *listener) Accept() (net.Conn, error) {
	inner, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tcp, ok := inner.(*net.TCPConn)
	if !ok {
		return nil, net.ErrClosed
	}
	c := &conn{TCPConn: tcp, received: &l.received, closed: make(chan struct{}), stalled: make(chan struct{})}
	c.gone = func() { l.forget(c) }
	number := l.add(c)
	if l.fault != nil {
		c.fault = l.fault(number)
	}
	return c, nil
}

// add keeps c and returns its number.
func (l *listener) add(c *conn) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[c] = struct{}{}
	l.accepted++
	return l.accepted - 1
}

func (l *listener) forget(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
}

func (l *listener) all() []*conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]*conn, 0, len(l.open))
	for c := range l.open {
		all = append(all, c)
	}
	return all
}

func (l *listener) strike(kind Kind) {
	for _, c := range l.all() {
		c.strike(Fault{Kind: kind})
	}
}

func (l *listener) closeAll() {
	for _, c := range l.all() {
		_ = c.Close()
		_ = c.TCPConn.Close()
	}
}
