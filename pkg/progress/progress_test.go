package progress

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"plain ünïcode 📊":        "plain ünïcode 📊",
		"two\nlines\tand tab":    "two\nlines\tand tab",
		"\x1b[31mred\x1b[0m":     `\x1b[31mred\x1b[0m`,
		"over\rwritten":          `over\x0dwritten`,
		"latin1 \xe9":            `latin1 \xe9`,
		"c1 \u009b31m":           `c1 \u009b31m`,
		"bidi \u202egpj.exe":     `bidi \u202egpj.exe`,
		"del \x7f nul \x00":      `del \x7f nul \x00`,
		"replacement \ufffd own": "replacement \ufffd own",
	} {
		if got := Escape(in); got != want {
			t.Errorf("Escape(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("a\x1b[0m\x9b")
	f.Fuzz(func(t *testing.T, s string) {
		if got := Escape(s); needsEscape(got) {
			t.Errorf("Escape(%q) = %q still needs escaping", s, got)
		}
	})
}

func TestBytesAndDuration(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.00 KiB", 1536: "1.50 KiB", 1 << 20: "1.00 MiB",
		12_900_000: "12.3 MiB", 999 << 20: "999 MiB", 1 << 30: "1.00 GiB", 1 << 62: "4.00 EiB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		340*time.Millisecond + 400*time.Microsecond: "340ms", 2123 * time.Millisecond: "2.1s", 200 * time.Second: "3m20s",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestPlainLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		r := New(&out, Auto)
		r.Start("sending", 40<<20)
		for range 4 {
			time.Sleep(6 * time.Second)
			r.Add(10 << 20)
		}
		r.Finish()
		want := "sending: 20.0 MiB of 40.0 MiB\nsending: 40.0 MiB of 40.0 MiB\nsending: 40.0 MiB in 24s (1.67 MiB/s)\n"
		if out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
	})
}

func TestQuietWritesNothing(t *testing.T) {
	var out bytes.Buffer
	r := New(&out, Quiet)
	r.Printf("note")
	r.Start("sending", 10)
	r.Add(10)
	r.Finish()
	if out.Len() != 0 {
		t.Errorf("quiet reporter wrote %q", out.String())
	}
}

func TestBarIsDrawnOnTerminalOnly(t *testing.T) {
	var out bytes.Buffer
	r := New(&out, Auto)
	r.terminal = true
	r.Start("sending", 100)
	if out.Len() != 0 {
		t.Errorf("drew %q before any byte moved", out.String())
	}
	r.Add(50)
	r.Printf("a \x1b note")
	r.Add(50)
	r.Finish()
	for _, want := range []string{"sending", "a \\x1b note\n", "sending: 100 B in"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output %q lacks %q", out.String(), want)
		}
	}
}
