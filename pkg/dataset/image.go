package dataset

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"

	"image/gif"

	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// ImageHeader is what the first bytes of an image say.
type ImageHeader struct {
	// Format is the format of the content, whatever the file's name says: "jpeg", "png", "gif", "bmp", "webp", "tiff".
	Format string
	// Width and Height are in pixels, as stored: no orientation is applied, just as PIL's img.size.
	Width, Height int
}

var (
	// ErrNotImage says that the content is no image that PIL opens.
	ErrNotImage = errors.New("not a valid image (corrupt or unsupported format)")
	// ErrUnknownImage says that PIL may open the content, but this package cannot tell its size.
	ErrUnknownImage = errors.New("an image format whose size cannot be read here")
)

// format is one image format.
type format struct {
	name string
	// size reads the size; nil for a format that is only known by name.
	size func(r io.Reader) (width, height int, err error)
	// lenient is true where PIL opens much that size does not: its errors say nothing about PIL's verdict then.
	lenient bool
}

const magicLen = 16

// ReadImageHeader reads the size of an image, and no more of r than that takes; a *bufio.Reader is used as it is. It judges
// as PIL's Image.open does (contract/ingestor.md 2.0, "ImageResolutionValidator"): by content, and without decoding pixels.
// at, if not nil, is the same content for formats whose header stands at the end; size is its length in bytes. The error
// wraps ErrNotImage or ErrUnknownImage, or is an error of reading.
func ReadImageHeader(r io.Reader, at io.ReaderAt, size int64) (ImageHeader, error) {
	buffered := bufio.NewReaderSize(r, 4096)
	head, err := buffered.Peek(magicLen)
	if err != nil && !errors.Is(err, io.EOF) {
		return ImageHeader{}, err
	}
	f, ok := formatOf(head)
	if !ok {
		return ImageHeader{}, ErrNotImage
	}
	if f.size == nil {
		return ImageHeader{Format: f.name}, fmt.Errorf("%w: %s", ErrUnknownImage, f.name)
	}
	if f.name == "webp" && int64(binary.LittleEndian.Uint32(head[4:8]))+8 > size {
		return ImageHeader{Format: f.name}, fmt.Errorf("%w: webp: the file is cut short", ErrNotImage)
	}
	var src io.Reader = buffered
	if f.name == "tiff" && at != nil {
		src = io.NewSectionReader(at, 0, size) // a ReaderAt too, so that nothing is read into memory
	}
	w, h, err := f.size(src)
	return ImageHeader{Format: f.name, Width: w, Height: h}, f.judge(w, h, err)
}

// judge sorts a decoder's error into the two of this package.
func (f format) judge(w, h int, err error) error {
	var readError *readError
	switch {
	case errors.As(err, &readError):
		return readError.err
	case err != nil && f.lenient:
		return fmt.Errorf("%w: %s: %w", ErrUnknownImage, f.name, err)
	case err != nil:
		return fmt.Errorf("%w: %s: %w", ErrNotImage, f.name, err)
	case w <= 0 || h <= 0:
		return fmt.Errorf("%w: %s of %dx%d pixels", ErrNotImage, f.name, w, h)
	}
	return nil
}

// readError keeps a failing disk apart from a broken image.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// ImageSource marks errors of reading r, so that ReadImageHeader does not take them for a broken image.
func ImageSource(r io.Reader) io.Reader { return imageSource{r} }

type imageSource struct{ r io.Reader }

func (s imageSource) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &readError{err}
	}
	return n, err
}

// formatOf knows a format by the first bytes of a file.
func formatOf(head []byte) (format, bool) {
	starts := func(magics ...string) bool {
		for _, m := range magics {
			if bytes.HasPrefix(head, []byte(m)) {
				return true
			}
		}
		return false
	}
	switch {
	case starts("\xff\xd8\xff"):
		return format{name: "jpeg", size: jpegSize}, true
	case starts(pngSignature):
		return format{name: "png", size: pngSize}, true
	case starts("GIF87a", "GIF89a"):
		return format{name: "gif", size: config(gif.DecodeConfig)}, true
	case starts("BM"):
		return format{name: "bmp", size: bmpSize}, true
	case starts("RIFF") && len(head) >= 12 && string(head[8:12]) == "WEBP":
		return format{name: "webp", size: config(webp.DecodeConfig)}, true
	case starts("II*\x00", "MM\x00*"):
		return format{name: "tiff", size: config(tiff.DecodeConfig), lenient: true}, true
	case starts("II+\x00", "MM\x00+"):
		return format{name: "bigtiff"}, true
	case starts("\x00\x00\x00\x0cjP  \r\n\x87\n", "\xff\x4f\xff\x51"):
		return format{name: "jpeg2000"}, true
	case len(head) > 2 && head[0] == 'P' && head[1] >= '1' && head[1] <= '6' && isPNMSpace(head[2]):
		return format{name: "ppm"}, true
	case starts("8BPS"):
		return format{name: "psd"}, true
	case starts("\x00\x00\x01\x00"):
		return format{name: "ico"}, true
	case len(head) >= 12 && string(head[4:11]) == "ftypavi":
		return format{name: "avif"}, true
	case starts("DDS "):
		return format{name: "dds"}, true
	case starts("\x0a\x02\x01", "\x0a\x03\x01", "\x0a\x05\x01"):
		return format{name: "pcx"}, true
	case starts("\x01\xda"):
		return format{name: "sgi"}, true
	case starts("%!PS", "\xc5\xd0\xd3\xc6"):
		return format{name: "eps"}, true
	}
	return format{}, false
}

// isPNMSpace reports whether a byte may end the mark that a PNM file starts with.
func isPNMSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func config(decode func(io.Reader) (image.Config, error)) func(io.Reader) (int, int, error) {
	return func(r io.Reader) (int, int, error) {
		c, err := decode(r)
		return c.Width, c.Height, err
	}
}
