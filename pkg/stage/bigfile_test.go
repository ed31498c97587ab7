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
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// TestBigSizes: every size around the boundaries, in every way to send it.
func TestBigSizes(t *testing.T) {
	t.Parallel()
	type sized struct {
		shell   shell
		options Options
	}
	files := map[string]string{}
	for _, n := range []int{2 * fineRange, 2*fineRange + 1, 3 * fineRange, 3*fineRange + 1} {
		files[fmt.Sprintf("noise-%d", n)] = noise(n)
		files[fmt.Sprintf("zeros/%d", n)] = strings.Repeat("\x00", n)
		files[fmt.Sprintf("rows/%d", n)] = strings.Repeat("1234567", n/7+1)[:n]
	}
	files["zeros then one"] = strings.Repeat("\x00", 3*fineRange) + "1"
	files["one then zeros"] = "1" + strings.Repeat("\x00", 3*fineRange)
	cases := map[string]sized{}
	modes := []Compress{CompressNever, CompressAlways, CompressAuto}
	for i, sh := range shells(t) {
		for _, c := range []Compress{modes[i%3], modes[(i+1)%3]} {
			cases[fmt.Sprintf("%s/%s", sh.name, c)] = sized{sh, Options{Parallel: 3, Compress: c}}
		}
	}
	crowd(t, cases, func(t *testing.T, c sized) {
		l := newLocal(t, c.shell)
		d := write(t, files)
		p := l.finePlan(t, d)
		report, err := l.volume().Transfer(t.Context(), p, d, watched(t, c.options))
		if err != nil {
			t.Fatal(err)
		}
		l.wantPublished(t, p, files)
		if report.Files != int64(len(files)) || report.Bytes != p.Manifest.Bytes() || report.Retries != 0 || report.Sent > p.Manifest.Bytes() {
			t.Errorf("report %+v", report)
		}
		if packed := report.Compressed > 0; packed != (c.options.Compress == CompressAlways) && c.options.Compress != CompressAuto {
			t.Errorf("report %+v", report)
		}
		checkModes(t, p.Dir())
	})
}

// TestSparse: ranges of zeros stay holes on the volume.
func TestSparse(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			dir := t.TempDir()
			path := filepath.Join(dir, "sparse")
			put(t, path, "begin")
			if err := os.Truncate(path, 96<<20); err != nil {
				t.Fatal(err)
			}
			d := open(t, dir)
			p := l.plan(t, d)
			report, err := l.volume().Transfer(t.Context(), p, d, Options{})
			if err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(filepath.Join(p.Dir(), "sparse"))
			if err != nil {
				t.Fatal(err)
			}
			stat, ok := info.Sys().(*syscall.Stat_t)
			if !ok || info.Size() != 96<<20 || stat.Blocks*512 > 24<<20 {
				t.Errorf("size %d, %d blocks", info.Size(), stat.Blocks)
			}
			if report.Sent > 16<<20 {
				t.Errorf("report %+v", report)
			}
		})
	}
}

// halfway makes a push of one big file that ends with some of its ranges on the volume, and returns how many bytes those are.
func halfway(t *testing.T, l *local, p Plan, d *dataset.Dataset) int64 {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	report, err := l.owned(9).Transfer(ctx, p, d, Options{Parallel: 2, Progress: func(at Progress) {
		if at.Bytes >= 3*fineRange {
			cancel(errInterrupted)
		}
	}})
	if !errors.Is(err, errInterrupted) {
		t.Fatalf("report %+v, %v", report, err)
	}
	l.wantWork(t, p)
	return report.Bytes
}

// TestBigResume: a big file goes on in its middle.
func TestBigResume(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			files := map[string]string{"dir/big": noise(12*fineRange + 7)}
			d := write(t, files)
			p := l.finePlan(t, d)
			before := halfway(t, l, p, d)
			report, err := l.volume().Transfer(t.Context(), p, d, watched(t, Options{}))
			if err != nil {
				t.Fatal(err)
			}
			l.wantPublished(t, p, files)
			total := p.Manifest.Bytes()
			if report.TakenOverBytes < before || report.TakenOverBytes+report.Bytes != total || report.Sent != report.Bytes || report.Retries != 0 {
				t.Errorf("after %d bytes: report %+v", before, report)
			}
		})
	}
}

