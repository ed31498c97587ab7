package stage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// bigFile is a file that travels in ranges. Whoever reads a range reads on from where the last one ended, so that the whole file is
// hashed in order, on the way, whatever session each of its ranges takes; a range that is needed again is read again and compared.
type bigFile struct {
	file dataset.File
	src  *dataset.Dataset
	line string // its sums line, without the line break
	id   string // the sha256 of that line
	step int64  // bytes of a range

	mu     sync.Mutex
	reader io.ReadCloser // at the start of range len(sums); nil before the first and after the last
	whole  hash.Hash
	sums   [][sha256.Size]byte // of the ranges that were read
	left   int                 // ranges without a receipt
	have   map[int64]string    // receipts by offset: "<length>.<sha256>"
	denied int                 // how often the volume has refused to make a file of the ranges

	suspect bool

	sent, found int64 // bytes of the ranges that were counted
}

func newBigFile(src *dataset.Dataset, p Plan, index int32) *bigFile {
	file := p.Manifest[index]
	line := appendSum(nil, file)
	b := &bigFile{
		file: file, src: src, line: string(line[:len(line)-1]), id: digest(line), step: p.limits.rangeBytes,
		whole: sha256.New(), have: map[int64]string{},
	}
	b.left = b.ranges()
	return b
}

func (b *bigFile) ranges() int { return int((b.file.Size + b.step - 1) / b.step) }

func (b *bigFile) offset(number int) int64 { return int64(number) * b.step }

func (b *bigFile) length(number int) int64 { return min(b.step, b.file.Size-b.offset(number)) }

// jobs are the ranges, in order.
func (b *bigFile) jobs(index int32) []*job {
	all := make([]*job, b.ranges())
	for n := range all {
		all[n] = &job{kind: frameRange, files: []int32{index}, id: b.id, big: b, number: n, payload: b.length(n)}
	}
	return all
}

// read fills buffer with a range and returns its sha256. The error is a *dataset.ChangedError when the file is not the one of the
// manifest any more, or a *FileError.
func (b *bigFile) read(ctx context.Context, number int, buffer []byte) ([]byte, [sha256.Size]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	buffer = buffer[:b.length(number)]
	if number < len(b.sums) {
		err := b.again(ctx, number, buffer)
		return buffer, b.sums[number], err
	}
	for number >= len(b.sums) {
		if ctx.Err() != nil {
			return nil, [sha256.Size]byte{}, context.Cause(ctx)
		}
		if err := b.advance(buffer[:0]); err != nil {
			return nil, [sha256.Size]byte{}, err
		}
	}
	return buffer, b.sums[number], nil
}

// advance reads the next range into the memory of buffer, which has room for any.
func (b *bigFile) advance(buffer []byte) error {
	if b.reader == nil {
		file, err := b.src.OpenFile(b.file)
		if err != nil {
			return readError(b.file.Path, err)
		}
		b.reader = file
	}
	next := len(b.sums)
	buffer = buffer[:b.length(next)]
	if err := readFull(b.reader, buffer, b.file.Path); err != nil {
		return err
	}
	_, _ = b.whole.Write(buffer) // never fails (hash.Hash)
	sum := sha256.Sum256(buffer)
	if next == b.ranges()-1 {
		if err := b.end(); err != nil {
			return err
		}
	}
	b.sums = append(b.sums, sum)
	return nil
}

func (b *bigFile) end() error {
	if err := atEnd(b.reader, b.file.Path); err != nil {
		return err
	}
	if !bytes.Equal(b.whole.Sum(nil), b.file.SHA256[:]) {
		return &dataset.ChangedError{Path: b.file.Path, What: "its content is not what was checked"}
	}
	b.close()
	return nil
}

// again reads a range that was read before.
func (b *bigFile) again(ctx context.Context, number int, buffer []byte) error {
	file, err := b.src.OpenFile(b.file)
	if err != nil {
		return readError(b.file.Path, err)
	}
	defer func() { _ = file.Close() }() // it was only read
	if err := skip(ctx, file, b.offset(number)); err != nil {
		return readError(b.file.Path, err)
	}
	if err := readFull(file, buffer, b.file.Path); err != nil {
		return err
	}
	if sha256.Sum256(buffer) != b.sums[number] {
		return &dataset.ChangedError{Path: b.file.Path, What: "its content is not what was checked"}
	}
	return nil
}

// skip goes to an offset; a repaired file can only be read on.
func skip(ctx context.Context, file io.Reader, offset int64) error {
	if seeker, ok := file.(io.Seeker); ok {
		_, err := seeker.Seek(offset, io.SeekStart)
		return err
	}
	for offset > 0 && ctx.Err() == nil {
		n, err := io.CopyN(io.Discard, file, min(offset, chunkBytes))
		if offset -= n; err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// known tells whether the volume has a range already, verified.
func (b *bigFile) known(number int, sum [sha256.Size]byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.have[b.offset(number)] == fmt.Sprintf("%d.%s", b.length(number), hex.EncodeToString(sum[:]))
}

// received counts a range; last is true for the last one.
func (b *bigFile) received(number int, sent bool) (last bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if sent {
		b.sent += b.length(number)
	} else {
		b.found += b.length(number)
	}
	b.left--
	return b.left == 0
}

// partly tells whether the receipts of the ranges are not enough: some are of an earlier attempt, since when the node may have lost its
// power, or of a session that broke, which may have written on.
func (b *bigFile) partly() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.found > 0 || b.suspect
}

// suspects notes that a range was refused, or that its session broke.
func (b *bigFile) suspects() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.suspect = true
}

// deny counts a refusal of the whole, and returns their number.
func (b *bigFile) deny() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.denied++
	return b.denied
}

// restart starts over: some ranges are gone from the volume. It returns what was counted of them.
func (b *bigFile) restart(index int32) (jobs []*job, sent, found int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	sent, found = b.sent, b.found
	b.sent, b.found, b.left = 0, 0, b.ranges()
	clear(b.have)
	return b.jobs(index), sent, found
}

// close gives back the file. It is for whoever holds mu, or is the last to use b.
func (b *bigFile) close() {
	if b.reader != nil {
		_ = b.reader.Close() // it was only read
		b.reader = nil
	}
}

// readFull fills buffer; a file that ends before has changed.
func readFull(file io.Reader, buffer []byte, path string) error {
	_, err := io.ReadFull(file, buffer)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &dataset.ChangedError{Path: path, What: "it shrank"}
	case err != nil:
		return readError(path, err)
	}
	return nil
}
