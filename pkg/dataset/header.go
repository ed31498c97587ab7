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
func (d *Dataset) Header(opts CSVOptions) (names []string, err error) {
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
		names = r.Strings()
		return ErrStop
	})
	_, err = io.Copy(parser, io.LimitReader(file, maxHeader))
	if err == nil && entry.Size <= maxHeader {
		err = parser.Close()
	}
	var unclosed *UnclosedError
	if err != nil && !errors.Is(err, ErrStop) && !errors.As(err, &unclosed) {
		return nil, fmt.Errorf("read header of %q: %w", d.CSV, err)
	}
	for i, name := range names {
		names[i] = strings.TrimSpace(name)
	}
	return names, nil
}
