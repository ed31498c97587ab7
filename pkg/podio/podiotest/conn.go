//go:build unix

package podiotest

import (
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// conn is a connection that can be struck.
type conn struct {
	*net.TCPConn
	received *atomic.Int64
	gone     func()

	mu      sync.Mutex
	fault   *Fault // strikes when its After has come down to 0; nil is never
	rate    int64  // bytes per second; 0 is as they come
	spoil   bool   // the next byte that is read, or
	spoiled bool   // written
	cut     bool   // nothing passes any more, but the connection itself is there
	deaf    bool   // it reads as ended
	closed  chan struct{}
	stalled chan struct{}
}

func (c *conn) Read(p []byte) (int, error) {
	p = p[:c.room(false, len(p))]
	if c.isDeaf() {
		return 0, io.EOF
	}
	c.hold()
	n, err := c.TCPConn.Read(p)
	c.hold() // what arrives during a stall is not seen by anybody
	c.received.Add(int64(n))
	c.passed(false, n)
	return n, c.arrived(p[:n], err)
}

func (c *conn) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		n := c.room(true, len(p)-written)
		c.hold()
		if c.isCut() {
			return written, net.ErrClosed
		}
		n, err := c.TCPConn.Write(c.sent(p[written : written+n]))
		written += n
		if err != nil {
			return written, err
		}
		c.passed(true, n)
	}
	return written, nil
}

// Close ends the connection; one that is cut stays open below, so that the peer gets a FIN and no RST for what it has still sent.
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.close()
}

// close is for whoever holds mu.
func (c *conn) close() error {
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

// strike does a fault to the connection now.
func (c *conn) strike(f Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = nil
	switch f.Kind {
	case Cut:
		if !c.cut {
			c.cut, c.deaf = true, true
			_ = c.CloseWrite()
			go c.drain()
		}
	case Reset:
		_ = c.SetLinger(0)
		_ = c.close()
		_ = c.TCPConn.Close() // also one that was cut
	case Stall:
		select {
		case <-c.stalled:
		default:
			close(c.stalled)
		}
	case Corrupt:
		if f.Answers {
			c.spoiled = true
		} else {
			c.spoil = true
		}
	case HalfClose:
		c.deaf = true
		_ = c.CloseRead()
	case Slow:
		c.rate = f.Rate
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

// room is how many of n bytes may pass until something happens; a fault that is due strikes.
func (c *conn) room(answers bool, n int) int {
	if fault := c.due(answers); fault != nil {
		c.strike(*fault)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault != nil && c.fault.Answers == answers {
		n = int(min(int64(n), c.fault.After))
	}
	if c.rate > 0 {
		n = int(min(int64(n), 1+c.rate/20)) // so that it drips
	}
	return n
}

func (c *conn) due(answers bool) *Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault == nil || c.fault.Answers != answers || c.fault.After > 0 {
		return nil
	}
	return c.fault
}

// passed counts n bytes towards the fault, and takes the time that they take on a slow link.
func (c *conn) passed(answers bool, n int) {
	c.mu.Lock()
	rate := c.rate
	if c.fault != nil && c.fault.Answers == answers {
		left := *c.fault
		left.After -= int64(n)
		c.fault = &left
	}
	c.mu.Unlock()
	if rate == 0 || n == 0 {
		return
	}
	select {
	case <-c.closed:
	case <-time.After(time.Duration(n) * time.Second / time.Duration(rate)):
	}
}

func (c *conn) isCut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cut
}

func (c *conn) isDeaf() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deaf
}

// arrived spoils the first byte of what was read where that is due.
func (c *conn) arrived(p []byte, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.spoil && len(p) > 0 {
		p[0] ^= 1
		c.spoil = false
	}
	if c.deaf {
		return io.EOF
	}
	return err
}

// sent is p with its first byte spoiled where that is due.
func (c *conn) sent(p []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.spoiled {
		return p
	}
	c.spoiled = false
	p = slices.Clone(p)
	p[0] ^= 1
	return p
}
