//go:build unix

package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

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

// flipAt spoils byte n of a stream by mask. It leaves line breaks alone, and makes no digit of another: a length that is too large, or a
// line that does not end, is only noticed after minutes.
func flipAt(r io.Reader, n int64, mask byte) io.Reader {
	return &tap{r: r, each: func(offset int64, p []byte) (int, error) {
		if i := n - offset; i >= 0 && i < int64(len(p)) {
			switch c := p[i]; {
			case c == '\n':
			case c >= '0' && c <= '9':
				p[i] ^= 0x10
			default:
				p[i] ^= mask
			}
		}
		return len(p), nil
	}}
}

// onFirst spoils the first stream that is sent; the others are left alone.
func onFirst(spoil func(io.Reader) io.Reader) func(int, io.Reader) io.Reader {
	return func(session int, r io.Reader) io.Reader {
		if session == 0 {
			return spoil(r)
		}
		return r
	}
}

// scene is a transfer whose stream has some kinds of frames.
type scene struct {
	older   map[string]string // is on the volume already
	files   map[string]string
	options Options
}

// scenes have every kind of frame that a volume with hard links sees, in one session, so that the stream is always the same.
func scenes() map[string]scene {
	rows := strings.Repeat("1234567,a,b\n", fineRange/12)
	return map[string]scene{
		"plain": {files: small(), options: Options{Parallel: 1, Compress: CompressNever}},
		"mixed": {
			older:   map[string]string{"old name.csv": noise(300), "kept": "kept", "changed": "before"},
			files:   map[string]string{"new/name.csv": noise(300), "kept": "kept", "changed": "after", "big": strings.Repeat("\x00", fineRange) + rows + noise(500)},
			options: Options{Parallel: 1, Compress: CompressAlways},
		},
	}
}

// prepare brings what the scene has before onto the volume.
func (s scene) prepare(t *testing.T, l *local) {
	t.Helper()
	if s.older != nil {
		mustTransfer(t, l, s.older)
		l.forget()
	}
}

// check wants the tree, and nothing but it and the older one.
func (s scene) check(t *testing.T, l *local, p Plan) {
	t.Helper()
	want := map[string]string{}
	if s.older != nil {
		older := filepath.Base(olderDir(t, l, p))
		want[older], want[older+".sha256"] = "", ""
	}
	want[p.TreeID], want[p.TreeID+".sha256"] = "", ""
	l.wantLeft(t, slices.Collect(maps.Keys(want))...)
	wantTree(t, p, s.files)
}

func olderDir(t *testing.T, l *local, p Plan) string {
	t.Helper()
	for _, name := range l.listing(t) {
		if treeName.MatchString(name) && name != p.TreeID {
			return filepath.Join(l.root(), p.Table, name)
		}
	}
	t.Fatal("the older tree is gone")
	return ""
}

// streamLength is how many bytes a session sends for the scene.
func streamLength(t *testing.T, s scene) int64 {
	t.Helper()
	l := newLocal(t, shellOf(t, 0))
	s.prepare(t, l)
	var length atomic.Int64
	l.stdin = func(_ int, r io.Reader) io.Reader {
		return &tap{r: r, each: func(offset int64, p []byte) (int, error) {
			length.Store(offset + int64(len(p)))
			return len(p), nil
		}}
	}
	d := write(t, s.files)
	p := l.finePlan(t, d)
	if _, err := l.volume().Transfer(t.Context(), p, d, s.options); err != nil {
		t.Fatal(err)
	}
	s.check(t, l, p)
	return length.Load()
}

// spot is a place in the stream of a scene, and where it is tried.
type spot struct {
	scene  scene
	shell  shell
	offset int64
	mask   byte
}

