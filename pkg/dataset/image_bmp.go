package dataset

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// bmpSize reads the two headers of a BMP. PIL opens more kinds of BMP than golang.org/x/image decodes.
func bmpSize(r io.Reader) (width, height int, err error) {
	var file [18]byte // the file header, and the length of the one behind it
	if _, err := io.ReadFull(r, file[:]); err != nil {
		return 0, 0, unexpectedEnd(err)
	}
	length := binary.LittleEndian.Uint32(file[14:])
	var bits uint16
	switch length {
	case 12:
		var h [8]byte
		if _, err := io.ReadFull(r, h[:]); err != nil {
			return 0, 0, unexpectedEnd(err)
		}
		width, height = int(binary.LittleEndian.Uint16(h[:])), int(binary.LittleEndian.Uint16(h[2:]))
		bits = binary.LittleEndian.Uint16(h[6:])
	case 40, 52, 56, 64, 108, 124:
		var h [36]byte
		if _, err := io.ReadFull(r, h[:]); err != nil {
			return 0, 0, unexpectedEnd(err)
		}
		width, height = int(binary.LittleEndian.Uint32(h[:])), int(int32(binary.LittleEndian.Uint32(h[4:])))
		bits = binary.LittleEndian.Uint16(h[10:])
		height = max(height, -height) // top-down
	default:
		return 0, 0, fmt.Errorf("header of %d bytes", length)
	}
	if !slices.Contains([]uint16{1, 4, 8, 16, 24, 32}, bits) {
		return 0, 0, fmt.Errorf("%d bits per pixel", bits)
	}
	return width, height, nil
}
