package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// entry is a line of the list "By command": the command, its codes but for 0 and 1, and examples of them.
var entry = regexp.MustCompile("(?m)^- `([a-z]+)` \\(([0-9 ]+)\\): (.+(?:\n  .+)*)$")

// The page about exit codes has for each command the codes that its help has.
func TestExitCodesByCommand(t *testing.T) {
	page, err := os.ReadFile("../../docs/exit-codes.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, found := strings.Cut(string(page), "## By command\n")
	if !found {
		t.Fatal("the page has no such section")
	}
	list, _, _ = strings.Cut(list, "\n## ")
	listed := map[string]string{}
	for _, m := range entry.FindAllStringSubmatch(list, -1) {
		listed[m[1]] = m[2]
		for _, example := range regexp.MustCompile(`(?:^|; )(\d+)\s+(?:when|for|without)\s`).FindAllStringSubmatch(m[3], -1) {
			if code := example[1]; code != "0" && code != "1" && !strings.Contains(" "+m[2]+" ", " "+code+" ") {
				t.Errorf("%s: there is an example of %s, which is not among its codes", m[1], code)
			}
		}
	}
	helped := map[string]string{}
	for _, c := range available(newRoot())[1:] {
		var codes []string
		_, all := splitCodes(c.Long)
		for _, code := range all {
			if code.number != "0" && code.number != "1" {
				codes = append(codes, code.number)
			}
		}
		if len(codes) > 0 {
			helped[c.Name()] = strings.Join(codes, " ")
		}
	}
	if diff := cmp.Diff(helped, listed); diff != "" {
		t.Errorf("docs/exit-codes.md (-help +page):\n%s", diff)
	}
	meanings := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| (\d+) \| ([^|]+) \|`).FindAllStringSubmatch(string(page), -1) {
		if _, known := meanings[m[1]]; !known {
			meanings[m[1]] = strings.TrimSpace(m[2])
		}
	}
	for _, c := range available(newRoot()) {
		_, codes := splitCodes(c.Long)
		for _, code := range codes {
			if meanings[code.number] != code.meaning {
				t.Errorf("%s says of %s %q, the page %q", c.CommandPath(), code.number, code.meaning, meanings[code.number])
			}
		}
	}
}
