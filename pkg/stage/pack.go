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

const (
	blockTar = 512
	// chunkBytes is how much is written at once, and so how fine the watchdog sees.
	chunkBytes = 256 << 10
	// The members of a shard's archive.
	memberSums = "sums"
	memberTree = "tree/"
)

// packShard writes the archive of a shard: its sums, then its files. It hashes what it writes, so that a file that is not the one of the
// manifest any more ends with a *dataset.ChangedError that names it; a file that cannot be read is a *FileError.
func packShard(ctx context.Context, m dataset.Manifest, files []int32, src *dataset.Dataset, out io.Writer, buffer []byte) error {
	archive := tar.NewWriter(out)
	if err := packText(archive, memberSums, sumsOf(m, files)); err != nil {
		return err
	}
	for _, i := range files {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := archive.WriteHeader(header(memberTree+m[i].Path, m[i].Size)); err != nil {
			return err
		}
		if err := packFile(archive, src, m[i], buffer); err != nil {
			return err
		}
	}
	return archive.Close()
}

// header is GNU, because busybox does not read the PAX size of a file over 8 GiB and makes an empty one; it has no owner, because
// busybox would look the name up for every file.
func header(name string, size int64) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644, Format: tar.FormatGNU}
}

func packText(archive *tar.Writer, name string, text []byte) error {
	if err := archive.WriteHeader(header(name, int64(len(text)))); err != nil {
		return err
	}
	_, err := archive.Write(text)
	return err
}

// shardSize is the exact length of what packShard writes.
func shardSize(m dataset.Manifest, files []int32) int64 {
	sums := int64(0)
	total := int64(2 * blockTar)
	for _, i := range files {
		name := len(memberTree) + len(m[i].Path)
		sums += int64(2*sha256.Size + len("  ./\n") + len(m[i].Path))
		total += blockTar + blocks(m[i].Size)
		if name > 100 { // a longer name gets a header and blocks of its own, with a NUL at the end
			total += blockTar + blocks(int64(name)+1)
		}
	}
	return total + blockTar + blocks(sums)
}

func blocks(n int64) int64 { return (n + blockTar - 1) / blockTar * blockTar }

// packLinks writes the archive of a shard of hard links, which is unpacked in the directory of the table: scratch is the directory of
// the session there, source that of the tree that has the files, under the paths of links.
func packLinks(m dataset.Manifest, j *job, scratch string, out io.Writer) error {
	archive := tar.NewWriter(out)
	if err := packText(archive, scratch+"/"+memberSums, sumsOf(m, j.files)); err != nil {
		return err
	}
	for k, i := range j.files {
		h := header(scratch+"/"+memberTree+m[i].Path, 0)
		h.Typeflag, h.Linkname = tar.TypeLink, j.source+"/"+j.links[k]
		if err := archive.WriteHeader(h); err != nil {
			return err
		}
	}
	return archive.Close()
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

func packFile(archive io.Writer, src *dataset.Dataset, f dataset.File, buffer []byte) error {
	file, err := src.OpenFile(f)
	if err != nil {
		return readError(f.Path, err)
	}
	defer func() { _ = file.Close() }() // it was only read

	sum := sha256.New()
	for left := f.Size; left > 0; {
		part := buffer[:min(left, int64(len(buffer)))]
		if err := readFull(file, part, f.Path); err != nil {
			return err
		}
		_, _ = sum.Write(part) // never fails (hash.Hash)
		if _, err := archive.Write(part); err != nil {
			return err
		}
		left -= int64(len(part))
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

// isLocal reports whether err is about the dataset and not about the connection.
func isLocal(err error) bool {
	var changed *dataset.ChangedError
	var unreadable *FileError
	return errors.As(err, &changed) || errors.As(err, &unreadable)
}