// TestBigIsDamaged: what was received of a big file and is not there any more, or is not what its receipt says, is sent again.
func TestBigIsDamaged(t *testing.T) {
	t.Parallel()
	type damaged struct {
		shell  shell
		damage func(dir string) error
	}
	cases := map[string]damaged{}
	for name, damage := range map[string]func(dir string) error{
		"a byte": func(dir string) error {
			file, err := os.OpenFile(filepath.Join(dir, "data"), os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = file.WriteAt([]byte("damaged"), 10)
			return errors.Join(err, file.Close())
		},
		"a hole": func(dir string) error {
			return errors.Join(os.Truncate(filepath.Join(dir, "data"), 100), os.Truncate(filepath.Join(dir, "data"), 12*fineRange+7))
		},
		"data gone":      func(dir string) error { return os.Remove(filepath.Join(dir, "data")) },
		"data too short": func(dir string) error { return os.Truncate(filepath.Join(dir, "data"), 5) },
		"data too long":  func(dir string) error { return os.Truncate(filepath.Join(dir, "data"), 40*fineRange) },
		"data is a link": func(dir string) error {
			data := filepath.Join(dir, "data")
			return errors.Join(os.Rename(data, dir+"-data"), os.Symlink(dir+"-data", data))
		},
		"killed before the end": func(dir string) error { return os.WriteFile(filepath.Join(dir, "sums"), []byte("x"), 0o600) },
		"killed at the end": func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "data")), os.WriteFile(filepath.Join(dir, "sums"), []byte("x"), 0o600))
		},
		"foreign receipts": func(dir string) error {
			var all error
			for _, name := range []string{"0.5." + strings.Repeat("a", 64), "-1.2.x", "x", strings.Repeat("9", 200), "7.7.7"} {
				all = errors.Join(all, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
			}
			return all
		},
		"receipt removed": func(dir string) error {
			found, err := filepath.Glob(filepath.Join(dir, "*.*.*"))
			if err != nil || len(found) == 0 {
				return fmt.Errorf("receipts %q: %w", found, err)
			}
			return os.Remove(found[0])
		},
	} {
		sh := shellOf(t, len(cases))
		cases[name+"/"+sh.name] = damaged{sh, damage}
	}
	crowd(t, cases, func(t *testing.T, c damaged) {
		l := newLocal(t, c.shell)
		files := map[string]string{"dir/big": noise(12*fineRange + 7)}
		d := write(t, files)
		p := l.finePlan(t, d)
		halfway(t, l, p, d)
		found, err := filepath.Glob(filepath.Join(l.work(p), "big", "*"))
		if err != nil || len(found) != 1 {
			t.Fatalf("big files %q, %v", found, err)
		}
		if err := c.damage(found[0]); err != nil {
			t.Fatal(err)
		}
		report, err := l.volume().Transfer(t.Context(), p, d, watched(t, Options{}))
		if err != nil {
			t.Fatal(err)
		}
		l.wantPublished(t, p, files)
		if report.Bytes+report.TakenOverBytes != report.TreeBytes || report.InFlight != 0 {
			t.Errorf("report %+v", report)
		}
	})
}

// TestBigChanges: a big file that changes while it is sent is not published, unless what was read of it is still what was checked.
func TestBigChanges(t *testing.T) {
	t.Parallel()
	const size = 40 * fineRange
	content := noise(size)
	type change struct {
		change func(path string) error
		may    bool // succeed, for the open file is still the same
	}
	crowd(t, map[string]change{
		"shrunk": {change: func(path string) error { return os.Truncate(path, size/2) }},
		"grown": {change: func(path string) error {
			file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = file.WriteString("more")
			return errors.Join(err, file.Close())
		}},
		"rewritten": {change: func(path string) error {
			file, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = file.WriteAt([]byte("other"), size-10)
			return errors.Join(err, file.Close())
		}},
		"removed": {change: os.Remove, may: true},
		"replaced": {change: func(path string) error {
			return errors.Join(os.Remove(path), os.WriteFile(path, []byte(content), 0o600))
		}, may: true},
		"now a link": {change: func(path string) error { return errors.Join(os.Remove(path), os.Symlink("/etc/passwd", path)) }, may: true},
		"now a pipe": {change: func(path string) error { return errors.Join(os.Remove(path), mkfifo(path)) }, may: true},
	}, func(t *testing.T, c change) {
		l := newLocal(t, shellOf(t, len(t.Name())))
		d := write(t, map[string]string{"big": content})
		p := l.finePlan(t, d)
		var once sync.Once
		report, err := l.volume().Transfer(t.Context(), p, d, Options{Parallel: 1, Progress: func(at Progress) {
			if at.Bytes >= 3*fineRange {
				once.Do(func() {
					if err := c.change(filepath.Join(d.Path, "big")); err != nil {
						t.Error(err)
					}
				})
			}
		}})
		var changed *dataset.ChangedError
		switch {
		case err == nil && c.may:
			l.wantPublished(t, p, map[string]string{"big": content})
		case !errors.As(err, &changed) || changed.Path != "big":
			t.Errorf("report %+v, %v; want a ChangedError", report, err)
		case contents(t, p.Dir()) != nil:
			t.Error("it was published")
		}
	})
}

// TestBigFixed: a repaired file can only be read from its beginning; it goes on in its middle all the same, and a range that is needed
// again is found again.
func TestBigFixed(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			l := newLocal(t, sh)
			files, staged := dirty()
			d := write(t, files)
			p := fixedPlan(t, d, l.root())
			p.limits = l.finePlan(t, d).limits
			l.stdin = onFirst(func(r io.Reader) io.Reader { return cutAt(r, 3*fineRange+100) })
			report, err := l.volume().Transfer(t.Context(), p, d, watched(t, Options{Parallel: 2, Compress: CompressNever}))
			if err != nil {
				t.Fatal(err)
			}
			l.wantPublished(t, p, staged)
			if report.Retries != 1 {
				t.Errorf("report %+v", report)
			}
		})
	}
}

// TestBigReader: ranges may be asked for in any order, and again.
func TestBigReader(t *testing.T) {
	t.Parallel()
	content := noise(5*fineRange + 1)
	d := write(t, map[string]string{"big": content})
	l := &local{dir: "/data"}
	p := l.finePlan(t, d)
	r := dice(t)
	b := newBigFile(d, p, 0)
	buffer := make([]byte, fineRange)
	for range 50 {
		n := r.IntN(b.ranges())
		got, sum, err := b.read(t.Context(), n, buffer)
		want := []byte(content)[n*fineRange : min(len(content), (n+1)*fineRange)]
		if err != nil || !bytes.Equal(got, want) || digest(want) != fmt.Sprintf("%x", sum) {
			t.Fatalf("range %d: %d bytes, %v", n, len(got), err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	fresh := newBigFile(d, p, 0)
	if _, _, err := fresh.read(ctx, 3, buffer); !errors.Is(err, errInterrupted) {
		t.Errorf("got %v", err)
	}
	fresh.close()
	b.close()
}
