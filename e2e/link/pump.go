package link

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

const (
	// chunk is the most that is read at once: small enough that connections which share a slow link take turns.
	chunk = 16 << 10
	// backlog is how far ahead of a limited rate a sender may run, as with the buffer of a router. It also hides that sleeps end late.
	backlog = 10 * time.Millisecond
	// drain is how long a connection that was closed in order still reads, so that the kernel does not reset it for unread bytes.
	drain = time.Second
)

// conn is one connection through the link.
type conn struct {
	client, server net.Conn
	ctx            context.Context
	end            context.CancelFunc
	sent           int64      // by the client, known to the reader of its direction alone
	triggers       []*trigger // at positions of sent
	half           atomic.Bool
	fin            atomic.Bool
}

// cut ends the connection.
func (c *conn) cut(how How) {
	if how == FIN {
		c.fin.Store(true)
		c.end()
		closeWrite(c.client)
		closeWrite(c.server)
		return
	}
	c.end()
	reset(c.client)
	reset(c.server)
}

// halfClose ends what the target reads, and leaves what it writes.
func (c *conn) halfClose() {
	c.half.Store(true)
	closeWrite(c.server)
}

func closeWrite(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
}

// reset closes with a RST, whatever is still to be sent.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// parcel is what travels in one direction: bytes that arrive at a time, and what happens when they are there.
type parcel struct {
	data []byte
	due  time.Time
	then []func()
	done chan struct{} // closed after then, which later bytes of the connection wait for
	last bool          // the sender has closed its side
}

// carry moves one direction of a connection until it ends. Delay is a queue, so that it costs no throughput.
func (p *Proxy) carry(c *conn, w *wire, from, to net.Conn) {
	queue := make(chan parcel, p.depth())
	p.pumps.Go(func() {
		defer close(queue)
		p.read(c, w, from, queue)
		if c.fin.Load() {
			_ = from.SetReadDeadline(time.Now().Add(drain))
			_, _ = io.Copy(io.Discard, from)
		}
	})
	for parcel := range queue {
		if !p.deliver(c, w == &p.up, to, parcel) {
			break
		}
	}
	for range queue { // the reader must not wait for a place
	}
}

// depth is how many parcels are on their way at once: what the link holds, and no more than that, since what is on the way
// is lost to the sender's sight.
func (p *Proxy) depth() int {
	const least, most = 4, 1024
	switch {
	case p.shape.RTT == 0:
		return least
	case p.shape.Rate == 0:
		return most
	}
	holds := float64(p.shape.Rate) * (p.shape.RTT/2 + backlog).Seconds() / chunk
	return min(most, 2*int(holds)+64)
}

// read puts what a sender sends on the wire and into the queue, until it ends.
func (p *Proxy) read(c *conn, w *wire, from net.Conn, queue chan<- parcel) {
	var own *conn
	if w == &p.up {
		own = c
	}
	for {
		if !p.gate(c.ctx) {
			return
		}
		buffer := make([]byte, chunk)
		n, err := from.Read(buffer)
		for data := buffer[:n]; len(data) > 0; {
			parcel, ahead := w.enter(own, data, p.shape.RTT/2)
			data = data[len(parcel.data):]
			if !put(c, queue, parcel) || !p.wait(c.ctx, ahead-backlog) {
				return
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			put(c, queue, parcel{due: w.now(p.shape.RTT / 2), last: true})
			return
		case err != nil:
			if c.ctx.Err() == nil {
				c.cut(RST)
			}
			return
		}
	}
}

// put waits for a place in the queue, and for what happens with the parcel. It is false when the connection has ended.
func put(c *conn, queue chan<- parcel, p parcel) bool {
	select {
	case queue <- p:
	case <-c.ctx.Done():
		return false
	}
	if p.done == nil {
		return true
	}
	select {
	case <-p.done:
		return c.ctx.Err() == nil
	case <-c.ctx.Done():
		return false
	}
}

// deliver hands a parcel to its receiver, and is false when nothing more can arrive there.
func (p *Proxy) deliver(c *conn, up bool, to net.Conn, parcel parcel) bool {
	if !p.wait(c.ctx, time.Until(parcel.due)) || !p.gate(c.ctx) {
		return false
	}
	if len(parcel.data) > 0 && !(up && c.half.Load()) {
		if _, err := to.Write(parcel.data); err != nil && !(up && c.half.Load()) {
			if c.ctx.Err() == nil {
				c.cut(RST)
			}
			return false
		}
	}
	for _, do := range parcel.then {
		do()
	}
	if parcel.done != nil {
		close(parcel.done)
	}
	if parcel.last {
		closeWrite(to)
	}
	return !parcel.last
}

// gate waits while the link is stalled, and is false when the context ended.
func (p *Proxy) gate(ctx context.Context) bool {
	p.mu.Lock()
	running := p.running
	p.mu.Unlock()
	select {
	case <-running:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
