package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/ingestor/pandas"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

// record is one row of the manifest by column name; a column that the file lacks is not in it.
type record map[string]any

// chunkRecords types the columns of a chunk as the ingestion read does: text where the schema says so, else by inference,
// and casts the columns that the schema types (contract/ingestor.md §2.0 and the read-time casts of §2.2).
func (in *ingestor) chunkRecords(header []string, rows [][]pandas.Cell) ([]record, error) {
	records := make([]record, len(rows))
	for i := range records {
		records[i] = make(record, len(header))
	}
	for at, name := range header {
		values, err := in.columnValues(name, cells(rows, at))
		if err != nil {
			return nil, err
		}
		for i, v := range values {
			records[i][name] = v
		}
	}
	return records, nil
}

func (in *ingestor) columnValues(name string, cs []pandas.Cell) ([]any, error) {
	missing := in.config.category.missing
	at := slices.IndexFunc(in.config.schema, func(c column) bool { return c.name == name })
	if at < 0 {
		return pandas.Column(cs, missing), nil
	}
	base := baseType(in.config.schema[at].sqlType)
	if slices.Contains([]string{"VARCHAR", "CHAR", "TEXT", "STRING"}, base) {
		values := make([]any, len(cs))
		for i, c := range cs {
			if !c.Absent && !missing(c.Text) {
				values[i] = c.Text
			}
		}
		return values, nil
	}
	return cast(name, base, pandas.Column(cs, missing))
}

// cast turns the values of a column into those that go to the database.
func cast(name, base string, values []any) ([]any, error) {
	layout := ""
	out := make([]any, len(values))
	for i, v := range values {
		if v == nil {
			continue
		}
		switch base {
		case "INT", "INTEGER", "BIGINT", "TINYINT", "SMALLINT", "MEDIUMINT", "FLOAT", "DOUBLE", "DECIMAL", "NUMERIC":
			n, ok := number(v)
			if !ok {
				return nil, &ingestError{fmt.Sprintf("Data type validation failed for column %s: Unable to parse string \"%s\" at position %d", name, pandas.Str(v), i)}
			}
			out[i] = n
			if exact, isInt := v.(int64); isInt {
				out[i] = exact
			} else if n == math.Trunc(n) && math.Abs(n) < 1<<63 && strings.Contains(base, "INT") {
				out[i] = int64(n)
			}
		case "BOOLEAN", "BOOL":
			b, ok := boolean(v)
			if !ok {
				return nil, &ingestError{fmt.Sprintf("Data type validation failed for column %s: %s is not a boolean", name, spec.PyString(pandas.Str(v)))}
			}
			out[i] = b
		case "DATE", "DATETIME", "TIMESTAMP", "TIME":
			if layout == "" {
				layout = dateLayout(pandas.Str(v))
			}
			t, err := time.Parse(layout, pandas.Str(v))
			if layout == "" || err != nil {
				return nil, &ingestError{fmt.Sprintf("Column '%s' (dtype %s) has un-parseable date value(s). Sample: %s.", name, base, spec.PyList([]string{pandas.Str(v)}))}
			}
			out[i] = t.Format(map[string]string{"DATE": time.DateOnly, "TIME": time.TimeOnly}[base])
			if base == "DATETIME" || base == "TIMESTAMP" {
				out[i] = t.Format(time.DateTime)
			}
		default:
			out[i] = v
		}
	}
	return out, nil
}

// labelValue applies the label policy. ok is false where the database refuses what would be sent: a missing number is nan,
// which is no column name and no value there (contract/ingestor.md §5.1, 17).
func (in *ingestor) labelValue(r record) (value any, ok bool) {
	v, there := r[in.config.label]
	switch {
	case in.config.label == "":
		return nil, true
	case !there:
		in.warn("base.py:512", "Label column '%s' not found in record", in.config.label)
		if in.config.bucket {
			return bucket(nil), true
		}
		return nil, true
	case in.config.bucket:
		return bucket(v), true
	case v == nil:
		return nil, in.textLabel()
	}
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	}
	return v, true
}

// textLabel says whether the schema types the label as text: only then a missing label becomes NULL.
func (in *ingestor) textLabel() bool {
	for _, c := range in.config.schema {
		if c.name == in.config.label {
			return slices.Contains([]string{"VARCHAR", "TEXT"}, baseType(c.sqlType))
		}
	}
	return false
}

// bucket hides a raw target in one of 64 classes; -1 is a missing one. The number is the first eight bytes of the hash.
func bucket(v any) int {
	if v == nil {
		return -1
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(pandas.Str(v))))
	return int(binary.BigEndian.Uint64(sum[:8]) % 64)
}
