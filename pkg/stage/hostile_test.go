//go:build unix

package stage

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
)

// liar is a stage Pod that says what a test lets it say. Each session greets, and then answers each frame.
type liar struct {
	greeting string // in place of the usual one
	silent   bool   // no greeting at all
	// answer is what is said to a frame, by its verb; the usual answers where it is nil. NONCE, ID and TREE stand for what they say.
	answer map[string]string
	// after is said when the greeting is over.
	after func(ctx context.Context, nonce string, out io.Writer)
	ends  bool // after the greeting
	// unread leaves bodies on stdin.
	unread bool

	frames *atomic.Int64
}

const emptyVolume = "TREE NONCE absent\nDEST NONCE absent\nLOCKED NONCE \n"

func (l liar) Exec(ctx context.Context, _ podio.Target, command []string, stdin io.Reader, stdout, _ io.Writer) error {
	nonce, tree := command[9], command[7]
	stdout = &locked{w: stdout}
	say := func(text, id string) {
		_, _ = io.WriteString(stdout, strings.NewReplacer("NONCE", nonce, "ID", id, "TREEID", tree).Replace(text))
	}
	greeting := l.greeting
	if greeting == "" {
		greeting = emptyVolume
	}
	if !l.silent {
		say(greeting+"READY NONCE\n", "")
	}
	if l.after != nil {
		l.after(ctx, nonce, stdout)
	}
	if l.ends {
		return nil
	}
	in := bufio.NewReader(stdin)
	for {
		words, err := frameOf(in)
		if err != nil {
			return nil
		}
		if l.frames != nil {
			l.frames.Add(1)
		}
		id, err := l.take(in, words)
		if err != nil {
			return nil
		}
		text, told := l.answer[words[0]]
		if !told {
			text = map[string]string{"S": "OK NONCE ID\n", "R": "OK NONCE ID\n", "F": "OK NONCE ID\n", "L": "OK NONCE ID\n", "C": "OK NONCE ID\n",
				"G": "GOT NONCE\n", "O": "GOT NONCE\n", "P": "PUBLISHED NONCE TREEID\n", "X": "LOCKED NONCE \n", "K": "LOCKED NONCE \n", "W": "LOCKED NONCE \n"}[words[0]]
		}
		say(text, id)
	}
}

// locked lets several goroutines write.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// frameOf reads the head of a frame, which comes twice.
func frameOf(in *bufio.Reader) ([]string, error) {
	var line string
	for range 2 {
		var err error
		if line, err = in.ReadString('\n'); err != nil {
			return nil, err
		}
	}
	words := strings.Fields(line)
	if len(words) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return words, nil
}

// take reads what follows the head, and returns what the answer names.
func (l liar) take(in *bufio.Reader, words []string) (id string, err error) {
	if len(words) > 1 {
		id = words[1]
	}
	body := ""
	switch words[0] {
	case "S", "L", "C":
		body = words[4]
	case "R":
		id += "." + words[2]
		_, body, _ = strings.Cut(words[5], ":")
	case "F":
		_, err = in.ReadString('\n')
		return id, err
	default:
		return id, nil
	}
	if l.unread {
		return id, nil
	}
	size, err := strconv.ParseInt(body, 10, 64)
	if err != nil {
		return id, err
	}
	if _, err := io.CopyN(io.Discard, in, size); err != nil {
		return id, err
	}
	_, err = in.ReadString('\n')
	return id, err
}

func liarPlan(t testing.TB, files map[string]string) (Plan, *dataset.Dataset) {
	t.Helper()
	d := write(t, files)
	return (&local{dir: "/data/shared"}).finePlan(t, d), d
}

// have says the sums of a tree, as the script does.
func have(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	encoded := base64.StdEncoding.EncodeToString(b.Bytes())
	var out strings.Builder
	for len(encoded) > 0 {
		n := min(3000, len(encoded))
		fmt.Fprintf(&out, "HAVE NONCE %s\n", encoded[:n])
		encoded = encoded[n:]
	}
	return out.String() + "GOT NONCE\n"
}

