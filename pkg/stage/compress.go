package stage

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// Compress says what travels compressed.
type Compress string

// The values of Compress.
const (
	CompressAuto   Compress = "auto"   // what shrinks, on a link that is slower than the compression
	CompressNever  Compress = "never"  // nothing
	CompressAlways Compress = "always" // everything
)

// ParseCompress returns the value of that name; "" is auto.
func ParseCompress(text string) (Compress, error) {
	switch c := Compress(text); c {
	case "":
		return CompressAuto, nil
	case CompressAuto, CompressNever, CompressAlways:
		return c, nil
	}
	return "", fmt.Errorf("%q: must be auto, never or always", text)
}

const (
	// fastLink is the rate above which sending as it is beats compressing: gzip makes some 180 MB/s of input on a core, and busybox
	// unpacks about as much; a shard that shrinks to a third leaves 60 MB/s for the link.
	fastLink = 40e6 // bytes per second
	// A first shard has no rate to go by. A session that opens faster than this is not far away.
	nearby = 300 * time.Millisecond
	// worthwhile is how much smaller a sample must become.
	worthwhile = 1.15
	// A sample is a few pieces of a shard.
	sampleFiles = 4
	sampleBytes = 64 << 10
	// Of the header and padding of a member this much is left, in bytes.
	packedHeader = 48
)

// compression decides for each shard, by a sample of it and by what the link has moved so far.
type compression struct {
	mode Compress

	mu    sync.Mutex
	rate  float64 // bytes per second that traveled, a moving average; 0 is unknown
	near  bool    // the first session opened fast
	since time.Time
	bytes int64
}

// opened notes how long the first session took to open.
func (c *compression) opened(took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.near, c.since = took < nearby, time.Now()
}

// moved counts bytes that arrived. What a second saw is a sample of the rate.
func (c *compression) moved(bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes += bytes
	took := time.Since(c.since)
	if took < time.Second {
		return
	}
	rate := float64(c.bytes) / took.Seconds()
	if c.rate > 0 {
		rate = (c.rate + rate) / 2
	}
	c.rate, c.bytes, c.since = rate, 0, time.Now()
}

func (c *compression) fast() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rate == 0 {
		return c.near
	}
	return c.rate >= fastLink
}

// full tells whether the link is known to move as much as it is worth to try.
func (c *compression) full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rate >= fastLink
}

// worth decides; sample is only called where it matters.
func (c *compression) worth(sample func() (before, after int64, err error)) (bool, error) {
	switch {
	case c.mode == CompressAlways:
		return true, nil
	case c.mode == CompressNever || c.fast():
		return false, nil
	}
	before, after, err := sample()
	return err == nil && float64(before) > worthwhile*float64(after), err
}

// sampleShard compresses the beginnings of some files.
func sampleShard(m dataset.Manifest, files []int32, src *dataset.Dataset) (before, after int64, err error) {
	buffer := make([]byte, sampleBytes)
	step := max(1, len(files)/sampleFiles)
	for k := 0; k < len(files); k += step {
		f := m[files[k]]
		n, err := readStart(src, f, buffer)
		if err != nil {
			return 0, 0, err
		}
		packed := packedSize(buffer[:n])
		// A file that is larger than the sample weighs less by its header.
		share := float64(n) / float64(max(1, f.Size))
		before += int64(n) + int64(share*float64(blockTar+blocks(f.Size)-f.Size))
		after += packed + int64(share*packedHeader)
	}
	return before, after, nil
}

func readStart(src *dataset.Dataset, f dataset.File, buffer []byte) (int, error) {
	file, err := src.OpenFile(f)
	if err != nil {
		return 0, readError(f.Path, err)
	}
	defer func() { _ = file.Close() }() // it was only read
	n := min(f.Size, int64(len(buffer)))
	return int(n), readFull(file, buffer[:n], f.Path)
}

// packedSize is how much of data is left when it is compressed.
func packedSize(data []byte) int64 {
	var n counter
	z := newGzip(&n)
	_, _ = z.Write(data) // a counter takes everything
	_ = z.Close()
	return int64(n)
}

// newGzip compresses at the level that keeps up with a link.
func newGzip(w io.Writer) *gzip.Writer {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return z
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
