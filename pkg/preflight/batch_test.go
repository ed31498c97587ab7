package preflight

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// TestBatchesAgree: what is summed up in batches on all cores is what the columns see row by row.
func TestBatchesAgree(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	cells := []string{"1", "-2.5", "007", "", "NA", "none", "2024-01-02", "2024-01-02 03:04:05", "true", "ü", "\"a, b\"", "\"two\nlines\"", "1e5", "12345678"}
	var content bytes.Buffer
	content.WriteString("number,date,any,label\n")
	rows := chunkRows + 12_345 // across a chunk, in many batches
	for range rows {
		fmt.Fprintf(&content, "%s,%s,%s,%d\n", cells[r.IntN(3)], cells[6+r.IntN(2)], cells[r.IntN(len(cells))], r.IntN(3))
	}
	path := filepath.Join(t.TempDir(), "data.csv")
	must(t, os.WriteFile(path, content.Bytes(), 0o644))
	d, err := dataset.Open(t.Context(), path)
	must(t, err)
	defer func() { must(t, d.Close()) }()

	start := func() *csvPass {
		c := &checker{Params: tabularParams(t), dataset: d, report: newReport()}
		return c.newCSVPass(d.Entries[0])
	}
	batched := start()
	batched.write(content.Bytes())
	batched.settle()

	single := start()
	parser := dataset.NewParser(dataset.DefaultCSV(), func(r *dataset.Record) error {
		one := single.table
		if one.header == nil {
			return one.record(r)
		}
		one.rows++
		at := place{row: one.rows, line: r.Line}
		for i, c := range one.columns {
			if one.cell(c, at, r.Field(i)); one.rows%chunkRows == 0 {
				c.endChunk()
			}
		}
		one.labels.observe(at, r.Field(one.labels.index))
		return nil
	})
	_, err = parser.Write(content.Bytes())
	must(t, err)

	if batched.table.rows != int64(rows) {
		t.Errorf("%d rows, want %d", batched.table.rows, rows)
	}
	all := cmp.AllowUnexported(column{}, measure{}, tally{}, spot{}, dateForm{}, dateColumn{}, labelChunk{})
	if diff := cmp.Diff(single.table.columns, batched.table.columns, all); diff != "" {
		t.Errorf("columns (-row by row +batched):\n%s", diff)
	}
	if diff := cmp.Diff(single.table.labels.chunk, batched.table.labels.chunk, all); diff != "" {
		t.Errorf("labels (-row by row +batched):\n%s", diff)
	}
}
