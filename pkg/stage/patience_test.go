//go:build unix

package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
)

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
