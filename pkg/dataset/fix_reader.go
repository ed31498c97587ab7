package dataset

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// fixedBlock is how much is read of a file at a time.
const fixedBlock = 256 << 10

// fixedReader reads the repaired content of a file.
type fixedReader struct {
	dataset *Dataset
	entry   Entry
	file    *os.File
	fixer   *Fixer
	block   []byte
	ready   bytes.Buffer // repaired, and not read yet
	err     error        // what follows it
}

func newFixedReader(d *Dataset, e Entry, file *os.File, fix FixOptions) *fixedReader {
	r := &fixedReader{dataset: d, entry: e, file: file, block: make([]byte, fixedBlock)}
	r.fixer = NewFixer(fix, &r.ready)
	return r
}

// Read reads on. At the end it gives a *ChangedError when the file is not what the walk found any more: its size on disk
// says nothing about how much there is to read, so only this check finds a file that was written to meanwhile.
func (r *fixedReader) Read(p []byte) (int, error) {
	for r.ready.Len() == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.fill()
	}
	return r.ready.Read(p)
}

func (r *fixedReader) fill() {
	n, err := r.file.Read(r.block)
	// A bytes.Buffer takes everything.
	_, _ = r.fixer.Write(r.block[:n])
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		r.err = io.EOF
		_ = r.fixer.Close()
		if err := r.dataset.Recheck(r.entry, r.file); err != nil {
			r.err = err
		}
	default:
		r.err = err
	}
}

// Close closes the file.
func (r *fixedReader) Close() error { return r.file.Close() }