// TestLiesAreNotBelieved: whatever the other side says, a transfer succeeds only with PUBLISHED and the nonce of that session, and it
// ends. The clock is a fake one.
func TestLiesAreNotBelieved(t *testing.T) {
	t.Parallel()
	mute := map[string]string{"S": "", "R": ""}
	someID := strings.Repeat("a", 64)
	for name, l := range map[string]liar{
		"nothing":               {silent: true, ends: true},
		"never ready":           {silent: true},
		"ready alone":           {greeting: "READY NONCE\n"},
		"no tree":               {greeting: "DEST NONCE absent\nLOCKED NONCE \n"},
		"answers of no session": {silent: true, after: says("TREE x absent\nDEST x absent\nREADY x\n"), ends: true},
		"old nonce":             {answer: map[string]string{"P": "PUBLISHED 0000000000000000 TREEID\n"}},
		"ends at once":          {ends: true},
		"ack never sent":        {after: says("OK NONCE " + someID + "\n"), answer: mute},
		"ack of the whole":      {after: says("OK NONCE \nOK NONCE -\nOK NONCE *\n"), answer: mute},
		"refusal of nothing":    {after: says("ERR NONCE " + someID + " write 41\n")},
		"refuses each":          {answer: map[string]string{"S": "ERR NONCE ID checksum 41\n"}},
		"refuses ranges":        {answer: map[string]string{"R": "ERR NONCE ID checksum 41\n"}},
		"refuses files":         {answer: map[string]string{"F": "ERR NONCE ID lost 41\n"}},
		"never answers":         {answer: map[string]string{"S": "", "R": ""}},
		"never publishes":       {answer: map[string]string{"P": ""}},
		"refuses to publish":    {answer: map[string]string{"P": "ERR NONCE - checksum 41\n"}},
		"publishes early":       {answer: map[string]string{"S": "PUBLISHED NONCE TREEID\n", "R": "PUBLISHED NONCE TREEID\n", "P": ""}},
		"prefix of a line":      {answer: map[string]string{"P": "xPUBLISHED NONCE TREEID\n PUBLISHED NONCE TREEID\nPUBLISHED  NONCE TREEID\n"}},
		"no line break":         {answer: map[string]string{"P": "PUBLISHED NONCE TREEID"}},
		"escapes":               {answer: map[string]string{"P": "PUBLISHED NONCE TREEID\x1b[0m\nPUBLISHED NONCE TREEID\x00\n"}},
		"escapes in errors":     {answer: map[string]string{"P": "ERR NONCE - write 1b5b33316d1b5d303b7077641b5c0a0d\n"}},
		"beats only":            {silent: true, after: beatsForever},
		"beats and reads":       {answer: map[string]string{"S": "", "R": ""}, after: func(ctx context.Context, nonce string, out io.Writer) { go beatsForever(ctx, nonce, out) }},
		"reads nothing":         {unread: true, after: beatsForever},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := small()
			files["big"] = noise(3 * fineRange)
			p, d := liarPlan(t, files)
			synctest.Test(t, func(t *testing.T) {
				report, err := (&Volume{Exec: l}).Transfer(t.Context(), p, d, Options{})
				switch {
				case err == nil:
					t.Errorf("it was believed: %+v", report)
				case strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r == 0x7f }):
					t.Errorf("unescaped: %q", err)
				}
			})
		})
	}
}

func says(text string) func(context.Context, string, io.Writer) {
	return func(_ context.Context, nonce string, out io.Writer) {
		_, _ = io.WriteString(out, strings.ReplaceAll(text, "NONCE", nonce))
	}
}

func beatsForever(ctx context.Context, nonce string, out io.Writer) {
	for {
		_, _ = fmt.Fprintf(out, "T %s\n", nonce)
		select {
		case <-ctx.Done():
			return
		case <-time.After(beatEvery):
		}
	}
}

// TestGivesUp: a session that is refused each time is repeated for some time, and then the refusal is what is said.
func TestGivesUp(t *testing.T) {
	t.Parallel()
	p, d := liarPlan(t, small())
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		l := liar{answer: map[string]string{"S": "ERR NONCE - cut 41\n"}}
		report, err := (&Volume{Exec: l}).Transfer(t.Context(), p, d, Options{})
		var refused *VolumeError
		if !errors.As(err, &refused) || refused.Reason != Lost || report.Files != 0 || report.Retries < maxConfused {
			t.Errorf("report %+v, %v", report, err)
		}
		if took := time.Since(start); took > 2*giveUpAfter {
			t.Errorf("took %s", took)
		}
	})
}

