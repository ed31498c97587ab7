package dataset

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxHeader bounds what is read to find the header.
const maxHeader = 1 << 20

// Header reads the column names of the dataset's CSV, blanks stripped as the ingestor strips them. It is nil when the
// file has none in its first MiB.
func (d *Dataset) Header(opts CSVOptions) ([]string, error) {
	records, err := d.head(opts, 1)
	if err != nil || len(records) == 0 {
		return nil, err
	}
	return records[0], nil
}

// head reads the first n records of the dataset's CSV, as far as they stand in its first MiB. The first one, the header,
// has its blanks stripped.
func (d *Dataset) head(opts CSVOptions, n int) (records [][]string, err error) {
	entry, ok := d.Entry(d.CSV)
	if !ok {
		return nil, nil
	}
	file, err := d.OpenEntry(entry)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	parser := NewParser(opts, func(r *Record) error {
		records = append(records, r.Strings())
		if len(records) == n {
			return ErrStop
		}
		return nil
	})
	_, err = io.Copy(parser, io.LimitReader(file, maxHeader))
	if err == nil && entry.Size <= maxHeader {
		err = parser.Close()
	}
	var unclosed *UnclosedError
	if err != nil && !errors.Is(err, ErrStop) && !errors.As(err, &unclosed) {
		return nil, fmt.Errorf("read header of %q: %w", d.CSV, err)
	}
	if len(records) > 0 {
		for i, name := range records[0] {
			records[0][i] = strings.TrimSpace(name)
		}
	}
	return records, nil
}
