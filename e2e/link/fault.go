package link

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Cut ends every open connection and tells how many there were. New ones can be opened.
func (p *Proxy) Cut(how How) int {
	open := p.open()
	for _, c := range open {
		c.cut(how)
	}
	return len(open)
}

// HalfClose ends what the target reads on every open connection, and leaves what it writes: the target sees the end of a
// stream whose sender is still there. What clients send from now on goes nowhere.
func (p *Proxy) HalfClose() int {
	open := p.open()
	for _, c := range open {
		c.halfClose()
	}
	return len(open)
}

func (p *Proxy) open() []*conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	var open []*conn
	for c := range p.conns {
		open = append(open, c)
	}
	return open
}

// After runs do once the clients have sent n more bytes in sum, when the last of them has reached the target and before any
// later byte of its connection. do may call every method of the link but Close.
func (p *Proxy) After(n int64, do func()) { p.up.after(max(1, n), do) }

// CutEachAfter ends connections that are opened from now on, each after exactly n bytes of its own upload: the first times
// connections that get so far, all of them when times is negative.
func (p *Proxy) CutEachAfter(n int64, how How, times int) {
	var reached atomic.Int64
	p.mu.Lock()
	defer p.mu.Unlock()
	p.each = append(p.each, &trigger{at: max(1, n), do: func(c *conn) {
		if times < 0 || reached.Add(1) <= int64(times) {
			c.cut(how)
		}
	}})
}

// CutRandomly ends all connections that are open at each of so many random positions among the next n bytes of upload. Equal
// seeds give equal positions, which are returned in order.
func (p *Proxy) CutRandomly(seed uint64, times int, n int64, how How) []int64 {
	random := rand.New(rand.NewPCG(seed, 0))
	positions := make([]int64, times)
	for i := range positions {
		positions[i] = 1 + random.Int64N(max(1, n))
	}
	slices.Sort(positions)
	for _, at := range positions {
		p.After(at, func() { p.Cut(how) })
	}
	return positions
}

// Corrupt flips one bit of the byte at that offset of what clients send from now on, in sum.
func (p *Proxy) Corrupt(offset int64) { p.up.corruptAt(max(0, offset)) }

// Stall delivers nothing in either direction until resume is called, and breaks nothing: what a laptop in a tunnel sees.
// The link goes on when every stall has been resumed.
func (p *Proxy) Stall() (resume func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stalls == 0 {
		p.running = make(chan struct{})
	}
	p.stalls++
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.stalls--; p.stalls == 0 {
			close(p.running)
		}
	})
}

// StallFor is Stall with an end. It does not wait for it.
func (p *Proxy) StallFor(d time.Duration) { time.AfterFunc(d, p.Stall()) }

// Refuse lets nobody connect until accept is called, as when the API server is away. Open connections stay; Cut ends them.
func (p *Proxy) Refuse() (accept func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	p.refusals++
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.refusals--; p.refusals == 0 && p.ctx.Err() == nil {
			p.pumps.Go(p.listenAgain)
		}
	})
}

// RefuseFor is Refuse with an end. It does not wait for it.
func (p *Proxy) RefuseFor(d time.Duration) { time.AfterFunc(d, p.Refuse()) }

// listenAgain takes the old port. Another program may have it for a moment as the port of an outgoing connection.
func (p *Proxy) listenAgain() {
	var err error
	for range 100 {
		var listener net.Listener
		if listener, err = net.Listen("tcp", p.address); err == nil {
			p.use(listener)
			return
		}
		if !p.wait(p.ctx, 50*time.Millisecond) {
			return
		}
	}
	p.breaks(fmt.Errorf("listen again after refusing connections: %w", err))
}

// use accepts on the listener, unless the link ended or refuses again.
func (p *Proxy) use(listener net.Listener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil || p.refusals > 0 || p.listener != nil {
		_ = listener.Close()
		return
	}
	p.listener = listener
	p.pumps.Go(func() { p.accept(listener) })
}
