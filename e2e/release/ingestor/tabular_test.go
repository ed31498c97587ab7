package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func tabularSpec(csv, schema, more string) string {
	return fmt.Sprintf("apiVersion: tracebloc.io/v1\nkind: IngestConfig\ncategory: tabular_classification\ntable: people\nintent: test\ncsv: %s\nlabel: label\nschema: %s\n%s", csv, schema, more)
}

func tabular(t *testing.T, csv, schema, more string) *fixture {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data.csv")
	write(t, path, csv)
	return newFixture(t, tabularSpec(path, schema, more))
}

func TestTabularToRows(t *testing.T) {
	f := tabular(t, "age,height,name, label ,joined,member,ignored\n30,1.5,Zoë,yes,2024-01-31,no,x\n,NA,\"a, \"\"b\"\"\",no,,Y,\n007,2,NULL,yes,2024-02-01,,\n",
		"{age: INT, height: DOUBLE, name: VARCHAR(20), label: VARCHAR(5), joined: DATE, member: BOOLEAN}", "")
	code, stdout, stderr := f.end(t)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if want := "Data Validator Validator successfully passed\nTable Name Validator Validator successfully passed\nDuplicate Validator Validator successfully passed\n"; !strings.HasPrefix(stdout, want) {
		t.Errorf("stdout:\n%s", stdout)
	}
	var got [][]any
	for _, r := range f.store.rows {
		got = append(got, append([]any{r.label}, r.features...))
	}
	want := [][]any{
		{"yes", int64(30), 1.5, "Zoë", "2024-01-31", false},
		{"no", nil, nil, `a, "b"`, nil, true},
		{"yes", int64(7), 2.0, nil, "2024-02-01", nil},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if code, _, stderr := newSame(t, f).end(t); code != exitOK || len(f.store.rows) != 6 {
		t.Errorf("a second run: exit %d, %d rows, %s", code, len(f.store.rows), stderr)
	}
}

func TestDataValidatorTexts(t *testing.T) {
	for _, tc := range []struct{ name, csv, schema, want string }{
		{"word in INT", "a,label\nx,1\n2,1\n", "{a: INT}", "Column 'a' contains 1 non-numeric value(s). Sample invalid values: ['x']"},
		{"fraction in INT", "a,label\n1.5,1\n", "{a: BIGINT}", "Column 'a' contains 1 non-integer values"},
		{"infinite", "a,label\ninf,1\n1,2\n", "{a: FLOAT}", "Column 'a' contains 1 non-finite value(s) (inf/-inf): [inf]"},
		{"lower-case none", "a,label\nnone,1\n1,2\n", "{a: FLOAT}", "Column 'a' contains 1 non-numeric value(s). Sample invalid values: ['none']"},
		{"maybe", "a,label\nmaybe,1\ntrue,2\n", "{a: BOOLEAN}", "Column 'a' contains non-boolean values. Found 1 invalid value(s): {'maybe'}"},
		{"too long", "a,label\nabcdef,1\nabcde,2\n", "{a: VARCHAR(5)}", "Column 'a' has 1 values exceeding max length 5"},
		{"a code beside a blank is measured as a float", "a,label\n01234,1\n,2\n", "{a: VARCHAR(5)}", "Column 'a' has 1 values exceeding max length 5"},
		{"mixed dates", "a,label\n2024-01-01,1\n2024/01/02,2\n", "{a: DATE}", "Column 'a' contains 1 invalid date values"},
		{"unknown type", "a,label\n1,1\n", "{a: TINYINT}", "Unknown data type: TINYINT"},
		{"no rows", "a,label\n", "{a: INT}", "No data found to validate"},
		{"empty", "", "{a: INT}", "No data found to validate"},
		{"ragged", "a,label\n1,2\n1,2,3\n", "{a: INT}", "Data type validation error: Error tokenizing data. C error: Expected 2 fields in line 3, saw 3"},
		{"twice", "a, a,label\n1,2,3\n", "{a: INT}", "Duplicate column name(s) in the CSV header: ['a']."},
		{"absent", "b,label\n1,2\n", "{a: INT}", "Ingestion failed: Schema columns not present in CSV: a"},
		{"label type", "a,label\n1,x\n", "{a: INT, label: INT}", "Data type validation failed for column label: Unable to parse string \"x\" at position 0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, _, stderr := tabular(t, tc.csv, tc.schema, "").end(t)
			if code != exitFailed || !strings.Contains(stderr, tc.want) {
				t.Errorf("exit %d\n%s\nwant %q", code, stderr, tc.want)
			}
		})
	}
}

