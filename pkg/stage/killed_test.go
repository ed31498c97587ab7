//go:build unix

package stage

import (
	"context"
	"errors"
	"io"
	"testing"
)

// TestKilled: a Pod that is killed in mid-transfer leaves a work directory, and no tree; the push after it succeeds and removes that.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			files := map[string]string{"a": noise(4 * frameBytes), "z": "last"}
			d := write(t, files)
			p := l.plan(t, d)
			first := l.volume()
			killed := false
			first.Check = func(context.Context) error {
				if killed {
					return &GoneError{Namespace: "ml", Pod: "stage", Reason: "it ended"}
				}
				return nil
			}
			_, err := first.Transfer(t.Context(), p, d, func(int64) {
				if !killed {
					killed = true
					l.kill()
				}
			})
			var gone *GoneError
			if !errors.As(err, &gone) {
				t.Errorf("got %v", err)
			}
			if left := l.listing(t); len(left) != 1 || !workName.MatchString(left[0]) {
				t.Errorf("left behind: %q", left)
			}
			second := l.volume()
			second.Owner = "22222222-aaaa-bbbb-cccc-000000000002"
			second.Owners = func(context.Context) (map[string]bool, error) { return map[string]bool{second.Owner: true}, nil }
			if _, err := second.Transfer(t.Context(), p, d, nil); err != nil {
				t.Fatal(err)
			}
			l.wantPublished(t, p, files)
		})
	}
}

// TestReceiverCleansUp: a receiver whose client is dead removes what it was given, without being asked.
func TestReceiverCleansUp(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			d := write(t, map[string]string{"a": noise(3 * frameBytes)})
			p := l.plan(t, d)
			v := l.volume()
			ended := make(chan struct{})
			l.stdin = func(_ int, r io.Reader) io.Reader { return cutAt(r, 2*frameBytes) }
			l.result = func(_ int, err error) error {
				close(ended)
				return err
			}
			if err := v.send(t.Context(), p, d, v.newAttempt(), func(frame) {}); err == nil {
				t.Error("a stream that was cut was received")
			}
			<-ended
			if left := l.listing(t); len(left) != 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}
