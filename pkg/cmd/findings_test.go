package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight"
)

// endings are command lines of validate, one for each way in which it can end.
func endings(t *testing.T) (dir string, lines map[string][]string) {
	t.Helper()
	dir = inSpecs(t, map[string]string{
		"good.yaml": goodSpec, "warned.yaml": warnedSpec, "bad.yaml": badSpec, "no.yaml": "- 1\n",
		"good/flowers.csv": "petal,species\n1.5,rose\n2.5,tulip\n",
		"bad/flowers.csv":  "petal,species\n1.5,rose\nlong,tulip\n2,rose\n",
		"else/trees.csv":   "petal,species\n1.5,rose\n2.5,tulip\n",
	})
	return dir, map[string][]string{
		"good":            {"DIR/good.yaml"},
		"warned":          {"DIR/warned.yaml"},
		"bad":             {"DIR/good.yaml", "DIR/bad.yaml"},
		"no document":     {"DIR/no.yaml"},
		"not there":       {"DIR/nope.yaml", "DIR/bad.yaml"},
		"standard input":  {"-"},
		"good data":       {"DIR/good.yaml", "--data=DIR/good"},
		"one file":        {"DIR/good.yaml", "--data=DIR/good/flowers.csv"},
		"bad data":        {"DIR/warned.yaml", "--data=DIR/bad"},
		"bad file":        {"DIR/good.yaml", "--data=DIR/bad/flowers.csv"},
		"no data":         {"DIR/good.yaml", "--data=DIR/nope"},
		"other data":      {"DIR/good.yaml", "--data=DIR/else"},
		"no spec":         {},
		"data for two":    {"DIR/good.yaml", "-", "--data=DIR"},
		"links, no data":  {"DIR/good.yaml", "--follow-symlinks"},
		"an empty --data": {"DIR/good.yaml", "--data="},
	}
}

// Whatever the ending and the format, the exit code is the same, the object has
// it, and nothing but the format is on stdout.
func TestValidateEndings(t *testing.T) {
	t.Parallel()
	dir, lines := endings(t)
	for name, args := range lines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := func(format string) (int, string, string) {
				return runValidate(t, dir, badSpec, append(slices.Clone(args), "-o", format)...)
			}
			code, _, _ := runValidate(t, dir, badSpec, slices.Clone(args)...)
			if want := map[bool]int{true: exitOK, false: code}[name == "good" || name == "warned"]; code != want {
				t.Fatalf("exit code %d, want %d", code, want)
			}
			var report validationReport
			jsonCode, text, _ := in("json")
			if err := json.Unmarshal([]byte(text), &report); err != nil {
				t.Fatalf("%v in %q", err, text)
			}
			if jsonCode != code || report.Status.ExitCode != code || (report.Status.Message == "") != (code == exitOK) || report.Kind != "ValidationReport" {
				t.Errorf("json: exit code %d, want %d: %+v", jsonCode, code, report)
			}
			var fromYAML validationReport
			yamlCode, text, _ := in("yaml")
			if err := yaml.UnmarshalStrict([]byte(text), &fromYAML); err != nil {
				t.Fatal(err)
			}
			report.failure = ""
			if diff := cmp.Diff(report, fromYAML, cmp.AllowUnexported(validationReport{})); yamlCode != code || diff != "" {
				t.Errorf("yaml: exit code %d, (-json +yaml):\n%s", yamlCode, diff)
			}
			sarifCode, text, _ := in("sarif")
			log := readSARIF(t, text)
			if sarifCode != code || len(log.Runs[0].Results) != len(report.Status.Items) || log.Runs[0].Invocations[0].ExitCode != code {
				t.Errorf("sarif: exit code %d, want %d and %d results: %s", sarifCode, code, len(report.Status.Items), text)
			}
			githubCode, text, errOut := in("github")
			wrong := 0
			for line := range strings.Lines(text) {
				if command := readCommand(t, line); command.name == "error" {
					wrong++
				}
			}
			if githubCode != code || (wrong > 0) != (code != exitOK) || errOut != "" {
				t.Errorf("github: exit code %d, want %d, %d errors, stderr %q: %s", githubCode, code, wrong, errOut, text)
			}
		})
	}
}