// TestTruthIsBelieved shows that the fakes above fail for their lies only.
func TestTruthIsBelieved(t *testing.T) {
	t.Parallel()
	files := small()
	files["big"] = noise(3 * fineRange)
	p, d := liarPlan(t, files)
	report, err := (&Volume{Exec: liar{greeting: "noise\n\x1b[31m\n" + emptyVolume}}).Transfer(t.Context(), p, d, Options{})
	if err != nil || report.Files != int64(len(files)) || report.Retries != 0 {
		t.Errorf("report %+v, %v", report, err)
	}
}

// TestLyingSums: sums of an older tree are taken for what they are: somebody's claim. Nothing but a clean path of its own gets into an
// archive of links, and lines that make no sense have no effect.
func TestLyingSums(t *testing.T) {
	t.Parallel()
	p, d := liarPlan(t, small())
	sum := fmt.Sprintf("%x", p.Manifest[0].SHA256)
	for name, text := range map[string]string{
		"up":        sum + "  ./../../../etc/passwd\n",
		"absolute":  sum + "  .//etc/passwd\n",
		"within":    sum + "  ./a/../../../etc/passwd\n",
		"control":   sum + "  ./a\tb\x1b\n",
		"empty":     sum + "  ./\n",
		"dot":       sum + "  ./.\n",
		"not hex":   strings.Repeat("z", 64) + "  ./a\n",
		"no line":   strings.Repeat("x", 1<<20),
		"zeros":     strings.Repeat("\x00", 1<<20),
		"not ours":  strings.Repeat(strings.Repeat("0", 64)+"  ./a\n", 1000),
		"not a gz":  "",
		"long name": sum + "  ./" + strings.Repeat("a/", 2500) + "a\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := have(text)
			if name == "not a gz" {
				answer = "HAVE NONCE ////\nHAVE NONCE %%%%\nHAVE NONCE\nGOT NONCE\n"
			}
			l := liar{greeting: "OLDER NONCE 0123456789abcdef\nOLDER NONCE ../../etc\n" + emptyVolume, answer: map[string]string{"G": answer}}
			report, err := (&Volume{Exec: l}).Transfer(t.Context(), p, d, Options{})
			if err != nil || report.TakenOverFiles != 0 || report.Files != int64(len(small())) || report.Retries != 0 {
				t.Errorf("report %+v, %v", report, err)
			}
		})
	}
}

// TestLyingReceipts: receipts of ranges that cannot be.
func TestLyingReceipts(t *testing.T) {
	t.Parallel()
	files := map[string]string{"big": noise(3 * fineRange)}
	p, d := liarPlan(t, files)
	id := newBigFile(d, p, 0).id
	var text strings.Builder
	for _, receipt := range []string{"0.32768." + strings.Repeat("a", 64), "0.1.", "-1.x.y", "99999999999999999999.1.1", "1.32768.x", "x", ".", "..", "0", ""} {
		fmt.Fprintf(&text, "big/%s/%s\nbig/%s\nbig//%s\n", id, receipt, receipt, receipt)
	}
	l := liar{greeting: "TREE NONCE absent\nDEST NONCE absent\nLOCKED NONCE some\n", answer: map[string]string{"G": have(text.String())}}
	report, err := (&Volume{Exec: l}).Transfer(t.Context(), p, d, Options{})
	if err != nil || report.TakenOverBytes != 0 || report.Bytes != p.Manifest.Bytes() {
		t.Errorf("report %+v, %v", report, err)
	}
}

// heap is what is alive after a collection.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // no heap has 8 EiB
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

