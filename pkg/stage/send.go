package stage

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// send writes one job.
func (w *worker) send(ctx context.Context, j *job) error {
	switch j.kind {
	case frameShard:
		return w.sendShard(ctx, j)
	case frameNames, frameLinks, frameCopy:
		return w.sendTakeover(j)
	case frameRange:
		return w.sendRange(ctx, j)
	}
	check := "-"
	if j.big.partly() {
		check = "check"
	}
	return w.session.head(fmt.Sprintf("F %s %d %d %s", j.id, j.big.file.Size, j.big.ranges(), check), j.big.line)
}

func (w *worker) sendShard(ctx context.Context, j *job) error {
	t := w.t
	packed, err := t.compression.worth(func() (int64, int64, error) { return sampleShard(t.plan.Manifest, j.files, t.src) })
	if err != nil {
		return err
	}
	chunk := t.plan.limits.chunkBytes
	if w.small == nil {
		w.small = make([]byte, 2*chunk)
	}
	buffer := w.small[:chunk]
	w.session.serial++
	if packed {
		w.packed.Reset()
		z := newGzip(&w.packed)
		if err := packShard(ctx, t.plan.Manifest, j.files, t.src, z, buffer); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		t.compressed(j.payload)
		return w.frame(j, fmt.Sprintf("S %s %s gz %d %d", j.id, groups(t.plan.Manifest, j.files), w.packed.Len(), t.ways()), w.packed.Bytes())
	}
	size := shardSize(t.plan.Manifest, j.files)
	if err := w.session.head(fmt.Sprintf("S %s %s raw %d %d", j.id, groups(t.plan.Manifest, j.files), size, t.ways())); err != nil {
		return err
	}
	out := &exact{out: w.session, left: size}
	chunks := newChunks(out, w.small[chunk:])
	if err := packShard(ctx, t.plan.Manifest, j.files, t.src, chunks, buffer); err != nil {
		return err
	}
	if err := chunks.flush(); err != nil {
		return err
	}
	if out.left != 0 {
		return fmt.Errorf("shard %s is %d bytes shorter than planned", j.id, out.left)
	}
	t.traveled(j, size)
	_, err = fmt.Fprintf(w.session, "E %s\n", j.id)
	return err
}

func (w *worker) sendTakeover(j *job) error {
	m := w.t.plan.Manifest
	w.session.serial++
	w.packed.Reset()
	z := newGzip(&w.packed)
	var err error
	source := ""
	if j.kind == frameLinks {
		scratch := fmt.Sprintf(".%s.push/in-%s-%d", w.t.plan.TreeID, w.session.nonce, w.session.serial)
		err = packLinks(m, j, scratch, z)
	} else {
		source = " " + sourceOf(j.source)
		_, err = z.Write(sumsOf(m, j.files))
	}
	if err = errors.Join(err, z.Close()); err != nil {
		return err
	}
	return w.frame(j, fmt.Sprintf("%c %s %s gz %d %d%s", j.kind, j.id, groups(m, j.files), w.packed.Len(), w.t.ways(), source), w.packed.Bytes())
}

func (w *worker) sendRange(ctx context.Context, j *job) error {
	data, sum, err := j.big.read(ctx, j.number, w.rangeBuffer())
	if err != nil {
		return err
	}
	if j.big.known(j.number, sum) {
		w.land(j.key())
		w.t.found(j)
		return nil
	}
	head := fmt.Sprintf("R %s %d %d %s", j.id, j.big.offset(j.number), len(data), hex.EncodeToString(sum[:]))
	if j.denied == 0 && isZero(data) {
		return w.frame(j, head+" zero:0", nil)
	}
	packed, err := w.t.compression.worth(func() (int64, int64, error) { return sampleRange(data) })
	if err != nil {
		return err
	}
	if !packed {
		return w.frame(j, head+" raw:"+strconv.Itoa(len(data)), data)
	}
	w.packed.Reset()
	z := newGzip(&w.packed)
	_, _ = z.Write(data) // a bytes.Buffer takes everything
	_ = z.Close()
	w.t.compressed(j.payload)
	return w.frame(j, head+" gz:"+strconv.Itoa(w.packed.Len()), w.packed.Bytes())
}

// frame writes a head, a body and the seal.
func (w *worker) frame(j *job, head string, body []byte) error {
	if err := w.session.head(head); err != nil {
		return err
	}
	if _, err := w.session.Write(body); err != nil {
		return err
	}
	w.t.traveled(j, int64(len(body)))
	_, err := fmt.Fprintf(w.session, "E %s\n", j.id)
	return err
}

// rangeBuffer has room for a range; those of a worker share it.
func (w *worker) rangeBuffer() []byte {
	if w.buffer == nil {
		w.buffer = make([]byte, w.t.plan.limits.rangeBytes)
	}
	return w.buffer
}

// sampleRange compresses pieces of a range.
func sampleRange(data []byte) (before, after int64, err error) {
	for k := range sampleFiles {
		at := len(data) / sampleFiles * k
		piece := data[at:min(len(data), at+sampleBytes)]
		before += int64(len(piece))
		after += packedSize(piece)
	}
	return before, after, nil
}

func isZero(data []byte) bool {
	return len(data) > 0 && data[0] == 0 && bytes.Equal(data[1:], data[:len(data)-1])
}

// exact lets no more through than was announced.
type exact struct {
	out  io.Writer
	left int64
}

func (e *exact) Write(p []byte) (int, error) {
	if int64(len(p)) > e.left {
		return 0, fmt.Errorf("a shard is larger than planned")
	}
	n, err := e.out.Write(p)
	e.left -= int64(n)
	return n, err
}

// chunks gathers small writes.
type chunks struct {
	out    io.Writer
	buffer []byte
}

func newChunks(out io.Writer, buffer []byte) *chunks { return &chunks{out: out, buffer: buffer[:0]} }

func (c *chunks) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		n := min(len(p), cap(c.buffer)-len(c.buffer))
		c.buffer = append(c.buffer, p[:n]...)
		p = p[n:]
		if len(c.buffer) == cap(c.buffer) {
			if err := c.flush(); err != nil {
				return 0, err
			}
		}
	}
	return written, nil
}

func (c *chunks) flush() error {
	_, err := c.out.Write(c.buffer)
	c.buffer = c.buffer[:0]
	return err
}
