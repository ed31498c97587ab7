package link

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// target is a server behind the link. It keeps what every connection sent, in the order in which they were opened.
type target struct {
	address string
	mu      sync.Mutex
	got     []*bytes.Buffer
	ended   []error
	ends    chan int
}

// serve starts a target. With echo it sends everything back.
func serve(t *testing.T, echo bool) *target {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &target{address: listener.Addr().String(), ends: make(chan int, 100)}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			i := len(s.got)
			s.got, s.ended = append(s.got, &bytes.Buffer{}), append(s.ended, nil)
			s.mu.Unlock()
			running.Go(func() { s.keep(c, i, echo) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		running.Wait()
	})
	return s
}

func (s *target) keep(c net.Conn, i int, echo bool) {
	buffer := make([]byte, 8192)
	for {
		n, err := c.Read(buffer)
		s.mu.Lock()
		s.got[i].Write(buffer[:n])
		s.ended[i] = err
		s.mu.Unlock()
		if echo && n > 0 {
			_, _ = c.Write(buffer[:n])
		}
		if err != nil {
			if errors.Is(err, io.EOF) && !echo {
				_, _ = c.Write([]byte("the end"))
			}
			_ = c.Close()
			s.ends <- i
			return
		}
	}
}

// received is what a connection sent, and how it ended.
func (s *target) received(i int) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.got[i].Bytes()), s.ended[i]
}

func open(t *testing.T, s *target, shape Shape) *Proxy {
	t.Helper()
	p, err := Listen(s.address, shape)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func dial(t *testing.T, p *Proxy) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.(*net.TCPConn)
}

func noise(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(data)
	return data
}

// send writes until the data or the connection ends.
func send(c net.Conn, data []byte) {
	for len(data) > 0 {
		n := min(len(data), 4096)
		if _, err := c.Write(data[:n]); err != nil {
			return
		}
		data = data[n:]
	}
}

func TestBytesArrive(t *testing.T) {
	for name, shape := range map[string]Shape{
		"bare":             {},
		"slow":             {Rate: 4 << 20},
		"far":              {RTT: 4 * time.Millisecond},
		"slow and far":     {Rate: 4 << 20, RTT: 4 * time.Millisecond},
		"of odd sizes":     {Rate: 999_983, RTT: time.Microsecond},
		"a byte at a time": {Rate: Bits(50), RTT: 2 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, true)
			p := open(t, s, shape)
			var clients sync.WaitGroup
			data := noise(100_003)
			for range 3 {
				c := dial(t, p)
				clients.Go(func() { send(c, data); _ = c.CloseWrite() })
				clients.Go(func() {
					if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, data) {
						t.Errorf("got %d bytes of %d, same %t, %v", len(got), len(data), bytes.Equal(got, data), err)
					}
				})
			}
			clients.Wait()
			if p.Sent() != 3*int64(len(data)) || p.Received() != 3*int64(len(data)) {
				t.Errorf("counted %d sent and %d received", p.Sent(), p.Received())
			}
			if _, opened := p.Connections(); opened != 3 {
				t.Errorf("counted %d connections", opened)
			}
		})
	}
}

// The link is at least as slow as it was asked to be. How much slower a machine makes it is its own affair.
func TestShape(t *testing.T) {
	t.Parallel()
	const size, rate, trip = 200_000, 1_000_000, 20 * time.Millisecond
	s := serve(t, true)
	p := open(t, s, Shape{Rate: rate, RTT: trip})
	started := time.Now()
	var clients sync.WaitGroup
	for range 2 {
		c := dial(t, p)
		clients.Go(func() { send(c, noise(size)); _ = c.CloseWrite() })
		clients.Go(func() { _, _ = io.Copy(io.Discard, c) })
	}
	clients.Wait()
	// One round trip opens the connections, half a one carries each direction; the two connections share the rate.
	if least := 2*trip + 2*size*time.Second/rate; time.Since(started) < least {
		t.Errorf("two connections took %s, the link allows no less than %s", time.Since(started), least)
	}
}

// Delay costs no throughput: more than one chunk is on its way when the first arrives.
func TestDelayIsAQueue(t *testing.T) {
	t.Parallel()
	s := serve(t, true)
	p := open(t, s, Shape{RTT: 200 * time.Millisecond})
	c := dial(t, p)
	send(c, noise(100*chunk))
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if sent := p.Sent(); sent < 2*chunk {
		t.Errorf("%d bytes were sent when the first came back", sent)
	}
}

func TestTriggersSplitData(t *testing.T) {
	w := wire{}
	var happened []string
	w.after(3, func() { happened = append(happened, "three") })
	w.after(3, func() { happened = append(happened, "three again") })
	w.after(8, func() { happened = append(happened, "eight") })
	c := &conn{triggers: []*trigger{{at: 5, do: func(*conn) { happened = append(happened, "five of the connection") }}}}
	var pieces []string
	for _, sent := range []string{"ab", "cdefghijk", "l"} {
		for data := []byte(sent); len(data) > 0; {
			parcel, _ := w.enter(c, data, 0)
			data = data[len(parcel.data):]
			pieces = append(pieces, string(parcel.data))
			for _, do := range parcel.then {
				do()
			}
		}
	}
	if diff := cmp.Diff([]string{"ab", "c", "de", "fgh", "ijk", "l"}, pieces); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"three", "three again", "five of the connection", "eight"}, happened); diff != "" {
		t.Error(diff)
	}
	if w.sum != 12 || len(w.triggers) != 0 || len(c.triggers) != 0 {
		t.Errorf("the sum is %d, %d and %d triggers are left", w.sum, len(w.triggers), len(c.triggers))
	}
}
