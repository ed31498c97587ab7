package main

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// makeThumbnails writes an image_classification dataset of small JPEGs, 4 to 12 KiB each, as camera traps and
// microscopes cut them out: with so many of them, opening a file costs as much as reading it.
func makeThumbnails(dir string, n int) error {
	noise := rand.NewChaCha8([32]byte{2})
	random := rand.New(noise)
	picture := image.NewGray(image.Rect(0, 0, 96, 96))
	return makeImages(dir, n, ".jpg", func(out *bytes.Buffer) error {
		if _, err := noise.Read(picture.Pix); err != nil {
			return err
		}
		return jpeg.Encode(out, picture, &jpeg.Options{Quality: 60 + random.IntN(38)})
	})
}

// makeImages writes images/ and labels.csv.
func makeImages(dir string, n int, extension string, encode func(*bytes.Buffer) error) error {
	if err := os.MkdirAll(filepath.Join(dir, "images"), 0o755); err != nil {
		return err
	}
	var content bytes.Buffer
	return writeFile(filepath.Join(dir, "labels.csv"), func(labels *bufio.Writer) error {
		_, _ = fmt.Fprintln(labels, "filename,label")
		for i := range n {
			content.Reset()
			if err := encode(&content); err != nil {
				return err
			}
			name := fmt.Sprintf("%06d%s", i, extension)
			if err := os.WriteFile(filepath.Join(dir, "images", name), content.Bytes(), 0o644); err != nil {
				return err
			}
			_, _ = fmt.Fprintf(labels, "%s,class_%d\n", name, i%10)
		}
		return nil
	})
}

const (
	mixedHeader = "visit,age,income,score,ratio,code,city,since,seen,note,active,visits,label"
	// mixedSchema fits the mixed table, so that every value is also held against a declared type.
	mixedSchema = "visit:BIGINT,age:INT,income:DOUBLE,score:DOUBLE,ratio:DOUBLE,code:VARCHAR(16),city:VARCHAR(64),since:DATE,seen:DATETIME," +
		"note:VARCHAR(255),active:BOOLEAN,visits:INT,label:VARCHAR(16)"
)

// makeTable writes a directory with one CSV of that size, of all that tables are made of: counters, small integers,
// amounts, floats of few and of all digits, codes with leading zeros, words, dates, times, quoted texts with commas and
// doubled quotes, booleans, empty cells and a label.
func makeTable(dir string, size int64) error {
	random := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	notes := []string{
		"\"arrived late, left early\"", "\"said \"\"call me back\"\" and hung up, twice\"", "no remark",
		"\"moved from Aachen to Lübeck, then to Kraków\"", "\"asked for an invoice, a copy of the contract, and a new password\"",
	}
	return makeCSV(dir, mixedHeader, size, func(line []byte, row int) []byte {
		when := start.Add(time.Duration(random.Int64N(20*365*24*3600)) * time.Second)
		line = strconv.AppendInt(line, int64(row), 10)
		line = strconv.AppendInt(append(line, ','), int64(18+random.IntN(70)), 10)
		line = strconv.AppendFloat(append(line, ','), random.Float64()*1e5, 'f', 2, 64)
		line = strconv.AppendFloat(append(line, ','), random.Float64(), 'f', 6, 64)
		line = strconv.AppendFloat(append(line, ','), random.NormFloat64(), 'g', -1, 64)
		line = fmt.Appendf(append(line, ','), "%06d,city-%03d with a longer name,", random.IntN(1_000_000), random.IntN(400))
		line = append(when.AppendFormat(line, time.DateOnly), ',')
		line = append(when.AppendFormat(line, time.DateTime), ',')
		line = append(line, notes[random.IntN(len(notes))]...)
		line = strconv.AppendBool(append(line, ','), random.IntN(3) > 0)
		line = append(line, ',')
		if random.IntN(20) > 0 {
			line = strconv.AppendInt(line, int64(random.IntN(1000)), 10)
		}
		return append(append(line, ','), []string{"stays", "leaves", "unknown"}[random.IntN(3)]...)
	})
}

// makeWide writes a directory with one CSV of that size, of 200 columns of numbers and a label.
func makeWide(dir string, size int64) error {
	const columns = 200
	header := []byte("label")
	for i := range columns {
		header = fmt.Appendf(header, ",f%03d", i)
	}
	random := rand.New(rand.NewPCG(3, 4))
	return makeCSV(dir, string(header), size, func(line []byte, _ int) []byte {
		line = strconv.AppendInt(line, int64(random.IntN(2)), 10)
		for i := range columns {
			line = append(line, ',')
			switch i % 4 {
			case 0:
				line = strconv.AppendInt(line, random.Int64N(100_000)-50_000, 10)
			case 1:
				line = strconv.AppendFloat(line, random.NormFloat64(), 'g', -1, 64)
			default:
				line = strconv.AppendFloat(line, random.NormFloat64()*100, 'f', 4, 64)
			}
		}
		return line
	})
}

// makeCSV writes rows until the file has the size.
func makeCSV(dir, header string, size int64, row func(line []byte, i int) []byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, "data.csv"), func(out *bufio.Writer) error {
		n, _ := fmt.Fprintln(out, header)
		line := make([]byte, 0, 4096)
		for i := 1; int64(n) < size; i++ {
			line = append(row(line[:0], i), '\n')
			if _, err := out.Write(line); err != nil {
				return err
			}
			n += len(line)
		}
		return nil
	})
}

func writeFile(path string, write func(*bufio.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(file, 1<<20)
	if err := write(out); err != nil {
		_ = file.Close()
		return err
	}
	if err := out.Flush(); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}
