package dataset

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestParserAgreesWithPandas holds the parser against what pandas 1.5.3 made of random input:
//
//	read_csv(input, dtype=str, keep_default_na=False, na_filter=False, index_col=False, escapechar="\\" or None)
//
// with the empty fields at the end of each row taken off, because pandas fills short rows up, and no rows where pandas
// found the input to end inside a quoted field. Lines that start with blanks behind a lone CR are left out: there, pandas
// reads records twice.
func TestParserAgreesWithPandas(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/pandas.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Input  string     `json:"input"`
		Escape bool       `json:"escape"`
		Rows   [][]string `json:"rows"`
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 500 {
		t.Fatalf("%d cases; want the whole file", len(cases))
	}
	for _, c := range cases {
		opts := DefaultCSV()
		if c.Escape {
			opts.Escape = '\\'
		}
		got, _, err := parseCSV(t, c.Input, opts, 5)
		if c.Rows == nil {
			if err == nil {
				t.Errorf("%q, escape %v: no error; pandas found it to end inside a field", c.Input, c.Escape)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q, escape %v: %v", c.Input, c.Escape, err)
			continue
		}
		rows := got.rows[1:]
		for i, row := range rows {
			for len(row) > 1 && row[len(row)-1] == "" {
				row = row[:len(row)-1]
			}
			rows[i] = row
		}
		if diff := cmp.Diff(c.Rows, rows); diff != "" {
			t.Errorf("%q, escape %v (-pandas +ours):\n%s", c.Input, c.Escape, diff)
		}
	}
}
