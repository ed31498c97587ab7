package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"

	"image/gif"

	"golang.org/x/image/bmp"
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

// format is one image format, known by the first bytes of its content.
type format struct {
	name  string
	magic func(head []byte) bool
	// size reads the size; nil for a format that is only known by name.
	size func(r io.Reader) (width, height int, err error)
}

const magicLen = 16

// ReadImageHeader reads the size of an image, and no more of r than that takes. It judges as PIL's Image.open does
// (contract/ingestor.md 2.0, "ImageResolutionValidator"): by content, and without decoding pixels. at, if not nil, is the
// same content for formats whose header stands at the end. The error wraps ErrNotImage or ErrUnknownImage, or is an
// error of reading.
func ReadImageHeader(r io.Reader, at io.ReaderAt, size int64) (ImageHeader, error) {
	buffered := bufio.NewReaderSize(r, 4096)
	head, err := buffered.Peek(magicLen)
	if err != nil && !errors.Is(err, io.EOF) {
		return ImageHeader{}, err
	}
	for _, f := range formats() {
		if !f.magic(head) {
			continue
		}
		if f.size == nil {
			return ImageHeader{Format: f.name}, fmt.Errorf("%w: %s", ErrUnknownImage, f.name)
		}
		var src io.Reader = buffered
		if f.name == "tiff" && at != nil {
			src = io.NewSectionReader(at, 0, size) // a ReaderAt too, so that nothing is read into memory
		}
		w, h, err := f.size(src)
		return ImageHeader{Format: f.name, Width: w, Height: h}, imageError(f.name, w, h, err)
	}
	return ImageHeader{}, ErrNotImage
}

// imageError sorts a decoder's error into the two of this package.
func imageError(name string, w, h int, err error) error {
	var (
		tiffUnsupported tiff.UnsupportedError
		readError       *readError
	)
	switch {
	case errors.As(err, &readError):
		return readError.err
	case errors.As(err, &tiffUnsupported), errors.Is(err, bmp.ErrUnsupported):
		return fmt.Errorf("%w: %s: %w", ErrUnknownImage, name, err)
	case err != nil:
		return fmt.Errorf("%w: %s: %w", ErrNotImage, name, err)
	case w <= 0 || h <= 0:
		return fmt.Errorf("%w: %s of %dx%d pixels", ErrNotImage, name, w, h)
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

func formats() []format {
	return []format{
		{"jpeg", prefix("\xff\xd8\xff"), jpegSize},
		{"png", prefix(pngSignature), pngSize},
		{"gif", anyPrefix("GIF87a", "GIF89a"), config(gif.DecodeConfig)},
		{"bmp", prefix("BM"), config(bmp.DecodeConfig)},
		{"webp", func(b []byte) bool {
			return bytes.HasPrefix(b, []byte("RIFF")) && len(b) >= 12 && string(b[8:12]) == "WEBP"
		}, config(webp.DecodeConfig)},
		{"tiff", anyPrefix("II*\x00", "MM\x00*"), config(tiff.DecodeConfig)},
		{"bigtiff", anyPrefix("II+\x00", "MM\x00+"), nil},
		{"jpeg2000", anyPrefix("\x00\x00\x00\x0cjP  \r\n\x87\n", "\xff\x4f\xff\x51"), nil},
		{"ppm", func(b []byte) bool { return len(b) > 2 && b[0] == 'P' && b[1] >= '1' && b[1] <= '6' && isBlank(b[2]) }, nil},
		{"psd", prefix("8BPS"), nil},
		{"ico", prefix("\x00\x00\x01\x00"), nil},
		{"avif", func(b []byte) bool { return len(b) >= 12 && string(b[4:8]) == "ftyp" && string(b[8:11]) == "avi" }, nil},
		{"dds", prefix("DDS "), nil},
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func prefix(magic string) func([]byte) bool { return anyPrefix(magic) }

func anyPrefix(magics ...string) func([]byte) bool {
	return func(head []byte) bool {
		for _, m := range magics {
			if bytes.HasPrefix(head, []byte(m)) {
				return true
			}
		}
		return false
	}
}

func config(decode func(io.Reader) (image.Config, error)) func(io.Reader) (int, int, error) {
	return func(r io.Reader) (int, int, error) {
		c, err := decode(r)
		return c.Width, c.Height, err
	}
}
