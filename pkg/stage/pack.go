package stage

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// pack writes the plan to out: the manifest, then one archive with every file. It hashes what it sends, so that a file that is not the
// one of the manifest any more ends with a *dataset.ChangedError that names it; a file that cannot be read is a *FileError.
func pack(ctx context.Context, plan Plan, src *dataset.Dataset, out *framer) error {
	out.kind = frameManifest
	if _, err := out.Write(plan.sums()); err != nil {
		return err
	}
	if err := out.flush(); err != nil {
		return err
	}
	out.kind = frameArchive
	archive := tar.NewWriter(out)
	buffer := make([]byte, chunkBytes)
	for _, f := range plan.Manifest {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		// GNU, because busybox does not read the PAX size of a file over 8 GiB and makes an empty one; no owner, because busybox would
		// look the name up for every file.
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.Path, Size: f.Size, Mode: 0o644, Format: tar.FormatGNU}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if err := packFile(ctx, archive, src, f, out, buffer); err != nil {
			return err
		}
		if err := out.endFile(); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return out.flush()
}

// FileError says that a file of the dataset could not be read.
type FileError struct {
	Path string
	Err  error
}

// Error names the file.
func (e *FileError) Error() string { return fmt.Sprintf("file %q: %v", e.Path, e.Err) }

// Unwrap returns Err.
func (e *FileError) Unwrap() error { return e.Err }

func packFile(ctx context.Context, archive *tar.Writer, src *dataset.Dataset, f dataset.File, out *framer, buffer []byte) error {
	file, err := src.OpenFile(f)
	if err != nil {
		return readError(f.Path, err)
	}
	defer func() { _ = file.Close() }() // it was only read

	sum := sha256.New()
	left := f.Size
	for left > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := io.ReadFull(file, buffer[:min(left, int64(len(buffer)))])
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return &dataset.ChangedError{Path: f.Path, What: "it shrank"}
		case err != nil:
			return readError(f.Path, err)
		}
		_, _ = sum.Write(buffer[:n]) // never fails (hash.Hash)
		if _, err := archive.Write(buffer[:n]); err != nil {
			return err
		}
		out.payload += int64(n)
		left -= int64(n)
	}
	if err := atEnd(file, f.Path); err != nil {
		return err
	}
	if !bytes.Equal(sum.Sum(nil), f.SHA256[:]) {
		return &dataset.ChangedError{Path: f.Path, What: "its content is not what was checked"}
	}
	return nil
}

// atEnd makes sure that nothing follows what the manifest says.
func atEnd(file io.Reader, path string) error {
	n, err := file.Read(make([]byte, 1))
	switch {
	case n > 0:
		return &dataset.ChangedError{Path: path, What: "it grew"}
	case err != nil && !errors.Is(err, io.EOF):
		return readError(path, err)
	}
	return nil
}

// readError names the file, unless the error is one that names it: the dataset changed.
func readError(path string, err error) error {
	var changed *dataset.ChangedError
	if errors.As(err, &changed) {
		return err
	}
	return &FileError{Path: path, Err: err}
}