func TestReservedColumnsAreUncaught(t *testing.T) {
	code, _, stderr := tabular(t, "id,label\n1,2\n", "{id: INT}", "").end(t)
	if code != exitFailed || !strings.Contains(stderr, "Traceback") || !strings.Contains(stderr, "Schema column(s) ['id'] collide with reserved tracebloc columns.") || strings.Contains(stderr, "Ingestion failed:") {
		t.Errorf("exit %d\n%s", code, stderr)
	}
}

func TestLabels(t *testing.T) {
	for _, tc := range []struct {
		name, csv, schema, label string
		want                     []any
		failed                   int
	}{
		{"codes lose their zeros", "a,label\n1,01\n2,02\n", "{a: INT}", "label", []any{int64(1), int64(2)}, 0},
		{"text keeps them", "a,label\n1,01\n2,02\n", "{a: INT, label: VARCHAR(2)}", "label", []any{"01", "02"}, 0},
		{"blank text is NULL", "a,label\n1,\n2,b\n", "{a: INT, label: VARCHAR(2)}", "label", []any{nil, "b"}, 0},
		{"blank number is lost", "a,label\n1,\n2,7\n", "{a: INT}", "label", []any{"7"}, 1},
		{"words of a boolean", "a,label\n1,yes\n2,no\n", "{a: INT, label: BOOLEAN}", "label", []any{1, 0}, 0},
		{"bucket", "a,label\n1,3.5\n2,\n", "{a: INT, label: FLOAT}", "{column: label, policy: bucket}", []any{22, -1}, 0},
		{"absent", "a,Label\n1,x\n", "{a: INT}", "label", []any{nil}, 0},
		{"bucket of an absent one", "a,Label\n1,x\n", "{a: INT}", "{column: label, policy: bucket}", []any{-1}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "data.csv")
			write(t, path, tc.csv)
			f := newFixture(t, strings.Replace(tabularSpec(path, tc.schema, ""), "label: label", "label: "+tc.label, 1))
			_, stdout, stderr := f.end(t)
			var got []any
			for _, r := range f.store.rows {
				got = append(got, r.label)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n%s%s", diff, stdout, stderr)
			}
			if f.counts.failed != tc.failed {
				t.Errorf("failed = %d, want %d", f.counts.failed, tc.failed)
			}
		})
	}
}

func TestARowThatTheServerRefusesLeavesTheOthers(t *testing.T) {
	f := tabular(t, "a,label\n1,x\n2,"+strings.Repeat("y", 256)+"\n3,z\n", "{a: INT}", "")
	code, stdout, _ := f.end(t)
	if code != exitFailed || len(f.store.rows) != 2 || !strings.Contains(stdout, "❌ Failed DB Insertion:     1") {
		t.Errorf("exit %d, %d rows\n%s", code, len(f.store.rows), stdout)
	}
}

func TestIDColumn(t *testing.T) {
	f := tabular(t, "a,key,label\n1, k1 ,x\n2,,y\n", "{a: INT, key: VARCHAR(9)}", "data_id: {strategy: column, column: key}\n")
	if code, stdout, stderr := f.end(t); code != exitOK || len(f.store.rows) != 1 || f.store.rows[0].dataID != "k1" || f.counts.skipped != 1 {
		t.Errorf("exit %d, %v\n%s%s", code, f.store.rows, stdout, stderr)
	}
}

func TestSQLTypes(t *testing.T) {
	for in, want := range map[string]string{
		"int": "INT", "BIGINT": "BIGINT", "VARCHAR(20)": "VARCHAR(20)", "DECIMAL(10, 2)": "DECIMAL(10,2)", "NUMERIC(5)": "NUMERIC(5)", "BOOL": "TINYINT(1)",
		"TIMESTAMP": "DATETIME", "DATETIME(6)": "DATETIME", "INT UNSIGNED": "INT",
	} {
		if got, err := sqlType(in); err != nil || got != want {
			t.Errorf("sqlType(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"VARCHAR": "VARCHAR requires a length on dialect mysql", "INT(11)": "Integer() takes no arguments", "JSON": "Unsupported MySQL type: JSON", "CHAR(3)": "Unsupported MySQL type: CHAR",
	} {
		if got, err := sqlType(in); err == nil || err.Error() != want {
			t.Errorf("sqlType(%q) = %q, %v; want the error %q", in, got, err, want)
		}
	}
}
