package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// inRepository makes a repository with the files, and checks the named ones.
func inRepository(t *testing.T, files map[string]string, names ...string) []string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git := exec.CommandContext(t.Context(), "git", "init", "-q", dir)
	git.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull)
	if out, err := git.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	problems, err := run(t.Context(), dir, names)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, 0, len(problems))
	for _, p := range problems {
		got = append(got, p.String())
	}
	return got
}

func TestLinks(t *testing.T) {
	const other = "# Other\n\n## How it `works`, twice\n\n## How it works, twice\n\n<a id=\"by-hand\"></a>\n"
	for _, c := range []struct {
		name, page, want string
		line             int // 3 by default
	}{
		{"a file beside it", "[x](b.md)", "", 0},
		{"above", "[x](../README.md)", "", 0},
		{"a directory", "[x](../hack)", "", 0},
		{"a directory with a slash", "[x](../hack/)", "", 0},
		{"an anchor", "[x](b.md#how-it-works-twice)", "", 0},
		{"the second of the same", "[x](b.md#how-it-works-twice-1)", "", 0},
		{"an anchor that was made", "[x](b.md#by-hand)", "", 0},
		{"the page itself", "[x](#page)", "", 0},
		{"a title", `[x](b.md "what it is")`, "", 0},
		{"in code", "`[x](nowhere.md)`", "", 0},
		{"in a block", "```\n[x](nowhere.md)\n```", "", 0},
		{"in an indented block", "text\n\n    [x](nowhere.md)\n", "", 0},
		{"in a comment", "<!-- [x](nowhere.md) -->", "", 0},
		{"by reference", "[x][y] [Y][]\n\n[y]: b.md", "", 0},
		{"external", "[x](https://github.com/tracebloc) <https://kubernetes.io/docs/>, see https://krew.sigs.k8s.io.", "", 0},
		{"an example", "https://mirror.example.com/x", "", 0},
		{"mail", "[x](mailto:security@tracebloc.io)", "", 0},

		{"no file", "[x](c.md)", `link "c.md": there is no file "docs/c.md" in the repository`, 0},
		{"another case", "[x](B.md)", `link "B.md": there is no file "docs/B.md" in the repository`, 0},
		{"no anchor", "[x](b.md#how)", `link "b.md#how": no heading of "docs/b.md" has the anchor "how"`, 0},
		{"an anchor of code", "[x](#a)\n\n```\n# a\n```", `link "#a": no heading of "docs/a.md" has the anchor "a"`, 0},
		{"an anchor of a script", "[x](../hack/run.sh#L1)", `link "../hack/run.sh#L1": only pages have anchors, and "hack/run.sh" is none`, 0},
		{"out of it", "[x](../../x.md)", `link "../../x.md": it leads out of the repository`, 0},
		{"from the root", "[x](/docs/b.md)", `link "/docs/b.md": write it relative to the page, which GitHub and an editor both understand`, 0},
		{"nothing", "[x]()", `link "": it leads nowhere`, 0},
		{"ignored by git", "[x](../bin/tool)", `link "../bin/tool": there is no file "bin/tool" in the repository`, 0},
		{"plain http", "[x](http://github.com/)", `link "http://github.com/": external links are https`, 0},
		{"another host", "see https://evil.invalid/x.", `link "https://evil.invalid/x": the host "evil.invalid" is not in hack/prose/hosts.txt`, 0},
		{"an undefined reference", "[x][z]", `the link "z" is defined nowhere on the page`, 0},
		{"a definition that leads nowhere", "[x]\n\n[x]: c.md", `link "c.md": there is no file "docs/c.md" in the repository`, 5},
		{"an image", "![x](c.png)", `link "c.png": there is no file "docs/c.png" in the repository`, 0},
		{"text over two lines", "[a\nb](c.md)", `link "c.md": there is no file "docs/c.md" in the repository`, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := inRepository(t, map[string]string{
				"README.md": "# Readme\n", "docs/a.md": "# Page\n\n" + c.page + "\n", "docs/b.md": other,
				"hack/run.sh": "x", "bin/tool": "x", ".gitignore": "/bin/\n",
			}, "docs/a.md")
			want := []string{}
			if c.want != "" {
				want = append(want, problem{"docs/a.md", max(c.line, 3), c.want}.String())
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestSlug(t *testing.T) {
	for heading, want := range map[string]string{
		"What is missing":             "what-is-missing",
		"`-o json|yaml`, and errors":  "-o-jsonyaml-and-errors",
		"A [link](x.md) in it":        "a-link-in-it",
		"CI: GitHub Actions & GitLab": "ci-github-actions--gitlab",
		"snake_case and kebab-case":   "snake_case-and-kebab-case",
		"Für 3 Üben":                  "für-3-üben",
		"**Bold** and <b>bold</b>":    "bold-and-bold",
		"1. First":                    "1-first",
		"kubectl's way":               "kubectls-way",
	} {
		if got := slug(heading); got != want {
			t.Errorf("%q: %q, want %q", heading, got, want)
		}
	}
}

func TestStyle(t *testing.T) {
	long := strings.Repeat("word ", 39) + "words!" // 201 characters
	for _, c := range []struct {
		name, page string
		want       []string
	}{
		{"in order", "# A\n\n## B\n\n### C\n\n## D\n", nil},
		{"without a title", "## A\n\n### B\n", nil},
		{"a level left out", "# A\n\n### B\n", []string{`a.md:3: heading "B" has level 3 after level 1`}},
		{"two titles", "# A\n\n# B\n", []string{`a.md:3: "B" is a second title; a page has one`}},
		{"a comment in code", "# A\n\n```sh\n# B\n```\n", nil},
		{"a block that is not closed", "# A\n\n```sh\nls\n", []string{"a.md:3: the code block that begins here is not closed"}},
		{"closed with fewer", "````\n```\n", []string{"a.md:1: the code block that begins here is not closed"}},
		{"closed with more", "```\n`````\n", nil},
		{"in a list", "- a\n\n  ```sh\n  # b\n  ```\n", nil},
		{"a long line", long + "\n", []string{"a.md:1: the line has 201 characters; break it, 200 is the limit"}},
		{"a long row", "| " + long + " |\n", nil},
		{"a long line of code", "```\n" + long + "\n```\n", nil},
		{"spaces at the end", "a \n", []string{"a.md:1: there are spaces at the end of the line"}},
		{"a home", "see `/home/jane/x`\n", []string{`a.md:1: "/home/jane/x" is a path of one machine`}},
		{"a home in code", "```\ncd /root/x\n```\n", []string{`a.md:2: "/root/x" is a path of one machine`}},
		{"anybody's home", "`/home/user/.kube/config`, /home/runner/work\n", nil},
		{"a home on Windows", "C:\\Users\\jane\n", []string{`a.md:1: "C:\\Users\\jane" is a path of one machine`}},
		{"an issue template", "---\nname: kubernetes\n---\n\n## What\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := inRepository(t, map[string]string{"a.md": c.page})
			if diff := cmp.Diff(append([]string{}, c.want...), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ page, want string }{
		{"Kubernetes, GitHub and macOS.", ""},
		{"On kubernetes.", `a.md:1: "kubernetes" is spelled "Kubernetes"`},
		{"(Github's)", `a.md:1: "Github's" is spelled "GitHub's"`},
		{"**MacOS**", `a.md:1: "MacOS" is spelled "macOS"`},
		{"on Mac OS too", `a.md:1: "Mac OS" is spelled "macOS"`},
		{"Mac. OS", ""},
		{"`kubernetes`", ""},
		{"docs.kubernetes.io and x/kubernetes", ""},
		{"[kubernetes](https://kubernetes.io)", `a.md:1: "kubernetes" is spelled "Kubernetes"`},
		{"[docs](https://github.com/kubernetes/kubernetes)", ""},
		{"the the end", `a.md:1: "the" stands twice`},
		{"at the\nthe end", `a.md:2: "the" stands twice`},
		{"the `x` the", ""},
		{"the, the", ""},
		{"that that is", ""},
		{"| a | a |", ""},
	} {
		t.Run(c.page, func(t *testing.T) {
			got := strings.Join(inRepository(t, map[string]string{"a.md": c.page + "\n"}), "\n")
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// What the code says is not spelled again here.
func TestGenerated(t *testing.T) {
	got := inRepository(t, map[string]string{"docs/commands/a.md": "## a\n\nkubernetes, see [b](b.md)\n", "x/testdata/b.md": "[x](y)"})
	if diff := cmp.Diff([]string{`docs/commands/a.md:3: link "b.md": there is no file "docs/commands/b.md" in the repository`}, got); diff != "" {
		t.Error(diff)
	}
}

func TestHostsAreSorted(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(hostList, "\n"), "\n")
	for i, host := range lines {
		if host != strings.ToLower(strings.TrimSpace(host)) || host == "" || i > 0 && lines[i-1] >= host {
			t.Errorf("line %d: %q", i+1, host)
		}
	}
}

// Whatever stands on a page, positions in its prose are positions on the page.
func FuzzParse(f *testing.F) {
	f.Add("# A\n\n```\nx\n")
	f.Add("- a `b``c` `` ` ``\n\n    code\n\n<!-- x -->\n")
	f.Add("---\na: b\n---\n\xff\r\n\t~~~\n[x][y](z \"t\")")
	f.Fuzz(func(t *testing.T, text string) {
		p := parse("a.md", text)
		if len(p.prose) != len(text) || strings.Count(p.prose, "\n") != strings.Count(text, "\n") {
			t.Fatalf("%q became %q", text, p.prose)
		}
		for i := range text {
			if p.prose[i] != text[i] && p.prose[i] != hidden[0] {
				t.Fatalf("byte %d of %q became %q", i, text, p.prose[i])
			}
		}
		if len(p.words()) != len(text) {
			t.Fatalf("the words of %q have another length", text)
		}
		p.links()
		checkHeadings(p)
		checkLines(p)
		checkWords(p)
	})
}
