package stage

import (
	"fmt"
	"io"
)

const (
	// frameBytes is the most that one frame carries, and what is held in memory of the data.
	frameBytes = 4 << 20
	// frameFiles ends a frame early: a slow volume unpacks few files in the time in which a session must show life.
	frameFiles = 256
	// framesInFlight bounds how far the sender runs ahead of the acknowledgments.
	framesInFlight = 4
	// chunkBytes is how much is written at once, and so how fine the watchdog sees.
	chunkBytes = 256 << 10
)

// The kinds of frames; script/receive.sh has the grammar.
const (
	frameManifest = 'M'
	frameArchive  = 'S'
)

// frame is what the receiver of the acknowledgments knows of a frame.
type frame struct {
	number  int
	payload int64 // bytes of files
	wire    int64 // bytes of the frame's body
}

// framer cuts what is written to it into frames.
type framer struct {
	kind byte
	// put writes one frame, and blocks while too many are in flight.
	put func(kind byte, f frame, body []byte) error

	number  int
	files   int
	payload int64
	body    []byte
}

func newFramer(put func(kind byte, f frame, body []byte) error) *framer {
	return &framer{put: put, body: make([]byte, 0, frameBytes)}
}

// Write adds to the current frame, and sends each that is full.
func (f *framer) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n := min(len(p), frameBytes-len(f.body))
		f.body = append(f.body, p[:n]...)
		p = p[n:]
		written += n
		if len(f.body) == frameBytes {
			if err := f.flush(); err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

// endFile counts a file.
func (f *framer) endFile() error {
	if f.files++; f.files < frameFiles {
		return nil
	}
	return f.flush()
}

// flush sends what there is.
func (f *framer) flush() error {
	if len(f.body) == 0 {
		return nil
	}
	err := f.put(f.kind, frame{number: f.number, payload: f.payload, wire: int64(len(f.body))}, f.body)
	f.number++
	f.files, f.payload, f.body = 0, 0, f.body[:0]
	return err
}

// writeFrame writes a header, the body in chunks, and the seal by which the remote side knows that it counted right.
func writeFrame(w io.Writer, kind byte, number int, body []byte, accepted func()) error {
	if _, err := fmt.Fprintf(w, "%c %d %d\n", kind, number, len(body)); err != nil {
		return err
	}
	for len(body) > 0 {
		n := min(len(body), chunkBytes)
		if _, err := w.Write(body[:n]); err != nil {
			return err
		}
		accepted()
		body = body[n:]
	}
	_, err := fmt.Fprintf(w, "E %d\n", number)
	return err
}

// writeEnd writes the frame that says that all are sent.
func writeEnd(w io.Writer, frames int) error {
	_, err := fmt.Fprintf(w, "Q %d\n", frames)
	return err
}
