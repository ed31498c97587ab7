// prose checks the documents of the repository: links and anchors lead somewhere, code blocks are closed, headings are in
// order, and names are spelled as their owners spell them.
//
//	go run ./hack/prose            every *.md file that git knows or would know
//	go run ./hack/prose FILE...    these only
//
// It asks no server: of an external link it checks the scheme and whether hosts.txt has the host.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	problems, err := run(ctx, ".", os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(2)
	}
	for _, p := range problems {
		fmt.Println(p)
	}
	if len(problems) > 0 {
		os.Exit(1)
	}
}

// problem is one thing that is wrong with a document.
type problem struct {
	file string
	line int
	text string
}

func (p problem) String() string { return fmt.Sprintf("%s:%d: %s", p.file, p.line, p.text) }

// repository is what links may lead to.
type repository struct {
	root string
	// files and their directories, with slashes, relative to root.
	files, dirs map[string]bool
	// pages are the documents that were read already.
	pages map[string]*page
}

// run checks the named documents of the repository in dir, or all of them.
func run(ctx context.Context, dir string, names []string) ([]problem, error) {
	r, err := open(ctx, dir)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		for name := range r.files {
			if path.Ext(name) == ".md" && !strings.Contains(name, "/testdata/") {
				names = append(names, name)
			}
		}
		slices.Sort(names)
	}
	var problems []problem
	for _, name := range names {
		p, err := r.page(filepath.ToSlash(filepath.Clean(name)))
		if err != nil {
			return nil, err
		}
		problems = append(problems, r.check(p)...)
	}
	return problems, nil
}

// open lists what is in the repository: what git tracks, and what it would. A link to anything else breaks for everybody but its author.
func open(ctx context.Context, dir string) (*repository, error) {
	list := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir, list.Stderr = dir, os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("list the files of the repository: %w", err)
	}
	r := &repository{root: dir, files: map[string]bool{}, dirs: map[string]bool{".": true}, pages: map[string]*page{}}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if _, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			continue // removed, and not yet from git
		}
		r.files[name] = true
		for d := path.Dir(name); !r.dirs[d]; d = path.Dir(d) {
			r.dirs[d] = true
		}
	}
	return r, nil
}

// page reads a document, once.
func (r *repository) page(name string) (*page, error) {
	if p := r.pages[name]; p != nil {
		return p, nil
	}
	text, err := os.ReadFile(filepath.Join(r.root, filepath.FromSlash(name)))
	if err != nil {
		return nil, fmt.Errorf("read a document: %w", err)
	}
	p := parse(name, string(text))
	r.pages[name] = p
	return p, nil
}

// check finds what is wrong with one document, in the order of its lines.
func (r *repository) check(p *page) []problem {
	problems := slices.Clone(p.broken)
	problems = append(problems, r.checkLinks(p)...)
	problems = append(problems, checkHeadings(p)...)
	problems = append(problems, checkPaths(p)...)
	if !generated(p.name) {
		problems = append(problems, checkLines(p)...)
		problems = append(problems, checkWords(p)...)
	}
	slices.SortStableFunc(problems, func(a, b problem) int { return a.line - b.line })
	return problems
}

// generated tells the pages whose words stand in the code.
func generated(name string) bool {
	return strings.HasPrefix(name, "docs/commands/") || name == "docs/preflight.md" || name == "docs/benchmarks.md"
}
