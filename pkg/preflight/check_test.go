package preflight

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

var update = flag.Bool("update", false, "write the golden files anew")

// hostile breaks many rules at once.
func hostile() tree {
	return tree{
		"labels.csv":     "filename,label\na.png,cat\n\x1b[31mred.png,\n001,dog\nb.jpg,cat \nA.PNG,cat\n",
		"images/a.png":   pngOf(32, 32),
		"images/b.png":   pngOf(64, 32),
		"images/c.png":   "",
		"images/d.jpg":   "no image",
		"images/.hidden": "x",
		"notes.txt":      "x",
	}
}

func TestResultJSON(t *testing.T) {
	t.Parallel()
	r := checkPath(t, hostile().Write(t), imageParams(t))
	got, err := json.MarshalIndent(r, "", "  ")
	must(t, err)
	golden := filepath.Join("testdata", "hostile.json")
	if *update {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(golden, append(got, '\n'), 0o644))
	}
	want, err := os.ReadFile(golden)
	must(t, err)
	if diff := cmp.Diff(strings.TrimSpace(string(want)), string(got)); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	if r.Errors() != 9 || r.Warnings() != 4 {
		t.Errorf("%d errors, %d warnings; totals %v", r.Errors(), r.Warnings(), r.Totals)
	}
}

func TestFindingsAreStable(t *testing.T) {
	t.Parallel()
	tr := hostile()
	for i := range 50 {
		tr[fmt.Sprintf("images/x%02d.png", i)] = "broken"
	}
	dir := tr.Write(t)
	want := checkPath(t, dir, imageParams(t))
	for range 5 {
		got := checkPath(t, dir, imageParams(t))
		if diff := cmp.Diff(want.Findings, got.Findings); diff != "" {
			t.Fatalf("findings of two runs differ:\n%s", diff)
		}
	}
}

func TestCheckManifestAndBytes(t *testing.T) {
	t.Parallel()
	tr := images().With("notes.txt", "not staged").With("images/sub/c.png", pngOf(32, 32))
	d, err := dataset.Open(t.Context(), tr.Write(t))
	must(t, err)
	defer func() { must(t, d.Close()) }()
	var bytes int64
	r, err := Check(t.Context(), d, imageParams(t), func(n int64) { bytes += n })
	must(t, err)
	want := map[string][32]byte{}
	for _, path := range []string{"labels.csv", "images/a.png", "images/b.png", "images/sub/c.png"} {
		want[path] = sha256.Sum256([]byte(tr[path]))
	}
	got := map[string][32]byte{}
	for i, f := range r.Manifest {
		got[f.Path] = f.SHA256
		if f.Size != int64(len(tr[f.Path])) || (i > 0 && r.Manifest[i-1].Path >= f.Path) {
			t.Errorf("manifest entry %d is %q of %d bytes", i, f.Path, f.Size)
		}
		file, err := d.OpenFile(f)
		must(t, err)
		must(t, file.Close())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("digests (-want +got):\n%s", diff)
	}
	if bytes != r.Manifest.Bytes() {
		t.Errorf("%d bytes told, %d in the manifest", bytes, r.Manifest.Bytes())
	}
}

func TestCheckCanceled(t *testing.T) {
	t.Parallel()
	d, err := dataset.Open(t.Context(), images().Write(t))
	must(t, err)
	defer func() { must(t, d.Close()) }()
	ctx, cancel := context.WithCancel(t.Context())
	_, err = Check(ctx, d, imageParams(t), func(int64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Check() = %v, want it canceled", err)
	}
}

func TestCheckChangedFile(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"labels.csv", "images/a.png"} {
		dir := images().Write(t)
		d, err := dataset.Open(t.Context(), dir)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, path), []byte("other"), 0o644))
		_, err = Check(t.Context(), d, imageParams(t), nil)
		var changed *dataset.ChangedError
		if !errors.As(err, &changed) || changed.Path != path {
			t.Errorf("Check() after %s changed = %v", path, err)
		}
		must(t, d.Close())
	}
}

// TestCheckFileThatGrows appends to a file while it is read.
func TestCheckFileThatGrows(t *testing.T) {
	t.Parallel()
	dir := csvOf(features).Write(t)
	d, err := dataset.Open(t.Context(), dir)
	must(t, err)
	defer func() { must(t, d.Close()) }()
	grown := false
	_, err = Check(t.Context(), d, tabularParams(t), func(int64) {
		if grown {
			return
		}
		grown = true
		must(t, os.WriteFile(filepath.Join(dir, "data.csv"), []byte(features+"3,c\n"), 0o644))
	})
	var changed *dataset.ChangedError
	if !errors.As(err, &changed) {
		t.Errorf("Check() of a growing file = %v", err)
	}
}

func TestFindingsAreBounded(t *testing.T) {
	t.Parallel()
	r := newReport()
	const n = 5 * maxFindings
	for i := range n {
		r.add("csv-ragged-row", Finding{File: "a.csv", Row: int64((i*7919)%n + 1)})
		if kept := len(r.byRule["csv-ragged-row"]); kept > 2*maxFindings {
			t.Fatalf("%d findings kept", kept)
		}
	}
	got := r.findings()
	if len(got) != maxFindings || got[0].Row != 1 || got[maxFindings-1].Row != maxFindings || r.totals["csv-ragged-row"] != n {
		t.Errorf("%d findings from row %d to %d, total %d", len(got), got[0].Row, got[len(got)-1].Row, r.totals["csv-ragged-row"])
	}
}

