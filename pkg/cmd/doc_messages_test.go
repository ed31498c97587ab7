package cmd

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/hack/pages"
)

// Each message that the pages explain is one that the plugin has: its fixed parts stand in one file of the source.
func TestMessagesAreInTheSource(t *testing.T) {
	files := literals(t, "..")
	quoted := 0
	for page, title := range map[string]string{"docs/troubleshooting.md": "Troubleshooting", "README.md": "When something is in the way"} {
		for _, message := range messages(docPage(t, page), title) {
			quoted++
			if !inOneFile(files, message) {
				t.Errorf("%s: no file has all of %q", page, message)
			}
		}
	}
	if quoted < 60 {
		t.Errorf("only %d messages are explained: the pages are not read as they are meant", quoted)
	}
}

// The test above must be able to fail.
func TestInOneFile(t *testing.T) {
	files := map[string]string{"a": `no run "…" in namespace "…"`, "b": "it failed"}
	for message, want := range map[string]bool{`no run "…" in namespace "…"`: true, `no run "…": …it failed`: false, "it is well": false} {
		if got := inOneFile(files, message); got != want {
			t.Errorf("%q: %v", message, got)
		}
	}
}

// messages are what the points of a list begin with, or name behind "or" and "and".
func messages(page pages.Page, title string) []string {
	var found []string
	for line := range strings.Lines(page.Section(title)) {
		rest, isPoint := strings.CutPrefix(line, "- `")
		for isPoint {
			message, after, closed := strings.Cut(rest, "`")
			if !closed {
				break
			}
			found = append(found, message)
			rest, isPoint = strings.CutPrefix(after, " or `")
			if !isPoint {
				rest, isPoint = strings.CutPrefix(after, " and `")
			}
		}
	}
	return found
}

func inOneFile(files map[string]string, message string) bool {
	for _, text := range files {
		whole := true
		for part := range strings.SplitSeq(message, "…") {
			whole = whole && strings.Contains(text, strings.Trim(part, `"`))
		}
		if whole {
			return true
		}
	}
	return false
}

var verb = regexp.MustCompile(`%[-+# 0-9.]*[a-z]`)

// literals are the strings of each source file below dir, with … for what is filled in. Strings that are put together with + are one.
func literals(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), dir+"/"+name, nil, 0)
		if err != nil {
			return err
		}
		var text strings.Builder
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				text.WriteString(verb.ReplaceAllString(joined(n), "…") + "\n")
			case *ast.BasicLit:
				text.WriteString(verb.ReplaceAllString(joined(n), "…") + "\n")
			}
			return true
		})
		files[name] = text.String()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// joined is the text of a string, or of strings that are put together; what else is added is filled in.
func joined(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return joined(e.X) + joined(e.Y)
		}
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return text
		}
	}
	return "%s"
}
