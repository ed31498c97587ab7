package preflight

import (
	"strings"
	"testing"
)

func TestPythonInt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"12": "12", " 12\n": "12", "+5": "5", "-0": "0", "1_000": "1000", "00012": "12", "१२": "12", "٣٤": "34", "𝟓": "5", "\u20035\u3000": "5",
		strings.Repeat("9", 4300): strings.Repeat("9", 4300),
		"":                        "", " ": "", "-": "", "+ 5": "", "1.5": "", "1e3": "", "0x10": "", "1__0": "", "_1": "", "1_": "", "²": "", "x": "", "\x1c5": "", "--1": "",
		strings.Repeat("9", 4301): "",
	} {
		got, ok := pythonInt(text)
		if ok != (want != "") || (ok && got.String() != want) {
			t.Errorf("pythonInt(%q) = %v, %v, want %q", clip([]byte(text)), got, ok, want)
		}
	}
}

func TestPythonSpace(t *testing.T) {
	t.Parallel()
	count := 0
	for r := range rune(0x110000) {
		if pythonSpace(r) {
			count++
		}
	}
	if count != 29 || !pythonSpace(0x1c) || !pythonSpace(0x85) || pythonSpace(0xfeff) || pythonSpace(0x200b) {
		t.Errorf("%d characters are blanks, want Python's 29", count)
	}
}