func TestValidateReport(t *testing.T) {
	dir, _ := endings(t)
	for name, tt := range map[string]struct {
		args []string
		code int
		says string
	}{
		"specs.json":   {[]string{"good.yaml", "bad.yaml", "-", "nope.yaml", "no.yaml"}, exitSpec, ""},
		"data.yaml":    {[]string{"warned.yaml", "--data=./bad"}, exitDataset, ""},
		"no-data.yaml": {[]string{"good.yaml", "--data=nope"}, exitDataset, "error: "},
	} {
		page, err := filepath.Abs(".")
		if err != nil {
			t.Fatal(err)
		}
		t.Chdir(dir) // the report has the paths as they are typed
		code, out, errOut := runValidate(t, dir, warnedSpec, append(tt.args, "-o", strings.TrimPrefix(filepath.Ext(name), "."))...)
		t.Chdir(page)
		if code != tt.code || !strings.HasPrefix(errOut, tt.says) || tt.says == "" && errOut != "" {
			t.Errorf("%s: exit code %d, stderr %q", name, code, errOut)
		}
		golden(t, "validate/"+name, out)
	}
}

// A report of an interrupted validate has no verdict on anything.
func TestValidateInterrupted(t *testing.T) {
	dir, _ := endings(t)
	spec, data := filepath.Join(dir, "bad.yaml"), filepath.Join(dir, "bad")
	for _, args := range [][]string{{"validate", spec}, {"validate", filepath.Join(dir, "good.yaml"), "--data", data}} {
		cuts := 0
		for n := range 1000 {
			out, errOut, err := cutAfter(t, n, append(slices.Clone(args), "-o", "json")...)
			if ExitCode(err) != exitInterrupted {
				break
			}
			cuts++
			var report validationReport
			if err := json.Unmarshal([]byte(out), &report); err != nil {
				t.Fatal(err)
			}
			s := report.Status
			if s.ExitCode != exitInterrupted || len(s.Items)+len(s.Specs) != 0 || s.Dataset != nil || s.Message+"\n" != errOut || !strings.HasPrefix(errOut, "interrupted while ") {
				t.Fatalf("cut after %d: %s, stderr %q", n, out, errOut)
			}
		}
		if cuts == 0 || cuts == 1000 {
			t.Errorf("%q was cut %d times", args, cuts)
		}
	}
}

// manyFindings is what the preflight reports of a dataset that breaks a rule in
// every row: it keeps some, and counts all.
func manyFindings(kept, total int) *validationReport {
	checked := &preflight.Result{Totals: map[string]int{"value-not-numeric": total, "label-blank": 3, "file-hidden": 2}}
	for i := range kept {
		checked.Findings = append(checked.Findings, preflight.Finding{
			Rule: "value-not-numeric", Severity: preflight.SeverityError, File: "a.csv", Row: int64(i + 1), Line: int64(i + 2), Column: "age", Value: "x", Message: "no number",
		})
	}
	checked.Findings = append(checked.Findings,
		preflight.Finding{Rule: "file-hidden", Severity: preflight.SeverityNote, Count: 2, Message: "hidden"},
		preflight.Finding{Rule: "label-blank", Severity: preflight.SeverityError, File: "a.csv", Count: 3, Message: "blank"})
	r := newValidationReport(&validateOptions{specs: []string{"s.yaml"}, data: "d"})
	r.takeDataset("d", "d", checked)
	r.conclude(fail(exitDataset, silentError{errors.New("the dataset is wrong")}))
	return r
}

