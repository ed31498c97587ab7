//go:build unix

package stage

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
)

// liar is a stage Pod that says what a test lets it say.
type liar map[string]func(ctx context.Context, nonce string, stdin io.Reader, out io.Writer) error

func (l liar) Exec(ctx context.Context, _ podio.Target, command []string, stdin io.Reader, stdout, stderr io.Writer) error {
	name, nonce := task(command), command[8]
	say, ok := l[name]
	if !ok {
		_, _ = fmt.Fprintln(stderr, "no such task")
		return nil
	}
	return say(ctx, nonce, stdin, stdout)
}

func says(format string) func(context.Context, string, io.Reader, io.Writer) error {
	return func(_ context.Context, nonce string, _ io.Reader, out io.Writer) error {
		_, err := io.WriteString(out, strings.ReplaceAll(format, "NONCE", nonce))
		return err
	}
}

const emptyVolume = "TREE NONCE absent\nDEST NONCE absent\nEND NONCE\n"

// sink acknowledges every frame, as the script does.
func sink(_ context.Context, nonce string, stdin io.Reader, out io.Writer) error {
	_, _ = fmt.Fprintf(out, "READY %s\n", nonce)
	in := bufio.NewReader(stdin)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil
		}
		var verb string
		var number, size int64
		if n, _ := fmt.Sscan(line, &verb, &number, &size); n < 3 {
			_, _ = fmt.Fprintf(out, "RECEIVED %s\n", nonce)
			return nil
		}
		if _, err := io.CopyN(io.Discard, in, size); err != nil {
			return nil
		}
		_, _ = in.ReadString('\n')
		_, _ = fmt.Fprintf(out, "OK %s %d\n", nonce, number)
	}
}

// untilEnd holds a session open.
func untilEnd(ctx context.Context, _ string, _ io.Reader, _ io.Writer) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func liarPlan(t *testing.T, files map[string]string) (Plan, func(ctx context.Context, v *Volume) error) {
	t.Helper()
	d := write(t, files)
	p, err := NewPlan("cats", manifest(t, d), DefaultRoot)
	if err != nil {
		t.Fatal(err)
	}
	return p, func(ctx context.Context, v *Volume) error {
		_, err := v.Transfer(ctx, p, d, nil)
		return err
	}
}

// TestLiesAreNotBelieved: whatever the other side says, a transfer succeeds only with PUBLISHED, the nonce of that session and the tree.
// The clock is a fake one.
func TestLiesAreNotBelieved(t *testing.T) {
	t.Parallel()
	probe := says(emptyVolume)
	const published = "PUBLISHED NONCE 0123456789abcdef\n"
	for name, l := range map[string]liar{
		"nothing":               {},
		"exit without answer":   {"probe": says("")},
		"answers of no session": {"probe": says("TREE x absent\nDEST x absent\nEND x\n")},
		"end alone":             {"probe": says("END NONCE\n")},
		"old nonce":             {"probe": probe, "receive": says("READY 0000000000000000\nRECEIVED 0000000000000000\n")},
		"received unsent":       {"probe": probe, "receive": says("READY NONCE\nRECEIVED NONCE\n"), "publish": says(published)},
		"never ready":           {"probe": probe, "receive": untilEnd},
		"ack never sent":        {"probe": probe, "receive": says("READY NONCE\nOK NONCE 0\nOK NONCE 1\nOK NONCE 2\nOK NONCE 3\nOK NONCE 4\nOK NONCE 5\n")},
		"ack out of order":      {"probe": probe, "receive": says("READY NONCE\nOK NONCE 7\n")},
		"other tree":            {"probe": probe, "receive": sink, "publish": says(published)},
		"prefix of a line":      {"probe": probe, "receive": sink, "publish": says("xPUBLISHED NONCE TREE\n PUBLISHED NONCE TREE\nPUBLISHED  NONCE TREE\n")},
		"no line break":         {"probe": probe, "receive": sink, "publish": says("PUBLISHED NONCE TREE")},
		"escapes":               {"probe": probe, "receive": sink, "publish": says("PUBLISHED NONCE TREE\x1b[0m\nPUBLISHED NONCE TREE\x00\n")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, transfer := liarPlan(t, small())
			if say := l["publish"]; say != nil && name != "other tree" && name != "received unsent" {
				l["publish"] = func(ctx context.Context, nonce string, in io.Reader, out io.Writer) error {
					return say(ctx, nonce, in, replacer{out, p.TreeID})
				}
			}
			synctest.Test(t, func(t *testing.T) {
				err := transfer(t.Context(), &Volume{Exec: l})
				if err == nil {
					t.Error("it was believed")
				} else if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
					t.Errorf("unescaped: %q", err)
				}
			})
		})
	}
}

type replacer struct {
	w    io.Writer
	tree string
}

func (r replacer) Write(p []byte) (int, error) {
	_, err := io.WriteString(r.w, strings.ReplaceAll(string(p), "TREE", r.tree))
	return len(p), err
}

// TestTruthIsBelieved shows that the fakes above fail for their lies only.
func TestTruthIsBelieved(t *testing.T) {
	t.Parallel()
	p, transfer := liarPlan(t, small())
	l := liar{"probe": says("noise\n\x1b[31m\n" + emptyVolume), "receive": sink, "publish": says("T NONCE\nPUBLISHED NONCE " + p.TreeID + "\n")}
	if err := transfer(t.Context(), &Volume{Exec: l}); err != nil {
		t.Error(err)
	}
}

