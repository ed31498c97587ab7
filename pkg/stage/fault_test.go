//go:build unix

package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// small is enough data for every kind of boundary, and little enough to break it at many of them.
func small() map[string]string {
	return map[string]string{"a.csv": "id,label\n", "images/empty.png": "", "images/one.png": noise(700), "images/two.png": "MARK" + noise(1500)}
}

// tap calls each with what is read, and with the offset of its first byte; what each returns is read instead.
type tap struct {
	r      io.Reader
	offset int64
	each   func(offset int64, p []byte) (int, error)
}

func (t *tap) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if err != nil {
		return n, err
	}
	kept, err := t.each(t.offset, p[:n])
	t.offset += int64(n)
	return kept, err
}

// cutAt ends a stream after n bytes.
func cutAt(r io.Reader, n int64) io.Reader {
	return &tap{r: r, each: func(offset int64, p []byte) (int, error) {
		if offset+int64(len(p)) < n {
			return len(p), nil
		}
		return int(max(0, n-offset)), io.EOF
	}}
}

// flipAt spoils byte n of a stream.
func flipAt(r io.Reader, n int64) io.Reader {
	return &tap{r: r, each: func(offset int64, p []byte) (int, error) {
		if i := n - offset; i >= 0 && i < int64(len(p)) {
			p[i] ^= 0x10
		}
		return len(p), nil
	}}
}

// streamLength is how many bytes a session sends for the plan.
func streamLength(t *testing.T, sh shell, files map[string]string) int64 {
	t.Helper()
	l := newLocal(t, sh)
	var mu sync.Mutex
	var length int64
	l.stdin = func(_ int, r io.Reader) io.Reader {
		return &tap{r: r, each: func(offset int64, p []byte) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			length = offset + int64(len(p))
			return len(p), nil
		}}
	}
	d := write(t, files)
	if _, err := l.volume().Transfer(t.Context(), l.plan(t, d), d, nil); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	return length
}

// TestCutAnywhere: whatever part of the stream arrives, and whatever the connection claims, nothing is published by it; the next attempt
// succeeds and leaves nothing of the first behind.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	all := shells(t)
	length := streamLength(t, all[0], small())
	for i, sh := range all {
		var offsets []int64
		for n := int64(i); n < length; n += length / []int64{16, 8}[i] {
			offsets = append(offsets, n)
		}
		for _, n := range append(offsets, length-1) {
			t.Run(fmt.Sprintf("%s/%d", sh.name, n), func(t *testing.T) {
				t.Parallel()
				l := newLocal(t, sh)
				d := write(t, small())
				p := l.plan(t, d)
				cut := -1
				l.stdin = func(session int, r io.Reader) io.Reader {
					if cut < 0 {
						cut = session
						return cutAt(r, n)
					}
					return r
				}
				l.result = func(session int, err error) error {
					if session == cut && contents(t, p.Dir()) != nil {
						t.Error("a stream that was cut published a tree")
					}
					return nil // as SPDY does
				}
				var bytes int64
				report, err := l.volume().Transfer(t.Context(), p, d, func(n int64) { bytes += n })
				if err != nil {
					t.Fatal(err)
				}
				l.wantPublished(t, p, small())
				if report.Retries != 1 || bytes != report.Bytes {
					t.Errorf("report %+v, onBytes in sum %d", report, bytes)
				}
			})
		}
	}
}

// TestFlipAnywhere: a spoiled byte may break the framing, the archive, the manifest or a file; the tree is right or not there.
func TestFlipAnywhere(t *testing.T) {
	t.Parallel()
	all := shells(t)
	length := streamLength(t, all[0], small())
	for i, n := 0, int64(0); n < length; i, n = i+1, n+length/24 {
		sh := all[i%len(all)]
		t.Run(fmt.Sprintf("%s/%d", sh.name, n), func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			d := write(t, small())
			p := l.plan(t, d)
			first := true
			l.stdin = func(_ int, r io.Reader) io.Reader {
				if first {
					first = false
					return flipAt(r, n)
				}
				return r
			}
			if _, err := l.volume().Transfer(t.Context(), p, d, nil); err != nil {
				t.Fatal(err)
			}
			l.wantPublished(t, p, small())
		})
	}
}

