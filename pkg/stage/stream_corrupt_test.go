//go:build unix

package stage

import (
	"bytes"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
)

// spoiler flips a bit, once: that of the byte which comes some bytes after a text.
type spoiler struct {
	text  string
	after int
	times *atomic.Int64 // how often it was done, of all sessions

	in   io.Reader
	seen []byte // what may be the beginning of text
	left int    // bytes until it is due, once text was seen
	due  bool
}

func (s *spoiler) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	for i := range p[:n] {
		switch {
		case s.due && s.left == 0:
			s.due = false
			if s.times.Add(1) == 1 {
				p[i] ^= 0x10
			}
		case s.due:
			s.left--
		default:
			s.watch(p[i])
		}
	}
	return n, err
}

func (s *spoiler) watch(c byte) {
	s.seen = append(s.seen, c)
	if !strings.HasPrefix(s.text, string(s.seen)) {
		// A text that begins again within itself would be missed; none here does.
		s.seen = s.seen[:0]
		if c == s.text[0] {
			s.seen = append(s.seen, c)
		}
	}
	if len(s.seen) == len(s.text) {
		s.seen, s.due, s.left = s.seen[:0], s.times.Load() == 0, s.after
	}
}

// TestStreamsCorruptBehindTLS: what goes wrong where no checksum of the transport sees it is found on the volume, and sent again.
func TestStreamsCorruptBehindTLS(t *testing.T) {
	t.Parallel()
	type corruption struct {
		name     string
		text     string // in the stream
		after    int    // bytes after it
		compress Compress
	}
	const beginning = "MARKEDIMAGE"
	table := "filename,label\n" + strings.Repeat("images/1.png,cat\nimages/2.png,dog\n", 20_000)
	files := scatter(12, 9000)
	files["images/one.png"] = beginning + noise(70_001)
	files["images/large.png"] = "LARGEIMAGE" + noise(250_000)
	files["table.csv"] = table
	cases := []corruption{
		{"file", beginning, 5000, CompressNever},
		{"sums", "  ./images/", 1, CompressNever}, // of the archive
		{"header of a member", "tree/images/one.png", 0, CompressNever},
		{"length in the header", "tree/images/one.png", 100 + 24 - 19, CompressNever},
		{"archive, compressed", " gz ", 4000, CompressAlways},
		{"gzip header", " gz ", 6, CompressAlways},
		{"range", "LARGEIMAGE", 100_000, CompressNever},
		{"range, compressed", " gz:", 4000, CompressAlways},
		{"sum of a range", "R ", 70 + 10, CompressNever},
		{"links", "\nL ", 200, CompressNever},
		{"seal", "\nE ", 0, CompressNever},
		{"verb", "\nE ", 64 + 1, CompressNever},
		{"id", "\nS ", 10, CompressNever},
	}
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		together(t, cases, func(c corruption) string { return c.name }, func(t *testing.T, c corruption) {
			var times atomic.Int64
			options := options
			options.Stdin = func(in io.Reader) io.Reader { return &spoiler{text: c.text, after: c.after, times: &times, in: in} }
			s := serve(t, options)
			d := write(t, files)
			p := fine(s.plan(t, d))
			planted := s.plant(t, p)
			report, err := s.push(t.Context(), t, p, d, Options{Parallel: 1, Compress: c.compress})
			if err != nil {
				t.Fatal(err)
			}
			s.wantOnly(t, p, files, planted)
			wantTaken := c.name != "links" // they may be sent instead
			if wantTaken {
				wantReport(t, report, p, 1, int64(len(older)))
			}
			if times.Load() == 0 || report.Retries == 0 && wantTaken {
				t.Errorf("spoiled %d times: %+v", times.Load(), report)
			}
		})
	})
}

// TestStreamsEndOfStdin: a proxy that loses the rest of stdin ends it for the script, and the session lives on.
func TestStreamsEndOfStdin(t *testing.T) {
	t.Parallel()
	files := scatter(30, 8000)
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		r := seeded(t)
		cuts := []int64{0, 1, 70, 80, 100, 600, 30_000, 1000 + r.Int64N(200_000), 1000 + r.Int64N(200_000)}
		together(t, cuts, offset, func(t *testing.T, n int64) {
			var sessions atomic.Int64
			options := options
			options.Stdin = func(in io.Reader) io.Reader {
				if sessions.Add(1) > 1 {
					return in
				}
				return io.LimitReader(in, n)
			}
			s := serve(t, options)
			d := write(t, files)
			p := fine(s.plan(t, d))
			planted := s.plant(t, p)
			report, err := s.push(t.Context(), t, p, d, Options{Parallel: 1})
			if err != nil {
				t.Fatal(err)
			}
			s.wantOnly(t, p, files, planted)
			wantReport(t, report, p, 1, int64(len(older)))
			if report.Retries == 0 {
				t.Errorf("nothing was tried again: %+v", report)
			}
		})
	})
}

// TestStreamsKeepNoise: what a session prints beside its answers, in the middle of them, changes nothing.
func TestStreamsKeepNoise(t *testing.T) {
	t.Parallel()
	files := scatter(10, 8000)
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		options.Stdout = func(out io.Writer) io.Writer { return &noisy{out: out} }
		s := serve(t, options)
		d := write(t, files)
		p := fine(s.plan(t, d))
		planted := s.plant(t, p)
		report, err := s.push(t.Context(), t, p, d, Options{})
		if err != nil || report.Retries != 0 {
			t.Fatalf("report %+v, %v", report, err)
		}
		s.wantOnly(t, p, files, planted)
		wantReport(t, report, p, 1, int64(len(older)))
	})
}

// noisy adds a line after each line, and passes everything on in small pieces.
type noisy struct{ out io.Writer }

func (w *noisy) Write(p []byte) (int, error) {
	text := bytes.ReplaceAll(p, []byte("\n"), []byte("\nOK 0000 \x1b[2Jnoise\n"))
	for len(text) > 0 {
		n := min(7, len(text))
		if _, err := w.out.Write(text[:n]); err != nil {
			return 0, err
		}
		text = text[n:]
	}
	return len(p), nil
}
