package dataset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// pngSize walks the chunks up to the first image data, as PIL does: all of them must be whole, with right checksums.
func pngSize(r io.Reader) (width, height int, err error) {
	b := asBuffered(r)
	if _, err := b.Discard(len(pngSignature)); err != nil {
		return 0, 0, unexpectedEnd(err)
	}
	for {
		var head [8]byte
		if _, err := io.ReadFull(b, head[:]); err != nil {
			return 0, 0, unexpectedEnd(err)
		}
		length, name := int64(binary.BigEndian.Uint32(head[:4])), string(head[4:])
		switch {
		case !chunkName(name):
			return 0, 0, fmt.Errorf("broken chunk %q", name)
		case name == "IDAT" || name == "IEND":
			if width == 0 {
				return 0, 0, errors.New("image data before the header")
			}
			return width, height, nil
		}
		sum := crc32.NewIEEE()
		sum.Write(head[4:])
		body := io.TeeReader(b, sum)
		if name == "IHDR" {
			width, height, err = pngHeader(body, length)
		} else {
			_, err = io.CopyN(io.Discard, body, length)
		}
		if err != nil {
			return 0, 0, unexpectedEnd(err)
		}
		var want [4]byte
		if _, err := io.ReadFull(b, want[:]); err != nil {
			return 0, 0, unexpectedEnd(err)
		}
		if binary.BigEndian.Uint32(want[:]) != sum.Sum32() {
			return 0, 0, fmt.Errorf("chunk %q has a wrong checksum", name)
		}
	}
}

// pngHeader reads IHDR and refuses the combinations of depth and color type that PNG does not have.
func pngHeader(r io.Reader, length int64) (width, height int, err error) {
	if length < 13 {
		return 0, 0, errors.New("header too short")
	}
	var raw [13]byte
	if _, err := io.ReadFull(r, raw[:]); err != nil {
		return 0, 0, err
	}
	depths := [][]byte{0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
	depth, color := raw[8], int(raw[9])
	if color >= len(depths) || !slices.Contains(depths[color], depth) {
		return 0, 0, fmt.Errorf("color type %d with %d bits", color, depth)
	}
	if length > 13 {
		_, err = io.CopyN(io.Discard, r, length-13)
	}
	return int(binary.BigEndian.Uint32(raw[:4])), int(binary.BigEndian.Uint32(raw[4:8])), err
}

func chunkName(name string) bool {
	for _, c := range []byte(name) {
		if (c|0x20) < 'a' || (c|0x20) > 'z' {
			return false
		}
	}
	return len(name) == 4
}
