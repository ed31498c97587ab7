package cmd

import (
	"strings"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/explain"
	"github.com/tracebloc/kubectl-tracebloc/schemas"
)

func TestExplainEveryField(t *testing.T) {
	schema, err := explain.Parse(schemas.IngestV1)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range schema.Fields() {
		out, errOut, err := runRootCommand(t, "explain", field.Path)
		if err != nil || errOut != "" {
			t.Fatalf("%s: %v, %q", field.Path, err, errOut)
		}
		for _, part := range []string{"KIND:       IngestConfig\nVERSION:    v1\n\nFIELD: ", "\nDESCRIPTION:\n    ", "\nEXAMPLE:\n    "} {
			if !strings.Contains(out, part) {
				t.Errorf("%s: has no %q:\n%s", field.Path, part, out)
			}
		}
	}
}

func TestExplainRefuses(t *testing.T) {
	for _, args := range [][]string{{"lable"}, {"label.\x1b[2J"}, {"label", "schema"}, {"--recursive=maybe"}} {
		out, _, err := runRootCommand(t, append([]string{"explain"}, args...)...)
		if ExitCode(err) != exitSpec || out != "" {
			t.Errorf("explain %q: exit code %d, output %q", args, ExitCode(err), out)
		}
	}
}

func TestExplainCompletion(t *testing.T) {
	for toComplete, want := range map[string]string{
		"la":            "label\tLabel\nlabel.column\tLabel column\nlabel.policy\tLabel policy\n",
		"spec.file_opt": "spec.file_options\tFile options\nspec.file_options.target_size\tTarget size\nspec.file_options.min_size\tMinimum size\nspec.file_options.extension\tExtension\n",
		"nope":          "",
	} {
		out, _, err := runRootCommand(t, "__complete", "explain", toComplete)
		if got, _, _ := strings.Cut(out, ":4\n"); err != nil || got != want {
			t.Errorf("completing %q: %v\n%s", toComplete, err, out)
		}
	}
	if out, _, _ := runRootCommand(t, "__complete", "explain", "label", ""); !strings.HasPrefix(out, ":4\n") {
		t.Errorf("a second argument is offered:\n%s", out)
	}
}
