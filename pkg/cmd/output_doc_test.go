package cmd

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
)

var (
	// example is a marked code block: its name, and the text between the fences.
	example = regexp.MustCompile("(?s)<!-- example: ([a-z]+) -->\n```[a-z]+\n(.*?)```\n")
	created = regexp.MustCompile(`("?creationTimestamp"?: )"[^"]*"`)
	// took is the value of a step in status.durations, in JSON and in YAML.
	took = regexp.MustCompile(`(?m)^(\s+"?(?:spec|dataset|plan|release)"?: )[0-9.e-]+(,?)$`)
)

// settled makes what differs from run to run the same: ages and durations.
func settled(output string) string {
	output = created.ReplaceAllString(output, `$1"2026-11-23T10:00:00Z"`)
	return took.ReplaceAllString(output, "${1}0.01$2")
}

// Each example in the description of the output is what the command prints.
func TestOutputDoc(t *testing.T) {
	server := newRunsServer(t)
	server.add(
		aRun{key: "k1f0", table: "churn_2024", task: "tabular_classification", age: time.Hour, end: batchv1.JobComplete, log: "skipped"},
		aRun{key: "k2a7", table: "churn_2023", task: "tabular_classification", age: 2 * time.Hour, noJob: true},
	)
	page, err := filepath.Abs("../../docs/output.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	const csv = "age,tenure,churned\n41,3,yes\n29,1,no\n35,7,no\n52,2,yes\n"
	if err := os.WriteFile(filepath.Join(dir, "churn.csv"), []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}
	push := []string{"push", "./churn.csv", "--task=tabular_classification", "--idempotency-key=k3c9"}
	t.Chdir(dir) // the examples have a short path
	printed := map[string]string{}
	for name, line := range map[string][]string{
		"status":  {"status", "k1f0", "-o", "yaml"},
		"runs":    {"runs", "-o", "json"},
		"push":    slices.Concat(push, []string{"--label-column=churned", "--dry-run=client", "-o", "yaml"}),
		"refused": slices.Concat(push, []string{"--label-column=lost", "-o", "json"}),
	} {
		stdout, stderr, err := server.tb(line...)
		if (err != nil) != (name == "refused") {
			t.Fatalf("%s: %v\n%s", name, err, stderr)
		}
		printed[name] = settled(stdout)
	}
	compareExamples(t, page, printed)
}

// compareExamples holds the examples of the page against what was printed, or
// rewrites them under -update.
func compareExamples(t *testing.T, file string, printed map[string]string) {
	t.Helper()
	page := readTestFile(t, file)
	documented := map[string]string{}
	updated := example.ReplaceAllStringFunc(page, func(block string) string {
		m := example.FindStringSubmatch(block)
		documented[m[1]] = m[2]
		head := strings.SplitAfterN(block, "\n", 3)
		return head[0] + head[1] + printed[m[1]] + "```\n"
	})
	if *update {
		if err := os.WriteFile(file, []byte(updated), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(documented, printed); diff != "" {
		t.Errorf("%s differs (-documented +printed); run the test with -update if this is meant:\n%s", file, diff)
	}
}