// spots are places in the streams of all scenes, one of the last line among them; with luck, one falls into each of their parts. The
// streams of two runs may differ by some digits.
func spots(t *testing.T, n int) map[string]spot {
	t.Helper()
	r := dice(t)
	all := map[string]spot{}
	for name, s := range scenes() {
		length := streamLength(t, s)
		offsets := []int64{0, length - 20}
		for i := range int64(n) {
			offsets = append(offsets, i*length/int64(n)+r.Int64N(length/int64(n)))
		}
		for i, offset := range offsets {
			c := spot{scene: s, shell: shellOf(t, i), offset: offset, mask: []byte{0x10, 0x01, 0x80}[r.IntN(3)]}
			all[fmt.Sprintf("%s/%d/%s", name, offset, c.shell.name)] = c
		}
	}
	return all
}

// TestCutAnywhere: whatever part of the stream arrives, and whatever the connection claims, nothing is published by it; the next session
// goes on, and leaves nothing of the first behind.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	crowd(t, spots(t, 11), func(t *testing.T, c spot) {
		l := newLocal(t, c.shell)
		c.scene.prepare(t, l)
		d := write(t, c.scene.files)
		p := l.finePlan(t, d)
		l.stdin = onFirst(func(r io.Reader) io.Reader { return cutAt(r, c.offset) })
		l.result = func(session int, err error) error {
			if session == 0 && contents(t, p.Dir()) != nil {
				t.Error("a stream that was cut published a tree")
			}
			return nil // as SPDY does
		}
		report, err := l.volume().Transfer(t.Context(), p, d, watched(t, c.scene.options))
		if err != nil {
			t.Fatal(err)
		}
		c.scene.check(t, l, p)
		if report.Retries != 1 || report.Bytes != report.TotalBytes || report.InFlight != 0 {
			t.Errorf("report %+v", report)
		}
	})
}

// TestFlipAnywhere: a spoiled byte may break the framing, the archive, the sums or a file; the tree is right.
func TestFlipAnywhere(t *testing.T) {
	t.Parallel()
	crowd(t, spots(t, 9), func(t *testing.T, c spot) {
		l := newLocal(t, c.shell)
		c.scene.prepare(t, l)
		d := write(t, c.scene.files)
		p := l.finePlan(t, d)
		l.stdin = onFirst(func(r io.Reader) io.Reader { return flipAt(r, c.offset, c.mask) })
		if _, err := l.volume().Transfer(t.Context(), p, d, c.scene.options); err != nil {
			t.Fatal(err)
		}
		c.scene.check(t, l, p)
	})
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
			p := l.finePlan(t, d)
			report, err := l.volume().Transfer(t.Context(), p, d, Options{})
			var refused *VolumeError
			if !errors.As(err, &refused) || refused.Reason != Mismatch || !strings.Contains(refused.Text, "./images/two.png: FAILED") ||
				strings.Contains(refused.Text, "one.png") {
				t.Errorf("got %v", err)
			}
			if report.Files != 0 || report.Bytes != 0 || report.InFlight != 0 {
				t.Errorf("report %+v", report)
			}
			l.wantLeft(t)
		})
	}
}

// TestSourceChanges: what is sent is what was checked, or nothing.
func TestSourceChanges(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(path string) error{
		"removed":      os.Remove,
		"grown":        func(path string) error { return os.WriteFile(path, []byte("the one more"), 0o600) },
		"shrunk":       func(path string) error { return os.Truncate(path, 3) },
		"rewritten":    func(path string) error { return os.WriteFile(path, []byte("the two"), 0o600) },
		"now a link":   func(path string) error { return errors.Join(os.Remove(path), os.Symlink("/etc/passwd", path)) },
		"now a folder": func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"now a pipe":   func(path string) error { return errors.Join(os.Remove(path), mkfifo(path)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, shellOf(t, len(name)))
			d := write(t, map[string]string{"a": noise(700), "b": noise(900), "z": "the one"})
			p := l.finePlan(t, d)
			_, err := l.volume().Transfer(t.Context(), p, d, Options{Admit: func(Probe) error { return change(filepath.Join(d.Path, "z")) }})
			var changed *dataset.ChangedError
			if !errors.As(err, &changed) || changed.Path != "z" {
				t.Errorf("got %v, want a ChangedError for %q", err, "z")
			}
			l.wantUnpublished(t, p)
		})
	}
}