func TestCorruptFileIsNamed(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			l.stdin = func(_ int, r io.Reader) io.Reader {
				return &tap{r: r, each: func(_ int64, p []byte) (int, error) {
					if i := bytes.Index(p, []byte("MARK")); i >= 0 {
						p[i] = 'B'
					}
					return len(p), nil
				}}
			}
			d := write(t, small())
			p := l.plan(t, d)
			_, err := l.volume().Transfer(t.Context(), p, d, nil)
			var refused *VolumeError
			if !errors.As(err, &refused) || refused.Reason != Mismatch || !strings.Contains(refused.Text, "./images/two.png: FAILED") ||
				strings.Contains(refused.Text, "one.png") {
				t.Errorf("got %v", err)
			}
			if left := l.listing(t); len(left) != 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// TestSourceChanges: what is sent is what was checked, or nothing.
func TestSourceChanges(t *testing.T) {
	t.Parallel()
	sh := shells(t)[0]
	files := map[string]string{"a": noise(2 * frameBytes), "b": noise(2 * frameBytes), "z": "the one"}
	for name, change := range map[string]func(path string) error{
		"removed":      os.Remove,
		"grown":        func(path string) error { return os.WriteFile(path, []byte("the one more"), 0o600) },
		"shrunk":       func(path string) error { return os.Truncate(path, 3) },
		"rewritten":    func(path string) error { return os.WriteFile(path, []byte("the two"), 0o600) },
		"now a link":   func(path string) error { return errors.Join(os.Remove(path), os.Symlink("/etc/passwd", path)) },
		"now a folder": func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			d := write(t, files)
			p := l.plan(t, d)
			var once sync.Once
			_, err := l.volume().Transfer(t.Context(), p, d, func(int64) {
				once.Do(func() {
					if err := change(filepath.Join(d.Path, "z")); err != nil {
						t.Error(err)
					}
				})
			})
			var changed *dataset.ChangedError
			if !errors.As(err, &changed) || changed.Path != "z" {
				t.Errorf("got %v, want a ChangedError for %q", err, "z")
			}
			if left := l.listing(t); len(left) != 0 {
				t.Errorf("left behind: %q", left)
			}
			if slices.Contains(l.tasks, "publish") {
				t.Error("it asked to publish")
			}
		})
	}
}

// TestHashedAgain: a file whose size, time and place are the same, but not its bytes, is found as well.
func TestHashedAgain(t *testing.T) {
	t.Parallel()
	l := newLocal(t, shells(t)[0])
	d := write(t, small())
	m := manifest(t, d)
	m[2].SHA256[0] ^= 1
	p, err := NewPlan("cats", m, l.root())
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.volume().Transfer(t.Context(), p, d, nil)
	var changed *dataset.ChangedError
	if !errors.As(err, &changed) || changed.Path != m[2].Path {
		t.Errorf("got %v", err)
	}
	if got := l.listing(t); len(got) != 0 {
		t.Errorf("left behind: %q", got)
	}
}

// TestCanceled: nothing is published, and what was begun is removed although the context has ended.
func TestCanceled(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			d := write(t, map[string]string{"a": noise(3 * frameBytes), "b": noise(100)})
			p := l.plan(t, d)
			stop := errors.New("interrupted")
			ctx, cancel := context.WithCancelCause(t.Context())
			_, err := l.volume().Transfer(ctx, p, d, func(int64) { cancel(stop) })
			if !errors.Is(err, stop) {
				t.Errorf("got %v", err)
			}
			// The remote side removes its own as well, and may be at it still when Transfer returns.
			for range 100 {
				if len(l.listing(t)) == 0 {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
			t.Errorf("left behind: %q", l.listing(t))
		})
	}
}

// TestLostAnswers: when the answer to publishing never arrives, asking again gives it, and nothing is sent twice.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			lost := false
			l.stdout = func(session int, w io.Writer) io.Writer {
				if l.tasks[session] == "publish" && !lost {
					lost = true
					return io.Discard
				}
				return w
			}
			d := write(t, small())
			p := l.plan(t, d)
			report, err := l.volume().Transfer(t.Context(), p, d, nil)
			if err != nil {
				t.Fatal(err)
			}
			l.wantPublished(t, p, small())
			if diff := cmp.Diff([]string{"probe", "receive", "publish", "publish"}, l.tasks); diff != "" {
				t.Errorf("sessions (-want +got):\n%s", diff)
			}
			if report.Retries != 1 {
				t.Errorf("report %+v", report)
			}
		})
	}
}

func TestGivesUp(t *testing.T) {
	t.Parallel()
	l := newLocal(t, shells(t)[0])
	l.stdin = func(_ int, r io.Reader) io.Reader { return cutAt(r, 100) }
	l.result = func(_ int, err error) error { return nil }
	d := write(t, small())
	p := l.plan(t, d)
	report, err := l.volume().Transfer(t.Context(), p, d, nil)
	var refused *VolumeError
	if !errors.As(err, &refused) || refused.Reason != Lost || !strings.Contains(err.Error(), "gave up after 3 failures") {
		t.Errorf("got %v", err)
	}
	if report.Retries != 2 {
		t.Errorf("report %+v", report)
	}
	if left := l.listing(t); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestPodGone(t *testing.T) {
	t.Parallel()
	l := newLocal(t, shells(t)[0])
	l.stdin = func(_ int, r io.Reader) io.Reader { return cutAt(r, 100) }
	d := write(t, small())
	v := l.volume()
	v.Check = func(context.Context) error {
		return &GoneError{Namespace: "ml", Pod: "stage", Reason: "it ended (\"Evicted\")"}
	}
	_, err := v.Transfer(t.Context(), l.plan(t, d), d, nil)
	var gone *GoneError
	if !errors.As(err, &gone) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"probe", "receive"}, l.tasks); diff != "" {
		t.Errorf("sessions (-want +got):\n%s", diff)
	}
}
