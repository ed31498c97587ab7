package ingest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const crlfSpec = `# a spec
apiVersion: tracebloc.io/v1
kind: IngestConfig
category: tabular_classification
table: churn
intent: train
csv: /data/shared/churn.csv
label: churned
schema:
  age: INT
  churned: VARCHAR(8)
`

// An editor on Windows ends lines with CR and LF. The spec is the same, and every problem is at the same line and column.
func TestSpecWithCRLF(t *testing.T) {
	t.Parallel()
	crlf := func(text string) []byte { return []byte(strings.ReplaceAll(text, "\n", "\r\n")) }
	want, problems := Load("s", []byte(crlfSpec))
	if want == nil {
		t.Fatal(problems)
	}
	got, problems := Load("s", crlf(crlfSpec))
	if diff := cmp.Diff(want, got); diff != "" || len(problems) > 0 {
		t.Errorf("%v\n%s", problems, diff)
	}
	for _, change := range [][2]string{
		{"age: INT", "age: NUMBER"}, {"label: churned", "label: [a]"}, {"intent: train", "intent: trian"}, {"table: churn", "tabel: churn"}, {"kind: ", "kind "},
	} {
		broken := strings.Replace(crlfSpec, change[0], change[1], 1)
		_, with := Load("s", []byte(broken))
		_, without := Load("s", crlf(broken))
		if diff := cmp.Diff(with, without); diff != "" || len(with) == 0 {
			t.Errorf("%q: %v\n%s", change[1], with, diff)
		}
	}
}

// The name of a table comes from the name of a directory or file, as every system has it.
func TestTableNamesOfWindows(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"My Data":       "my_data",
		"CON":           "con",
		"aux.csv":       "aux",
		"churn.CSV":     "churn",
		"data (1)":      "data_1",
		"Kopie von CSV": "kopie_von_csv",
		`\`:             "",
		"C:":            "c",
		"":              "",
	} {
		if got, err := TableFromName(name); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", name, got, err, want)
		}
	}
}
