package ingest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLoadReports reads each spec of testdata/load and holds what is said
// about it against the golden file beside it.
func TestLoadReports(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "load", "*.yaml"))
	if err != nil || len(files) < 25 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			config, problems := Load(name, text)
			if (config == nil) != (problems.Errors() > 0) {
				t.Errorf("config %v with %d errors", config, problems.Errors())
			}
			var got bytes.Buffer
			for _, p := range problems {
				fmt.Fprintln(&got, p)
				if p.Line < 1 || p.Col < 1 || p.Line > bytes.Count(text, []byte("\n"))+1 {
					t.Errorf("no place in the file: %v", p)
				}
			}
			compareGolden(t, filepath.Join("load", strings.TrimSuffix(name, ".yaml")+".golden"), got.Bytes())
		})
	}
}

func TestLoadPartialForgivesWhatIsMissing(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing but options": "spec: {csv_options: {chunk_size: 5}}\n",
		"a task":              "apiVersion: tracebloc.io/v1\nkind: IngestConfig\ncategory: tabular_regression\nlabel: {column: y, policy: bucket}\n",
		"no policy":           "category: tabular_regression\nlabel: {column: y}\n",
		"a policy":            "label: {policy: bucket}\n",
	} {
		if config, problems := LoadPartial("spec.yaml", []byte(text)); config == nil || problems.Errors() > 0 {
			t.Errorf("%s: %v", name, problems)
		}
		if config, problems := Load("spec.yaml", []byte(text)); config != nil || problems.Errors() == 0 {
			t.Errorf("%s: Load lets it through", name)
		}
	}
	for name, text := range map[string]string{
		"unknown field": "tabel: x\n",
		"both sources":  "csv: a\njson: b\n",
		"short label":   "category: tabular_regression\nlabel: y\n",
		"empty":         "",
		"id column":     "data_id: {strategy: column}\n",
		"group column":  "category: time_series_classification\nschema: {a: INT}\n",
	} {
		if config, problems := LoadPartial("spec.yaml", []byte(text)); config != nil || problems.Errors() == 0 {
			t.Errorf("%s: let through", name)
		}
	}
}

func TestLoadIsBounded(t *testing.T) {
	t.Parallel()
	var bomb, merges strings.Builder
	bomb.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	merges.WriteString("a0: &a0 {x: 1}\n")
	for i := range 30 {
		ref := fmt.Sprintf("*a%d", i)
		fmt.Fprintf(&bomb, "a%d: &a%d [%s]\n", i+1, i+1, strings.Join([]string{ref, ref, ref, ref, ref, ref, ref, ref, ref, ref}, ", "))
		fmt.Fprintf(&merges, "a%d: &a%d {<<: [%s]}\n", i+1, i+1, strings.Join([]string{ref, ref, ref, ref, ref, ref, ref, ref, ref, ref}, ", "))
	}
	for name, tt := range map[string]struct{ text, want string }{
		"aliases":   {bomb.String(), "unfolds to more values"},
		"merges":    {merges.String(), "unfolds to more values"},
		"long text": {"a: &a " + strings.Repeat("x", 500_000) + "\nb: [" + strings.Repeat("*a, ", 1000) + "]\n", "unfolds to more values"},
		"depth":     {"a: " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "\n", "levels deep"},
		"size":      {"a: " + strings.Repeat("x", MaxBytes) + "\n", "ConfigMap"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, problems := Load("spec.yaml", []byte(tt.text))
			if config != nil || !strings.Contains(fmt.Sprint(problems), tt.want) {
				t.Errorf("%.300s", fmt.Sprint(problems))
			}
		})
	}
}

func TestLoadCutsLongLists(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("apiVersion: tracebloc.io/v1\nkind: IngestConfig\ncategory: tabular_classification\ntable: a\nintent: train\ncsv: a.csv\nlabel: y\nschema:\n")
	for i := range 150 {
		fmt.Fprintf(&text, "  c%d: INT UNSIGNED\n", i)
	}
	text.WriteString("  y: NOPE\n")
	config, problems := Load("s", []byte(text.String()))
	// The label stands last: the warnings before it must not hide its error.
	if config != nil || len(problems) != maxProblems || problems.Errors() != 1 || !strings.HasPrefix(problems[maxProblems-1].Message, "52 more problems") {
		t.Errorf("%d problems, %d errors, last %v", len(problems), problems.Errors(), problems[len(problems)-1])
	}
}

func TestNamesOfColumnsCannotHidePositions(t *testing.T) {
	t.Parallel()
	text := strings.Join([]string{
		"apiVersion: tracebloc.io/v1", "kind: IngestConfig", "category: tabular_classification", "table: a", "intent: train", "csv: a.csv",
		"label: y", "schema:", `  "a.b": NONE`, `  "0": NONE`, `  "c\0d": INT`, `  "e\"f": NOPE`, "  y: INT", "",
	}, "\n")
	_, problems := Load("s", []byte(text))
	var got []string
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%d:%d %s", p.Line, p.Col, p.Path))
	}
	want := []string{`9:10 schema["a.b"]`, `10:8 schema["0"]`, `11:3 schema["c\x00d"]`, `12:11 schema["e\"f"]`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestValidateHasNoPlaces(t *testing.T) {
	t.Parallel()
	problems := (&Config{APIVersion: APIVersion, Kind: Kind, Category: "seq2seq", Table: "a-b", Intent: "train", CSV: "a.csv"}).Validate()
	want := Problems{
		{Path: "table", Severity: SeverityError, Message: `table name "a-b" may only have letters, digits and underscores, a letter first; for example "a_b"`},
		{Path: "texts", Severity: SeverityError, Message: `is missing; the task "seq2seq" needs it`},
	}
	if diff := cmp.Diff(want, problems); diff != "" {
		t.Error(diff)
	}
	err := problems.Err()
	if err == nil || !strings.Contains(err.Error(), "\n  texts: is missing") {
		t.Errorf("error %v", err)
	}
	if problems[1:].Err() == nil || (Problems{{Severity: SeverityWarning}}).Err() != nil {
		t.Error("Err does not tell errors from warnings")
	}
}

func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*", "*.yaml"))
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		config, problems := Load("s", text)
		if (config == nil) != (problems.Errors() > 0) {
			t.Fatalf("config %v with %v", config, problems)
		}
		if config == nil {
			return
		}
		canonical, err := config.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, problems := Load("s", canonical)
		if again == nil {
			t.Fatalf("the canonical form is refused: %v\n%s", problems, canonical)
		}
		second, err := again.YAML()
		if err != nil || !bytes.Equal(canonical, second) {
			t.Fatalf("the canonical form changes (%v):\n%s\n%s", err, canonical, second)
		}
	})
}
