package preflight

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

func sequenceParams(p *Params) { p.Task = mustTask("time_series_classification") }

// walks has the rows of two sequences, and others behind them.
func walks(rows string) tree {
	return csvOf("sequence_id,timestamp,x,label\ns1,2024-01-01,1,up\ns2,2024-01-05,2,down\n" + rows)
}

func sequenceCases() []ruleCase {
	good := walks("s1,2024-01-02,1,up\n")
	rows := func(rule, breaks, passes string, also ...string) ruleCase {
		return ruleCase{rule: rule, name: breaks, params: sequenceParams, breaks: walks(breaks), passes: walks(passes), also: also}
	}
	header := func(from, to string) tree { return csvOf(strings.Replace(good["data.csv"], from, to, 1)) }
	typed := func(types ...string) func(*Params) {
		return func(p *Params) { sequenceParams(p); schemaOf(types...)(p) }
	}
	all := typed("sequence_id:VARCHAR(9)", "timestamp:TIMESTAMP", "x:INT", "label:TEXT")
	id := func(p *Params) { sequenceParams(p); p.IDColumn = " Sequence_ID " }
	steps := csvOf("sequence_id,timestamp,x,label\ns1,10,1,up\ns2,7,2,down\ns1,9,1,up\n")
	return []ruleCase{
		{rule: "sequence-column", name: "letter case", params: sequenceParams, breaks: header("sequence_id", "Sequence_ID"), passes: good, also: []string{"feature-not-numeric"}},
		{rule: "sequence-column", name: "padded", params: sequenceParams, breaks: header(",timestamp", " ,timestamp"), passes: good, also: []string{"csv-padded-header"}},
		{rule: "time-column", name: "of sequences", params: sequenceParams, breaks: header("timestamp", "time"), passes: good, also: []string{"feature-not-numeric"}},
		{rule: "sequence-schema", name: "no sequence_id", params: typed("timestamp:TIMESTAMP", "x:INT", "label:TEXT"), breaks: good, passes: good, fixed: all},
		{rule: "sequence-schema", name: "no timestamp", params: typed("sequence_id:TEXT", "x:INT", "label:TEXT"), breaks: good, passes: good, fixed: all},
		{rule: "sequence-as-id", params: id, breaks: good, passes: good, fixed: sequenceParams, also: []string{"id-column"}},
		rows("sequence-blank", ",2024-01-02,1,up\n", "s3,2024-01-02,1,up\n"),
		rows("sequence-blank", " ,2024-01-02,1,up\n", "NAN,2024-01-02,1,up\n"),
		rows("sequence-label", "s1,2024-01-02,1,down\n", "s1,2024-01-02,1,up\n"),
		rows("sequence-label", "s1,2024-01-02,1,\n", "s3,2024-01-02,1,up\n", "label-null"),
		rows("sequence-order", "s2,2024-01-04,1,down\n", "s2,2024-01-05,1,down\ns1,2024-01-01 00:00:00.5,1,up\n"),
		rows("time-invalid", "s1,,1,up\n", "s1,2024-01-02 10:00,1,up\n"),
		rows("time-invalid", "s1,7,1,up\n", "s1,\"Jan 7, 2024\",1,up\n"),
		rows("time-ambiguous", "s1,03/04/2024,1,up\n", "s1,03/14/2024,1,up\n"),
		rows("feature-not-numeric", "s1,2024-01-02,north,up\n", "s1,2024-01-02,,up\n"),
		{rule: "sequence-order", name: "steps", params: sequenceParams, breaks: steps, passes: csvOf(strings.Replace(steps["data.csv"], ",9,", ",10.5,", 1))},
		{rule: "value-date-number", name: "steps as TIMESTAMP", params: all, breaks: csvOf(strings.Replace(steps["data.csv"], ",9,", ",11,", 1)), passes: good},
		{rule: "value-not-numeric", name: "dates as steps", params: typed("sequence_id:TEXT", "timestamp:INT", "x:INT", "label:TEXT"), breaks: good, passes: good, fixed: all},
	}
}

