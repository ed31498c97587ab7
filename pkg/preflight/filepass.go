package preflight

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// size is the size of an image in pixels.
type size struct{ width, height int32 }

// fileBlock is how much is read of a file at a time.
const fileBlock = 256 << 10

// fileReader reads whole files, one after the other, with one buffer.
type fileReader struct {
	checker *checker
	hash    hash.Hash
	block   []byte
}

func newFileReader(c *checker) *fileReader {
	return &fileReader{checker: c, hash: sha256.New(), block: make([]byte, fileBlock)}
}

// file reads the i-th staged file once: its digest, and its image header where the task has images.
func (r *fileReader) file(ctx context.Context, i int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := r.checker
	e := c.staged[i]
	file, err := c.dataset.OpenEntry(e)
	if err != nil {
		return c.openError(e.Path, err)
	}
	err = r.content(ctx, i, file)
	if cerr := file.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("close %q: %w", e.Path, cerr)
	}
	return err
}

// openError makes a finding of a file that may not be read, and passes on every other error.
func (c *checker) openError(path string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		c.unreadable(path, fs.ErrPermission)
		return nil
	}
	return err
}

func (r *fileReader) content(ctx context.Context, i int, file *os.File) error {
	c := r.checker
	e := c.staged[i]
	r.hash.Reset()
	src := &countingReader{r: io.TeeReader(file, r.hash), told: c.read}
	if c.isImage(e) {
		h, err := dataset.ReadImageHeader(dataset.ImageSource(src), file, e.Size)
		if err := c.judgeHeader(i, h, err); err != nil {
			return err
		}
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, err := src.Read(r.block)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read %q: %w", e.Path, err)
		}
	}
	if err := c.dataset.Recheck(e, file); err != nil {
		return err
	}
	if src.n != e.Size {
		return &dataset.ChangedError{Path: e.Path, What: fmt.Sprintf("%d of %d bytes could be read", src.n, e.Size)}
	}
	r.hash.Sum(c.sums[i][:0])
	return nil
}

// isImage reports whether the ingestor opens the file as an image. It does so for images/ at any depth, and only for
// some extensions; the others break a rule of their own.
func (c *checker) isImage(e dataset.Entry) bool {
	if c.Task.Family != dataset.FamilyImage || e.Path == c.dataset.CSV {
		return false
	}
	prefix := c.Task.Dir + "/"
	if len(e.Path) < len(prefix) || e.Path[:len(prefix)] != prefix {
		return false
	}
	switch extensionOf(e.Path) {
	case ".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff":
		return true
	}
	return false
}

// judgeHeader applies the rules about one image; it returns only errors of reading.
func (c *checker) judgeHeader(i int, h dataset.ImageHeader, err error) error {
	e := c.staged[i]
	switch {
	case e.Size == 0:
		c.report.add("image-empty", Finding{File: e.Path, Message: "empty file (0 bytes)"})
	case errors.Is(err, dataset.ErrUnknownImage):
		c.report.add("image-unknown-format", Finding{File: e.Path, Message: err.Error()})
	case errors.Is(err, dataset.ErrNotImage):
		c.report.add("image-unreadable", Finding{File: e.Path, Message: err.Error()})
	case err != nil:
		return fmt.Errorf("read %q: %w", e.Path, err)
	default:
		c.sizes[i] = size{width: int32(min(h.Width, 1<<30)), height: int32(min(h.Height, 1<<30))}
		c.judgeSize(i, h)
	}
	return nil
}

// countingReader tells how much was read, as it is read.
type countingReader struct {
	r    io.Reader
	n    int64
	told func(n int64)
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if n > 0 {
		c.n += int64(n)
		c.told(int64(n))
	}
	return n, err
}
