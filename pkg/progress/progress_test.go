package progress

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

// buffer is a stream that is no terminal.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestPlainLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out buffer
		r := New(&out, Auto)
		r.Start("sending\x1b", 40<<20)
		for range 4 {
			r.Add(10 << 20)
			time.Sleep(6 * time.Second)
		}
		r.Finish()
		want := "sending\\x1b: 50%, 20.0 MiB of 40.0 MiB, 2.00 MiB/s, ETA 10s\n" +
			"sending\\x1b: 100%, 40.0 MiB of 40.0 MiB, 2.00 MiB/s\n" +
			"sending\\x1b: 40.0 MiB in 24s (1.67 MiB/s)\n"
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("plain lines (-want +got):\n%s", diff)
		}
	})
}

func TestCountOfThings(t *testing.T) {
	for _, tt := range []struct {
		total int64
		want  string
	}{
		{0, "Looking: 150000 files\nLooking: 200000 files in 12s\n"},
		{200_000, "Looking: 75%, 150000 of 200000 files, ETA 4s\nLooking: 200000 files in 12s\n"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out buffer
			r := New(&out, Auto)
			r.StartCount("Looking", "file", tt.total)
			for range 3 {
				for range 50_000 {
					r.Add(1)
				}
				time.Sleep(4 * time.Second)
			}
			r.Add(50_000)
			r.Finish()
			if diff := cmp.Diff(tt.want, out.String()); diff != "" {
				t.Errorf("total %d (-want +got):\n%s", tt.total, diff)
			}
		})
	}
}

// Nothing is said of a phase in which nothing happened, or that failed.
func TestPhasesWithoutAWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out buffer
		r := New(&out, Auto)
		r.Finish()
		r.Stop()
		r.Add(5)
		r.Transfer(Transfer{Bytes: 5})
		r.Start("idle", 10)
		r.Transfer(Transfer{Bytes: 5}) // no transfer was started
		r.Finish()
		r.StartTransfer("unused", 1, 1)
		r.Add(5) // a transfer counts acknowledgements only
		r.Finish()
		r.Start("failed", 10)
		r.Add(10)
		r.Stop()
		r.Start("replaced", 10)
		r.Add(10)
		r.Start("last", 10)
		time.Sleep(time.Minute)
		r.Stop()
		want := ""
		if got := out.String(); got != want {
			t.Errorf("wrote %q", got)
		}
	})
}

func TestQuietWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out buffer
		r := New(&out, Quiet)
		r.bar = true // also when it is a terminal
		r.Printf("note")
		r.Start("sending", 10)
		r.Add(10)
		r.Finish()
		r.StartTransfer("Staging", 10, 10)
		r.Transfer(Transfer{Files: 1, Bytes: 1, TakenOverFiles: 1})
		time.Sleep(time.Minute)
		r.Finish()
		if got := out.String(); got != "" {
			t.Errorf("quiet reporter wrote %q", got)
		}
	})
}

// A state that overtook another on its way here is not undone by it.
func TestLateStateIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out buffer
		r := New(&out, Auto)
		r.StartTransfer("Staging", 4, 400)
		r.Transfer(Transfer{Files: 3, TotalFiles: 4, Bytes: 300, TotalBytes: 400, Sent: 350})
		r.Transfer(Transfer{Files: 1, TotalFiles: 4, Bytes: 100, TotalBytes: 400, Sent: 150})
		r.Finish()
		if want := "Staging: 300 B, 3 files in 0s, 350 B sent\n"; out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	})
}

func TestModes(t *testing.T) {
	t.Setenv("CI", "")
	var tty *os.File // the open end of a pseudo terminal is one only here
	if runtime.GOOS == "linux" {
		var err error
		if tty, err = os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tty.Close() }()
	}
	for _, tt := range []struct {
		term string
		mode Mode
		tty  bool
		ci   bool
		want bool
	}{
		{"xterm-256color", Auto, true, false, true},
		{"xterm-256color", Plain, true, false, false},
		{"xterm-256color", Quiet, true, false, false},
		{"dumb", Auto, true, false, false},
		{"xterm-256color", Auto, false, false, false},
		{"xterm-256color", Auto, true, true, false}, // the last: CI stays set
	} {
		if tt.tty && tty == nil {
			continue
		}
		t.Setenv("TERM", tt.term)
		if tt.ci {
			t.Setenv("CI", "true")
		}
		r := New(&buffer{}, tt.mode)
		if tt.tty {
			r = New(tty, tt.mode)
		}
		if r.bar != tt.want {
			t.Errorf("%+v: bar is %v", tt, r.bar)
		}
	}
}

// More may be taken back than was counted.
func TestNothingBelowZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out buffer
		r := New(&out, Auto)
		r.Start("Checking", 100)
		r.Add(10)
		r.Add(-50)
		time.Sleep(11 * time.Second)
		r.Stop()
		if want := "Checking: 0%, 0 B of 100 B, 1 B/s, ETA 1m40s\n"; out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	})
}
