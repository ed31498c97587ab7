package pages

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sample = "# Title\n\nUse `kubectl tracebloc push ./a\n--detach` or `x`.\n\n## First\n\n```console\n$ one \"two\n> three\" # and so on\nout\n\n$ four \\\n    five\n```\n\n" +
	"- in a list\n\n  ```sh\n  # a comment\n  for x in a b; do\n    six $x\n  done\n  ```\n\n```sh\n#!/bin/sh\nseven\n```\n\n### Deeper\n\n## Second\n\n```yaml\n- run: kubectl tracebloc wait RUN\n```\n"

func TestLines(t *testing.T) {
	t.Parallel()
	page := Page{Name: "docs/a.md", Text: sample}
	var got []string
	for _, line := range page.Lines() {
		got = append(got, line.Text)
	}
	want := []string{"one \"two\nthree\" # and so on", "four \\\n    five", "for x in a b; do\n  six $x\ndone"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"out", ""}, page.Lines()[0].Output); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
	if n := page.Lines()[0].Number; n != 9 {
		t.Errorf("the first line is line %d of the page, want 9", n)
	}
	got = nil
	for _, line := range page.Shown() {
		got = append(got, line.Text)
	}
	if diff := cmp.Diff([]string{"kubectl tracebloc wait RUN", "kubectl tracebloc push ./a --detach"}, got); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}

func TestSection(t *testing.T) {
	t.Parallel()
	page := Page{Text: sample}
	if text := page.Section("First"); !strings.Contains(text, "seven") || strings.Contains(text, "Second") {
		t.Errorf("got %q", text)
	}
	if text := page.Section("Third"); text != "" {
		t.Errorf("got %q", text)
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`a b`:                            "a b",
		`a 'b c' "d \" e" f\ g`:          `a|b c|d " e|f g`,
		`a | b && c; d & e`:              "a;b;c;d;e",
		`X=1 a > out 2>&1 < in`:          "a",
		`Y=2`:                            "",
		`a "$(b c)" <(d)`:                "b|c;d;a|$(b c)|<(d)",
		`a -o jsonpath={.x} -l a=b`:      "a|-o|jsonpath={.x}|-l|a=b",
		`a '{range .items[*]}{.x}{end}'`: "a|{range .items[*]}{.x}{end}",
		`a # b`:                          "a",
		`if ! a; then b; else c; fi`:     "a;b;c",
		"while :; do\n  a\ndone":         ":;a",
		"a <<'EOF' | b\nc d\nEOF\ne":     "a;b;e",
		`{ a; b; }`:                      "a;b",
		`printf '#!/bin/sh\n%s "$@"' > ~/.local/bin/x`: `printf|#!/bin/sh\n%s "$@"`,
	} {
		var got []string
		for _, words := range Commands(text) {
			got = append(got, strings.Join(words, "|"))
		}
		if text == `a b` {
			want = "a|b"
		}
		if strings.Join(got, ";") != want {
			t.Errorf("%q: got %q, want %q", text, strings.Join(got, ";"), want)
		}
	}
}

func TestComplete(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"a": true, "a \\": false, "a 'b": false, `a "b`: false, "a $(b": false, "for x in a; do": false, "for x in a; do b; done": true,
		"a <<EOF\nb": false, "a <<EOF\nb\nEOF": true, "if a; then b": false, "a # it's": true,
	} {
		if Complete(text) != want {
			t.Errorf("Complete(%q) = %v", text, !want)
		}
	}
}