func idCases() []ruleCase {
	id := func(p *Params) { p.IDColumn = "id" }
	table := func(name, cell string) tree { return csvOf(name + ",a,label\nr1,1,x\n" + cell + ",2,y\n") }
	long := strings.Repeat("é", 255)
	return []ruleCase{
		{rule: "id-column", tabular: true, params: id, breaks: table("key", "r2"), passes: table(" id", "r2"), passesStill: []string{"csv-padded-header"}},
		{rule: "id-blank", tabular: true, params: id, breaks: table("id", "  "), passes: table("id", "r 2")},
		{rule: "id-blank", name: "missing", tabular: true, params: id, breaks: table("id", "NULL"), passes: table("id", "Null")},
		{rule: "id-duplicate", tabular: true, params: id, breaks: table("id", " r1 "), passes: table("id", "R1")},
		{rule: "id-duplicate", name: "numbers", tabular: true, params: id, breaks: csvOf("id,a,label\n7,1,x\n7.0,2,y\n"), passes: csvOf("id,a,label\n7,1,x\n7.5,2,y\n")},
		{rule: "id-duplicate", name: "text in the schema", tabular: true, params: func(p *Params) { p.IDColumn = "key" }, breaks: csvOf("key,a,label\n7,1,x\n7,2,y\n"), passes: csvOf("key,a,label\n7,1,x\n07,2,y\n")},
		{rule: "id-rewritten", tabular: true, params: id, breaks: csvOf("id,a,label\n007,1,x\n008,2,y\n"), passes: csvOf("id,a,label\n007,1,x\nr8,2,y\n")},
		{rule: "id-too-long", tabular: true, params: id, breaks: table("id", long+"x"), passes: table("id", " "+long+" ")},
		{rule: "id-duplicate", name: "beside files", params: func(p *Params) { p.IDColumn = "key" },
			breaks: images().With("labels.csv", "filename,label,key\na.png,cat,1\nb.png,dog,1\n"), passes: images().With("labels.csv", "filename,label,key\na.png,cat,1\nb.png,dog,2\n")},
	}
}

// TestIDColumn: the column of the ids may have any name, and is no feature.
func TestIDColumn(t *testing.T) {
	t.Parallel()
	csv := csvOf("id,a,label\nr1,1,x\nr2,2,y\n").Write(t)
	p := tabularParams(t)
	p.IDColumn = "id"
	r := checkPath(t, csv, p)
	want := []dataset.Column{{Name: "a", Type: "INT"}, {Name: "label", Type: "VARCHAR(1)"}}
	if diff := cmp.Diff(want, r.Schema); diff != "" || len(r.Findings) != 0 || len(r.Skipped) != 0 {
		t.Errorf("schema (-want +got):\n%sskipped %v, findings %v", diff, r.Skipped, r.Findings)
	}
	for _, schema := range [][]dataset.Column{want, append([]dataset.Column{{Name: "id", Type: "VARCHAR(2)"}}, want...)} {
		p.Schema = schema
		if r := checkPath(t, csv, p); len(r.Findings) != 0 {
			t.Errorf("findings with the schema %v: %v", schema, r.Findings)
		}
	}
	p = Params{Delimiter: ";", IDColumn: "id", Task: p.Task}
	if r := checkPath(t, csvOf("id;a;label\nr1;1;x\nr1;2;y\n").Write(t), p); r.Totals["id-duplicate"] != 1 || r.Errors() != 1 {
		t.Errorf("findings with another delimiter: %v", r.Findings)
	}
}

// TestSequencesReadAsValidatorsDo: a backslash parts the two readings, before the header too.
func TestSequencesReadAsValidatorsDo(t *testing.T) {
	t.Parallel()
	for _, rows := range []string{"s1,2024-01-02,1,down\ns\\3,2024-01-01,1,up\n", strings.Repeat("s1,2024-01-02,1,up\n", 80_000) + "s\\3,2024-01-01,1,up\ns1,2024-01-02,1,down\n"} {
		p := Params{}
		sequenceParams(&p)
		if r := checkPath(t, walks(rows).Write(t), p); r.Totals["sequence-label"] != 1 || r.Errors() != 1 {
			t.Errorf("findings %v", r.Findings)
		}
	}
}