// TestHashedAgain: a file whose size, time and place are the same, but not its bytes, is found as well.
func TestHashedAgain(t *testing.T) {
	t.Parallel()
	l := newLocal(t, shellOf(t, 0))
	d := write(t, small())
	m := manifest(t, d)
	m[2].SHA256[0] ^= 1
	p, err := NewPlan("cats", m, l.root())
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.volume().Transfer(t.Context(), p, d, Options{})
	var changed *dataset.ChangedError
	if !errors.As(err, &changed) || changed.Path != m[2].Path {
		t.Errorf("got %v", err)
	}
	l.wantLeft(t)
}

// TestUnreadable: a file that cannot be read, though it is the same, is named, and nothing of it is published. Root reads everything, so
// it is the dataset that is closed.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string]string{"small": small(), "big": {"big": noise(3 * fineRange)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, shellOf(t, 0))
			d := write(t, files)
			p := l.finePlan(t, d)
			_, err := l.volume().Transfer(t.Context(), p, d, Options{Admit: func(Probe) error { return d.Close() }})
			var unreadable *FileError
			if !errors.As(err, &unreadable) || files[unreadable.Path] == "" && unreadable.Path != "images/empty.png" {
				t.Errorf("got %v, want a FileError", err)
			}
			l.wantUnpublished(t, p)
		})
	}
}

// TestLostAnswers: when the answer to publishing never arrives, asking again gives it, and nothing is sent twice.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	type loss struct {
		verb  string
		shell shell
	}
	cases := map[string]loss{}
	for _, verb := range []string{ansPublished, ansOK, ansReady, ansGot} {
		for _, sh := range shells(t) {
			cases[verb+"/"+sh.name] = loss{verb, sh}
		}
	}
	crowd(t, cases, func(t *testing.T, c loss) {
		l := newLocal(t, c.shell)
		mustTransfer(t, l, map[string]string{"images/one.png": noise(700)})
		l.forget()
		var lost atomic.Bool
		l.stdout = func(session int, w io.Writer) io.Writer {
			return &swallower{w: w, verb: c.verb, lost: &lost, drop: func() { l.drop(session) }}
		}
		d := write(t, small())
		p := l.finePlan(t, d)
		var told []string
		report, err := l.volume().Transfer(t.Context(), p, d, Options{Parallel: 1, Notify: func(s string) { told = append(told, s) }})
		if err != nil {
			t.Fatal(err)
		}
		scene{older: map[string]string{}, files: small()}.check(t, l, p)
		if report.Retries != 1 || len(told) != 0 || report.AlreadyPublished || report.Files+report.TakenOverFiles != int64(len(small())) {
			t.Errorf("report %+v, told %q", report, told)
		}
	})
}

// swallower cuts the connection of a session before the first line of a verb.
type swallower struct {
	w    io.Writer
	verb string
	lost *atomic.Bool
	drop func()

	mu   sync.Mutex
	gone bool
}

func (s *swallower) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bytes.Contains(p, []byte(s.verb+" ")) && s.lost.CompareAndSwap(false, true) {
		s.gone = true
		s.drop()
	}
	if s.gone {
		return len(p), nil
	}
	return s.w.Write(p)
}

func TestPodGone(t *testing.T) {
	t.Parallel()
	l := newLocal(t, shellOf(t, 0))
	l.stdin = func(_ int, r io.Reader) io.Reader { return cutAt(r, 100) }
	d := write(t, small())
	v := l.volume()
	v.Check = func(context.Context) error {
		return &GoneError{Namespace: "ml", Pod: "stage", Reason: "it ended (\"Evicted\")"}
	}
	_, err := v.Transfer(t.Context(), l.finePlan(t, d), d, Options{})
	var gone *GoneError
	if !errors.As(err, &gone) {
		t.Errorf("got %v", err)
	}
	if n := len(l.opened()); n != 1 {
		t.Errorf("%d sessions", n)
	}
}
