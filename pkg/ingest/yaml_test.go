package ingest

import (
	"strings"
	"testing"

	sigsyaml "sigs.k8s.io/yaml"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// misreadWords are strings that some YAML reader takes for a boolean, a
// number, a date, a null, a merge or a syntax error when they have no quotes.
var misreadWords = []string{
	"yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF", "y", "Y", "n", "N",
	"true", "True", "TRUE", "false", "False", "FALSE", "null", "Null", "NULL", "~", "",
	"0", "1", "-1", "+1", "007", "08", "0o7", "0x1F", "0b101", "1_000", "1e3", "1E3", "1e+3", "1.5e+3", "1.", ".5", "-.5", "+.5", "1_0.5",
	".inf", "-.Inf", "+.INF", ".nan", ".NaN", "nan", "inf", "Infinity", "12:30", "190:20:30", "190:20:30.15", "1:2.5",
	"2024-01-01", "2024-1-1", "2024-01-01T10:00:00Z", "2024-01-01 10:00:00", "2001-12-14 21:59:43.10 -5",
	"<<", "=", "-", "?", ":", "- a", "a: b", "a:", ": a", "a #b", "#a", "&a", "*a", "!a", "!!str a", "%a", "@a", "`a", "|", ">", "[a", "{a", "]", "}", ",a",
	"'a", `"a`, " a", "a ", "a\nb", "a\tb", "\t", "---", "...", "--- a", "a\\b", "\u0085", "\u2028", "\ufeff", "\x00", "\x1b[31m", "\u202e", "é", "日本", "😀",
	"a, b", "DECIMAL(10, 2)", "x\u00a0y", "0.1.2", "1-2", "+", ".", "0_", "-0", "0.0",
}

// TestYAMLIsSafeForOldReaders reads the canonical form with a reader of YAML
// 1.1 and expects every string back as it was.
func TestYAMLIsSafeForOldReaders(t *testing.T) {
	t.Parallel()
	for _, word := range misreadWords {
		config := &Config{
			APIVersion: APIVersion, Kind: Kind, Category: "tabular_classification", Table: word, Intent: "train", CSV: word,
			Label:  &Label{Column: word, Policy: "x"},
			Schema: Columns{{Name: word, Type: word}},
			Spec:   &SpecOptions{Validators: []string{word, "a"}},
		}
		text, err := config.YAML()
		if err != nil {
			t.Errorf("%q: %v", word, err)
			continue
		}
		var read struct {
			Table string
			Label struct{ Column string }
			// A key that is not a string would not fit.
			Schema map[string]string
			Spec   struct{ Validators []string }
		}
		if err := sigsyaml.Unmarshal(text, &read); err != nil {
			t.Errorf("%q: %v in\n%s", word, err, text)
			continue
		}
		if (word != "" && read.Table != word) || read.Label.Column != word || read.Schema[word] != word || read.Spec.Validators[0] != word {
			t.Errorf("%q came back as %+v from\n%s", word, read, text)
		}
		if isPlain(word) {
			t.Errorf("%q may stand without quotes", word)
		}
	}
}

func TestPlainWords(t *testing.T) {
	t.Parallel()
	for _, word := range []string{
		"a", "label", "IngestConfig", "tracebloc.io/v1", "VARCHAR(255)", "DECIMAL(10,2)", "/data/shared/.tracebloc-staging/t/0123/labels.csv",
		"image_classification", "ynot", "not", "nano", "e1", "x0", "_",
	} {
		if !isPlain(word) {
			t.Errorf("%q is put in quotes for nothing", word)
		}
		if resolve11(word) != kindString {
			t.Errorf("%q is read as %s", word, resolve11(word))
		}
	}
}

func TestYAMLIsDeterministic(t *testing.T) {
	t.Parallel()
	extra := map[string]any{}
	for _, name := range strings.Split("a b c d e f g h i j k l m", " ") {
		extra[name] = map[string]any{"z": 1, "y": []any{nil, true, 1.5}}
	}
	config := &Config{Spec: &SpecOptions{FileOptions: &FileOptions{Extra: extra}}}
	want, err := config.YAML()
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		got, err := config.YAML()
		if err != nil || string(got) != string(want) {
			t.Fatalf("two forms of one spec (%v):\n%s\n%s", err, want, got)
		}
	}
}

func TestResolve11(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]scalarKind{
		"yes": kindBool, "y": kindString, "12:30": kindInt, "1e3": kindString, "1.0e+3": kindFloat, "08": kindString, "010": kindInt,
		"0o7": kindString, "2024-1-1": kindString, "2024-01-01": kindTimestamp, "2001-12-14 21:59:43.10 -5": kindTimestamp,
		"=": kindValue, "<<": kindMerge, "": kindNull, "~": kindNull, "+.5": kindString, "-.inf": kindFloat, "1_0": kindInt,
	} {
		if got := resolve11(word); got != want {
			t.Errorf("resolve11(%q) = %s, want %s", word, got, want)
		}
	}
}

func TestColumnsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	in := Columns{{Name: "z", Type: "INT"}, {Name: "a", Type: "INT"}, {Name: "m", Type: "INT"}}
	encoded, err := in.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var out Columns
	if err := out.UnmarshalJSON(encoded); err != nil {
		t.Fatal(err)
	}
	for i := range in {
		if in[i] != out[i] {
			t.Fatalf("%v became %v", in, out)
		}
	}
	if _, ok := out.Lookup("A"); ok {
		t.Error("Lookup folds letter case")
	}
	if column, ok := out.Lookup("m"); !ok || column != (dataset.Column{Name: "m", Type: "INT"}) {
		t.Errorf("Lookup(m) = %v, %v", column, ok)
	}
}
