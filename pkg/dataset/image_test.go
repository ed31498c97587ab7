package dataset

import (
	"bytes"
	"encoding/base64"
	"errors"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// encoded is an image of 33x47 pixels in the format.
func encoded(t testing.TB, encode func(io.Writer, image.Image) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b, image.NewGray(image.Rect(0, 0, 33, 47))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func jpegFile(t testing.TB) string {
	return encoded(t, func(w io.Writer, m image.Image) error { return jpeg.Encode(w, m, nil) })
}

func gifFile(t testing.TB) string {
	return encoded(t, func(w io.Writer, m image.Image) error { return gif.Encode(w, m, nil) })
}

func tiffFile(t testing.TB) string {
	return encoded(t, func(w io.Writer, m image.Image) error { return tiff.Encode(w, m, nil) })
}

// webpFile is a lossless WebP of one pixel.
func webpFile(t testing.TB) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestReadImageHeader(t *testing.T) {
	t.Parallel()
	jpg, pngData := jpegFile(t), encoded(t, png.Encode)
	// A segment of 60,000 bytes, fill bytes and a stuffed zero before the frame.
	long := jpg[:2] + "\xff\xe1\xea\x62" + string(make([]byte, 60000)) + "\xff\xff\xff\x00" + jpg[2:]
	at := bytes.Index([]byte(jpg), []byte("\xff\xc0"))
	twelveBit := jpg[:at+4] + "\x0c" + jpg[at+5:]
	cases := []struct {
		name   string
		data   string
		format string
		size   [2]int
		err    error
	}{
		{"jpeg", jpg, "jpeg", [2]int{33, 47}, nil},
		{"jpeg without pixels", jpg[:bytes.Index([]byte(jpg), []byte("\xff\xda"))+2], "jpeg", [2]int{33, 47}, nil},
		{"jpeg with much before its frame", long, "jpeg", [2]int{33, 47}, nil},
		{"jpeg cut before its scan", jpg[:at+12], "jpeg", [2]int{}, ErrNotImage},
		{"jpeg of 12 bits", twelveBit, "jpeg", [2]int{}, ErrNotImage},
		{"png", pngData, "png", [2]int{33, 47}, nil},
		{"png without pixels", pngData[:41], "png", [2]int{33, 47}, nil},
		{"png cut behind its header", pngData[:33], "png", [2]int{}, ErrNotImage},
		{"png with a wrong checksum", pngData[:19] + "\x01" + pngData[20:], "png", [2]int{}, ErrNotImage},
		{"gif", gifFile(t), "gif", [2]int{33, 47}, nil},
		{"bmp", encoded(t, bmp.Encode), "bmp", [2]int{33, 47}, nil},
		{"bmp header", encoded(t, bmp.Encode)[:54], "bmp", [2]int{33, 47}, nil},
		{"tiff, whose header is at the end", tiffFile(t), "tiff", [2]int{33, 47}, nil},
		{"broken tiff", "II*\x00\xff\xff\xff\x7f", "tiff", [2]int{}, ErrUnknownImage},
		{"webp", webpFile(t), "webp", [2]int{1, 1}, nil},
		{"cut webp", webpFile(t)[:30], "webp", [2]int{}, ErrNotImage},
		{"ppm", "P6 1 1 255 abc", "ppm", [2]int{}, ErrUnknownImage},
		{"text", "hello, world: this is no image", "", [2]int{}, ErrNotImage},
		{"empty", "", "", [2]int{}, ErrNotImage},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := bytes.NewReader([]byte(c.data))
			got, err := ReadImageHeader(io.NewSectionReader(r, 0, r.Size()), r, r.Size())
			if !errors.Is(err, c.err) || (c.err == nil && err != nil) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if err == nil && (got.Format != c.format || [2]int{got.Width, got.Height} != c.size) {
				t.Errorf("got %+v, want %s of %v", got, c.format, c.size)
			}
		})
	}
}

// brokenDisk fails in the middle of a file.
type brokenDisk struct {
	data string
	err  error
}

func (b *brokenDisk) Read(p []byte) (int, error) {
	if b.data == "" {
		return 0, b.err
	}
	n := copy(p, b.data)
	b.data = b.data[n:]
	return n, nil
}

func TestReadImageHeaderKeepsReadErrors(t *testing.T) {
	t.Parallel()
	disk := errors.New("input/output error")
	for name, data := range map[string]string{"nothing": "", "jpeg": jpegFile(t)[:40], "png": encoded(t, png.Encode)[:30], "gif": gifFile(t)[:11]} {
		_, err := ReadImageHeader(ImageSource(&brokenDisk{data: data, err: disk}), nil, 0)
		if !errors.Is(err, disk) || errors.Is(err, ErrNotImage) {
			t.Errorf("%s: error %v, want the disk's", name, err)
		}
	}
}

func FuzzReadImageHeader(f *testing.F) {
	for _, seed := range []string{jpegFile(f), encoded(f, png.Encode), gifFile(f), encoded(f, bmp.Encode), tiffFile(f), webpFile(f)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		h, err := ReadImageHeader(r, bytes.NewReader(data), int64(len(data)))
		switch {
		case err == nil && (h.Width <= 0 || h.Height <= 0 || h.Format == ""):
			t.Errorf("header %+v without an error", h)
		case err != nil && !errors.Is(err, ErrNotImage) && !errors.Is(err, ErrUnknownImage):
			t.Errorf("error %v is neither of the two", err)
		}
	})
}
