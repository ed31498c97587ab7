package stage

import (
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseDF(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line string
		want int64
	}{
		{"/dev/vda1 102400 51200 40960 56% /data", 40960},
		{"server:/a dir with spaces 102400 51200 40960 56% /data", 40960},
		{"/dev/vda1 100 100 0 100% /data", 0},
		{"overlay 0 0 0 - /data", -1},
		{"btrfs 0 0 0 0% /data", -1},
		{"x - - - - /data", -1},
		{"/dev/vda1 10 5 -3 56% /data", -1},
		{"/dev/vda1 10 5 99999999999999999999 56% /data", -1},
		{"", -1},
		{"56%", -1},
	} {
		if got := parseDF(c.line); got != c.want {
			t.Errorf("%q: %d, want %d", c.line, got, c.want)
		}
	}
}

// TestLinesAtAnyCut: how the stream is cut into writes makes no difference.
func TestLinesAtAnyCut(t *testing.T) {
	t.Parallel()
	text := "noise\nREADY feed 1\nOK beef 1\nOK feed 2\n" + strings.Repeat("x", 2*maxLine) + "\nOK feed 3\r\nOK feed 4\nPUBLISHED feed"
	want := []answer{{"READY", []string{"1"}}, {"OK", []string{"2"}}, {"OK", []string{"4"}}}
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var got []answer
		l := &lines{nonce: "feed", deliver: func(a answer) { got = append(got, a) }}
		for rest := text; rest != ""; {
			n := min(len(rest), 1+r.IntN(100))
			_, _ = l.Write([]byte(rest[:n]))
			rest = rest[n:]
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(answer{})); diff != "" {
			t.Fatalf("answers (-want +got):\n%s", diff)
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("READY feed\nOK feed 1\nERR feed unpack 7461720a\n"), 3)
	f.Add([]byte(strings.Repeat("x", maxLine+1)+"\nOK feed 1\n"), 1)
	f.Add([]byte("\x1b[31mOK feed 1\n\n\n  \nfeed feed feed"), 5)
	f.Fuzz(func(t *testing.T, data []byte, step int) {
		if step < 1 {
			step = 1
		}
		l := &lines{nonce: "feed", deliver: func(a answer) {
			line := strings.Join(append([]string{a.verb, "feed"}, a.fields...), " ")
			if len(line) > maxLine || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("believed %q", line)
			}
			e := newVolumeError(Plan{}, a)
			if strings.ContainsFunc(e.Error(), func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("unescaped %q", e.Error())
			}
		}}
		for i := 0; i < len(data); i += step {
			_, _ = l.Write(data[i:min(len(data), i+step)])
		}
		if len(l.line) > maxLine || len(l.noise.kept) > maxTail {
			t.Errorf("kept %d and %d bytes", len(l.line), len(l.noise.kept))
		}
	})
}

func FuzzParseDF(f *testing.F) {
	f.Add("/dev/vda1 102400 51200 40960 56% /data")
	f.Add("a b 1 2 3 - /")
	f.Fuzz(func(t *testing.T, line string) {
		if n := parseDF(line); n < -1 {
			t.Errorf("%q: %d", line, n)
		}
	})
}

func FuzzRecord(f *testing.F) {
	f.Add(`{"key":"k","spec_sha256":"","table":"t","created":"2026-01-02T03:04:05Z"}`)
	f.Add(`{"key":3}`)
	f.Fuzz(func(t *testing.T, text string) {
		a := answer{fields: []string{hex.EncodeToString([]byte(text))}}
		if r := parseRecord(a.text(0)); r != nil && r.Key == "" {
			t.Errorf("%q: a record without a key", text)
		}
	})
}
