package cmd

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	// validateExampleBlock is a marked code block of validate: its name, and the text between the fences.
	validateExampleBlock = regexp.MustCompile("(?s)(<!-- validate: ([a-z]+) -->\n```[a-z]+\n)(.*?)```\n")
	rulesBlock           = regexp.MustCompile(`(?s)(<!-- validate-rules -->\n).*?(\n\n)`)
	// rulesOfSARIF are left out of the page: they are those of docs/preflight.md.
	rulesOfSARIF = regexp.MustCompile(`(?s)("rules": \[).*?\n {10}\]`)
)

// Each example of validate in the description of the output is what the command
// prints, and the rules there are those that it has.
func TestValidateDoc(t *testing.T) {
	file, err := filepath.Abs("../../docs/output.md")
	if err != nil {
		t.Fatal(err)
	}
	page := readTestFile(t, file)
	dir := inSpecs(t, map[string]string{
		"flowers.yaml":     strings.Replace(goodSpec, "intent: train", "intent: both", 1),
		"ingest.yaml":      warnedSpec,
		"data/flowers.csv": "petal,species\n1.5,rose\nlong,tulip\n2,rose\n",
	})
	t.Setenv("GITHUB_WORKSPACE", "")
	t.Chdir(dir)
	printed := map[string]string{}
	for format, args := range map[string][]string{
		"yaml":   {"ingest.yaml", "--data", "data"},
		"github": {"ingest.yaml", "--data", "data"},
		"sarif":  {"flowers.yaml"},
	} {
		code, out, errOut := runValidate(t, dir, "", append(args, "-o", format)...)
		if code == exitOK || errOut != "" {
			t.Fatalf("%s: exit code %d, stderr %q", format, code, errOut)
		}
		printed[format] = rulesOfSARIF.ReplaceAllString(out, `${1}]`)
	}
	var rules strings.Builder
	rules.WriteString("| rule | severity | what is wrong |\n| --- | --- | --- |")
	for _, rule := range specRules() {
		fmt.Fprintf(&rules, "\n| `%s` | %s | %s |", rule.ID, rule.Severity, rule.Summary)
	}
	documented := map[string]bool{}
	updated := validateExampleBlock.ReplaceAllStringFunc(page, func(block string) string {
		m := validateExampleBlock.FindStringSubmatch(block)
		documented[m[2]] = true
		return m[1] + printed[m[2]] + "```\n"
	})
	updated = rulesBlock.ReplaceAllString(updated, "${1}"+strings.ReplaceAll(rules.String(), "$", "$$")+"${2}")
	if want := slices.Sorted(maps.Keys(printed)); !slices.Equal(slices.Sorted(maps.Keys(documented)), want) || !rulesBlock.MatchString(page) {
		t.Fatalf("%s has the examples %v, want %q, and the table of rules", file, documented, want)
	}
	if *update {
		if err := os.WriteFile(file, []byte(updated), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(page, updated); diff != "" {
		t.Errorf("%s differs (-documented +printed); run the test with -update if this is meant:\n%s", file, diff)
	}
}
