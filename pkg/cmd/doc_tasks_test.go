package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/hack/pages"
	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

// documentation is every page, as it stands in the repository.
func documentation(t *testing.T) []pages.Page {
	t.Helper()
	all, err := pages.Load("../..")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func docPage(t *testing.T, name string) pages.Page {
	t.Helper()
	page, err := pages.Find(documentation(t), name)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// Each dataset of docs/tasks.md is good, and its command infers what the page says. The specs are rewritten under -update.
func TestTasksPage(t *testing.T) {
	page := docPage(t, "docs/tasks.md")
	examples, err := pages.Examples(page)
	if err != nil {
		t.Fatal(err)
	}
	file, err := filepath.Abs("../../docs/tasks.md")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	specs := map[int]string{}
	t.Chdir(t.TempDir())
	for _, e := range examples {
		names = append(names, e.Task)
		if _, err := e.Write("."); err != nil {
			t.Fatal(err)
		}
		specs[e.SpecLine] = checkExample(t, page, e)
		if specs[e.SpecLine] != e.Spec && !*update {
			t.Errorf("%s: the spec differs (-page +plugin); run the test with -update if this is meant:\n%s", e.Task, cmp.Diff(e.Spec, specs[e.SpecLine]))
		}
	}
	if diff := cmp.Diff(taskNames(), names); diff != "" {
		t.Errorf("tasks (-registry +page):\n%s", diff)
	}
	if *update {
		writeSpecs(t, file, page.Text, specs)
	}
}

// checkExample runs the command of a section as a client dry run, and returns the spec as the page shows it.
func checkExample(t *testing.T, page pages.Page, e pages.Example) string {
	t.Helper()
	section := page.Section(e.Task)
	lines := pages.Page{Name: page.Name, Text: section}.Lines()
	if len(lines) != 1 || len(pages.Commands(lines[0].Text)) != 1 {
		t.Fatalf("%s: the section must have one command, it has %d", e.Task, len(lines))
	}
	words := pages.Commands(lines[0].Text)[0]
	if want := []string{"kubectl", "tracebloc", "push", "./" + e.Root}; len(words) < 4 || !slices.Equal(words[:4], want) {
		t.Fatalf("%s: the command is %q, want %q", e.Task, words, want)
	}
	stdout, stderr, err := runRootCommand(t, append(words[2:], "--dry-run=client", "-o", "json")...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", e.Task, err, stderr)
	}
	var planned run.IngestionRun
	if err := json.Unmarshal([]byte(stdout), &planned); err != nil {
		t.Fatalf("%s: %v\n%s", e.Task, err, stdout)
	}
	if planned.Spec.Task != e.Task || planned.Status.Phase != run.PhasePlanned {
		t.Errorf("%s: got task %q, phase %s", e.Task, planned.Spec.Task, planned.Status.Phase)
	}
	for _, f := range planned.Status.Findings {
		if f.Severity != preflight.SeverityNote && !strings.Contains(section, "`"+f.Rule+"` is only a warning") {
			t.Errorf("%s: the example is not clean: %v", e.Task, f)
		}
	}
	if given := strings.Contains(lines[0].Text, "--task="); given == strings.Contains(stderr, e.Task+" (inferred)") {
		t.Errorf("%s: the command must name the task if and only if it cannot be inferred:\n%s", e.Task, stderr)
	}
	return shownSpec(planned)
}

// shownSpec is a spec without what every spec has, and without the place of the staged copy.
func shownSpec(planned run.IngestionRun) string {
	var out strings.Builder
	for line := range strings.Lines(planned.Spec.IngestConfig) {
		name, _, _ := strings.Cut(line, ":")
		if !slices.Contains([]string{"apiVersion", "kind", "table", "intent"}, name) {
			out.WriteString(strings.ReplaceAll(line, planned.Status.Staging.Path, "…"))
		}
	}
	return out.String()
}

// writeSpecs puts the specs into the blocks of the page that begin on the lines.
func writeSpecs(t *testing.T, file, text string, specs map[int]string) {
	t.Helper()
	var out strings.Builder
	inside := false
	for i, line := range strings.SplitAfter(text, "\n") {
		if spec, here := specs[i+1]; here {
			inside = true
			out.WriteString(spec)
		}
		if inside = inside && line != "```\n"; !inside {
			out.WriteString(line)
		}
	}
	if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

var (
	flagsLine = regexp.MustCompile(`(?m)^Flags: (.*)\.$`)
	sinceLine = regexp.MustCompile(`Known\s+from\s+ingestor\s+([0-9.]+)\s+on`)
	codeSpan  = regexp.MustCompile("`([^`]+)`")
	ruleName  = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
)

// What each section says beside its example is what the registry says.
func TestTasksPageAgreesWithTheRegistry(t *testing.T) {
	page := docPage(t, "docs/tasks.md")
	for _, task := range dataset.Tasks {
		section := page.Section(task.Name)
		var flags []string
		if m := flagsLine.FindStringSubmatch(section); m != nil {
			for _, span := range codeSpan.FindAllStringSubmatch(m[1], -1) {
				flags = append(flags, strings.TrimPrefix(span[1], "--"))
			}
		}
		slices.Sort(flags)
		if diff := cmp.Diff(slices.Sorted(slices.Values(task.Flags)), flags); diff != "" {
			t.Errorf("%s: flags (-registry +page):\n%s", task.Name, diff)
		}
		since := ""
		if m := sinceLine.FindStringSubmatch(section); m != nil {
			since = m[1]
		}
		if since != task.Since {
			t.Errorf("%s: the page says that it is known since %q, the registry %q", task.Name, since, task.Since)
		}
	}
}

// The rules that pages name are rules.
func TestPagesNameRules(t *testing.T) {
	known := map[string]bool{}
	for _, g := range preflight.RuleGroups() {
		for _, r := range g.Rules {
			known[r.ID] = true
		}
	}
	named := 0
	for _, name := range []string{"docs/tasks.md", "docs/troubleshooting.md", "README.md"} {
		for _, span := range docPage(t, name).CodeSpans() {
			prefix, _, _ := strings.Cut(span.Text, "-")
			if !ruleName.MatchString(span.Text) || !rulePrefixes(known)[prefix] {
				continue
			}
			named++
			if !known[span.Text] {
				t.Errorf("%s:%d: there is no rule %q", span.Page, span.Number, span.Text)
			}
		}
	}
	if named < 40 {
		t.Errorf("only %d rules are named", named)
	}
}

// rulePrefixes are the first words of the names of rules.
func rulePrefixes(known map[string]bool) map[string]bool {
	prefixes := map[string]bool{}
	for id := range known {
		prefix, _, _ := strings.Cut(id, "-")
		prefixes[prefix] = true
	}
	return prefixes
}
