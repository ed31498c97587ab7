package progress

import "testing"

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"plain ünïcode 📊":        "plain ünïcode 📊",
		"two\nlines\tand tab":    "two\nlines\tand tab",
		"\x1b[31mred\x1b[0m":     `\x1b[31mred\x1b[0m`,
		"over\rwritten":          `over\x0dwritten`,
		"latin1 \xe9":            `latin1 \xe9`,
		"c1 \u009b31m":           `c1 \u009b31m`,
		"bidi \u202egpj.exe":     `bidi \u202egpj.exe`,
		"del \x7f nul \x00":      `del \x7f nul \x00`,
		"replacement \ufffd own": "replacement \ufffd own",
	} {
		if got := Escape(in); got != want {
			t.Errorf("Escape(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("a\x1b[0m\x9b")
	f.Fuzz(func(t *testing.T, s string) {
		if got := Escape(s); needsEscape(got) {
			t.Errorf("Escape(%q) = %q still needs escaping", s, got)
		}
	})
}
