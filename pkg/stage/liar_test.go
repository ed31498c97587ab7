//go:build unix

package stage

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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
			text = map[string]string{"S": "OK NONCE ID\n", "R": "OK NONCE ID\n", "F": "OK NONCE ID\n", "N": "OK NONCE ID\n", "L": "OK NONCE ID\n", "C": "OK NONCE ID\n",
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
	case "S", "N", "L", "C":
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
