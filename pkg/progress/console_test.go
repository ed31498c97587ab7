package progress

import (
	"errors"
	"testing"
)

func environment(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		vars          map[string]string
		plain, colors bool
		columns       int
	}{
		{vars: map[string]string{}, colors: true},
		{vars: map[string]string{"TERM": "xterm-256color", "COLUMNS": "60"}, colors: true, columns: 60},
		{vars: map[string]string{"NO_COLOR": "1"}},
		{vars: map[string]string{"NO_COLOR": ""}, colors: true},
		{vars: map[string]string{"TERM": "dumb"}, plain: true},
		{vars: map[string]string{"CI": "true"}, plain: true},
		{vars: map[string]string{"CI": "woodpecker", "COLUMNS": "wide"}, plain: true},
		{vars: map[string]string{"CI": "false", "COLUMNS": "-3"}, colors: true},
		{vars: map[string]string{"CI": "0"}, colors: true},
	} {
		getenv := environment(test.vars)
		if plain, colors, n := isPlain(getenv), wantsColors(getenv), columns(getenv); plain != test.plain || colors != test.colors || n != test.columns {
			t.Errorf("%v: plain %v, colors %v, columns %d", test.vars, plain, colors, n)
		}
	}
}

func TestNoColorsWithoutTerminal(t *testing.T) {
	t.Setenv("CI", "")
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	if HasColors(&buffer{}) {
		t.Error("a buffer has colors")
	}
}

// A Windows console that cannot be made to obey escape sequences gets none.
func TestAllowSequences(t *testing.T) {
	t.Parallel()
	failed := errors.New("the handle is invalid")
	for name, test := range map[string]struct {
		mode           uint32
		modeErr, fails error
		want           bool
		set            uint32
	}{
		"obeys already": {mode: 7, want: true},
		"made to obey":  {mode: 3, want: true, set: 7},
		"too old":       {mode: 3, fails: failed, set: 7},
		"no console":    {modeErr: failed},
	} {
		var set uint32
		got := allowSequences(
			func() (uint32, error) { return test.mode, test.modeErr },
			func(mode uint32) error { set = mode; return test.fails })
		if got != test.want || set != test.set {
			t.Errorf("%s: got %v, mode set to %d", name, got, set)
		}
	}
}

// A line is no longer than COLUMNS allows, and than the terminal is.
func TestColumnsNarrow(t *testing.T) {
	t.Setenv("COLUMNS", "30")
	s := newScreen(80)
	r := New(s, Auto)
	r.bar = true
	r.StartTransfer("Staging", 10, 1<<30)
	for s.bottom() == "" {
		r.Transfer(Transfer{TotalFiles: 10, TotalBytes: 1 << 30})
	}
	if got := s.bottom(); len(got) > 30 {
		t.Errorf("%d cells: %q", len(got), got)
	}
	r.Stop()
}
