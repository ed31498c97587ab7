//go:build unix

package stage

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
)

// wound is one fault of one connection.
type wound struct {
	podiotest.Fault
	node     bool // of the connection from the API server to the node
	parallel int
	harmless bool // it may come after all is done, or where nobody notices
}

func (w wound) String() string {
	kind := map[podiotest.Kind]string{podiotest.Cut: "cut", podiotest.Reset: "reset", podiotest.Corrupt: "corrupt", podiotest.HalfClose: "half"}[w.Kind]
	where := map[bool]string{true: "node", false: "client"}[w.node]
	return fmt.Sprintf("%s/%s/%d", where, kind, w.After) + map[bool]string{true: "/answers"}[w.Answers]
}

// inflict returns options under which the first session that is served gets the fault.
func (w wound) inflict(options podiotest.Options) podiotest.Options {
	number := 0
	if options.NoWebSocket {
		number = 1 // after that of the refused upgrade
	}
	fault := func(connection int) *podiotest.Fault {
		if connection != number {
			return nil
		}
		return &w.Fault
	}
	if w.node {
		options.NodeFault = fault
	} else {
		options.Fault = fault
	}
	return options
}

// survives pushes over a connection that is struck, and holds that the tree is right, an older one untouched, and nothing is left.
func (w wound) survives(t *testing.T, options podiotest.Options, files map[string]string) {
	t.Helper()
	s := serve(t, w.inflict(options))
	d := write(t, files)
	p := fine(s.plan(t, d))
	planted := s.plant(t, p)
	report, err := s.push(t.Context(), t, p, d, Options{Parallel: w.parallel})
	if err != nil {
		t.Fatal(err)
	}
	s.wantOnly(t, p, files, planted)
	if report.AlreadyPublished {
		return // the answer of the publishing was lost
	}
	wantReport(t, report, p, 1, int64(len(older)))
	if report.Retries == 0 && !w.harmless {
		t.Errorf("nothing was tried again: %+v", report)
	}
}

// length is how many bytes come over the first connection when nothing goes wrong.
func length(t *testing.T, options podiotest.Options, files map[string]string) int64 {
	t.Helper()
	s := serve(t, options)
	d := write(t, files)
	p := fine(s.plan(t, d))
	s.plant(t, p)
	if _, err := s.push(t.Context(), t, p, d, Options{Parallel: 1}); err != nil {
		t.Fatal(err)
	}
	return s.Received()
}

// TestStreamsCutAnywhere: wherever a connection ends, the push goes on.
func TestStreamsCutAnywhere(t *testing.T) {
	t.Parallel()
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		r := seeded(t)
		files := scatter(30, 8000)
		files["images/scan.tiff"] = noise(300_000)
		whole := length(t, options, files)
		kinds := []podiotest.Kind{podiotest.Cut, podiotest.Reset}
		var wounds []wound
		strike := func(w wound, after ...int64) {
			for i, n := range after {
				w.Kind, w.After, w.parallel = kinds[(len(wounds)+i)%2], n, []int{1, 4, 16}[i%3]
				w.harmless = n > whole/2 || w.parallel > 1 && n > 10_000 || w.Answers && n > 1000
				wounds = append(wounds, w)
			}
		}
		// In the handshake of TLS, in the upgrade, before READY, in the heads of the first frames.
		strike(wound{}, 0, 1, 300, 1500, 2500, 3500, 4000)
		// Steps of 64 KiB: the odd ones over one transport, the even ones over the other.
		var steps []int64
		for n := int64(map[bool]int{false: 64, true: 128}[options.NoWebSocket] << 10); n < whole; n += 128 << 10 {
			steps = append(steps, n)
		}
		strike(wound{}, steps...)
		strike(wound{}, r.Int64N(whole), r.Int64N(whole), whole-1, whole, whole+1<<20)
		strike(wound{Fault: podiotest.Fault{Answers: true}}, 0, 1, 1400, 1700, r.Int64N(2000))
		strike(wound{node: true}, 0, 200, 64<<10, r.Int64N(whole))
		wounds = append(wounds, wound{Fault: podiotest.Fault{Kind: podiotest.HalfClose, After: r.Int64N(whole / 2)}, parallel: 1})
		for _, n := range []int64{0, 100, r.Int64N(whole / 2)} {
			// TLS notices; what is spoiled behind it is another test.
			wounds = append(wounds, wound{Fault: podiotest.Fault{Kind: podiotest.Corrupt, After: n, Answers: n == 100}, parallel: 1})
		}
		together(t, wounds, wound.String, func(t *testing.T, w wound) { w.survives(t, options, files) })
	})
}

// TestStreamsCutThrice: three cuts cost three windows, and not the data again.
func TestStreamsCutThrice(t *testing.T) {
	t.Parallel()
	files := map[string]string{"images/again.png": older, "big.csv": noise(10<<20 + 12345)}
	for i := range 12 {
		files[fmt.Sprintf("images/%d.png", i)] = noise(1<<20 + i)
	}
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		for _, parallel := range []int{1, 4} {
			t.Run(strconv.Itoa(parallel), func(t *testing.T) {
				r := seeded(t)
				at := make([]int64, 3)
				for i := range at {
					at[i] = 300_000 + r.Int64N(3<<20)
				}
				faulty := options
				faulty.NodeFault = func(connection int) *podiotest.Fault {
					if connection >= len(at) {
						return nil
					}
					return &podiotest.Fault{Kind: []podiotest.Kind{podiotest.Cut, podiotest.Reset}[connection%2], After: at[connection]}
				}
				s := serve(t, faulty)
				if options.NoWebSocket {
					s.volume.Exec = s.volume.Plainer // one connection for each session
				}
				d := write(t, files)
				p := s.plan(t, d)
				p.limits.rangeAbove, p.limits.rangeBytes = 4<<20, 1<<20
				p.limits.shardBytes, p.limits.shardBytesMin = 1<<20, 1<<20
				planted := s.plant(t, p)
				report, err := s.push(t.Context(), t, p, d, Options{Parallel: parallel, Compress: CompressNever})
				if err != nil {
					t.Fatal(err)
				}
				s.wantOnly(t, p, files, planted)
				wantReport(t, report, p, 1, int64(len(older)))
				if report.Retries < 3 {
					t.Errorf("cuts at %d: %+v", at, report)
				}
				const job = 1<<20 + 1<<16 // the largest, and what its frame adds
				most := report.Bytes + report.Bytes/10 + 3*window*job
				if report.Sent > most || s.Received() > most {
					t.Errorf("cuts at %d: sent %d bytes, %d over the wire, for %d of data; at most %d", at, report.Sent, s.Received(), report.Bytes, most)
				}
			})
		}
	})
}

func offset(n int64) string { return strconv.FormatInt(n, 10) }
