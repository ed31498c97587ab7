// Package link is a network link of a chosen quality in front of a cluster's API server: a TCP proxy that passes TLS through,
// with a rate, a round-trip time, and faults on request. Both ends see nothing but a slow or a bad network.
package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Shape is what the link can do. The zero value adds nothing to the machine's own loopback.
type Shape struct {
	// Rate is in bytes per second for each direction, shared by all connections; 0 is no limit.
	Rate int64
	// RTT is the round-trip time. Opening a connection costs one, as the handshake of TCP does.
	RTT time.Duration
}

// Bits is the rate in bytes of a link that is sold by its megabits per second.
func Bits(megabits int64) int64 { return megabits * 1_000_000 / 8 }

// How tells how a connection ends.
type How int

const (
	// FIN closes a connection in order: both ends read what was sent before it, and then the end of the stream.
	FIN How = iota
	// RST resets it: both ends get an error, and lose what they have not read yet.
	RST
)

// Proxy is one link. It is safe for use by several goroutines.
type Proxy struct {
	target   string
	address  string
	shape    Shape
	up, down wire
	ctx      context.Context
	end      context.CancelFunc
	pumps    sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener
	broken   error // why the link does not listen any more
	conns    map[*conn]bool
	opened   int
	each     []*trigger    // per connection, copied to each that opens
	running  chan struct{} // closed while the link works, open while it is stalled
	stalls   int           // calls of Stall that were not resumed
	refusals int           // calls of Refuse that were not ended
}

// Listen opens a link from a free port of 127.0.0.1 to the target, HOST:PORT. Close ends it.
func Listen(target string, shape Shape) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a link to %q: %w", target, err)
	}
	ctx, end := context.WithCancel(context.Background())
	running := make(chan struct{})
	close(running)
	p := &Proxy{target: target, address: listener.Addr().String(), shape: shape, ctx: ctx, end: end, listener: listener, conns: map[*conn]bool{}, running: running}
	p.up.rate, p.down.rate = shape.Rate, shape.Rate
	p.pumps.Go(func() { p.accept(listener) })
	return p, nil
}

// Address is where the link listens, HOST:PORT. It stays the same for the life of the link.
func (p *Proxy) Address() string { return p.address }

// Sent is how many bytes clients have put on the link, TLS and HTTP included; those that a fault lost on the way count.
func (p *Proxy) Sent() int64 { return p.up.total() }

// Received is how many bytes the target has put on the link.
func (p *Proxy) Received() int64 { return p.down.total() }

// Connections is how many are open now, and how many have been opened in all.
func (p *Proxy) Connections() (open, opened int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns), p.opened
}

// Close resets what is open, ends the link, and waits for it. The error tells of a link that broke while it was in use.
func (p *Proxy) Close() error {
	p.end()
	p.mu.Lock()
	if p.listener != nil {
		_ = p.listener.Close()
	}
	p.mu.Unlock() // what looks at ctx under mu starts nothing any more
	p.Cut(RST)
	p.pumps.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broken
}

// accept serves the connections of one listener until it is closed.
func (p *Proxy) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				p.breaks(fmt.Errorf("accept on %s: %w", p.address, err))
			}
			return
		}
		p.pumps.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) breaks(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = errors.Join(p.broken, err)
}

// serve carries one connection from its beginning to its end.
func (p *Proxy) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	if !p.wait(p.ctx, p.shape.RTT) {
		return
	}
	dialer := net.Dialer{Timeout: 10 * time.Second}
	server, err := dialer.DialContext(p.ctx, "tcp", p.target)
	if err != nil {
		reset(client)
		return
	}
	defer func() { _ = server.Close() }()
	ctx, end := context.WithCancel(p.ctx)
	defer end()
	c := &conn{client: client, server: server, ctx: ctx, end: end}
	if !p.add(c) {
		reset(client)
		return
	}
	defer p.remove(c)
	var directions sync.WaitGroup
	directions.Go(func() { p.carry(c, &p.up, client, server) })
	directions.Go(func() { p.carry(c, &p.down, server, client) })
	directions.Wait()
}

// add makes the connection known to the faults, unless the link has ended meanwhile.
func (p *Proxy) add(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return false
	}
	for _, t := range p.each {
		own := *t
		c.triggers = append(c.triggers, &own)
	}
	p.conns[c] = true
	p.opened++
	return true
}

func (p *Proxy) remove(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// wait sleeps, and is false when the context ended before.
func (p *Proxy) wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
