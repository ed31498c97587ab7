package main

import (
	"os"
	"slices"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/ingestor/pandas"
)

// frame is a CSV as most validators read it: the whole of it, comma, pandas' own missing values and types. Rows with too many
// fields are left out, and the header keeps its spaces.
type frame struct {
	header  []string
	columns [][]any // in the order of the header; nil for a missing value
	rows    int
}

// frame is nil for a file that cannot be read, or has no rows.
func (in *ingestor) frame() *frame {
	if !strings.HasSuffix(in.config.csv, ".csv") {
		return nil
	}
	f, err := os.Open(in.config.csv)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	r, err := pandas.NewReader(f, pandas.Dialect{SkipLong: true})
	if err != nil {
		return nil
	}
	var rows [][]pandas.Cell
	for {
		chunk, err := readChunk(r, dataChunk)
		if err != nil {
			return nil
		}
		if len(chunk) == 0 {
			break
		}
		rows = append(rows, chunk...)
	}
	if len(rows) == 0 {
		return nil
	}
	out := &frame{header: r.Header(), rows: len(rows)}
	for at := range out.header {
		out.columns = append(out.columns, pandas.Column(cells(rows, at), pandas.DefaultMissing))
	}
	return out
}

// column has the values of one column, by its exact name.
func (f *frame) column(name string) (values []any, there bool) {
	at := slices.Index(f.header, name)
	if at < 0 {
		return nil, false
	}
	return f.columns[at], true
}

// similar is the name of a column as it stands in the file, found whatever its letters' case is. Empty: there is none.
func (f *frame) similar(name string) string {
	if slices.Contains(f.header, name) {
		return name
	}
	at := slices.IndexFunc(f.header, func(h string) bool { return strings.EqualFold(h, name) })
	if at < 0 {
		return ""
	}
	return f.header[at]
}

// onFrame is a validator that looks at the CSV.
func onFrame(in *ingestor, name, doing string, check func(*frame) []string) validator {
	return validator{name: name, doing: doing, check: func() ([]string, error) {
		f := in.frame()
		if f == nil {
			return []string{"No data found to validate"}, nil
		}
		return check(f), nil
	}}
}
