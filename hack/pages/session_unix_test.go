//go:build unix

package pages

import "testing"

func TestRun(t *testing.T) {
	t.Parallel()
	line := func(text string, output ...string) Line {
		return Line{Page: "a.md", Number: 1, Text: text, Output: output}
	}
	steps, err := Run(t.Context(), t.TempDir(), []string{"GREETING=hello"}, []Line{
		line("word=$GREETING"),
		line("echo $word; echo there >&2", "hello", "there"),
		line("echo 'error: no' >&2; false", "error: no"),
		line("false"),
		line("echo one", "two"),
		line("exit 3"),
		line("echo never"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, good := range []bool{true, true, true, false, false, false, false} {
		if err := steps[i].Check(); (err == nil) != good {
			t.Errorf("%s: %v (%+v)", steps[i].Line.Text, err, steps[i])
		}
	}
}
