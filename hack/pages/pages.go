// Package pages reads the documentation the way its tests want it: blocks, command lines, and the example datasets. Whatever a
// page says to type is run by pkg/cmd's tests where it needs no cluster, and by e2e/docs where it does.
package pages

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Page is one file of the documentation.
type Page struct {
	// Name is the path from the root of the repository, with slashes: "docs/tasks.md".
	Name string
	Text string
}

// Block is a fenced block of a page.
type Block struct {
	// Line is where its text begins, from 1.
	Line int
	// Section is the heading above it, without the hashes; "" before the first.
	Section string
	// Info is the word behind the fence, such as "console"; "" where there is none.
	Info string
	Text string
}

// Load reads README.md, CONTRIBUTING.md and every page below docs/.
func Load(root string) ([]Page, error) {
	names := []string{"CONTRIBUTING.md", "README.md"}
	err := fs.WalkDir(os.DirFS(root), "docs", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(name, ".md") {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find the pages: %w", err)
	}
	slices.Sort(names)
	all := make([]Page, 0, len(names))
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return nil, fmt.Errorf("read a page: %w", err)
		}
		all = append(all, Page{Name: name, Text: strings.ReplaceAll(string(text), "\r\n", "\n")})
	}
	return all, nil
}

// Find returns one of the pages by its name.
func Find(all []Page, name string) (Page, error) {
	at := slices.IndexFunc(all, func(p Page) bool { return p.Name == name })
	if at < 0 {
		return Page{}, fmt.Errorf("there is no page %q", name)
	}
	return all[at], nil
}

// Blocks are the fenced blocks of the page, in order. A block in a list loses the indentation of its fence.
func (p Page) Blocks() []Block {
	var blocks []Block
	section, fence, indent := "", "", ""
	for i, line := range strings.Split(p.Text, "\n") {
		text := strings.TrimLeft(line, " ")
		switch {
		case fence == "" && strings.HasPrefix(text, "```"):
			info := strings.TrimLeft(text, "`")
			fence, indent = text[:len(text)-len(info)], line[:len(line)-len(text)]
			blocks = append(blocks, Block{Line: i + 2, Section: section, Info: strings.TrimSpace(info)})
		case fence == "" && strings.HasPrefix(line, "#"):
			section = strings.TrimSpace(strings.TrimLeft(line, "#"))
		case fence == "":
		case strings.TrimSpace(text) == fence:
			fence = ""
		default:
			blocks[len(blocks)-1].Text += strings.TrimPrefix(line, indent) + "\n"
		}
	}
	return blocks
}

// Section is the text below a heading, up to the next one of the same level or a higher one; "" where there is no such heading.
func (p Page) Section(title string) string {
	var out strings.Builder
	level, fenced := 0, false
	for line := range strings.Lines(p.Text) {
		if strings.HasPrefix(strings.TrimLeft(line, " "), "```") {
			fenced = !fenced
		}
		hashes := len(line) - len(strings.TrimLeft(line, "#"))
		switch {
		case !fenced && hashes > 0 && level > 0 && hashes <= level:
			return out.String()
		case !fenced && hashes > 0 && level == 0:
			if strings.TrimSpace(line[hashes:]) == title {
				level = hashes
			}
		case level > 0:
			out.WriteString(line)
		}
	}
	return out.String()
}

// CodeSpans are the pieces of text between single backticks outside of blocks, each with the line it stands on. One that is broken
// over two lines is put together with a blank.
func (p Page) CodeSpans() []Line {
	var spans []Line
	fenced, open, began := false, "", 0
	for i, line := range strings.Split(p.Text, "\n") {
		if strings.HasPrefix(strings.TrimLeft(line, " "), "```") {
			fenced = !fenced
			continue
		}
		if fenced || strings.TrimSpace(line) == "" {
			open = "" // a span does not reach over a blank line
			continue
		}
		parts := strings.Split(line, "`")
		inside := open != ""
		for j, part := range parts {
			last := j == len(parts)-1
			switch {
			case inside && last:
				open = strings.TrimSpace(open+" "+part) + " "
			case inside:
				spans = append(spans, Line{Page: p.Name, Number: began, Text: strings.TrimSpace(open + part)})
				open = ""
			case !last:
				began = i + 1
				open = ""
			}
			if !last {
				inside = !inside
			}
		}
		if !inside {
			open = ""
		}
	}
	return spans
}