// TestReadings: where the two readings of the ingestor part, each is judged by what it does.
func TestReadings(t *testing.T) {
	t.Parallel()
	semicolons := func(p *Params) { p.Delimiter = ";" }
	cases := []struct {
		name    string
		csv     string
		params  func(*Params)
		want    []string
		columns int
	}{
		{"semicolon", "age;label\n1;a\n2;b\n", semicolons, nil, 2},
		{"semicolon and a decimal comma", "age;label\n1;a\n2,5;b\n", semicolons, []string{"csv-ragged-row"}, 2},
		{"semicolon and commas in cells", "text;label\nyes, sir;a\nno;b\n", semicolons, nil, 2},
		{"semicolon and more commas later", "text;label\nyes, sir;a\nno, no, sir;b\n", semicolons, []string{"csv-ragged-row"}, 2},
		{"semicolon and a backslash", "age;label\n1;a\\b\n2;b\n", semicolons, []string{"csv-backslash"}, 2},
		{"quote", "age,label\n1,'a,b'\n2,c\n", func(p *Params) { p.Quote = "'" }, []string{"csv-index-shift"}, 2},
		{"escaped quote", "s,label\n\"say \\\"hi\\\"\",a\nx,b\n", nil, []string{"csv-backslash"}, 2},
		{"escaped quote and a comma", "s,label\nx,b\n\"say \\\"hi, you\\\"\",a\n", nil, []string{"csv-backslash", "csv-ragged-row"}, 2},
		{"backslash before the closing quote", "s,label\n\"C:\\dir\\\",a\nx,b\nz,c\n", nil, []string{"csv-backslash", "csv-unclosed-quote"}, 2},
		{"backslash at the end of a line", "s,label\nx,a\\\ny,b\nz,c\n", nil, []string{"csv-backslash", "csv-index-shift"}, 2},
		{"backslash in the header", "s\\x,label\n1,a\n2,b\n", nil, []string{"csv-backslash-header"}, 2},
		{"other escape", "s,label\nC:\\dir,a\nx^y,b\n", func(p *Params) { p.Escape = "^" }, []string{"csv-backslash"}, 2},
		{"late backslash", "s,label\n" + strings.Repeat("xxxxxxxxxxxxxxx,a\n", 100_000) + "a\\b,b\n", nil, []string{"csv-backslash"}, 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := tabularParams(t)
			if c.params != nil {
				c.params(&p)
			}
			r := checkPath(t, csvOf(c.csv).Write(t), p)
			if diff := cmp.Diff(c.want, rulesOf(r), emptyIsNil); diff != "" {
				t.Errorf("rules (-want +got):\n%s%v", diff, r.Findings)
			}
			if len(r.Schema) != c.columns {
				t.Errorf("schema %v, want %d columns", r.Schema, c.columns)
			}
		})
	}
}

// TestNumericNamesByChunk: types are guessed for 1,000 rows at a time.
func TestNumericNamesByChunk(t *testing.T) {
	t.Parallel()
	tr := tree{}
	var b strings.Builder
	b.WriteString("filename,label\n")
	content := pngOf(32, 32)
	for i := range ingestRows + 2 {
		name := fmt.Sprintf("%04d", i)
		if i < ingestRows && i%2 == 0 {
			name = fmt.Sprintf("n%03d", i)
		}
		tr["images/"+name+".png"] = content
		fmt.Fprintf(&b, "%s,%c\n", name, 'a'+i%2)
	}
	tr["labels.csv"] = b.String()
	r := checkPath(t, tr.Write(t), imageParams(t))
	if r.Totals["filename-numeric"] != 2 || r.Errors() != 2 || r.Findings[0].Row != ingestRows+1 {
		t.Errorf("findings %v", r.Findings)
	}
}

func TestClip(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"plain é 日本":              "plain é 日本",
		"\x1b[31m\x07\u009b":      `\u001b[31m\u0007\u009b`,
		"a\r\n\tb":                `a\r\n\tb`,
		"\u202eevil\u2066":        `\u202eevil\u2066`,
		"caf\xe9":                 `caf\xe9`,
		"\U000e0001":              `\U000e0001`,
		strings.Repeat("é", 65):   strings.Repeat("é", 64) + "…",
		strings.Repeat("\xff", 9): strings.Repeat(`\xff`, 9),
	} {
		if got := clip([]byte(value)); got != want {
			t.Errorf("clip(%q) = %q, want %q", value, got, want)
		}
	}
}

// TestTaskChecks: every group of rules that a task names is there, and every group that is there is named.
func TestTaskChecks(t *testing.T) {
	t.Parallel()
	named := map[dataset.Check]bool{}
	for _, task := range dataset.Tasks {
		for _, check := range task.Checks {
			named[check] = true
			if taskChecks()[check] == nil {
				t.Errorf("task %s: there are no rules of the group %q", task.Name, check)
			}
		}
	}
	for check := range taskChecks() {
		if !named[check] {
			t.Errorf("no task has the group %q", check)
		}
	}
}

// TestFixListsLeftOut: with Fix, each file that is left out is listed.
func TestFixListsLeftOut(t *testing.T) {
	t.Parallel()
	p := imageParams(t)
	data := images()
	for i := range 7 {
		data = data.With(fmt.Sprintf("images/._%d.png", i), "junk")
	}
	for fix, want := range map[bool]int{false: 1, true: 7} {
		p.Fix = fix
		r := checkPath(t, data.Write(t), p)
		if r.Totals["file-hidden"] != 7 || len(r.Findings) != want {
			t.Errorf("fix %v: %d left out, findings %v", fix, r.Totals["file-hidden"], r.Findings)
		}
	}
}
