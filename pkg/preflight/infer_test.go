package preflight

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// TestInferTypes: one column per case, cells separated by bars.
func TestInferTypes(t *testing.T) {
	t.Parallel()
	cases := []struct{ cells, want string }{
		{"1|2|-3", "INT"},
		{" 1 |+2|NA||nan", "INT"},
		{"2147483647|-2147483648", "INT"},
		{"2147483648", "BIGINT"},
		{"-2147483649|1", "BIGINT"},
		{"9223372036854775807", "BIGINT"},
		{"9223372036854775808", "VARCHAR(19)"},
		{"1|99999999999999999999", "VARCHAR(20)"},
		{"1.5|2", "FLOAT"},
		{"0.1|123456", "FLOAT"},
		{"1.|.5|1e3", "FLOAT"},
		{"1.6680773978214032", "DOUBLE"},
		{"123456789.125", "DOUBLE"},
		{"1.5|1234567", "DOUBLE"},
		{"1e39", "DOUBLE"},
		{"inf|1.5", "VARCHAR(24)"},
		{"1e400|1.5", "VARCHAR(5)"},
		{"007|1", "VARCHAR(3)"},
		{"01234|98765|", "VARCHAR(7)"},
		{"01234|98765", "VARCHAR(5)"},
		{"0|10", "INT"},
		{"true|false", "VARCHAR(5)"},
		{"yes|no|", "VARCHAR(3)"},
		{"true|1", "VARCHAR(4)"},
		{"2024-01-31|2024-02-29", "DATE"},
		{"2024-01-31||NA", "DATE"},
		{"2024-01-31 10:00|2024-02-29 23:59", "DATETIME"},
		{"2024-01-31T10:00:00|2024-02-29T23:59:59", "DATETIME"},
		{"2024-01-31 10:00:00.5|2024-01-31 10:00:00.123456", "DATETIME"},
		{"2024-01-31|2024-01-31 10:00", "VARCHAR(16)"},
		{"2024-01-31 10:00|2024-01-31 10:00:00", "VARCHAR(19)"},
		{"2024-01-31 10:00|2024-01-31T10:00", "VARCHAR(16)"},
		{"2024-01-31|2024/01/31", "VARCHAR(10)"},
		{"2024-02-30", "VARCHAR(10)"},
		{"9999-12-31", "VARCHAR(10)"},
		{"2024-01-01T00:00:00Z", "VARCHAR(20)"},
		{"01/02/2024", "VARCHAR(10)"},
		{"none|1", "VARCHAR(4)"},
		{" NA |1", "VARCHAR(4)"},
		{"cat| dog ", "VARCHAR(5)"},
		{"héllo|日本語", "VARCHAR(5)"},
		{"|NA|null", "VARCHAR(1)"},
		{strings.Repeat("x", 15000), "VARCHAR(15000)"},
		{strings.Repeat("x", 16383), "TEXT"}, // no room for the framework's columns
		{strings.Repeat("x", 16384), "TEXT"},
		{`C:\dir|x`, "VARCHAR(6)"},
		{`1\5|2`, "VARCHAR(3)"},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%.30s", c.cells), func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			b.WriteString("a,label\n")
			cells := strings.Split(c.cells, "|")
			for i, cell := range append(cells, cells[len(cells)-1]) {
				fmt.Fprintf(&b, "%s,%c\n", cell, 'x'+i%2)
			}
			r := checkPath(t, csvOf(b.String()).Write(t), tabularParams(t))
			if got := r.Schema[0].Type; got != c.want {
				t.Errorf("type of %.40q is %s, want %s", c.cells, got, c.want)
			}
			if r.Errors() != 0 {
				t.Errorf("errors: %v", r.Findings)
			}
			// What was inferred must pass as a declaration.
			p := tabularParams(t)
			p.Schema = r.Schema
			if declared := checkPath(t, csvOf(b.String()).Write(t), p); declared.Errors() != 0 {
				t.Errorf("the inferred schema %v breaks: %v", r.Schema, declared.Findings)
			}
		})
	}
}

// TestInferBeyondFirstChunk: the type comes from the whole column, and lengths from every chunk of the validator.
func TestInferBeyondFirstChunk(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("a,b,label\n")
	for i := range 2*chunkRows + 10 {
		fmt.Fprintf(&b, "%d,%05d,%c\n", i, i%1000, 'x'+i%2)
	}
	b.WriteString("late,,y\n")
	r := checkPath(t, csvOf(b.String()).Write(t), tabularParams(t))
	want := []dataset.Column{{Name: "a", Type: "VARCHAR(6)"}, {Name: "b", Type: "VARCHAR(5)"}, {Name: "label", Type: "VARCHAR(1)"}}
	if diff := cmp.Diff(want, r.Schema); diff != "" {
		t.Errorf("schema (-want +got):\n%s", diff)
	}
	if r.Rows != 2*chunkRows+11 || r.Classes != 2 || r.Errors() != 0 {
		t.Errorf("%d rows, %d classes, findings %v", r.Rows, r.Classes, r.Findings)
	}
}

func TestInferFitsRow(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 8000)
	r := checkPath(t, csvOf("a,b,c,label\n"+long+","+long+"y,short,x\n,,,y\n").Write(t), tabularParams(t))
	want := []dataset.Column{{Name: "a", Type: "VARCHAR(8000)"}, {Name: "b", Type: "TEXT"}, {Name: "c", Type: "VARCHAR(5)"}, {Name: "label", Type: "VARCHAR(1)"}}
	if diff := cmp.Diff(want, r.Schema); diff != "" || r.Errors() != 0 {
		t.Errorf("schema (-want +got):\n%s%v", diff, r.Findings)
	}
}