// TestStall: silence ends a session after a minute, and only silence: a volume that beats may take long.
func TestStall(t *testing.T) {
	t.Parallel()
	p, d := liarPlan(t, small())
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := (&Volume{Exec: liar{silent: true}}).Transfer(t.Context(), p, d, Options{})
		if !errors.Is(err, errStalled) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took < giveUpAfter || took > giveUpAfter+2*(stallAfter+longWait) {
			t.Errorf("took %s", took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		slow := liar{answer: map[string]string{"P": ""}, after: func(ctx context.Context, nonce string, out io.Writer) {
			go func() {
				for range 20 * 60 / 5 {
					time.Sleep(beatEvery)
					_, _ = fmt.Fprintf(out, "T %s\n", nonce)
				}
				_, _ = fmt.Fprintf(out, "PUBLISHED %s %s\n", nonce, p.TreeID)
			}()
		}}
		if report, err := (&Volume{Exec: slow}).Transfer(t.Context(), p, d, Options{Parallel: 1}); err != nil || report.Retries != 0 {
			t.Errorf("report %+v, %v", report, err)
		}
	})
}

// TestNeverEnding: some runtimes never report the end of a command. An answer that was given counts all the same.
func TestNeverEnding(t *testing.T) {
	t.Parallel()
	p, d := liarPlan(t, small())
	synctest.Test(t, func(t *testing.T) {
		if _, err := (&Volume{Exec: held{liar{}}}).Transfer(t.Context(), p, d, Options{}); err != nil {
			t.Error(err)
		}
	})
}

// held does not end before its context.
type held struct{ liar }

func (h held) Exec(ctx context.Context, target podio.Target, command []string, stdin io.Reader, stdout, stderr io.Writer) error {
	_ = h.liar.Exec(ctx, target, command, stdin, stdout, stderr)
	<-ctx.Done()
	return context.Cause(ctx)
}

// TestPatienceWhileWaiting: waiting for another push is no failure, however long it takes.
func TestPatienceWhileWaiting(t *testing.T) {
	t.Parallel()
	p, d := liarPlan(t, small())
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		exec := execFunc(func(ctx context.Context, target podio.Target, command []string, stdin io.Reader, stdout, stderr io.Writer) error {
			l := liar{greeting: "TREE NONCE absent\nDEST NONCE absent\nHELD NONCE aa.bb 31\n", answer: map[string]string{"W": "HELD NONCE aa.bb 31\n"}}
			// After 20 minutes the connection breaks once, and the lock is free.
			if asked.Add(1) == 1 {
				ctx, cancel := context.WithTimeout(ctx, 2*giveUpAfter)
				defer cancel()
				go func() { _ = l.Exec(ctx, target, command, stdin, stdout, stderr) }()
				<-ctx.Done()
				return errReset
			}
			return liar{}.Exec(ctx, target, command, stdin, stdout, stderr)
		})
		report, err := (&Volume{Exec: exec}).Transfer(t.Context(), p, d, Options{})
		if err != nil || report.Retries != 1 {
			t.Errorf("report %+v, %v", report, err)
		}
	})
}

type execFunc func(ctx context.Context, target podio.Target, command []string, stdin io.Reader, stdout, stderr io.Writer) error

func (f execFunc) Exec(ctx context.Context, target podio.Target, command []string, stdin io.Reader, stdout, stderr io.Writer) error {
	return f(ctx, target, command, stdin, stdout, stderr)
}

// TestProbeIsBounded: a listing without end is cut, and names that no push makes are left out.
func TestProbeIsBounded(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for i := range 3 * maxListed {
		fmt.Fprintf(&text, "WORK NONCE .trash-%016x-%d\nWORK NONCE ../../etc\nWORK NONCE .trash-x\nOLDER NONCE %016x\nOLDER NONCE ../x\n", i, i, i)
	}
	l := liar{greeting: text.String() + "SPACE NONCE zz\nINODES NONCE 2d\nRECORD NONCE 7b7d\nTREE NONCE\nDEST NONCE\nLOCKED NONCE\n"}
	p, _ := liarPlan(t, small())
	probe, err := (&Volume{Exec: l}).Probe(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if len(probe.Leftovers) != maxListed || len(probe.Older) != maxListed {
		t.Errorf("%d leftovers, %d older trees", len(probe.Leftovers), len(probe.Older))
	}
	probe.Leftovers, probe.Older = nil, nil
	if diff := cmp.Diff(Probe{FreeBytes: -1, FreeInodes: -1}, probe, cmp.AllowUnexported(Probe{})); diff != "" {
		t.Errorf("probe (-want +got):\n%s", diff)
	}
}
