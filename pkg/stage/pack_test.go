package stage

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// FuzzShardSize: the length of an archive is known before it is made, and the archive says what it should. The files need not exist: they
// are empty, or what is packed for them is made up here.
func FuzzShardSize(f *testing.F) {
	f.Add("a", "b/c", int64(0), int64(1))
	f.Add(strings.Repeat("x", 94), strings.Repeat("x", 95), int64(511), int64(512))
	f.Add(strings.Repeat("x", 96), strings.Repeat("y/", 200)+"z", int64(513), int64(100_000))
	f.Add(strings.Repeat("n", 255), "\xff\xe9", int64(0), int64(0))
	f.Fuzz(func(t *testing.T, one, other string, size, more int64) {
		m := dataset.Manifest{{Path: one, Size: size & 0xfffff}, {Path: other, Size: more & 0xfffff}}
		m.Sort()
		if _, err := NewPlan("cats", m, DefaultRoot); err != nil {
			return
		}
		var out bytes.Buffer
		archive := tar.NewWriter(&out)
		if err := packText(archive, memberSums, sumsOf(m, []int32{0, 1})); err != nil {
			t.Fatal(err)
		}
		for _, file := range m {
			if err := archive.WriteHeader(header(memberTree+file.Path, file.Size)); err != nil {
				t.Fatal(err)
			}
			if _, err := archive.Write(make([]byte, file.Size)); err != nil {
				t.Fatal(err)
			}
		}
		if err := archive.Close(); err != nil {
			t.Fatal(err)
		}
		if want := shardSize(m, []int32{0, 1}); int64(out.Len()) != want {
			t.Errorf("%d bytes, computed %d, for %q and %q", out.Len(), want, one, other)
		}
		checkArchive(t, &out, m)
	})
}

func checkArchive(t *testing.T, in io.Reader, m dataset.Manifest) {
	t.Helper()
	archive := tar.NewReader(in)
	h, err := archive.Next()
	if err != nil || h.Name != memberSums {
		t.Fatalf("first member %+v, %v", h, err)
	}
	for _, file := range m {
		h, err := archive.Next()
		if err != nil {
			t.Fatal(err)
		}
		if h.Name != memberTree+file.Path || h.Size != file.Size || h.Mode != 0o644 || h.Uname != "" || h.Gname != "" || h.Uid != 0 ||
			!h.ModTime.Equal(time.Unix(0, 0)) || h.Typeflag != tar.TypeReg {
			t.Errorf("member %+v for %q", h, file.Path)
		}
	}
	if _, err := archive.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

// TestNameLengths: each length of a name around those where headers change.
func TestNameLengths(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 1200; n++ {
		name := strings.Repeat(strings.Repeat("n", 99)+"/", n/100) + strings.Repeat("m", n%100)
		name = strings.TrimSuffix(name, "/")
		if name == "" {
			continue
		}
		m := dataset.Manifest{{Path: name}}
		var out bytes.Buffer
		archive := tar.NewWriter(&out)
		if err := errors.Join(packText(archive, memberSums, sumsOf(m, []int32{0})), archive.WriteHeader(header(memberTree+name, 0)), archive.Close()); err != nil {
			t.Fatal(err)
		}
		if want := shardSize(m, []int32{0}); int64(out.Len()) != want {
			t.Fatalf("a name of %d bytes: %d, computed %d", len(name), out.Len(), want)
		}
	}
}

// TestPackShard: what is packed is hashed on the way, and the end of the context is seen between files.
func TestPackShard(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256(nil)
	m := dataset.Manifest{{Path: "a", SHA256: sum}}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("interrupted")
	cancel(stop)
	if err := packShard(ctx, m, []int32{0}, nil, io.Discard, make([]byte, 10)); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

// TestExact: a frame never gets longer than it was announced.
func TestExact(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	e := &exact{out: &out, left: 5}
	if _, err := e.Write([]byte("12345")); err != nil {
		t.Error(err)
	}
	if _, err := e.Write([]byte("6")); err == nil || out.String() != "12345" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func FuzzParseSum(f *testing.F) {
	f.Add([]byte(strings.Repeat("a", 64) + "  ./x"))
	f.Add([]byte(strings.Repeat("a", 64) + "  x"))
	f.Add([]byte("big/" + strings.Repeat("a", 64) + "/0.1.2"))
	m := dataset.Manifest{{Path: "a", Size: 5}, {Path: "big", Size: 1 << 30}}
	f.Fuzz(func(t *testing.T, line []byte) {
		if sum, name, ok := parseSum(line); ok {
			if again := appendSum(nil, dataset.File{Path: name, SHA256: sum}); !strings.EqualFold(string(again), string(line)+"\n") {
				t.Errorf("%q became %q", line, again)
			}
		}
		p, err := NewPlan("cats", m, DefaultRoot)
		if err != nil {
			t.Fatal(err)
		}
		y := newSurvey(p)
		y.noteOwn(line)
		y.noteOther(line)
		y.flush("0123456789abcdef")
		for _, j := range y.jobs {
			for _, name := range j.links {
				if checkPath(name) != nil {
					t.Errorf("%q gets into an archive", name)
				}
			}
		}
	})
}
