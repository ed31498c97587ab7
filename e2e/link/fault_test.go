package link

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A cut after n bytes lets exactly those arrive when it is an orderly one, and no more than those when it is a reset.
func TestCutAfter(t *testing.T) {
	data := noise(300_000)
	for _, n := range []int64{1, 4095, 4096, 4097, 100_000, 299_999} {
		for _, how := range []How{FIN, RST} {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				s := serve(t, false)
				p := open(t, s, Shape{})
				p.After(n, func() { p.Cut(how) })
				c := dial(t, p)
				send(c, data)
				<-s.ends
				got, ended := s.received(0)
				if how == FIN && (int64(len(got)) != n || !errors.Is(ended, io.EOF)) {
					t.Errorf("cut after %d: %d bytes arrived, and then %v", n, len(got), ended)
				}
				if how == RST && (int64(len(got)) > n || errors.Is(ended, io.EOF)) {
					t.Errorf("reset after %d: %d bytes arrived, and then %v", n, len(got), ended)
				}
				if !bytes.HasPrefix(data, got) {
					t.Error("other bytes arrived than were sent")
				}
			})
		}
	}
}

// All connections end with the cut, idle ones too, and the link can be used again.
func TestCutEndsAll(t *testing.T) {
	t.Parallel()
	s := serve(t, true)
	p := open(t, s, Shape{})
	idle, busy := dial(t, p), dial(t, p)
	talk(t, idle)
	talk(t, busy)
	p.After(10, func() {
		if n := p.Cut(RST); n != 2 {
			t.Errorf("%d connections were open", n)
		}
	})
	send(busy, noise(10))
	for _, c := range []net.Conn{idle, busy} {
		if _, err := io.ReadAll(c); err == nil {
			t.Error("a reset connection ends in order")
		}
	}
	talk(t, dial(t, p))
}

// talk sends a word and waits for it to come back.
func talk(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(io.LimitReader(c, 5)); err != nil || string(got) != "hello" {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestCutEachAfter(t *testing.T) {
	t.Parallel()
	s := serve(t, false)
	p := open(t, s, Shape{})
	p.CutEachAfter(1000, FIN, 2)
	for i, want := range []int{1000, 10, 1000, 5000} {
		c := dial(t, p)
		send(c, noise(map[bool]int{true: 10, false: 5000}[want == 10]))
		_ = c.CloseWrite()
		<-s.ends
		if got, _ := s.received(i); len(got) != want {
			t.Errorf("connection %d: %d bytes arrived, want %d", i, len(got), want)
		}
	}
}

func TestCutRandomly(t *testing.T) {
	t.Parallel()
	s := serve(t, false)
	p := open(t, s, Shape{})
	at := p.CutRandomly(3, 3, 50_000, FIN)
	if other := open(t, s, Shape{}).CutRandomly(3, 3, 50_000, FIN); !cmp.Equal(at, other) {
		t.Errorf("the same seed gives %v and %v", at, other)
	}
	// Every connection goes on where the one before was cut.
	arrived := int64(0)
	for i, cut := range at {
		send(dial(t, p), noise(60_000))
		<-s.ends
		got, _ := s.received(i)
		if arrived += int64(len(got)); arrived != cut || p.Sent() != cut {
			t.Errorf("connection %d ended when %d bytes had arrived and %d were sent, want %d", i, arrived, p.Sent(), cut)
		}
	}
}

func TestCorrupt(t *testing.T) {
	t.Parallel()
	s := serve(t, false)
	p := open(t, s, Shape{})
	data := noise(50_000)
	p.Corrupt(30_001)
	c := dial(t, p)
	send(c, data)
	_ = c.CloseWrite()
	<-s.ends
	got, _ := s.received(0)
	want := bytes.Clone(data)
	want[30_001] ^= 1
	if !bytes.Equal(got, want) {
		t.Error("not exactly one bit of the byte is changed")
	}
}

func TestHalfClose(t *testing.T) {
	t.Parallel()
	s := serve(t, false)
	p := open(t, s, Shape{})
	p.After(5000, func() { p.HalfClose() })
	c := dial(t, p)
	send(c, noise(20_000))
	<-s.ends
	if got, ended := s.received(0); len(got) != 5000 || !errors.Is(ended, io.EOF) {
		t.Errorf("%d bytes arrived, and then %v", len(got), ended)
	}
	if got, err := io.ReadAll(c); err != nil || string(got) != "the end" {
		t.Errorf("the other direction gave %q, %v", got, err)
	}
}

// Nothing arrives while the link is stalled, in either direction; all of it does afterwards.
func TestStall(t *testing.T) {
	t.Parallel()
	s := serve(t, true)
	p := open(t, s, Shape{})
	c := dial(t, p)
	talk(t, c)
	resume, again := p.Stall(), p.Stall()
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	resume()
	resume() // counts once
	if got, _ := s.received(0); string(got) != "hello" {
		t.Errorf("%q arrived through a stalled link", got)
	}
	again()
	if got, err := io.ReadAll(io.LimitReader(c, 5)); err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
	p.StallFor(time.Millisecond)
	talk(t, c)
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	s := serve(t, true)
	p := open(t, s, Shape{})
	before := dial(t, p)
	talk(t, before)
	accept := p.Refuse()
	if c, err := net.Dial("tcp", p.Address()); err == nil {
		_ = c.Close()
		t.Fatal("a connection can be opened")
	}
	talk(t, before)
	accept()
	talk(t, dialUntil(t, p))
	p.RefuseFor(time.Millisecond)
	talk(t, dialUntil(t, p))
}

// dialUntil dials until somebody answers; the test's own time limit ends it.
func dialUntil(t *testing.T, p *Proxy) net.Conn {
	t.Helper()
	for {
		if c, err := net.Dial("tcp", p.Address()); err == nil {
			t.Cleanup(func() { _ = c.Close() })
			return c
		}
		time.Sleep(time.Millisecond)
	}
}

// A target that is away, or that goes away, is a connection that breaks.
func TestTargetAway(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	p, err := Listen(listener.Addr().String(), Shape{RTT: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(dial(t, p)); err == nil {
		t.Error("a connection to nobody ends in order")
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// Close ends what is stalled, far away or in the middle of something, and lets nothing run on.
func TestCloseEndsAll(t *testing.T) {
	t.Parallel()
	for name, shape := range map[string]Shape{"bare": {}, "far": {RTT: time.Hour}, "slow": {Rate: 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, true)
			p, err := Listen(s.address, shape)
			if err != nil {
				t.Fatal(err)
			}
			var clients sync.WaitGroup
			for range 3 {
				c := dial(t, p)
				clients.Go(func() { send(c, noise(1<<20)) })
				clients.Go(func() { _, _ = io.Copy(io.Discard, c) })
			}
			p.Stall()
			accept := p.Refuse()
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			accept()
			clients.Wait()
		})
	}
}
