//go:build unix

package stage

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestParseCompress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Compress{"": CompressAuto, "auto": CompressAuto, "never": CompressNever, "always": CompressAlways} {
		if got, err := ParseCompress(text); got != want || err != nil {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, err := ParseCompress("Auto"); err == nil || !strings.Contains(err.Error(), `"Auto"`) {
		t.Errorf("got %v", err)
	}
}

// TestWorth: what shrinks is compressed on a link that is slower than the compression, and only there.
func TestWorth(t *testing.T) {
	t.Parallel()
	shrinks := func() (int64, int64, error) { return 1000, 300, nil }
	stays := func() (int64, int64, error) { return 1000, 990, nil }
	for name, c := range map[string]struct {
		mode   Compress
		opened time.Duration
		rate   float64 // of five seconds; 0 is none
		sample func() (int64, int64, error)
		want   bool
	}{
		"always":            {CompressAlways, 0, 1e9, stays, true},
		"never":             {CompressNever, time.Second, 1e3, shrinks, false},
		"near, unknown":     {CompressAuto, nearby / 2, 0, shrinks, false},
		"far, unknown":      {CompressAuto, 2 * nearby, 0, shrinks, true},
		"slow":              {CompressAuto, nearby / 2, 1e6, shrinks, true},
		"slow, incompress.": {CompressAuto, nearby / 2, 1e6, stays, false},
		"fast":              {CompressAuto, 2 * nearby, 2 * fastLink, shrinks, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				k := &compression{mode: c.mode}
				k.opened(c.opened)
				for range 5 {
					time.Sleep(time.Second)
					if c.rate > 0 {
						k.moved(int64(c.rate))
					}
				}
				if got, err := k.worth(c.sample); got != c.want || err != nil {
					t.Errorf("got %v, %v", got, err)
				}
			})
		})
	}
	broken := errors.New("broken")
	far := &compression{mode: CompressAuto}
	if _, err := far.worth(func() (int64, int64, error) { return 0, 0, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// TestSamples: what a sample says is near what compressing everything gives.
func TestSamples(t *testing.T) {
	t.Parallel()
	l := &local{dir: "/data"}
	rows := map[string]string{}
	images := map[string]string{}
	for i := range 40 {
		rows[fmt.Sprintf("%d.csv", i)] = strings.Repeat(fmt.Sprintf("%d,cat,0.5\n", i), 2000)
		images[fmt.Sprintf("%d.jpg", i)] = noise(20_000)
	}
	for name, c := range map[string]struct {
		files map[string]string
		worth bool
	}{"rows": {rows, true}, "images": {images, false}, "empty": {map[string]string{"a": ""}, false}} {
		d := write(t, c.files)
		p := l.plan(t, d)
		before, after, err := sampleShard(p.Manifest, allOf(p), d)
		if err != nil || (float64(before) > worthwhile*float64(after)) != c.worth {
			t.Errorf("%s: %d became %d, %v", name, before, after, err)
		}
	}
	before, after, err := sampleRange([]byte(noise(1 << 20)))
	if err != nil || before != sampleFiles*sampleBytes || after < before {
		t.Errorf("a range of noise: %d became %d, %v", before, after, err)
	}
	if before, after, err = sampleRange([]byte("tiny")); err != nil || before < 4 || after <= 0 {
		t.Errorf("a tiny range: %d became %d, %v", before, after, err)
	}
}

// TestCompressed: the tree is the same, compressed or not.
func TestCompressed(t *testing.T) {
	t.Parallel()
	files := attack()
	delete(files, "big")
	delete(files, "$(touch pwned) big")
	files["rows.csv"] = strings.Repeat("1234567,a,b\n", 20_000)
	for i, mode := range []Compress{CompressAlways, CompressNever, CompressAuto} {
		for _, sh := range []shell{shellOf(t, i), shellOf(t, i+2)} {
			t.Run(string(mode)+"/"+sh.name, func(t *testing.T) {
				t.Parallel()
				l := newLocal(t, sh)
				d := write(t, files)
				p := l.finePlan(t, d)
				report, err := l.volume().Transfer(t.Context(), p, d, Options{Compress: mode})
				if err != nil {
					t.Fatal(err)
				}
				l.wantPublished(t, p, files)
				if mode == CompressAlways && (report.Compressed != report.Bytes || report.Sent > report.Bytes/2) ||
					mode == CompressNever && (report.Compressed != 0 || report.Sent < report.Bytes) {
					t.Errorf("report %+v", report)
				}
			})
		}
	}
}
