package pages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Step is how one line of a session ended.
type Step struct {
	Line Line
	// Ran is false when an earlier line ended the session.
	Ran  bool
	Code int
	// Got is what it printed, on stdout and on stderr, in the order in which it came.
	Got string
}

// mark is what the session prints around its lines. No page shows it.
const mark = "@@ line of the page"

var marked = regexp.MustCompile(`(?m)^` + mark + ` (\d+) (begins|ended with (\d+))\n`)

// Run types the lines into one bash, in the directory, as somebody does who follows the page: a variable, a directory or a file of one
// line is there for the next. env is added to the environment. The error is about the session itself, not about its lines.
func Run(ctx context.Context, dir string, env []string, lines []Line) ([]Step, error) {
	var script strings.Builder
	for i, line := range lines {
		fmt.Fprintf(&script, "printf '\\n%s %d begins\\n'\n%s\nprintf '\\n%s %d ended with %%d\\n' $?\n", mark, i, line.Text, mark, i)
	}
	file := filepath.Join(dir, ".session")
	if err := os.WriteFile(file, []byte(script.String()), 0o600); err != nil {
		return nil, fmt.Errorf("write the session: %w", err)
	}
	var out bytes.Buffer
	c := exec.CommandContext(ctx, "bash", "-c", `. "$PAGES_SESSION"`)
	c.Dir, c.Stdout, c.Stderr = dir, &out, &out
	c.Env = append(append(os.Environ(), env...), "PAGES_SESSION="+file)
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		return nil, fmt.Errorf("run the session: %w\n%s", errors.Join(err, context.Cause(ctx)), out.String())
	}
	return steps(lines, out.String()), nil
}

// steps takes the output of a session apart.
func steps(lines []Line, out string) []Step {
	all := make([]Step, len(lines))
	for i, line := range lines {
		all[i].Line = line
	}
	from := 0
	for _, m := range marked.FindAllStringSubmatchIndex(out, -1) {
		number, _ := strconv.Atoi(out[m[2]:m[3]]) // marked lets digits through only
		if number >= len(all) {
			continue
		}
		if m[6] < 0 {
			from = m[1]
			continue
		}
		all[number].Ran = true
		all[number].Code, _ = strconv.Atoi(out[m[6]:m[7]])
		all[number].Got = strings.TrimSuffix(out[from:m[0]], "\n")
	}
	for i := range all {
		if !all[i].Ran && i > 0 && all[i-1].Ran {
			all[i].Got = out[from:]
		}
	}
	return all
}

// Fails reports whether the page shows that the line ends with an error.
func (l Line) Fails() bool {
	for _, text := range l.Output {
		if strings.HasPrefix(text, "error: ") {
			return true
		}
	}
	return false
}

// Check compares how a line ended with what the page shows: its success or failure, and its output. What differs from run to run is
// compared by its shape only, and a line of three dots stands for any lines.
func (s Step) Check() error {
	where := fmt.Sprintf("%s:%d: %s", s.Line.Page, s.Line.Number, s.Line.Text)
	switch {
	case !s.Ran:
		return fmt.Errorf("%s\nwas not reached, or ended the session:\n%s", where, s.Got)
	case (s.Code != 0) != s.Line.Fails():
		return fmt.Errorf("%s\nended with code %d:\n%s", where, s.Code, s.Got)
	}
	if missing := unmatched(s.Line.Output, strings.Split(s.Got, "\n")); missing != "" {
		return fmt.Errorf("%s\ndoes not print, where the page shows it,\n%s\nbut prints\n%s", where, missing, s.Got)
	}
	return nil
}

// Dots stands for any lines in the output that a page shows.
const Dots = "..."

// unmatched is the first line that is shown and not printed in its place; "" when there is none.
func unmatched(shown, got []string) string {
	at, anywhere := 0, false
	for _, text := range shown {
		switch want := Shape(text); {
		case text == Dots:
			anywhere = true
			continue
		case want == "":
			continue
		default:
			for at < len(got) && Shape(got[at]) != want && (anywhere || Shape(got[at]) == "") {
				at++
			}
			if at == len(got) || Shape(got[at]) != want {
				return text
			}
		}
		at, anywhere = at+1, false
	}
	return ""
}

var (
	identifier = regexp.MustCompile(`\b([0-9a-f]{12,64}|[a-z2-7]{26})\b`)
	podSuffix  = regexp.MustCompile(`-[a-z0-9]{5}\b`)
	quantity   = regexp.MustCompile(`\d[\d.,:]*( ?([KMGT]i)?B\b| ?m?s\b| ?%)?`)
	travel     = regexp.MustCompile(`^(Staging: .* in) .*`)
	blanks     = regexp.MustCompile(`[ \t]+|-{3,}`)
)

// Shape is a line of output without what differs from run to run: ids, counts, sizes, times, how a transfer traveled, and the width
// of columns.
func Shape(text string) string {
	text = travel.ReplaceAllString(text, "$1")
	text = identifier.ReplaceAllString(text, "ID")
	text = quantity.ReplaceAllString(text, "0")
	text = podSuffix.ReplaceAllString(text, "-POD")
	return strings.TrimSpace(blanks.ReplaceAllString(text, " "))
}
