package run

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLineSplitter(t *testing.T) {
	t.Parallel()
	const stamp = "2026-11-23T09:05:12.123456789Z"
	tests := []struct {
		name, input string
		stamped     bool
		want        []string
	}{
		{"lines", "a\nb\n", false, []string{"a", "b"}},
		{"no end", "a\nb", false, []string{"a", "b"}},
		{"Windows", "a\r\nb\r\n", false, []string{"a", "b"}},
		{"bars", "10%\r20%\r30%\nb\n", false, []string{"30% folded", "b"}},
		{"bar wiped", "10%\r   \r\n", false, []string{"    folded"}},
		{"bar before text", "\r10%\r   \rtext\n", false, []string{"text folded"}},
		{"stamped", stamp + " a\n" + stamp + " b\n", true, []string{"@a", "@b"}},
		{"stamped bars", stamp + " 10%\r20%\n", true, []string{"@20% folded"}},
		{"stamped and empty", stamp + " \n" + stamp + "\n", true, []string{"@", "@"}},
		{"no stamp", "hello world\nx\n\n", true, []string{"hello world", "x", ""}},
		{"a long first word", strings.Repeat("x", 100) + " y\n", true, []string{strings.Repeat("x", 100) + " y"}},
		{"a zone", "2026-11-23T09:05:12+02:00 a\n", true, []string{"@a"}},
		{"cut", strings.Repeat("x", maxLine+9) + "\n", false, []string{strings.Repeat("x", maxLine) + " cut"}},
		{"a cut bar", strings.Repeat("x", maxLine+9) + "\rend\n", false, []string{"end folded"}},
	}
	for _, test := range tests {
		for _, size := range []int{1, 2, 7, 1 << 20} {
			var got []string
			splitter := lineSplitter{stamped: test.stamped, emit: func(l line) {
				text := string(l.text)
				if !l.stamp.IsZero() {
					text = "@" + text
				}
				if l.folded {
					text += " folded"
				}
				if l.cut {
					text += " cut"
				}
				got = append(got, text)
			}}
			for rest := test.input; rest != ""; rest = rest[min(size, len(rest)):] {
				if _, err := io.WriteString(&splitter, rest[:min(size, len(rest))]); err != nil {
					t.Fatal(err)
				}
			}
			splitter.flush()
			splitter.flush()
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s in pieces of %d (-want +got):\n%s", test.name, size, diff)
			}
		}
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		colors     bool
		want       string
	}{
		{"plain", "a\tb", false, "a\tb"},
		{"colors go", "\x1b[1m\x1b[92mok\x1b[0m", false, "ok"},
		{"colors stay", "\x1b[92mok\x1b[0m", true, "\x1b[92mok\x1b[0m\x1b[0m"},
		{"the rest goes", "\x1b[2J\x1b]0;t\x07\x1b[92mok\x1b[3A", true, "\x1b[92mok\x1b[0m"},
		{"an unfinished sequence", "a\x1b[", false, `a\x1b[`},
		{"an unfinished sequence with colors", "a\x1b[", true, `a\x1b[` + "\x1b[0m"},
		{"other control characters", "a\bb\x00\u202e", true, `a\x08b\x00\u202e`},
	}
	for _, test := range tests {
		if got := printable(test.text, test.colors); got != test.want {
			t.Errorf("%s: %q becomes %q, want %q", test.name, test.text, got, test.want)
		}
	}
}

func TestSeenLinesForgetWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	var seen seenLines
	base := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	if seen.rewind() != nil {
		t.Error("the first stream does not start at the beginning")
	}
	for i := range 3 * maxSeen {
		if !seen.isNew(line{stamp: base.Add(time.Duration(i) * time.Millisecond)}) {
			t.Fatalf("line %d is called old", i)
		}
		if len(seen.counts) > maxSeen {
			t.Fatalf("%d lines are remembered", len(seen.counts))
		}
	}
	newest := base.Add((3*maxSeen - 1) * time.Millisecond)
	if since := seen.rewind(); newest.Sub(since.Time) > seenWindow+time.Second {
		t.Errorf("reads again from %s, the newest line is of %s", since, newest)
	}
	if seen.isNew(line{stamp: newest}) || !seen.isNew(line{stamp: newest}) || !seen.isNew(line{text: []byte("x")}) {
		t.Error("a repeated line, a second one of its time and one without stamp are mixed up")
	}
}

func ExampleReadReport() {
	report, err := ReadReport(strings.NewReader("INGESTION SUMMARY\nTotal Records Found: 1,200\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(*report.Banner.Total)
	// Output: 1200
}
