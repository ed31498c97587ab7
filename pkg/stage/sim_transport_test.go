//go:build unix

package stage

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
)

var errSimCut = errors.New("websocket: close 1006 (abnormal closure): unexpected EOF")

// simFaults is what happens to one session. A count of -1 is never.
type simFaults struct {
	open      time.Duration // how long it takes to open
	refuse    bool
	ahead     int // bytes that are accepted before the other side reads them
	latency   time.Duration
	cutAt     int // after this many bytes of stdin
	lost      int // this many of them never arrive
	cutAfter  int // that many answers
	cutTime   time.Duration
	cutIn     string // at a step of the work on such a frame
	lose      bool   // and not before an answer is due
	quiet     bool   // as SPDY: a cut ends with nil
	sigpipe   bool   // whoever writes to a connection that is gone dies of it; else it is not noticed
	stallAt   int
	stall     time.Duration
	stallAll  bool // the answers stall as well
	spoilAt   int  // a byte of stdin that is damaged
	spoilHead bool // it is one of the line that begins a frame
	spoilOut  int  // an answer that is damaged
	hang      bool // the end of the command is never reported
	slow      float64
	slowFor   time.Duration
	zombie    float64 // how much slower it goes on when nobody listens
	late      float64 // how likely it then rests for long at a step
	lateFor   time.Duration
}

func noFaults() simFaults {
	return simFaults{ahead: 64 << 10, latency: time.Millisecond, cutAt: -1, cutAfter: -1, stallAt: -1, spoilAt: -1, spoilOut: -1, zombie: 1}
}

// answerTo is what the work on a frame ends with.
var answerTo = map[string]string{
	"S": "OK", "N": "OK", "L": "OK", "C": "OK", "R": "OK", "F": "OK", "P": "PUBLISHED", "G": "GOT", "W": "LOCKED", "K": "LOCKED", "X": "LOCKED", "": "READY",
}

// draw decides about a session.
func (c *simClient) draw(d *simDice) simFaults {
	f := noFaults()
	if c.cluster.calm.Load() {
		return f
	}
	f.ahead = []int{32, 700, 8 << 10, 1 << 20}[d.n(4)]
	f.latency = d.upTo(100 * time.Millisecond)
	f.open = d.upTo(2 * time.Second)
	f.quiet, f.sigpipe = d.hits(0.5), d.hits(0.5)
	f.hang = d.hits(0.1)
	f.zombie = []float64{1, 1, 20, 500}[d.n(4)]
	for d.hits(c.harsh) {
		f.add(d)
	}
	if theme := c.cluster.theme; theme != "" && d.hits(c.harsh) {
		f.cutIn, f.lose = theme, d.hits(0.4)
	}
	if d.hits(c.harsh / 2) {
		f.late, f.lateFor = []float64{0.05, 0.2, 0.5}[d.n(3)], d.upTo(5*time.Minute)
	}
	return f
}

// add draws one fault.
func (f *simFaults) add(d *simDice) {
	switch d.n(16) {
	case 0:
		f.refuse = true
	case 1, 2, 3:
		f.cutAt = d.n(1 << (2 + d.n(15)))
		f.lost = d.n(1 << d.n(14))
	case 4, 5, 6:
		f.cutAfter = d.n(1 << d.n(6))
	case 7:
		f.cutTime = time.Millisecond + d.upTo(20*time.Second)
	case 8:
		f.stallAt, f.stall, f.stallAll = d.n(1<<d.n(16)), d.upTo(7*time.Minute), d.hits(0.5)
	case 9, 14, 15:
		f.spoilAt, f.spoilHead = d.n(1<<(5+d.n(12))), d.hits(0.5)
	case 10:
		f.spoilOut = d.n(1 << d.n(5))
	default:
		f.slow, f.slowFor = 0.02, d.upTo(3*time.Minute)
	}
}

// simLink is the connection of one session.
type simLink struct {
	faults simFaults
	feed   *simFeed
	dice   *simDice

	mu      sync.Mutex
	lines   []string
	changed chan struct{} // holds a token when there may be lines
	cut     chan struct{}
	severed bool
	err     error
	stalled time.Time // until when nothing gets through
}

func newSimLink(f simFaults, d *simDice) *simLink {
	return &simLink{faults: f, feed: newSimFeed(f.ahead), dice: d, changed: make(chan struct{}, 1), cut: make(chan struct{})}
}

// sever ends the connection. The other side sees the end of its stdin, after what had arrived.
func (l *simLink) sever(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.severLocked(err)
}

func (l *simLink) severLocked(err error) {
	if l.severed {
		return
	}
	l.severed = true
	if !l.faults.quiet {
		l.err = err
	}
	close(l.cut)
	l.feed.end(l.faults.lost)
}

// out is the stdout of the process.
func (l *simLink) out(line string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.faults.lose && strings.HasPrefix(line, answerTo[l.faults.cutIn]) && l.dice.hits(0.5) && !l.severed {
		l.severLocked(errSimCut)
	}
	if l.severed {
		return !l.faults.sigpipe
	}
	l.lines = append(l.lines, line)
	select {
	case l.changed <- struct{}{}:
	default:
	}
	return true
}

func (l *simLink) line() (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == 0 {
		return "", false
	}
	line := l.lines[0]
	l.lines = l.lines[1:]
	return line, true
}

// pace is how long a step of the process takes.
func (l *simLink) pace(verb string) time.Duration {
	f := l.faults
	if f.cutIn != "" && f.cutIn == verb && !f.lose && l.dice.hits(0.3) {
		l.sever(errSimCut)
	}
	l.mu.Lock()
	severed := l.severed
	l.mu.Unlock()
	switch {
	case f.slow > 0 && l.dice.hits(f.slow):
		return l.dice.upTo(f.slowFor)
	case severed && f.late > 0 && l.dice.hits(f.late):
		return l.dice.upTo(f.lateFor)
	case !l.dice.hits(0.3):
		return 0
	case severed:
		return time.Duration(f.zombie * float64(l.dice.upTo(10*time.Millisecond)))
	}
	return l.dice.upTo(10 * time.Millisecond)
}

