package ingest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

func TestParseSchema(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		flag    string
		want    []dataset.Column
		wantErr string
	}{
		{flag: "a:INT", want: []dataset.Column{{Name: "a", Type: "INT"}}},
		{flag: " a : int ,b: decimal( 10 , 2 ),c:Varchar(5)", want: []dataset.Column{
			{Name: "a", Type: "INT"}, {Name: "b", Type: "DECIMAL(10,2)"}, {Name: "c", Type: "VARCHAR(5)"}}},
		{flag: "a:b:TEXT,x (y, z):DATE", want: []dataset.Column{{Name: "a:b", Type: "TEXT"}, {Name: "x (y, z)", Type: "DATE"}}},
		{flag: "t:DATETIME(6),n:NUMERIC(5),u:TEXT(10),ts:TIMESTAMP", want: []dataset.Column{
			{Name: "t", Type: "DATETIME(6)"}, {Name: "n", Type: "NUMERIC(5)"}, {Name: "u", Type: "TEXT(10)"}, {Name: "ts", Type: "TIMESTAMP"}}},
		{flag: "", wantErr: `"" has no type`},
		{flag: "a", wantErr: `"a" has no type; write it as name:TYPE`},
		{flag: "a:INT,", wantErr: `"" has no type`},
		{flag: ":INT", wantErr: "has no column name"},
		{flag: "a:", wantErr: `"" is not a column type`},
		{flag: "a:INT,a:TEXT", wantErr: `"a" stands twice`},
		{flag: "a:VARCHAR", wantErr: "needs a length"},
		{flag: "a:VARCHAR(0)", wantErr: "at least 1"},
		{flag: "a:VARCHAR(5,5)", wantErr: "one number"},
		{flag: "a:VARCHAR(99999999999)", wantErr: "not a column type"},
		{flag: "a:VARCHAR(65536)", wantErr: "16383; use TEXT"},
		{flag: "a:DECIMAL(66)", wantErr: "65"},
		{flag: "a:DATETIME(7)", wantErr: "6"},
		{flag: "a:INT(11)", wantErr: "nothing in parentheses"},
		{flag: "a:INT UNSIGNED", wantErr: `does not read "UNSIGNED"`},
		{flag: "a:INT 5", wantErr: "not a column type"},
		{flag: "f:float(24)", want: []dataset.Column{{Name: "f", Type: "FLOAT(24)"}}},
		{flag: "a:SMALLINT", wantErr: "use INT"},
		{flag: "a:LONGBLOB", wantErr: "there are VARCHAR(n)"},
		{flag: "a:DECIMAL(10,2", wantErr: "not a column type"},
	} {
		got, err := ParseSchema(tt.flag)
		if tt.wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("ParseSchema(%q): error %v, want %q", tt.flag, err, tt.wantErr)
			}
			continue
		}
		if err != nil {
			t.Errorf("ParseSchema(%q): %v", tt.flag, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("ParseSchema(%q):\n%s", tt.flag, diff)
		}
	}
}

func FuzzParseSchema(f *testing.F) {
	f.Add("a:INT,b:DECIMAL(10,2)")
	f.Add("a:b:TEXT,x (y, z):DATE")
	f.Fuzz(func(t *testing.T, flag string) {
		columns, err := ParseSchema(flag)
		if err != nil {
			return
		}
		for _, column := range columns {
			again, err := dataset.ParseSQLType(column.Type)
			if err != nil || again.String() != column.Type || column.Name == "" {
				t.Fatalf("%q gives %+v, whose type reads as %v (%v)", flag, column, again, err)
			}
		}
	})
}

func TestTableNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"data": "data", "Flowers (train).csv": "flowers_train", "my-data": "my_data", "__x__": "x", "2024 scans": "t_2024_scans",
		"Größe": "gro_e", "café": "cafe", "a.b.c": "a_b_c", "x.CSV": "x", strings.Repeat("a", 63): strings.Repeat("a", 63),
		"日本": "", "---": "", "": "", strings.Repeat("a", 64): "",
	} {
		got, err := TableFromName(name)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("TableFromName(%q) = %q, %v; want %q", name, got, err, want)
		}
		if err == nil && CheckTable(got) != nil {
			t.Errorf("TableFromName(%q) = %q: %v", name, got, CheckTable(got))
		}
		if err != nil && !strings.Contains(err.Error(), "--table") {
			t.Errorf("TableFromName(%q): %q shows no way out", name, err)
		}
	}
	for _, name := range []string{"a", "A_1", strings.Repeat("z", 63)} {
		if err := CheckTable(name); err != nil {
			t.Error(err)
		}
	}
	for name, want := range map[string]string{
		"": "no name", "_a": "start with a letter", "1a": "start with a letter", "a-b": `"a_b"`, "a b": `"a_b"`, "a_": "underscore", "é": "letters",
		"a\n": "letters", strings.Repeat("z", 64): "63", "a.b\x1b": `\x1b`,
	} {
		if err := CheckTable(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CheckTable(%q) = %v, want %q", name, err, want)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	candidates := []string{"apiVersion", "category", "csv", "images", "intent", "json", "kind", "label", "schema", "table", "target_size"}
	for word, want := range map[string]string{
		"tabel": "table", "lable": "label", "Table": "table", "targetSize": "target_size", "target-size": "target_size", "apiversion": "apiVersion",
		"image": "images", "csvs": "csv", "scema": "schema", "catgory": "category", "x": "", "": "", "zebra": "", "metadata": "", "tsv": "csv",
		strings.Repeat("table", 100): "",
	} {
		if got := nearest(word, candidates); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