// TestStall: silence ends a session after a minute, and only silence: a remote that beats may take hours.
func TestStall(t *testing.T) {
	t.Parallel()
	p, transfer := liarPlan(t, small())
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := transfer(t.Context(), &Volume{Exec: liar{"probe": says(emptyVolume), "receive": untilEnd, "clean": says("CLEANED NONCE\n")}})
		if !errors.Is(err, errStalled) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took < maxFailures*stallAfter || took > maxFailures*(stallAfter+5*time.Second) {
			t.Errorf("took %s", took)
		}
	})
	slow := func(_ context.Context, nonce string, _ io.Reader, out io.Writer) error {
		for range 3600 / 5 {
			time.Sleep(beatEvery)
			_, _ = fmt.Fprintf(out, "T %s\n", nonce)
		}
		_, err := fmt.Fprintf(out, "PUBLISHED %s %s\n", nonce, p.TreeID)
		return err
	}
	synctest.Test(t, func(t *testing.T) {
		if err := transfer(t.Context(), &Volume{Exec: liar{"probe": says(emptyVolume), "receive": sink, "publish": slow}}); err != nil {
			t.Error(err)
		}
	})
}

// TestNeverEnding: some runtimes never report the end of a command. An answer that was given counts all the same.
func TestNeverEnding(t *testing.T) {
	t.Parallel()
	p, transfer := liarPlan(t, small())
	held := func(say func(context.Context, string, io.Reader, io.Writer) error) func(context.Context, string, io.Reader, io.Writer) error {
		return func(ctx context.Context, nonce string, in io.Reader, out io.Writer) error {
			_ = say(ctx, nonce, in, out)
			return untilEnd(ctx, nonce, in, out)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		l := liar{"probe": held(says(emptyVolume)), "receive": held(sink), "publish": held(says("PUBLISHED NONCE " + p.TreeID + "\n"))}
		if err := transfer(t.Context(), &Volume{Exec: l}); err != nil {
			t.Error(err)
		}
	})
}

// TestFlood: an endless output, with and without line breaks, costs time until the session is given up, and no memory.
//
// It measures the heap, so it is not parallel.
func TestFlood(t *testing.T) {
	for name, block := range map[string]string{
		"one line":   strings.Repeat("x", 1<<16),
		"many lines": strings.Repeat("OK 0000000000000000 1\n", 1<<11),
		"zeros":      strings.Repeat("\x00", 1<<16),
	} {
		t.Run(name, func(t *testing.T) {
			var written atomic.Int64
			l := liar{"probe": func(ctx context.Context, nonce string, _ io.Reader, out io.Writer) error {
				for range 512 {
					n, _ := io.WriteString(out, block)
					written.Add(int64(n))
				}
				return nil
			}}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			p, _ := liarPlan(t, small())
			_, err := (&Volume{Exec: l}).Probe(t.Context(), p)
			var lost *SessionError
			if !errors.As(err, &lost) || len(lost.Output) > maxTail {
				t.Errorf("got %v", err)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > written.Load()/2 {
				t.Errorf("%d bytes of output left %d on the heap", written.Load(), grown)
			}
		})
	}
}

// TestMemory: what is held does not grow with the data. It measures the heap, so it is not parallel.
func TestMemory(t *testing.T) {
	const size = 256 << 20
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(file.Truncate(size), file.Close()); err != nil {
		t.Fatal(err)
	}
	d := open(t, dir)
	sum := sha256.New()
	if _, err := io.CopyN(sum, zeros{}, size); err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan("cats", dataset.Manifest{dataset.NewFile(d.Entries[0], [32]byte(sum.Sum(nil)))}, DefaultRoot)
	if err != nil {
		t.Fatal(err)
	}
	l := liar{"probe": says(emptyVolume), "receive": sink, "publish": says("PUBLISHED NONCE " + p.TreeID + "\n")}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := (&Volume{Exec: l}).Transfer(t.Context(), p, d, nil); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if made := after.TotalAlloc - before.TotalAlloc; made > 4*frameBytes {
		t.Errorf("%d bytes were allocated to send %d", made, size)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestProbeIsBounded: a listing without end is cut, and names that no push makes are left out.
func TestProbeIsBounded(t *testing.T) {
	t.Parallel()
	l := liar{"probe": func(_ context.Context, nonce string, _ io.Reader, out io.Writer) error {
		for i := range 5 * maxLeftovers {
			_, _ = fmt.Fprintf(out, "WORK %s .trash-%016x-%d\nWORK %s ../../etc\nWORK %s .trash-x\n", nonce, i, i, nonce, nonce)
		}
		_, _ = fmt.Fprintf(out, "SPACE %s zz\nINODES %s 2d\nRECORD %s 7b7d\nTREE %s\nDEST %s\nEND %s\n", nonce, nonce, nonce, nonce, nonce, nonce)
		return nil
	}}
	p, _ := liarPlan(t, small())
	probe, err := (&Volume{Exec: l}).Probe(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if len(probe.Leftovers) != maxLeftovers {
		t.Errorf("%d leftovers", len(probe.Leftovers))
	}
	probe.Leftovers = nil
	if diff := cmp.Diff(Probe{FreeBytes: -1, FreeInodes: -1}, probe); diff != "" {
		t.Errorf("probe (-want +got):\n%s", diff)
	}
}
