//go:build unix

package podiotest

import (
	"io"
	"net"
	"sync"
)

// Kind is a way in which a connection fails.
type Kind int

// The ways in which a connection fails.
const (
	Cut     Kind = iota // the peer closes it in good order (FIN)
	Reset               // the peer, or something between, drops it (RST)
	Stall               // nothing is read or written any more, and it stays open
	Corrupt             // one bit of what comes next is wrong, which TLS finds
)

// Fault strikes a connection when the server has read After bytes from it, the TLS handshake and framing included.
type Fault struct {
	Kind  Kind
	After int64
}

// listener counts the connections, keeps the open ones, and gives them their faults.
type listener struct {
	net.Listener
	fault func(int) *Fault

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
	c := &conn{TCPConn: tcp, closed: make(chan struct{}), stalled: make(chan struct{}), left: -1}
	c.gone = func() { l.forget(c) }
	number := l.add(c)
	if l.fault != nil {
		if fault := l.fault(number); fault != nil {
			c.arm(*fault)
		}
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
		c.strike(kind)
	}
}

func (l *listener) closeAll() {
	for _, c := range l.all() {
		_ = c.Close()
		_ = c.TCPConn.Close()
	}
}

// conn is a connection that can be struck.
type conn struct {
	*net.TCPConn
	gone func()

	mu      sync.Mutex
	kind    Kind
	left    int64 // bytes to read until kind strikes; negative is never
	corrupt bool
	cut     bool
	closed  chan struct{}
	stalled chan struct{}
}

func (c *conn) Read(p []byte) (int, error) {
	kind, limit := c.next()
	if limit == 0 {
		c.strike(kind)
	} else if limit > 0 && int64(len(p)) > limit {
		p = p[:limit]
	}
	if c.isCut() {
		return 0, io.EOF
	}
	c.hold()
	n, err := c.TCPConn.Read(p)
	c.hold() // what arrives during a stall is not seen by anybody
	return n, c.arrived(p[:n], err)
}

func (c *conn) Write(p []byte) (int, error) {
	c.hold()
	if c.isCut() {
		return 0, net.ErrClosed
	}
	return c.TCPConn.Write(p)
}

// Close ends the connection; one that is cut stays open below, so that the peer gets a FIN and no RST for what it has still sent.
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.closed:
		return net.ErrClosed
	default:
		close(c.closed)
	}
	if c.cut {
		return nil
	}
	c.gone()
	return c.TCPConn.Close()
}

// strike does kind to the connection now.
func (c *conn) strike(kind Kind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = -1
	switch kind {
	case Cut:
		if !c.cut {
			c.cut = true
			_ = c.CloseWrite()
			go c.drain()
		}
	case Reset:
		_ = c.SetLinger(0)
		_ = c.TCPConn.Close()
	case Stall:
		select {
		case <-c.stalled:
		default:
			close(c.stalled)
		}
	case Corrupt:
		c.corrupt = true
	}
}

// drain swallows what the peer still sends on a connection that is cut, until it closes its side or the test ends.
func (c *conn) drain() {
	defer c.gone()
	_, _ = io.Copy(io.Discard, c.TCPConn)
	_ = c.TCPConn.Close()
}

// hold blocks while the connection is stalled, until it is closed.
func (c *conn) hold() {
	select {
	case <-c.stalled:
		<-c.closed
	default:
	}
}

func (c *conn) arm(fault Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kind, c.left = fault.Kind, fault.After
}

func (c *conn) next() (kind Kind, limit int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kind, c.left
}

func (c *conn) isCut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cut
}

// arrived counts the bytes that were read, and spoils the first one where that is due.
func (c *conn) arrived(p []byte, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left > 0 {
		c.left -= int64(len(p))
	}
	if c.corrupt && len(p) > 0 {
		p[0] ^= 1
		c.corrupt = false
	}
	if c.cut {
		return io.EOF
	}
	return err
}
