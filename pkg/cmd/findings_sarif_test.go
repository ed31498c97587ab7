package cmd

import (
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight"
)

// readSARIF holds a log against what the schema of SARIF 2.1.0 says of the parts
// that it has: required properties, types, enumerations, bounds and no property
// that the standard does not know.
func readSARIF(t *testing.T, text string) sarifLog {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields() // sarifLog has names of the standard only
	var log sarifLog
	if err := decoder.Decode(&log); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		t.Errorf("something stands behind the log: %v", err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 || !strings.HasSuffix(log.Schema, "/sarif-schema-2.1.0.json") {
		t.Fatalf("version %q, schema %q, %d runs", log.Version, log.Schema, len(log.Runs))
	}
	run := log.Runs[0]
	if run.ColumnKind != "unicodeCodePoints" || len(run.Invocations) != 1 || run.Results == nil {
		t.Errorf("column kind %q, %d invocations, results %v", run.ColumnKind, len(run.Invocations), run.Results)
	}
	rules := checkSARIFRules(t, run.Tool.Driver)
	for _, notification := range run.Invocations[0].Notifications {
		checkSARIFText(t, notification.Message)
		if !slices.Contains(sarifLevels(), notification.Level) {
			t.Errorf("level %q of a notification", notification.Level)
		}
	}
	ids := map[string]bool{}
	for _, result := range run.Results {
		if result.RuleIndex < 0 || result.RuleIndex >= len(rules) || rules[result.RuleIndex] != result.RuleID {
			t.Errorf("result of rule %q with index %d", result.RuleID, result.RuleIndex)
		}
		if !slices.Contains(sarifLevels(), result.Level) || result.Occurrences < 0 {
			t.Errorf("level %q, occurrences %d", result.Level, result.Occurrences)
		}
		checkSARIFText(t, result.Message)
		id := result.Fingerprints[fingerprint]
		if id == "" || ids[id] {
			t.Errorf("fingerprint %q is empty, or that of another result", id)
		}
		ids[id] = true
		for _, location := range result.Locations {
			checkSARIFPlace(t, location.Physical, run.Bases)
		}
	}
	return log
}

func sarifLevels() []string { return []string{"none", "note", "warning", "error"} }

func checkSARIFRules(t *testing.T, driver sarifDriver) []string {
	t.Helper()
	if driver.Name != "kubectl-tracebloc" || !isAbsolute(driver.InformationURI) {
		t.Errorf("driver %q, %q", driver.Name, driver.InformationURI)
	}
	var ids []string
	for _, rule := range driver.Rules {
		if rule.ID == "" || slices.Contains(ids, rule.ID) || !slices.Contains(sarifLevels(), rule.Default.Level) || !isAbsolute(rule.HelpURI) || len(rule.Properties.Tags) == 0 {
			t.Errorf("rule %+v", rule)
		}
		for _, text := range []sarifText{rule.ShortDescription, rule.FullDescription, rule.Help} {
			checkSARIFText(t, text)
		}
		ids = append(ids, rule.ID)
	}
	if len(ids) != len(preflight.Rules)+len(specRules()) {
		t.Errorf("%d rules, want %d", len(ids), len(preflight.Rules)+len(specRules()))
	}
	return ids
}

func checkSARIFText(t *testing.T, text sarifText) {
	t.Helper()
	bare := strings.NewReplacer("{{", "", "}}", "").Replace(text.Text)
	if text.Text == "" || strings.ContainsAny(bare, "{}") || strings.Contains(text.Text, "](") {
		t.Errorf("%q is empty, has a placeholder or has a link", text.Text)
	}
}

func checkSARIFPlace(t *testing.T, place sarifPhysical, bases map[string]sarifArtifact) {
	t.Helper()
	uri, err := url.Parse(place.Artifact.URI)
	if err != nil || place.Artifact.URI == "" || strings.ContainsAny(place.Artifact.URI, " \\\n<>\"{}|^`") {
		t.Errorf("%q is no URI reference: %v", place.Artifact.URI, err)
		return
	}
	_, known := bases[place.Artifact.BaseID]
	switch {
	case uri.IsAbs() && (place.Artifact.BaseID != "" || uri.Scheme != "file"):
		t.Errorf("an absolute %q below %q", uri, place.Artifact.BaseID)
	case !uri.IsAbs() && (strings.HasPrefix(uri.Path, "/") || slices.Contains(strings.Split(uri.Path, "/"), "..")):
		t.Errorf("%q is not below its base", uri)
	case !uri.IsAbs() && place.Artifact.URI != "%3Cstdin%3E" && !known:
		t.Errorf("%q has the base %q, which the run does not have", uri, place.Artifact.BaseID)
	}
	if r := place.Region; r != nil && (r.StartLine < 1 || r.StartColumn < 0) {
		t.Errorf("region %+v", *r)
	}
}

func isAbsolute(text string) bool {
	uri, err := url.Parse(text)
	return err == nil && uri.Scheme == "https" && uri.Host != ""
}

func TestSARIF(t *testing.T) {
	dir, _ := endings(t)
	t.Setenv("GITHUB_WORKSPACE", "")
	t.Chdir(dir)
	place := func(name string) sarifPhysical {
		return sarifPhysical{Artifact: sarifArtifact{URI: name, BaseID: sourceRoot}}
	}
	at := func(p sarifPhysical, line, col int64) sarifPhysical {
		p.Region = &sarifRegion{line, col}
		return p
	}
	type found struct {
		rule, level string
		place       sarifPhysical
	}
	for name, tt := range map[string]struct {
		args  []string
		stdin string
		want  []found
	}{
		"specs": {[]string{"bad.yaml", "-", "nope.yaml"}, warnedSpec, []found{
			{"spec-field", "error", at(place("bad.yaml"), 3, 11)},
			{"spec-field", "error", at(place("bad.yaml"), 4, 1)},
			{"spec-unreadable", "error", place("nope.yaml")},
			{"spec-advice", "warning", at(sarifPhysical{Artifact: sarifArtifact{URI: "%3Cstdin%3E"}}, 9, 14)},
		}},
		"no document": {[]string{"no.yaml"}, "", []found{{"spec-document", "error", at(place("no.yaml"), 1, 1)}}},
		"data":        {[]string{"good.yaml", "--data=./bad"}, "", []found{{"value-not-numeric", "error", at(place("bad/flowers.csv"), 3, 0)}}},
		"one file":    {[]string{"good.yaml", "--data=./bad/flowers.csv"}, "", []found{{"value-not-numeric", "error", at(place("bad/flowers.csv"), 3, 0)}}},
		"other data":  {[]string{"good.yaml", "--data=./else"}, "", []found{{"spec-dataset", "error", place("good.yaml")}}},
		"no data":     {[]string{"good.yaml", "--data=./nope"}, "", []found{{"dataset-unreadable", "error", place("nope")}}},
	} {
		t.Run(name, func(t *testing.T) {
			_, out, _ := runValidate(t, dir, tt.stdin, append(tt.args, "-o", "sarif")...)
			run := readSARIF(t, out).Runs[0]
			if run.Tool.Driver.Version != "v1.2.3" {
				t.Errorf("version %q", run.Tool.Driver.Version)
			}
			var got []found
			for _, r := range run.Results {
				got = append(got, found{r.RuleID, r.Level, r.Locations[0].Physical})
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(found{})); diff != "" {
				t.Errorf("results (-want +got):\n%s", diff)
			}
		})
	}
}

// A finding is the same one after lines were put in above it; two that differ
// are told apart, equal ones by their order.
func TestFingerprints(t *testing.T) {
	t.Parallel()
	item := findingItem{Rule: "value-not-numeric", File: "a.csv", Line: 3, Row: 2, Column: "age", Value: "x", Message: "row 2: no number"}
	moved := item
	moved.Line, moved.Row, moved.Message = 9, 8, "row 8: no number"
	other, missing, more := item, findingItem{Rule: "file-missing", Message: `"a.png" is not there`}, findingItem{Rule: "file-missing", Message: `"b.png" is not there`}
	other.Value = "y"
	field := findingItem{Rule: ruleSpecField, Field: "table", Line: 4, Message: "is missing"}
	if item.fingerprint("a.csv") != moved.fingerprint("a.csv") {
		t.Error("a finding that has moved is another one")
	}
	prints := []string{item.fingerprint("a.csv"), item.fingerprint("b.csv"), other.fingerprint("a.csv"), missing.fingerprint(""), more.fingerprint(""), field.fingerprint("")}
	slices.Sort(prints)
	if len(slices.Compact(prints)) != 6 {
		t.Errorf("different findings have one fingerprint: %q", prints)
	}
	report := func(lines ...int64) *validationReport {
		r := newValidationReport(&validateOptions{})
		for _, line := range lines {
			i := item
			i.Line, i.Row, i.Severity = line, line-1, preflight.SeverityError
			r.add(i)
		}
		return r
	}
	ids := func(r *validationReport) (ids []string) {
		text, err := r.sarif("", workspace{root: "/w", dir: "/w"})
		if err != nil {
			t.Fatal(err)
		}
		for _, result := range readSARIF(t, string(text)).Runs[0].Results {
			ids = append(ids, result.Fingerprints[fingerprint])
		}
		return ids
	}
	before, after := ids(report(3, 5)), ids(report(13, 15))
	if !slices.Equal(before, after) || before[0] == before[1] {
		t.Errorf("before %q, after %q", before, after)
	}
}
