package dataset

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// JPEG markers that the scan looks at.
const (
	markerSOS = 0xda
	markerDHT = 0xc4
	markerJPG = 0xc8
	markerDAC = 0xcc
	markerDHP = 0xde
)

// jpegSize walks the markers up to the start of the scan, as PIL does: a file cut before that is no JPEG to PIL, while
// the standard library's decoder refuses encodings that PIL takes (arithmetic, lossless).
func jpegSize(r io.Reader) (width, height int, err error) {
	b := asBuffered(r)
	for {
		marker, err := nextMarker(b)
		switch {
		case err != nil:
			return 0, 0, err
		case marker == markerSOS:
			return width, height, nil
		case standalone(marker):
			continue
		case marker < 0xc0:
			return 0, 0, fmt.Errorf("no marker found, but 0xff%02x", marker)
		}
		length, err := segmentLength(b)
		if err != nil {
			return 0, 0, err
		}
		if isFrame(marker) {
			width, height, err = frameSize(b, length)
		} else {
			_, err = b.Discard(int(length))
		}
		if err != nil {
			return 0, 0, unexpectedEnd(err)
		}
	}
}

// nextMarker skips to the next marker: junk, fill bytes and stuffed zeros may stand before it.
func nextMarker(b *bufio.Reader) (byte, error) {
	for {
		c, err := b.ReadByte()
		if err != nil {
			return 0, unexpectedEnd(err)
		}
		if c != 0xff {
			continue
		}
		for c == 0xff {
			if c, err = b.ReadByte(); err != nil {
				return 0, unexpectedEnd(err)
			}
		}
		if c != 0 {
			return c, nil
		}
	}
}

// standalone markers have no length behind them.
func standalone(marker byte) bool {
	return marker == markerJPG || (marker >= 0xd0 && marker <= 0xd9) || (marker >= 0xf0 && marker <= 0xfd)
}

// isFrame reports whether a marker starts a frame header.
func isFrame(marker byte) bool {
	switch marker {
	case markerDHT, markerJPG, markerDAC:
		return false
	}
	return (marker >= 0xc0 && marker <= 0xcf) || marker == markerDHP
}

func segmentLength(b *bufio.Reader) (int64, error) {
	var raw [2]byte
	if _, err := io.ReadFull(b, raw[:]); err != nil {
		return 0, unexpectedEnd(err)
	}
	return max(0, int64(binary.BigEndian.Uint16(raw[:]))-2), nil
}

// frameSize reads a frame header: precision, height, width, number of components.
func frameSize(b *bufio.Reader, length int64) (width, height int, err error) {
	var raw [6]byte
	if length < int64(len(raw)) {
		return 0, 0, errors.New("frame header too short")
	}
	if _, err := io.ReadFull(b, raw[:]); err != nil {
		return 0, 0, err
	}
	if raw[0] != 8 {
		return 0, 0, fmt.Errorf("%d bits per sample; only 8 can be read", raw[0])
	}
	if n := raw[5]; n != 1 && n != 3 && n != 4 {
		return 0, 0, fmt.Errorf("%d color components; only 1, 3 or 4 can be read", n)
	}
	height = int(binary.BigEndian.Uint16(raw[1:3]))
	width = int(binary.BigEndian.Uint16(raw[3:5]))
	_, err = b.Discard(int(length) - len(raw))
	return width, height, err
}

func asBuffered(r io.Reader) *bufio.Reader {
	if b, ok := r.(*bufio.Reader); ok {
		return b
	}
	return bufio.NewReader(r)
}

// unexpectedEnd words the end of a file in the middle of a header.
func unexpectedEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file ends inside the header")
	}
	return err
}