// However many findings there are, a format has what it has room for, of every
// rule some, and says how many are left out.
func TestManyFindings(t *testing.T) {
	t.Parallel()
	r := manyFindings(8_000, 1_000_000)
	severity := func(rule string) preflight.Severity {
		for _, known := range preflight.Rules {
			if known.ID == rule {
				return known.Severity
			}
		}
		t.Fatalf("rule %q is gone", rule)
		return ""
	}
	if severity("value-not-numeric") != preflight.SeverityError || severity("label-blank") != preflight.SeverityError || severity("file-hidden") != preflight.SeverityNote {
		t.Fatal("the rules of the test have other severities")
	}
	if s := r.Status; s.Errors != 1_000_003 || s.Notes != 2 || s.Omitted != 992_000 || len(s.Items) != 8_002 {
		t.Errorf("%d errors, %d notes, %d omitted, %d items", s.Errors, s.Notes, s.Omitted, len(s.Items))
	}
	text, err := r.sarif("", workspace{root: "/w", dir: "/w"})
	if err != nil {
		t.Fatal(err)
	}
	log := readSARIF(t, string(text)).Runs[0]
	if len(log.Results) != sarifPerRule+2 || !strings.Contains(fmt.Sprint(log.Invocations[0].Notifications), "{999000 findings are left out") {
		t.Errorf("%d results, %+v", len(log.Results), log.Invocations)
	}
	lines := strings.Split(strings.TrimSuffix(string(r.github(workspace{root: "/w", dir: "/w"})), "\n"), "\n")
	if want := "::error title=kubectl tracebloc validate::1000003 errors, 0 warnings, 2 notes; 999990 of them are not shown here, -o json has more"; lines[0] != want {
		t.Errorf("got %q, want %q", lines[0], want)
	}
	if len(lines) != 1+githubPerRule+2 || !strings.HasPrefix(lines[len(lines)-1], "::notice ") {
		t.Errorf("%d lines: %q", len(lines), lines)
	}
	wide := newValidationReport(&validateOptions{})
	for i := range 200 {
		wide.add(findingItem{Rule: fmt.Sprintf("r%d", i), Severity: preflight.SeverityWarning, Message: "m"})
	}
	if items, omitted := wide.worst(githubPerRule, githubTotal); len(items) != githubTotal || omitted != 200-githubTotal {
		t.Errorf("%d items, %d omitted", len(items), omitted)
	}
}

// Items that are written one by one are read as if they had been written at once, whatever is in them.
func TestReportYAML(t *testing.T) {
	t.Parallel()
	for _, text := range append(attacks(), "plain", "\n  items: []\n", "a\n\n  b\n", "  - x", "|", strings.Repeat("long word ", 30), "") {
		r := newValidationReport(&validateOptions{specs: []string{text}, data: text})
		r.add(findingItem{Rule: "r", Severity: preflight.SeverityError, File: text, Message: text, Value: text})
		r.add(findingItem{Rule: "r", Severity: preflight.SeverityNote, Field: text, Remedy: text})
		r.conclude(errors.New(text))
		got, err := r.object("yaml")
		if err != nil {
			t.Fatal(err)
		}
		want, err := yaml.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var one, all validationReport
		if err := errors.Join(yaml.UnmarshalStrict(got, &one), yaml.UnmarshalStrict(want, &all)); err != nil {
			t.Fatalf("%v in %s", err, got)
		}
		if diff := cmp.Diff(all, one, cmp.AllowUnexported(validationReport{})); diff != "" {
			t.Errorf("%q (-at once +one by one):\n%s", text, diff)
		}
	}
}

// A rule of a spec must not have the id of one of the preflight.
func TestSpecRules(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, rule := range append(specRules(), preflight.Rules...) {
		if seen[rule.ID] || rule.Summary == "" {
			t.Errorf("rule %q is there twice, or says nothing", rule.ID)
		}
		seen[rule.ID] = true
	}
}

// GITHUB_WORKSPACE counts where the working directory lies in it.
func TestWorkspace(t *testing.T) {
	outer := t.TempDir()
	inner := filepath.Join(inSpecs(t, map[string]string{"sub/a.yaml": goodSpec}), "sub")
	t.Chdir(inner)
	for root, want := range map[string]string{
		"": "a.yaml", outer: "a.yaml", "..": "a.yaml", inner: "a.yaml", filepath.Dir(inner): "sub/a.yaml", inner + "/deeper": "a.yaml",
	} {
		t.Setenv("GITHUB_WORKSPACE", root)
		w, err := findWorkspace()
		if err != nil {
			t.Fatal(err)
		}
		if got, inside := w.place("a.yaml"); got != want || !inside {
			t.Errorf("%q: got %q, %v, want %q", root, got, inside, want)
		}
	}
}
