package main

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// dataset is generated data of one task.
type dataset struct{ name, dir, task string }

const (
	imageTask   = "image_classification"
	tabularTask = "tabular_classification"
)

// data makes a dataset once; its size is part of its name.
func (b *bench) data(name, task string, write func(dir string) error) (dataset, error) {
	d := dataset{name: name, dir: filepath.Join(b.dir, name), task: task}
	if _, err := os.Stat(d.dir); err == nil {
		return d, nil
	}
	if err := write(d.dir); err != nil {
		return d, fmt.Errorf("make the dataset %s: %w", name, err)
	}
	return d, nil
}

func (b *bench) bigFile() (dataset, error) {
	return b.data(fmt.Sprintf("big_%d", b.sizes.big), imageTask, func(dir string) error {
		return writeNoise(dir, []int64{b.sizes.big, 1024}, 1)
	})
}

func (b *bench) manyFiles(n int, size int64) (dataset, error) {
	return b.data(fmt.Sprintf("files_%d_%d", n, size), imageTask, func(dir string) error {
		all := make([]int64, n)
		for i := range all {
			all[i] = size
		}
		return writeNoise(dir, all, 2)
	})
}

func (b *bench) csv() (dataset, error) {
	return b.data(fmt.Sprintf("table_%d", b.sizes.table), tabularTask, func(dir string) error { return makeTable(dir, b.sizes.table) })
}

// writeNoise writes an image_classification dataset of PNG files of those sizes, which nothing can compress.
func writeNoise(dir string, bytes []int64, seed byte) error {
	if err := os.MkdirAll(filepath.Join(dir, "images"), 0o755); err != nil {
		return err
	}
	noise := rand.NewChaCha8([32]byte{seed})
	return writeFile(filepath.Join(dir, "labels.csv"), func(labels *bufio.Writer) error {
		_, _ = fmt.Fprintln(labels, "filename,label")
		for i, size := range bytes {
			if err := writePNG(noisePath(dir, i), size, noise); err != nil {
				return err
			}
			_, _ = fmt.Fprintf(labels, "%s,class_%d\n", filepath.Base(noisePath(dir, i)), i%10)
		}
		return nil
	})
}

func noisePath(dir string, i int) string {
	return filepath.Join(dir, "images", fmt.Sprintf("%06d.png", i))
}

// pngFrame is what a PNG file of four chunks has beside its chunks' data, in bytes.
const pngFrame = 8 + 4*12

// writePNG writes a gray picture of 32 by 32 whose file has that size: a private chunk, which every reader skips, holds noise.
func writePNG(path string, size int64, noise io.Reader) error {
	return writeFile(path, func(out *bufio.Writer) error {
		var pixels bytes.Buffer
		z := zlib.NewWriter(&pixels)
		if _, err := z.Write(make([]byte, 32*33)); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		header := append(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 32), 32), 8, 0, 0, 0, 0)
		fill := max(0, size-pngFrame-int64(len(header)+pixels.Len()))
		if _, err := out.WriteString("\x89PNG\r\n\x1a\n"); err != nil {
			return err
		}
		for _, c := range []struct {
			kind string
			size int64
			data io.Reader
		}{
			{"IHDR", int64(len(header)), bytes.NewReader(header)},
			{"noIs", fill, noise},
			{"IDAT", int64(pixels.Len()), &pixels},
			{"IEND", 0, nil},
		} {
			if err := writeChunk(out, c.kind, c.size, c.data); err != nil {
				return err
			}
		}
		return nil
	})
}

// writeChunk writes a chunk of a PNG file: size, kind, data and the checksum of kind and data.
func writeChunk(out *bufio.Writer, kind string, size int64, data io.Reader) error {
	if _, err := out.Write(binary.BigEndian.AppendUint32(nil, uint32(size))); err != nil {
		return err
	}
	sum := crc32.NewIEEE()
	both := io.MultiWriter(out, sum)
	if _, err := io.WriteString(both, kind); err != nil {
		return err
	}
	if size > 0 {
		if _, err := io.CopyN(both, data, size); err != nil {
			return err
		}
	}
	_, err := out.Write(sum.Sum(nil))
	return err
}

// changeSome writes other noise of the same size into one of a hundred files, and at least one.
func changeSome(d dataset, files int, size int64, round int) (changed int, err error) {
	noise := rand.NewChaCha8([32]byte{3, byte(round)})
	for i := 0; i < files; i += 100 {
		if err := writePNG(noisePath(d.dir, i), size, noise); err != nil {
			return changed, err
		}
		changed++
	}
	return changed, nil
}
