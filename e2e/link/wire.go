package link

import (
	"slices"
	"sync"
	"time"
)

// wire is one direction of the link, shared by all connections.
type wire struct {
	rate int64 // bytes per second, 0 without limit

	mu       sync.Mutex
	sum      int64
	free     time.Time // when all that was put on it has left the sender
	triggers []*trigger
	corrupt  []int64 // positions of sum
}

// trigger is what happens when a count of bytes is reached: of the wire, or of one connection.
type trigger struct {
	at int64
	do func(*conn)
}

func (w *wire) total() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sum
}

// after sets off do when n more bytes have arrived.
func (w *wire) after(n int64, do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.triggers = append(w.triggers, &trigger{at: w.sum + n, do: func(*conn) { do() }})
}

func (w *wire) corruptAt(n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.corrupt = append(w.corrupt, w.sum+n)
}

// now is when something without a length arrives.
func (w *wire) now(delay time.Duration) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := time.Now(); w.free.Before(now) {
		return now.Add(delay)
	}
	return w.free.Add(delay)
}

// enter puts data on the wire, up to where something is to happen, and tells how far its sender is ahead of the rate. c is the
// connection for an upload, and nil for the other direction.
func (w *wire) enter(c *conn, data []byte, delay time.Duration) (parcel, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if w.free.Before(now) {
		w.free = now
	}
	n, then := w.next(c, int64(len(data)))
	w.damage(data[:n])
	w.sum += n
	if c != nil {
		c.sent += n
	}
	if w.rate > 0 {
		w.free = w.free.Add(time.Duration(float64(n) / float64(w.rate) * float64(time.Second)))
	}
	p := parcel{data: data[:n], due: w.free.Add(delay), then: then}
	if len(then) > 0 {
		p.done = make(chan struct{})
	}
	return p, w.free.Sub(now)
}

// damage flips the lowest bit of the bytes that are to be corrupted.
func (w *wire) damage(data []byte) {
	w.corrupt = slices.DeleteFunc(w.corrupt, func(at int64) bool {
		i := at - w.sum
		if i < 0 || i >= int64(len(data)) {
			return false
		}
		data[i] ^= 1
		return true
	})
}

// next is how many of n bytes go before something happens, and what does.
func (w *wire) next(c *conn, n int64) (int64, []func()) {
	for _, t := range w.triggers {
		n = min(n, max(1, t.at-w.sum))
	}
	if c != nil {
		for _, t := range c.triggers {
			n = min(n, max(1, t.at-c.sent))
		}
	}
	var then []func()
	take := func(triggers []*trigger, count int64) []*trigger {
		return slices.DeleteFunc(triggers, func(t *trigger) bool {
			if t.at > count+n {
				return false
			}
			then = append(then, func() { t.do(c) })
			return true
		})
	}
	w.triggers = take(w.triggers, w.sum)
	if c != nil {
		c.triggers = take(c.triggers, c.sent)
	}
	return n, then
}
