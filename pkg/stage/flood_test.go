//go:build unix

package stage

import (
	"bytes"
	"compress/gzip"
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

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// heap is what is alive after a collection.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
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
			l := liar{silent: true, ends: true, after: func(_ context.Context, _ string, out io.Writer) {
				for range 512 {
					n, _ := io.WriteString(out, block)
					written.Add(int64(n))
				}
			}}
			p, _ := liarPlan(t, small())
			before := heap()
			_, _, err := (&Volume{Exec: l}).lead(t.Context(), p)
			var lost *SessionError
			if !errors.As(err, &lost) || len(lost.Output) > maxTail {
				t.Errorf("got %v", err)
			}
			if grown := heap() - before; grown > written.Load()/2 {
				t.Errorf("%d bytes of output left %d on the heap", written.Load(), grown)
			}
		})
	}
}

// TestHaveFlood: what a source says of ranges and of files costs no memory but for what the plan has. It measures the heap, so it is not
// parallel.
func TestHaveFlood(t *testing.T) {
	p, _ := liarPlan(t, map[string]string{"big": noise(3 * fineRange), "small": "1"})
	for name, line := range map[string]func(i int) string{
		"ranges":    func(i int) string { return fmt.Sprintf("big/%s/%d.1.1\n", strings.Repeat("a", 64), i) },
		"big files": func(i int) string { return fmt.Sprintf("big/%064d/0.1.1\n", i) },
		"files":     func(i int) string { return fmt.Sprintf("%064x  ./%d\n", i, i) },
	} {
		t.Run(name, func(t *testing.T) {
			var text bytes.Buffer
			z := gzip.NewWriter(&text)
			total := 0
			for i := range 100_000 {
				n, _ := io.WriteString(z, line(i))
				total += n
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			before := heap()
			one, other := newSurvey(p), newSurvey(p)
			eachLine(bytes.NewReader(text.Bytes()), one.noteOwn)
			eachLine(bytes.NewReader(text.Bytes()), other.noteOther)
			if grown := heap() - before; grown > int64(total)/8 {
				t.Errorf("%d bytes left %d on the heap", total, grown)
			}
			runtime.KeepAlive(one)
			runtime.KeepAlive(other)
		})
	}
}

// TestHaveNeverEnds: a source that goes on talking is ended.
func TestHaveNeverEnds(t *testing.T) {
	t.Parallel()
	p, _ := liarPlan(t, small())
	in, out := io.Pipe()
	go func() { _, _ = io.Copy(io.Discard, in) }()
	defer func() { _ = in.Close() }()
	s := &session{stdin: out, answers: make(chan answer, 100), done: make(chan struct{}), ctx: t.Context(), caller: t.Context()}
	piece := strings.Repeat("!", maxSums/64)
	for range 65 {
		s.answers <- answer{verb: ansHave, fields: []string{piece}}
	}
	if err := newSurvey(p).ask(s, p, "0123456789abcdef"); !errors.Is(err, errProtocol) {
		t.Errorf("got %v", err)
	}
}

// TestMemory: what is held does not grow with the data. It measures what is allocated, so it is not parallel.
func TestMemory(t *testing.T) {
	const size = 256 << 20
	for name, options := range map[string]Options{
		"raw":    {Parallel: 4, Compress: CompressNever},
		"packed": {Parallel: 4, Compress: CompressAlways},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file, err := os.Create(filepath.Join(dir, "large"))
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.New()
			piece := []byte(strings.Repeat("some row,", 1<<20/9+1)[:1<<20])
			for range size >> 20 {
				if _, err := io.MultiWriter(file, sum).Write(piece); err != nil {
					t.Fatal(err)
				}
			}
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
			d := open(t, dir)
			p, err := NewPlan("cats", dataset.Manifest{dataset.NewFile(d.Entries[0], [32]byte(sum.Sum(nil)))}, DefaultRoot)
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, err := (&Volume{Exec: liar{}}).Transfer(t.Context(), p, d, options); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			// A range for each session, its compressed form as it grows, and the tables of the compressors.
			if made := after.TotalAlloc - before.TotalAlloc; made > 96<<20 {
				t.Errorf("%d MiB were allocated to send %d", made>>20, size>>20)
			}
		})
	}
}