// wait lets time pass; false is the end of the connection.
func (l *simLink) wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.cut:
		return false
	case <-ctx.Done():
		return false
	}
}

// Exec is the transport, with the manners of the real one.
func (c *simClient) Exec(ctx context.Context, t podio.Target, command []string, stdin io.Reader, stdout, _ io.Writer) error {
	c.mu.Lock()
	c.opened++
	d := newSimDice(c.cluster.seed, uint64(c.dice.n(1<<30))<<8|uint64(c.opened))
	c.mu.Unlock()
	f := c.draw(d)
	l := newSimLink(f, d)
	if !l.wait(ctx, f.open) {
		return context.Cause(ctx)
	}
	pod := c.cluster.pod(t.Pod)
	if f.refuse || c.isDead() {
		return errors.New("error dialing backend: EOF")
	}
	p := pod.start(command[4:], l.feed, l.out, l.pace)
	if p == nil {
		return errSimGone
	}
	c.cluster.log("%s opens %s in %s: %+v", c.name, p.nonce, pod.name, f)
	c.mu.Lock()
	c.links = append(c.links, l)
	dead := c.dead
	c.mu.Unlock()
	if dead {
		l.sever(errSimCut)
	}
	if stdin == nil {
		l.feed.end(0)
	} else {
		go c.pump(ctx, l, stdin)
	}
	if f.cutTime > 0 {
		timer := time.AfterFunc(f.cutTime, func() { l.sever(errSimCut) })
		defer timer.Stop()
	}
	err := l.deliver(ctx, c, p, stdout)
	l.sever(errSimCut)
	c.cluster.log("%s ends %s: %v", c.name, p.nonce, err)
	return err
}

// pump carries stdin.
func (c *simClient) pump(ctx context.Context, l *simLink, stdin io.Reader) {
	f := l.faults
	buffer := make([]byte, 1<<10)
	at := 0
	for {
		n, err := stdin.Read(buffer)
		part := buffer[:n]
		select {
		case <-l.cut:
			return
		default:
		}
		if f.spoilAt >= at && f.spoilAt < at+n && !f.spoilHead {
			part[f.spoilAt-at] ^= 1 << l.dice.n(8)
		}
		if f.spoilHead && at >= f.spoilAt && bytes.Count(part, []byte("\n")) > 1 { // nothing else is written like that
			part[l.dice.n(n)] ^= 1 << l.dice.n(8)
			f.spoilHead = false
		}
		if f.stallAt >= at && f.stallAt < at+n {
			l.mu.Lock()
			if f.stallAll {
				l.stalled = time.Now().Add(f.stall)
			}
			l.mu.Unlock()
			if !l.wait(ctx, f.stall) {
				return
			}
		}
		if f.cutAt >= at && f.cutAt <= at+n {
			l.feed.give(part[:f.cutAt-at])
			l.sever(errSimCut)
			return
		}
		at += n
		if !l.feed.give(part) {
			return
		}
		c.count(n)
		if err != nil {
			l.feed.end(0)
			return
		}
	}
}

// count kills the client after so many bytes.
func (c *simClient) count(n int) {
	c.mu.Lock()
	c.moved += n
	kill := c.killAt > 0 && c.moved >= c.killAt
	c.mu.Unlock()
	if kill {
		c.kill()
	}
}

// deliver carries the answers until the session ends, in whatever way.
func (l *simLink) deliver(ctx context.Context, c *simClient, p *simProcess, stdout io.Writer) error {
	ended := make(chan struct{})
	c.cluster.running.Go(func() {
		select {
		case <-p.done:
		case <-l.cut:
			return
		}
		p.running.Wait() // a check may still have something to say
		close(ended)
	})
	for n := 0; ; {
		line, there := l.line()
		if !there {
			select {
			case <-l.changed:
				continue
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-l.cut:
				return l.err
			case <-p.ended:
				return l.gone()
			case <-ended:
			}
			if line, there = l.line(); !there {
				return l.exited(ctx, p)
			}
		}
		l.mu.Lock()
		stalled := time.Until(l.stalled)
		l.mu.Unlock()
		if !l.wait(ctx, stalled+l.faults.latency) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return l.err
		}
		if n++; n-1 == l.faults.cutAfter {
			_, _ = io.WriteString(stdout, line[:l.dice.n(len(line))])
			l.sever(errSimCut)
			return l.err
		}
		l.carry(c, n-1, line, stdout)
	}
}

// carry delivers one line, in pieces.
func (l *simLink) carry(c *simClient, n int, line string, stdout io.Writer) {
	if !strings.HasPrefix(line, "T ") {
		c.cluster.log("%s < %s", c.name, short(line))
	}
	text := []byte(line + "\n")
	if n == l.faults.spoilOut {
		text[l.dice.n(len(text))] ^= 1 << l.dice.n(8)
	}
	at := l.dice.n(len(text))
	_, _ = stdout.Write(text[:at])
	_, _ = stdout.Write(text[at:])
}

// gone is what the end of a Pod looks like.
func (l *simLink) gone() error {
	if l.faults.quiet {
		return nil
	}
	return errSimCut
}

func (l *simLink) exited(ctx context.Context, p *simProcess) error {
	if l.faults.hang {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-l.cut:
			return l.err
		case <-p.ended:
			return l.gone()
		}
	}
	if p.code != 0 {
		return &podio.ExitError{Code: p.code}
	}
	return nil
}
