package preflight

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"runtime"
	"sync"
)

// scratch are files for what does not fit into memory. They have no names, where the system allows that, so that nothing is
// left behind whatever ends the process. Its methods may be called by many goroutines at once.
type scratch struct {
	// canceled says why the run ends early; nil while it does not.
	canceled func() error

	mu    sync.Mutex
	files map[*os.File]struct{} // that are open
	dirs  []string              // that could not be removed yet
	first error
}

// create makes a file to write and then to read. It is closed by discard, or else by close.
func (s *scratch) create() (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	dir, err := os.MkdirTemp("", "kubectl-tracebloc-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for what does not fit into memory: %w", err)
	}
	file, err := createIn(dir)
	if err == nil {
		if s.files == nil {
			s.files = map[*os.File]struct{}{}
		}
		s.files[file] = struct{}{}
	}
	// Windows keeps the names of open files, and so may a network's file system.
	if (err == nil && runtime.GOOS == "windows") || os.RemoveAll(dir) != nil {
		s.dirs = append(s.dirs, dir)
	}
	return file, err
}

func createIn(dir string) (*os.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", dir, err)
	}
	file, err := root.OpenFile("claims", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	// Nothing was written to the directory itself.
	_ = root.Close()
	return file, err
}

// discard closes a file that is not needed any more, which frees its room on the disk where it has no name.
func (s *scratch) discard(file *os.File) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.files, file)
	return file.Close()
}

// fail keeps the first error.
func (s *scratch) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == nil {
		s.first = err
	}
}

// err is the first error, or why the run ends early; nil for none.
func (s *scratch) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first != nil {
		return s.first
	}
	return s.canceled()
}

// close closes and removes what is left.
func (s *scratch) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []error
	for file := range s.files {
		all = append(all, file.Close())
	}
	for _, dir := range s.dirs {
		all = append(all, os.RemoveAll(dir))
	}
	s.files, s.dirs = nil, nil
	return errors.Join(all...)
}

// claim is what one row says about its key.
type claim struct {
	key       uint64
	row, line int64
	// label and time belong to sequences: the hash of the label, and the time if the row has a valid one.
	label uint64
	time  int64
	timed bool
}

// claimSize is the length of a claim in a file.
const claimSize = 5*8 + 1

func (c claim) append(b []byte) []byte {
	for _, n := range []uint64{c.key, uint64(c.row), uint64(c.line), c.label, uint64(c.time)} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	if c.timed {
		return append(b, 1)
	}
	return append(b, 0)
}

func readClaim(b []byte) claim {
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
	return claim{key: at(0), row: int64(at(1)), line: int64(at(2)), label: at(3), time: int64(at(4)), timed: b[5*8] == 1}
}

// holding is what is known of a key.
type holding struct {
	key, label uint64
	time       int64
	row        int64 // the first one with the key
	flags      uint8 // free for the judge
}

const (
	// maxHoldings bounds the memory of a ledger: 2^17 slots of 40 bytes, and half as much again while they grow. Files have
	// buffers beside them.
	maxHoldings = 1 << 17 * 7 / 8
	// partBits is the number of bits of a key that choose its file.
	partBits = 6
	// partBuffer is what is buffered of each file.
	partBuffer = 16 << 10
)

// ledger folds the rows of each key, in order, in bounded memory: once it holds as many keys as it may, rows of further keys
// go to files by the bits of their key, and each file is folded by itself in the end.
type ledger struct {
	scratch *scratch
	// judge is given the holding of a row's key, which the first row of the key has made, and every further row.
	judge func(h *holding, c claim)
	limit int
	depth int

	slots []holding
	used  int
	parts []*part
	buf   []byte
}

// part is a file of claims.
type part struct {
	file *os.File
	w    *bufio.Writer
	n    int64
}

func newLedger(s *scratch, judge func(h *holding, c claim)) *ledger {
	return &ledger{scratch: s, judge: judge, limit: maxHoldings}
}

// add folds a row. Errors are the scratch's.
func (l *ledger) add(c claim) {
	if c.key == 0 {
		c.key = 1 // zero is an empty slot
	}
	if l.used*8 >= len(l.slots)*7 && l.used < l.limit {
		l.grow()
	}
	h := l.slot(c.key)
	switch {
	case h.key != 0:
		l.judge(h, c)
	case l.used < l.limit && l.parts == nil:
		l.used++
		*h = holding{key: c.key, label: c.label, time: c.time, row: c.row}
		if c.timed {
			h.flags |= holdsTime
		}
	default:
		l.spill(c)
	}
}

// holdsTime is the flag of a holding whose time counts.
const holdsTime = 1

// slot is where a key is, or would be.
func (l *ledger) slot(key uint64) *holding {
	mask := len(l.slots) - 1
	for i := int(key) & mask; ; i = (i + 1) & mask {
		if h := &l.slots[i]; h.key == key || h.key == 0 {
			return h
		}
	}
}

func (l *ledger) grow() {
	old := l.slots
	l.slots = make([]holding, max(64, 2*len(old)))
	for i := range old {
		if old[i].key != 0 {
			*l.slot(old[i].key) = old[i]
		}
	}
}

// spill writes a row of a key that is not held.
func (l *ledger) spill(c claim) {
	if l.parts == nil {
		l.parts = make([]*part, 1<<partBits)
	}
	// The slots take the low bits, deeper ledgers the next ones from the top.
	i := bits.RotateLeft64(c.key, partBits*(l.depth+1)) & (1<<partBits - 1)
	p := l.parts[i]
	if p == nil {
		file, err := l.scratch.create()
		if err != nil {
			l.scratch.fail(err)
			return
		}
		p = &part{file: file, w: bufio.NewWriterSize(file, partBuffer)}
		l.parts[i] = p
	}
	l.buf = c.append(l.buf[:0])
	if _, err := p.w.Write(l.buf); err != nil {
		l.scratch.fail(fmt.Errorf("write what does not fit into memory: %w", err))
		return
	}
	p.n++
}

// finish folds what went to files. The ledger must not be used afterwards.
func (l *ledger) finish() {
	r := bufio.NewReaderSize(nil, 1<<16)
	for i, p := range l.parts {
		if p == nil {
			continue
		}
		if err := l.finishPart(p, r); err != nil {
			l.scratch.fail(fmt.Errorf("read what did not fit into memory: %w", err))
		}
		l.parts[i] = nil
	}
}

// finishPart folds a file in the slots that its claims did not fit into.
func (l *ledger) finishPart(p *part, r *bufio.Reader) (err error) {
	defer func() {
		if cerr := l.scratch.discard(p.file); err == nil {
			err = cerr
		}
	}()
	if err := l.scratch.err(); err != nil {
		return err
	}
	if err := p.w.Flush(); err != nil {
		return err
	}
	if _, err := p.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	clear(l.slots)
	deeper := &ledger{scratch: l.scratch, judge: l.judge, limit: l.limit, depth: l.depth + 1, slots: l.slots}
	r.Reset(p.file)
	b := make([]byte, claimSize)
	for n := range p.n {
		if n%(1<<16) == 0 {
			if err := l.scratch.err(); err != nil {
				return err
			}
		}
		if _, err := io.ReadFull(r, b); err != nil {
			return err
		}
		deeper.add(readClaim(b))
	}
	deeper.finish()
	return nil
}
