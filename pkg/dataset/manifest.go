package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

// File is one file of a manifest: what will stand at Path in the staged tree, and how to tell that the file on disk is
// still the one that was hashed. What is staged is the file's content, or for a file of NewFixedFile its repaired content.
type File struct {
	// Path is relative to the dataset's root, with slashes.
	Path string
	// Size is that of what is staged, in bytes.
	Size int64
	// SHA256 is the digest of what is staged.
	SHA256 [sha256.Size]byte

	id     identity
	linked bool   // as of the Entry
	fixed  *fixed // nil when the file is staged as it is
}

// fixed says how the content of a file on disk becomes what is staged.
type fixed struct {
	size    int64 // on disk
	options FixOptions
}

// NewFile makes the manifest's record of a walked file and the digest of its content.
func NewFile(e Entry, sum [sha256.Size]byte) File {
	return File{Path: e.Path, Size: e.Size, SHA256: sum, id: e.id, linked: e.linked}
}

// NewFixedFile makes the manifest's record of a walked CSV that is repaired on its way to the cluster: size and sum are
// those of what a Fixer with these options makes of it.
func NewFixedFile(e Entry, size int64, sum [sha256.Size]byte, fix FixOptions) File {
	return File{Path: e.Path, Size: size, SHA256: sum, id: e.id, linked: e.linked, fixed: &fixed{size: e.Size, options: fix}}
}

// entry is the file as the walk found it.
func (f File) entry() Entry {
	e := Entry{Path: f.Path, Size: f.Size, id: f.id, linked: f.linked}
	if f.fixed != nil {
		e.Size = f.fixed.size
	}
	return e
}

// Manifest is every file that is staged, sorted bytewise by path.
type Manifest []File

// Sort puts the files into the order that Canonical needs.
func (m Manifest) Sort() {
	slices.SortFunc(m, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
}

// Bytes is the sum of the sizes.
func (m Manifest) Bytes() int64 {
	var n int64
	for _, f := range m {
		n += f.Size
	}
	return n
}

// Canonical is the text that the tree id is made from: a line "<sha256 in hex>  <size>  <path>\n" per file, in order.
// It is unambiguous because a path holds no line break (the walk refuses control characters).
func (m Manifest) Canonical() []byte {
	var b bytes.Buffer
	line := make([]byte, 0, 128)
	for _, f := range m {
		line = f.appendCanonical(line[:0])
		b.Write(line)
	}
	return b.Bytes()
}

func (f File) appendCanonical(line []byte) []byte {
	line = hex.AppendEncode(line, f.SHA256[:])
	line = append(line, "  "...)
	line = strconv.AppendInt(line, f.Size, 10)
	line = append(line, "  "...)
	line = append(line, f.Path...)
	return append(line, '\n')
}

// TreeID names a staged tree by what is in it: the first 16 hex digits of the sha256 of Canonical. Equal data has an
// equal tree id on any machine.
func (m Manifest) TreeID() string {
	h := sha256.New()
	line := make([]byte, 0, 128)
	for _, f := range m {
		line = f.appendCanonical(line[:0])
		h.Write(line)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}
