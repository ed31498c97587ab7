package preflight

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

const (
	// maxPixels is where PIL takes an image for a decompression bomb.
	maxPixels = 178_956_970
	// minPixels is the least width and height that newer ingestors take (contract/ingestor.md 6).
	minPixels = 32
)

// size is the size of an image in pixels.
type size struct{ width, height int32 }

// sizeOf clamps what no image of a sane size has.
func sizeOf(width, height int) size {
	return size{width: int32(min(width, math.MaxInt32)), height: int32(min(height, math.MaxInt32))}
}

func (s size) String() string { return fmt.Sprintf("%dx%d", s.width, s.height) }

// imageCheck checks the headers of the images, and that all have one size (contract/ingestor.md 2.0,
// "ImageResolutionValidator").
type imageCheck struct {
	checker *checker
	prefix  string
	buffers chan *imageBuffers // that nobody uses now
}

// imageBuffers are what the check of one image needs room for.
type imageBuffers struct {
	header *bufio.Reader
	tail   [tailLen]byte
}

func newImageCheck(c *checker) *imageCheck {
	return &imageCheck{checker: c, prefix: c.Task.Dir + "/", buffers: make(chan *imageBuffers, runtime.GOMAXPROCS(0))}
}

// wants takes the files that the ingestor opens as images: at any depth, and with some extensions only. The others break
// a rule of their own.
func (m *imageCheck) wants(e dataset.Entry) bool {
	if !strings.HasPrefix(e.Path, m.prefix) {
		return false
	}
	switch extensionOf(e.Path) {
	case ".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff":
		return true
	}
	return false
}

// read applies the rules about one image.
func (m *imageCheck) read(i int, e dataset.Entry, content content) {
	c := m.checker
	b := m.take(dataset.ImageSource(content))
	defer m.give(b)
	h, err := dataset.ReadImageHeader(b.header, content.at, e.Size)
	switch {
	case e.Size == 0:
		c.report.add("image-empty", Finding{File: e.Path, Message: "empty file (0 bytes)"})
	case errors.Is(err, dataset.ErrUnknownImage):
		c.report.add("image-unknown-format", Finding{File: e.Path, Message: err.Error()})
	case errors.Is(err, dataset.ErrNotImage):
		c.report.add("image-unreadable", Finding{File: e.Path, Message: err.Error()})
	case err == nil:
		c.sizes[i] = sizeOf(h.Width, h.Height)
		c.judgeSize(i, h)
		if !whole(h.Format, content.at, e.Size, b.tail[:]) {
			c.report.add("image-truncated", Finding{File: e.Path, Message: fmt.Sprintf("the %s has no end: the file was cut short", h.Format)})
		}
	}
}

// take gets buffers that read from r.
func (m *imageCheck) take(r io.Reader) *imageBuffers {
	select {
	case b := <-m.buffers:
		b.header.Reset(r)
		return b
	default:
		return &imageBuffers{header: bufio.NewReaderSize(r, tailLen)}
	}
}

// give lays buffers aside for the next image.
func (m *imageCheck) give(b *imageBuffers) {
	b.header.Reset(nil)
	select {
	case m.buffers <- b:
	default:
	}
}

// tailLen is how far from the end of a file its end mark is looked for: some programs write a few bytes behind it.
const tailLen = 4096

// whole reports whether an image of the format has its end mark. Formats without one are taken for whole, and so is what
// cannot be read: whoever reads the file to its end reports that. tail is room for the end of the file.
func whole(format string, at io.ReaderAt, size int64, tail []byte) bool {
	mark := ""
	switch format {
	case "jpeg":
		mark = "\xff\xd9"
	case "png":
		mark = "IEND"
	default:
		return true
	}
	tail = tail[:min(size, int64(len(tail)))]
	n, err := at.ReadAt(tail, size-int64(len(tail)))
	return err != nil && !errors.Is(err, io.EOF) || bytes.Contains(tail[:n], []byte(mark))
}

func (m *imageCheck) finish() { m.checker.targetSize = m.checker.checkSizes(m.prefix) }

// judgeSize applies the rules about the size of one image alone.
func (c *checker) judgeSize(i int, h dataset.ImageHeader) {
	e := c.staged[i]
	if h.Width > maxPixels/h.Height {
		c.report.add("image-too-many-pixels", Finding{File: e.Path, Message: fmt.Sprintf("%dx%d pixels exceed the safe limit of %d", h.Width, h.Height, maxPixels)})
	}
	least := c.MinSize
	if least == [2]int{} {
		least = [2]int{minPixels, minPixels}
	}
	if h.Width < least[0] || h.Height < least[1] {
		c.report.add("image-too-small", Finding{File: e.Path, Message: fmt.Sprintf("%dx%d pixels; newer ingestors demand %dx%d", h.Width, h.Height, least[0], least[1])})
	}
}

// checkSizes holds all images to one size, and returns it: the wanted one, else the most frequent.
func (c *checker) checkSizes(prefix string) [2]int {
	count, images := map[size]int{}, 0
	for i, s := range c.sizes {
		if s != (size{}) && strings.HasPrefix(c.staged[i].Path, prefix) {
			count[s]++
			images++
		}
	}
	want := sizeOf(c.TargetSize[0], c.TargetSize[1])
	given := want != size{}
	if !given {
		want = mostFrequent(count)
	}
	if given && len(count) == 1 && count[want] == 0 {
		have := mostFrequent(count)
		c.report.addMany("image-target-size", count[have], Finding{
			Message: fmt.Sprintf("all images are %s; the target size is %s", have, want),
			Remedy:  fmt.Sprintf("use --target-size %s, or resize the images", have),
		})
		return [2]int{int(want.width), int(want.height)}
	}
	for i, s := range c.sizes {
		if s == (size{}) || s == want || !strings.HasPrefix(c.staged[i].Path, prefix) {
			continue
		}
		rule, message := "image-mixed-resolution", fmt.Sprintf("%s pixels; %d of %d images are %s", s, count[want], images, want)
		if given {
			rule, message = "image-target-size", fmt.Sprintf("%s pixels; the target size is %s", s, want)
		}
		c.report.add(rule, Finding{File: c.staged[i].Path, Message: message})
	}
	return [2]int{int(want.width), int(want.height)}
}

// mostFrequent breaks ties by the larger size, so that the result does not depend on the order of a map.
func mostFrequent(count map[size]int) size {
	var best size
	for s, n := range count {
		if n > count[best] || (n == count[best] && (s.width > best.width || (s.width == best.width && s.height > best.height))) {
			best = s
		}
	}
	return best
}
