package preflight

import (
	"bytes"
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

// fileBlock is how much is read of a file at a time.
const fileBlock = 256 << 10

// fileReader reads whole files, one after the other, with one buffer.
type fileReader struct {
	checker *checker
	hash    hash.Hash
	block   []byte
	memory  bytes.Reader // of a file in block
}

func newFileReader(c *checker) *fileReader {
	return &fileReader{checker: c, hash: sha256.New(), block: make([]byte, fileBlock)}
}

// file reads the i-th staged file once: for its digest, and for the check of the task that wants it.
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

// fileCheck is the check of the task that wants the file; nil for none.
func (c *checker) fileCheck(e dataset.Entry) fileCheck {
	for _, check := range c.checks {
		if check.files != nil && check.files.wants(e) {
			return check.files
		}
	}
	return nil
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
	if e.Size <= int64(len(r.block)) {
		return r.small(i, file)
	}
	src := &countingReader{r: io.TeeReader(file, r.hash), told: c.read, canceled: ctx.Err}
	if check := c.fileCheck(e); check != nil {
		check.read(i, e, content{Reader: src, at: file})
	}
	for src.err == nil {
		// The reader keeps its error.
		_, _ = src.Read(r.block)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if !errors.Is(src.err, io.EOF) {
		return fmt.Errorf("read %q: %w", e.Path, src.err)
	}
	if err := c.dataset.Recheck(e, file); err != nil {
		return err
	}
	if src.n != e.Size {
		return &dataset.ChangedError{Path: e.Path, What: fmt.Sprintf("%d of %d bytes could be read", src.n, e.Size)}
	}
	r.hash.Sum(c.files[i].SHA256[:0])
	return nil
}

// small reads a file that fits into the buffer at once, and lets the check of the task look at it there.
func (r *fileReader) small(i int, file *os.File) error {
	c := r.checker
	e := c.staged[i]
	n, err := io.ReadFull(file, r.block[:e.Size])
	c.read(int64(n))
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read %q: %w", e.Path, err)
	}
	if err := c.dataset.Recheck(e, file); err != nil {
		return err
	}
	if int64(n) != e.Size {
		return &dataset.ChangedError{Path: e.Path, What: fmt.Sprintf("%d of %d bytes could be read", n, e.Size)}
	}
	if check := c.fileCheck(e); check != nil {
		r.memory.Reset(r.block[:n])
		check.read(i, e, content{Reader: &r.memory, at: &r.memory})
	}
	_, _ = r.hash.Write(r.block[:n])
	r.hash.Sum(c.files[i].SHA256[:0])
	return nil
}

// countingReader tells how much was read, as it is read, and keeps its error.
type countingReader struct {
	r    io.Reader
	n    int64
	told func(n int64)
	// canceled says why the reading ends early, so that it does even where somebody reads on to the end; nil for a reader
	// whose owner looks.
	canceled func() error
	err      error // the first error, io.EOF among them
}

func (c *countingReader) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if c.canceled != nil {
		if c.err = c.canceled(); c.err != nil {
			return 0, c.err
		}
	}
	n, err := c.r.Read(p)
	c.err = err
	if n > 0 {
		c.n += int64(n)
		c.told(int64(n))
	}
	return n, err
}
