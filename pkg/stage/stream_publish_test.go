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

// overhear calls do at the first line that has text, before it is passed on.
type overhear struct {
	text string
	once *atomic.Bool
	do   func()
	out  io.Writer
	in   io.Reader
	line []byte
}

func (o *overhear) listen(p []byte) {
	for _, c := range p {
		o.line = append(o.line, c)
		if bytes.Contains(o.line, []byte(o.text)) && o.once.CompareAndSwap(false, true) {
			o.do()
		}
		if c == '\n' {
			o.line = o.line[:0]
		}
	}
}

func (o *overhear) Read(p []byte) (int, error) {
	n, err := o.in.Read(p)
	o.listen(p[:n])
	return n, err
}

func (o *overhear) Write(p []byte) (int, error) {
	o.listen(p)
	return o.out.Write(p)
}

// overhearing is for podiotest.Options.Stdout, overhearingIn for Stdin.
func overhearing(text string, once *atomic.Bool, do func()) func(io.Writer) io.Writer {
	return func(out io.Writer) io.Writer { return &overhear{text: text, once: once, do: do, out: out} }
}

func overhearingIn(text string, once *atomic.Bool, do func()) func(io.Reader) io.Reader {
	return func(in io.Reader) io.Reader { return &overhear{text: text, once: once, do: do, in: in} }
}

// TestStreamsCutPublishing: when the connections break after the publishing was asked for, it is asked again, and the answer is the same.
func TestStreamsCutPublishing(t *testing.T) {
	t.Parallel()
	type moment struct {
		name     string
		answered bool // the answer is on its way, and is lost
		node     bool
		kind     podiotest.Kind
		parallel int
	}
	var moments []moment
	for _, m := range []moment{{name: "asked"}, {name: "answered", answered: true}, {name: "asked/node", node: true}, {name: "answered/node", answered: true, node: true}} {
		for i, kind := range []podiotest.Kind{podiotest.Cut, podiotest.Reset} {
			m := m
			m.name += []string{"/cut", "/reset"}[i]
			m.kind, m.parallel = kind, []int{1, 4}[i]
			moments = append(moments, m)
		}
	}
	files := scatter(20, 8000)
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		together(t, moments, func(m moment) string { return m.name }, func(t *testing.T, m moment) {
			var s served
			var struck atomic.Bool
			strike := func() {
				if m.node {
					s.StrikeNode(m.kind)
				} else {
					s.Strike(m.kind)
				}
			}
			options := options
			if m.answered {
				options.Stdout = overhearing("PUBLISHED ", &struck, strike)
			} else {
				// The P frame is the only line that begins so.
				options.Stdin = overhearingIn("P 22 ", &struck, strike)
			}
			s = serve(t, options)
			d := write(t, files)
			p := fine(s.plan(t, d))
			planted := s.plant(t, p)
			var told strings.Builder
			report, err := s.push(t.Context(), t, p, d, Options{Parallel: m.parallel, Notify: func(line string) { told.WriteString(line) }})
			if err != nil {
				t.Fatal(err)
			}
			if !struck.Load() || report.Retries == 0 {
				t.Errorf("nothing was tried again: %+v", report)
			}
			s.wantOnly(t, p, files, planted)
			wantReport(t, report, p, 1, int64(len(older)))
			if report.Sent > 2*report.Bytes || strings.Contains(told.String(), "everything again") {
				t.Errorf("it was sent again: %+v, %q", report, told.String())
			}
		})
	})
}