// TestSequencesReportedOnce: a sequence is reported once for each rule, with its first bad row.
func TestSequencesReportedOnce(t *testing.T) {
	t.Parallel()
	p := Params{}
	sequenceParams(&p)
	r := checkPath(t, walks("s1,2023-01-02,1,down\ns1,2022-01-01,1,down\ns2,2024-01-05,1,up\n").Write(t), p)
	if r.Totals["sequence-label"] != 2 || r.Totals["sequence-order"] != 1 {
		t.Fatalf("findings %v", r.Findings)
	}
	for _, f := range r.Findings {
		if want := map[string][]int64{"sequence-label": {3, 5}, "sequence-order": {3}}[f.Rule]; !cmp.Equal(f.Line, f.Row+1) || (f.Row != want[0] && f.Row != want[len(want)-1]) {
			t.Errorf("finding %v", f)
		}
	}
}

// manySequences writes rows of sequences that all begin before any goes on, so that none can be forgotten.
func manySequences(t *testing.T, sequences, rounds int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data.csv")
	file, err := os.Create(path)
	must(t, err)
	w := bufio.NewWriterSize(file, 1<<20)
	_, err = fmt.Fprintln(w, "sequence_id,timestamp,x,label")
	must(t, err)
	for round := range rounds {
		for i := range sequences {
			_, err = fmt.Fprintf(w, "sequence-%d,%d,%d,class-%d\n", i, round, i%10, i%2)
			must(t, err)
		}
	}
	_, err = fmt.Fprintf(w, "sequence-%d,0,1,class-2\n", sequences-1)
	must(t, err)
	must(t, w.Flush())
	must(t, file.Close())
	return path
}

// TestManySequences: more sequences than are held in memory, which stays bounded.
func TestManySequences(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	const sequences = maxHoldings + 50_000
	path := manySequences(t, sequences, 2)
	d, err := dataset.Open(t.Context(), path)
	must(t, err)
	defer func() { must(t, d.Close()) }()
	p := Params{}
	sequenceParams(&p)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	most := uint64(0)
	r, err := Check(t.Context(), d, p, func(int64) {
		runtime.GC()
		runtime.ReadMemStats(&after)
		most = max(most, after.HeapAlloc)
	})
	must(t, err)
	if r.Totals["sequence-label"] != 1 || r.Totals["sequence-order"] != 1 || r.Errors() != 2 {
		t.Errorf("findings %v", r.Findings)
	}
	if held := int64(most) - int64(before.HeapAlloc); held > 24<<20 {
		t.Errorf("%d bytes held at once", held)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestGoodSeries: datasets as people have them break no rule, and say nothing.
func TestGoodSeries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		task, csv string
		schema    []string
	}{
		{"time_series_forecasting", "timestamp,lag,y,target\n2024-01-01 00:00:00,,1.5,10\n2024-01-01 01:00:00,10,2,11.25\n2024-01-01 01:00:00,11.25,,12\n", nil},
		{"time_series_forecasting", "timestamp,lag,note,target\n2024-01-01,,dry,10\n2024-01-02,10,wet,11.25\n", []string{"timestamp:TIMESTAMP", "lag:FLOAT", "target:FLOAT"}},
		{"time_series_classification", walks("s1,2024-01-02,1,up\ns2,2024-01-06 10:00,2,down\n")["data.csv"], nil},
		{"time_series_classification", "sequence_id,timestamp,x,label\n1,0,0.5,1\n2,0,0.5,0\n1,1,,1\n2,1,0.25,0\n", nil},
		{"time_series_classification", "sequence_id,timestamp,x,label\n1,0,0.5,up\n2,0,0.5,down\n", []string{"sequence_id:VARCHAR(64)", "timestamp:INT", "x:FLOAT", "label:VARCHAR(8)"}},
		{"time_to_event_prediction", "age,group,time,event\n61,a,12.5,1\n45,b,0,0\n", nil},
	} {
		p := Params{Task: mustTask(c.task), LabelColumn: "label", Now: testNow()}
		switch {
		case strings.Contains(c.csv, "target"):
			p.LabelColumn = "target"
		case strings.Contains(c.csv, "event"):
			p.LabelColumn = "event"
		}
		if c.schema != nil {
			schemaOf(c.schema...)(&p)
		}
		r := checkPath(t, csvOf(c.csv).Write(t), p)
		for _, f := range r.Findings {
			if f.Rule != "schema-not-in-schema" {
				t.Errorf("%s: %v", c.task, f)
			}
		}
	}
}