func FuzzCommands(f *testing.F) {
	f.Add("a \"$(b 'c')\" <<EOF\nd\nEOF\n")
	f.Add("for x in $(y); do z > w; done")
	f.Fuzz(func(t *testing.T, text string) {
		for _, words := range Commands(text) {
			if len(words) == 0 {
				t.Errorf("%q has a command without a word", text)
			}
		}
		Complete(text)
	})
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Class{
		"kubectl tracebloc push ./a --dry-run=client":                    Offline,
		"kubectl tracebloc push ./a --dry-run client | jq .":             Offline,
		"kubectl tracebloc push ./a":                                     Cluster,
		"kubectl tracebloc version":                                      Cluster,
		"kubectl tracebloc version --client":                             Offline,
		"kubectl tracebloc push --help":                                  Offline,
		"cat ingest.log | kubectl tracebloc logs --summary --filename -": Offline,
		`kubectl tracebloc wait "$(cat run)"`:                            Cluster,
		"kubectl get pods":                                               Cluster,
		"make test":                                                      Elsewhere,
		"kubectl krew install tracebloc":                                 Elsewhere,
		"kubectl krew install another":                                   "",
		"rocket launch":                                                  "",
	} {
		if got, err := Classify(Line{Text: text}); got != want || (err != nil) != (want == "") {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
}

func TestProofs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		proof Proof
		good  bool
	}{
		{Proof{Target: "test lint"}, true},
		{Proof{Target: "no-such-target"}, false},
		{Proof{Test: "hack/pages TestProofs"}, true},
		{Proof{Test: "hack/pages TestProof"}, false},
		{Proof{Test: "hack/nothing"}, false},
		{Proof{Why: "because"}, true},
		{Proof{}, false},
		{Proof{Why: "because", Target: "test"}, false},
	} {
		if err := c.proof.Missing("../.."); (err == nil) != c.good {
			t.Errorf("%+v: %v", c.proof, err)
		}
	}
}

func TestUnmatched(t *testing.T) {
	t.Parallel()
	got := []string{"Run:   a6uvdsplnx67wkopbi34g5xscv", "waiting", "Staging: 873 KiB in 677ms", "", "RUN   AGE", "9     2s"}
	for _, c := range []struct{ shown, missing string }{
		{"Run: b6uvdsplnx67wkopbi34g5xscv|...|Staging: 1.2 MiB in 2s|RUN AGE|12 5s", ""},
		{"Run: b6uvdsplnx67wkopbi34g5xscv|Staging: 1 B in 1s", "Staging: 1 B in 1s"},
		{"...|Moving: 1 B in 1s", "Moving: 1 B in 1s"},
		{"", ""},
	} {
		if missing := unmatched(strings.Split(c.shown, "|"), got); missing != c.missing {
			t.Errorf("%q: got %q, want %q", c.shown, missing, c.missing)
		}
	}
}

func TestExamples(t *testing.T) {
	t.Parallel()
	page := Page{Text: "## pets\n\n```text\npets/\n├── images/\n│   └── a.png\n├── texts/\n│   └── b.txt\n└── labels.csv\n```\n\n```text\n==> labels.csv <==\nx,y\n\n==> texts/b.txt <==\none<TAB>two\n```\n\n" +
		"```yaml\ncategory: pets\n```\n\n## table\n\n```text\n==> a.csv <==\nx,y\n1,2\n```\n"}
	got, err := Examples(page)
	if err != nil {
		t.Fatal(err)
	}
	want := []Example{
		{Task: "pets", Root: "pets", Files: map[string]string{"labels.csv": "x,y\n", "texts/b.txt": "one\ttwo\n"}, Images: []string{"images/a.png"}, Spec: "category: pets\n", SpecLine: 21},
		{Task: "table", Root: "a.csv", Files: map[string]string{"": "x,y\n1,2\n"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("examples (-want +got):\n%s", diff)
	}
	for _, broken := range []string{
		strings.Replace(page.Text, "==> texts/b.txt", "==> texts/c.txt", 1),
		strings.Replace(page.Text, "==> texts/b.txt <==\none<TAB>two\n", "", 1),
		strings.Replace(page.Text, "│   └── a.png", "│       └── a.png", 1),
	} {
		if _, err := Examples(Page{Text: broken}); err == nil {
			t.Errorf("this was taken:\n%s", broken)
		}
	}
	if !slices.Contains(got[0].Images, "images/a.png") {
		t.Error("the image is lost")
	}
}
