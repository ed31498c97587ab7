package preflight

import (
	"fmt"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

const (
	// maxPixels is where PIL takes an image for a decompression bomb.
	maxPixels = 178_956_970
	// minPixels is the least width and height that newer ingestors take (contract/ingestor.md 6).
	minPixels = 32
)

func (s size) String() string { return fmt.Sprintf("%dx%d", s.width, s.height) }

// judgeSize applies the rules about the size of one image alone.
func (c *checker) judgeSize(i int, h dataset.ImageHeader) {
	e := c.staged[i]
	if int64(h.Width)*int64(h.Height) > maxPixels {
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

// checkSizes holds all images to one size, and returns it: the wanted one, else the most frequent
// (contract/ingestor.md 2.0, "ImageResolutionValidator").
func (c *checker) checkSizes() [2]int {
	count, images := map[size]int{}, 0
	for _, s := range c.sizes {
		if s != (size{}) {
			count[s]++
			images++
		}
	}
	want := size{width: int32(c.TargetSize[0]), height: int32(c.TargetSize[1])}
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
		if s == (size{}) || s == want {
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
