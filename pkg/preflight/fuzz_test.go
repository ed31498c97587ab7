package preflight

import (
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// readCSV runs the rules of a CSV over bytes, in blocks of a size.
func readCSV(p Params, data []byte, block int) *Result {
	c := &checker{Params: p, dataset: &dataset.Dataset{CSV: "data.csv"}, report: newReport(), read: func(int64) {}}
	pass := c.newCSVPass(dataset.Entry{Path: "data.csv"})
	for len(data) > 0 {
		n := min(block, len(data))
		pass.write(data[:n])
		data = data[n:]
	}
	pass.finish()
	c.table = pass.table
	r := &Result{}
	c.finishCSV(r)
	r.Findings, r.Totals = c.report.findings(), c.report.totals
	return r
}

// FuzzCSVRules: no input makes the rules fail, and a schema that was inferred holds as a declaration.
func FuzzCSVRules(f *testing.F) {
	for _, seed := range []string{
		"age,label\n1,a\n2,b\n", "a,b,label\n01234,2024-01-01,x\n,NA,y\n", "a,label\n\"x\\\"y\",1\n1\\,2,\n", "\xef\xbb\xbfid,Label,label\n1.5,2,3\n\x00,,\n",
		",,label\n1,2,3,4\n1e400,inf,\xff\n", "s\\x,label\nC:\\a,yes\n", "a,label\r1,a\r\r,b\r",
	} {
		f.Add([]byte(seed), uint16(7), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, block uint16, tabular bool) {
		p := imageParams(t)
		if tabular {
			p = tabularParams(t)
		}
		whole := readCSV(p, data, len(data)+1)
		cut := readCSV(p, data, int(block)+1)
		if whole.Rows != cut.Rows || len(whole.Schema) != len(cut.Schema) {
			t.Errorf("one block: %d rows, %v; several: %d rows, %v", whole.Rows, whole.Schema, cut.Rows, cut.Schema)
		}
		for i := range whole.Schema {
			if whole.Schema[i] != cut.Schema[i] {
				t.Errorf("column %v in one block, %v in several", whole.Schema[i], cut.Schema[i])
			}
		}
		if len(whole.Schema) == 0 {
			return
		}
		p.Schema = whole.Schema
		declared := readCSV(p, data, len(data)+1)
		for _, f := range declared.Findings {
			if f.Severity == SeverityError && whole.Totals[f.Rule] == 0 {
				t.Errorf("the inferred schema %v breaks %s as a declaration: %s", whole.Schema, f.Rule, f.Message)
			}
		}
	})
}
