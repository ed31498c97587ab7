package preflight

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// names are so many names of columns, with commas between them.
func names(n int) string {
	var b []byte
	for i := range n {
		b = strconv.AppendInt(append(b, ",c"...), int64(i), 10)
	}
	return string(b[1:])
}

// TestManyFieldsMemory: delimiters alone may not fill the memory, in the header or below it.
func TestManyFieldsMemory(t *testing.T) {
	sequences := tabularParams(t)
	sequenceParams(&sequences)
	for _, c := range []struct {
		name, csv string
		params    Params
		want      []string
	}{
		{"names", names(1_000_000) + "\n", tabularParams(t), []string{"csv-empty", "schema-too-many-columns"}},
		{"names of sequences", names(maxHeaderColumns+1) + "\n" + strings.Repeat("1,", maxHeaderColumns) + "1\n", sequences, []string{"schema-too-many-columns"}},
		{"names, escaped", names(1_000_000) + ",\\x\n", tabularParams(t), []string{"csv-empty", "schema-too-many-columns"}},
		{"header", strings.Repeat(",", 16<<20) + "\n1\n", tabularParams(t), []string{"csv-short-row", "schema-too-many-columns"}},
		{"row", "a,label\n" + strings.Repeat(",", 32<<20) + "\n1,x\n", tabularParams(t), []string{"csv-index-shift", "csv-record-too-long", "label-null", "label-single-class"}},
		{"later row", "a,label\n1,x\n2,y\n" + strings.Repeat(",", 32<<20) + "\n", tabularParams(t), []string{"csv-ragged-row", "csv-record-too-long", "label-null"}},
		{"long name", strings.Repeat("x", 17<<20) + ",label\n1,x\n", tabularParams(t), []string{"csv-record-too-long"}},
	} {
		path := filepath.Join(t.TempDir(), "data.csv")
		must(t, os.WriteFile(path, []byte(c.csv), 0o600))
		r, allocated, _ := checkMemory(t, path, c.params)
		if allocated > 128<<20 {
			t.Errorf("%s: %d bytes were allocated", c.name, allocated)
		}
		if diff := cmp.Diff(c.want, rulesOf(r)); diff != "" {
			t.Errorf("%s: rules (-want +got):\n%s%.2000v", c.name, diff, r.Findings)
		}
	}
}

// TestManyColumns: a header that no table can have gives one finding, in every kind of task.
func TestManyColumns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tree   tree
		params Params
		rule   string
	}{
		{csvOf(names(maxHeaderColumns+1) + "\n" + strings.Repeat("1,", maxHeaderColumns) + "1\n"), tabularParams(t), "schema-too-many-columns"},
		{images().With("labels.csv", names(maxHeaderColumns+1)+"\n"+strings.Repeat("1,", maxHeaderColumns)+"1\n"), imageParams(t), "csv-record-too-long"},
	} {
		r := checkPath(t, c.tree.Write(t), c.params)
		if r.Totals[c.rule] != 1 || r.Errors() != 1 || r.Schema != nil || r.Findings[0].Line != 1 || !strings.Contains(r.Findings[0].Message, "8001 columns") {
			t.Errorf("%s: schema %v, findings %v", c.rule, r.Schema, r.Findings)
		}
	}
	r := checkPath(t, csvOf(names(maxHeaderColumns)+"\n").Write(t), tabularParams(t))
	if r.Totals["label-column"] != 1 || len(r.Schema) != maxHeaderColumns {
		t.Errorf("%d columns of %d, rules %v", len(r.Schema), maxHeaderColumns, rulesOf(r))
	}
}
