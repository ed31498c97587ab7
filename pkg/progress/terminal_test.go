package progress

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// onTerminal makes a Reporter that draws on a terminal of this width.
func onTerminal(s *screen) *Reporter {
	r := New(s, Auto)
	r.bar, r.width = true, s.width
	return r
}

// play runs a transfer of 2,000 MiB in 20,000 files, with all that can come in
// between, and calls look where something has changed.
func play(r *Reporter, look func(what string)) {
	t := Transfer{TotalFiles: 20_000, TotalBytes: 2000 << 20}
	pass := func(d time.Duration, what string) {
		r.Transfer(t)
		time.Sleep(d)
		synctest.Wait()
		look(what)
	}
	r.StartTransfer("Staging", 21_000, 2100<<20)
	time.Sleep(500 * time.Millisecond)
	synctest.Wait()
	look("started")
	t.TotalFiles, t.TakenOverFiles, t.TakenOverBytes = 20_000, 1000, 100<<20
	t.Step = "linking"
	pass(3*time.Second, "linking")
	t.Step, t.Sent, t.InFlight = "", 130<<20, 128<<20
	pass(2*time.Second, "first shards on the way")
	for range 10 {
		t.Bytes += 64 << 20
		t.Files += 640
		t.Sent += 40 << 20
		t.Compressed += 32 << 20
		pass(2*time.Second, "")
	}
	look("in full swing")
	r.Printf("Waiting for the stage pod: %s", "Pod \"a\x1b[2J\" is gone")
	time.Sleep(300 * time.Millisecond)
	synctest.Wait()
	look("after a note")
	for range 10 {
		t.Sent += 1 << 20
		pass(2*time.Second, "")
	}
	look("a slow link")
	pass(40*time.Second, "a standstill")
	t.Retries = 3
	t.Bytes, t.Files, t.Sent = t.TotalBytes-100, t.TotalFiles-1, t.Sent+1200<<20
	t.InFlight = 100
	pass(2*time.Second, "the last file")
	t.Bytes, t.Files, t.InFlight = t.TotalBytes, t.TotalFiles, 0
	pass(20*time.Second, "all there")
	t.Step = "publishing"
	pass(20*time.Second, "publishing")
}

func TestTransferOnTerminal(t *testing.T) {
	for _, width := range []int{40, 60, 80, 120, 200} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got strings.Builder
				begun := time.Now()
				s := newScreen(width)
				r := onTerminal(s)
				play(r, func(what string) {
					if what != "" {
						fmt.Fprintf(&got, "%6.1fs %s\n|%-*s|\n", time.Since(begun).Seconds(), what, width, s.bottom())
					}
				})
				r.Finish()
				fmt.Fprintf(&got, "\nleft behind\n%s", strings.Join(s.lines(), "\n"))
				golden(t, fmt.Sprintf("terminal-%d", width), got.String())
				col, _, wraps, odd := s.state()
				if col != 0 || s.bottom() != "" {
					t.Errorf("the cursor is left at column %d of %q", col, s.bottom())
				}
				if wraps != 0 {
					t.Errorf("frames ran over the edge of the terminal %d times", wraps)
				}
				if odd != nil {
					t.Errorf("the terminal got %v", odd)
				}
			})
		})
	}
}

func TestTransferInPlainLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out buffer
		r := New(&out, Auto)
		play(r, func(string) {})
		r.Finish()
		golden(t, "plain", out.String())
	})
}

// A frame is drawn five times a second, however often something arrives, and
// also when nothing does.
func TestPaceOfDrawing(t *testing.T) {
	for name, every := range map[string]time.Duration{"many updates": time.Millisecond, "none": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScreen(80)
				r := onTerminal(s)
				r.StartTransfer("Staging", 10, 1<<30)
				state := Transfer{TotalFiles: 10, TotalBytes: 1 << 30}
				end := time.Now().Add(10*time.Second + refresh/2)
				for time.Now().Before(end) {
					state.Bytes++
					state.Sent++
					r.Transfer(state)
					time.Sleep(min(every, time.Until(end)))
				}
				synctest.Wait()
				if _, writes, _, _ := s.state(); writes != 50 {
					t.Errorf("%d frames in 10 s, want 50", writes)
				}
				r.Stop()
				time.Sleep(time.Minute)
				if _, writes, _, _ := s.state(); writes != 51 { // the last one wipes the line
					t.Errorf("%d frames after the end", writes-51)
				}
			})
		})
	}
}

func TestTimePassesWhenNothingArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(80)
		r := onTerminal(s)
		defer r.Stop()
		r.StartTransfer("Staging", 10, 1<<30)
		r.Transfer(Transfer{Files: 1, TotalFiles: 10, Bytes: 1 << 20, TotalBytes: 1 << 30, Sent: 1 << 20})
		for _, want := range []string{"20s", "21s", "22s"} {
			for !strings.Contains(s.bottom(), "nothing acknowledged for "+want) {
				if time.Sleep(refresh); strings.Contains(s.bottom(), "for 23s") {
					t.Fatalf("never said %q", want)
				}
				synctest.Wait()
			}
		}
	})
}

// Text and bar share the terminal: the text is whole, and the bar comes back.
func TestNotesAboveTheBar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScreen(80)
		r := onTerminal(s)
		r.Start("Checking", 100)
		time.Sleep(time.Second)
		if got := s.bottom(); got != "" {
			t.Errorf("drew %q before any byte moved", got)
		}
		r.Add(50)
		time.Sleep(time.Second)
		r.Printf("two\nlines")
		if got := s.bottom(); got != "" {
			t.Errorf("below the text is %q", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := s.bottom(); !strings.HasPrefix(got, "Checking [=====") {
			t.Errorf("the bar did not come back: %q", got)
		}
		r.Add(50)
		r.Finish()
		r.Printf("after")
		want := []string{"two", "lines", "Checking: 100 B in 3s (33 B/s)", "after", ""}
		if got := s.lines(); !slices.Equal(got, want) {
			t.Errorf("the terminal shows %q, want %q", got, want)
		}
	})
}

// Ends and beginnings of phases meet updates and notes from many goroutines.
func TestConcurrentUse(t *testing.T) {
	for name, bar := range map[string]bool{"bar": true, "lines": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScreen(100)
				r := onTerminal(s)
				r.bar = bar
				var group sync.WaitGroup
				for range 8 {
					group.Go(func() {
						for n := range int64(200) {
							r.Transfer(Transfer{Files: n, TotalFiles: 200, Bytes: n << 20, TotalBytes: 200 << 20, Sent: n << 20, TakenOverFiles: n})
							r.Add(1)
							time.Sleep(50 * time.Millisecond)
						}
					})
				}
				group.Go(func() {
					for n := range 20 {
						r.Printf("note %d", n)
						time.Sleep(500 * time.Millisecond)
					}
				})
				for n := range 10 {
					switch n % 3 {
					case 0:
						r.StartTransfer("Staging", 200, 200<<20)
					case 1:
						r.Start("Checking", 1000)
					case 2:
						r.StartCount("Looking", "file", 0)
					}
					time.Sleep(900 * time.Millisecond)
					if n%2 == 0 {
						r.Finish()
					}
				}
				group.Wait()
				r.Stop()
				var notes int
				for _, text := range s.lines() {
					if strings.HasPrefix(text, "note ") {
						notes++
					}
				}
				if notes != 20 {
					t.Errorf("%d whole notes on the terminal, want 20", notes)
				}
				if got := s.bottom(); got != "" {
					t.Errorf("%q is left on the line", got)
				}
			})
		})
	}
}