func TestLabelColumn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ header, flag, want string }{
		{"a,label", "", "label"}, {"a,Target", "", "Target"}, {"a, CLASS ", "", "CLASS"}, {"a,label,target", "target", ""},
		{"a,kind", "kind", "kind"}, {"a, kind", "kind", "kind"}, {"a,kind", "Kind", "kind"},
		{"a,kind", "sort", ""},
	} {
		p := tabularParams(t)
		p.LabelColumn = c.flag
		n := strings.Count(c.header, ",")
		r := checkPath(t, csvOf(c.header+"\n"+strings.Repeat("1,", n)+"x\n"+strings.Repeat("2,", n)+"y\n").Write(t), p)
		want := c.want
		if c.header == "a,label,target" {
			want = "target"
		}
		if r.LabelColumn != want || (want == "") != (r.Totals["label-column"] > 0) {
			t.Errorf("label column of %q with %q is %q, want %q; %v", c.header, c.flag, r.LabelColumn, want, r.Findings)
		}
	}
}

func TestHints(t *testing.T) {
	t.Parallel()
	with := func(csv string) tree { return images().With("labels.csv", csv) }
	cases := []struct {
		name    string
		tree    tree
		params  func(*Params)
		message string
		remedy  string
	}{
		{"label case", with("filename,Label\na.png,x\nb.png,y\n"), func(p *Params) { p.LabelColumn = "label" }, `the label column "label" is "Label" in the CSV`, ""},
		{"label letter", with("filename,labels\na.png,x\nb.png,y\n"), func(p *Params) { p.LabelColumn = "label" }, `did you mean "labels"`, ""},
		{"filename case", with("FileName,label\na.png,x\nb.png,y\n"), nil, `did you mean "FileName"`, ""},
		{"file case", with("filename,label\nA.PNG,x\nb.png,y\n"), nil, `images/A.PNG is not there; did you mean "images/a.png"`, ""},
		{"file extension", with("filename,label\na.jpg,x\nb.png,y\n"), nil, `did you mean "images/a.png"`, ""},
		{"file blanks", with("filename,label\na.png ,x\nb.png,y\n"), nil, `the name has blanks around it, which push --fix takes off; did you mean "images/a.png"`, ""},
		{"directory", tree{"labels.csv": "filename,label\n", "image/a.png": "x"}, nil, `did you mean to call "image" so`, ""},
		{"target size", images(), func(p *Params) { p.TargetSize = [2]int{64, 64} }, "all images are 32x32; the target size is 64x64", ""},
		{"extension of the spec", images(), func(p *Params) { p.Extension = ".jpg" }, `the spec says ".jpg"`, `set spec.file_options.extension to ".png"`},
		{"semicolons", with("filename;label\na.png;x\nb.png;y\n"), nil, `no column "filename"; the file seems to be separated by ";"`, "save it with commas"},
		{"tabs", with("filename\tlabel\na.png\tx\nb.png\ty\n"), nil, `no column is called label, target or class; the file seems to be separated by "\t"`, "spec.csv_options.delimiter"},
		{"table of bars", csvOf("age|label\n1|x\n2|y\n"), func(p *Params) { *p = Params{Task: mustTask("tabular_classification"), LabelColumn: "label"} },
			`no label column "label"; the file seems to be separated by "|"`, `set spec.csv_options.delimiter to "|"`},
		{"file in another normal form", images().Without("images/a.png").With("images/e\u0301.png", pngOf(32, 32)).With("labels.csv", "filename,label\n\u00e9.png,x\nb.png,y\n"), nil,
			"same letters in another Unicode normal form: the CSV has NFC, the disk NFD", "write both in the same form"},
		{"longest value of TEXT", csvOf("s,label\nx,a\n" + strings.Repeat("é", 40000) + ",b\n"), func(p *Params) { p.Task = mustTask("tabular_classification") },
			"has 80000 bytes; TEXT holds 65535", "shorten it"},
	}
	for _, c := range cases {
		p := imageParams(t)
		if c.params != nil {
			c.params(&p)
		}
		r := checkPath(t, c.tree.Write(t), p)
		found := false
		for _, f := range r.Findings {
			found = found || (strings.Contains(f.Message, c.message) && strings.Contains(f.Remedy, c.remedy))
		}
		if !found {
			t.Errorf("%s: no message holds %q with remedy %q: %v", c.name, c.message, c.remedy, r.Findings)
		}
	}
}

// TestLongNames: a header that is no header must not flood the terminal.
func TestLongNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 5000)
	for _, header := range []string{
		long + "," + long + ",label", " " + long + "," + strings.ToUpper(long) + ",label", long + " :b😀,id,label",
		strings.Repeat("l", 5000) + ",label,target", "a\n" + long + ",b,label",
	} {
		for _, p := range []Params{tabularParams(t), {Task: mustTask("tabular_classification"), LabelColumn: "label", Schema: []dataset.Column{{Name: long + "x", Type: "INT"}, {Name: long + "y", Type: long}}}} {
			r := checkPath(t, csvOf(`"`+strings.ReplaceAll(header, ",", `","`)+"\"\n1,2,x\n1,2,y\n").Write(t), p)
			for _, f := range r.Findings {
				if len(f.String()) > 1000 {
					t.Errorf("%s: a finding of %d bytes: %.200s", f.Rule, len(f.String()), f)
				}
			}
			if len(r.Findings) == 0 {
				t.Errorf("no finding for %.20q", header)
			}
		}
	}
}
