//go:build unix

package cmd

import (
	"strings"
	"testing"
)

func TestPlaces(t *testing.T) {
	t.Parallel()
	w := workspace{root: "/home/user/repo", dir: "/home/user/repo/sub"}
	for file, want := range map[string]struct {
		uri      string
		relative bool
	}{
		"a.yaml":                       {"sub/a.yaml", true},
		"./x/../b c.yaml":              {"sub/b%20c.yaml", true},
		"../up.yaml":                   {"up.yaml", true},
		"../../out.yaml":               {"file:///home/user/out.yaml", false},
		"/home/user/repo/c.yaml":       {"c.yaml", true},
		"/home/user/repository/d.yaml": {"file:///home/user/repository/d.yaml", false},
		"/etc/é%.yaml":                 {"file:///etc/%C3%A9%25.yaml", false},
		"a:b,c#d?e\n\x1b\xff.yaml":     {"sub/a%3Ab%2Cc%23d%3Fe%0A%1B%FF.yaml", true},
		stdinFile:                      {"%3Cstdin%3E", false},
	} {
		uri, relative := w.uri(file)
		if uri != want.uri || relative != want.relative {
			t.Errorf("%q: got %q, %v, want %q, %v", file, uri, relative, want.uri, want.relative)
		}
	}
}

// The whole command, with files of hostile names.
func TestValidateHostileFiles(t *testing.T) {
	t.Parallel()
	const name = "a\n::set-output name=x::y,line=1.yaml"
	dir := inSpecs(t, map[string]string{name: "kind: \"x\\n::add-mask::y\"\n\"\\n::error::z\": 1\n"})
	code, out, errOut := runValidate(t, dir, "", "DIR/"+name, "DIR/\n::stop-commands::t", "-o", "github")
	if code != exitSpec || errOut != "" {
		t.Errorf("exit code %d, stderr %q", code, errOut)
	}
	for _, line := range splitLines(out) {
		if c := readCommand(t, line); c.name != "error" || !strings.Contains(c.properties["file"], "DIR/") {
			t.Errorf("got %+v of %q", c, line)
		}
	}
	// What is wrong with the command line itself.
	code, out, errOut = runValidate(t, dir, "", "-o", "github", "--data", "\n::error::x", "a", "b")
	if lines := splitLines(out); code != exitSpec || errOut != "" || len(lines) != 1 || readCommand(t, lines[0]).name != "error" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, out, errOut)
	}
}
