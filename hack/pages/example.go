package pages

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Example is a dataset that a page describes: a tree, and the text of its files.
type Example struct {
	// Task is the heading above it.
	Task string
	// Root is the directory or the CSV file that is pushed.
	Root string
	// Files are its files, by their paths in Root; the key of a single CSV file is "". Images are not among them.
	Files map[string]string
	// Images are the paths of the images and masks in Root.
	Images []string
	// Spec is what the page shows of the spec, and SpecLine where.
	Spec     string
	SpecLine int
}

// ImageSize is the width and height of the images in the examples, in pixels.
const ImageSize, imageHeight = 64, 48

// Tab is how the examples write a tab character, which no reader could see.
const Tab = "<TAB>"

// Examples are the datasets of a page: in each section a block "text" with a tree, then one with the files as "head" prints several
// of them, then a block "yaml" with the spec. The two first may be one, where the dataset is a single file.
func Examples(p Page) ([]Example, error) {
	var all []Example
	for _, b := range p.Blocks() {
		at := slices.IndexFunc(all, func(e Example) bool { return e.Task == b.Section })
		var err error
		switch {
		case b.Info == "text" && strings.HasPrefix(b.Text, "==> ") && at < 0:
			var e Example
			e, err = single(b)
			all = append(all, e)
		case b.Info == "text" && strings.HasPrefix(b.Text, "==> "):
			err = all[at].read(b)
		case b.Info == "text" && at < 0:
			var e Example
			e, err = tree(b)
			all = append(all, e)
		case b.Info == "yaml" && at >= 0:
			all[at].Spec, all[at].SpecLine = b.Text, b.Line
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", p.Name, b.Line, err)
		}
	}
	return all, nil
}

// branches are what "tree" draws in front of a name, four characters for each level.
const branches = "│├└─ \u00a0"

// tree reads the output of "tree -F": directories end in a slash.
func tree(b Block) (Example, error) {
	lines := strings.Split(strings.TrimSuffix(b.Text, "\n"), "\n")
	e := Example{Task: b.Section, Root: strings.TrimSuffix(lines[0], "/"), Files: map[string]string{}}
	var above []string
	for _, line := range lines[1:] {
		name := strings.TrimLeft(line, branches)
		depth := len([]rune(strings.TrimSuffix(line, name)))/4 - 1
		if depth < 0 || depth > len(above) || name == "" {
			return e, fmt.Errorf("%q does not fit into the tree", line)
		}
		above = append(above[:depth:depth], strings.TrimSuffix(name, "/"))
		full := path.Join(above...)
		switch ext := path.Ext(name); {
		case strings.HasSuffix(name, "/"):
		case ext == ".png" || ext == ".jpg" || ext == ".jpeg":
			e.Images = append(e.Images, full)
		default:
			e.Files[full] = ""
		}
	}
	return e, nil
}

// single reads a dataset of one file.
func single(b Block) (Example, error) {
	name, text, _ := strings.Cut(b.Text, "\n")
	root := strings.TrimSuffix(strings.TrimPrefix(name, "==> "), " <==")
	if strings.Contains(text, "==> ") {
		return Example{}, fmt.Errorf("several files and no tree above them")
	}
	return Example{Task: b.Section, Root: root, Files: map[string]string{"": text}}, nil
}

// read reads the files of a tree; each of them must be there.
func (e *Example) read(b Block) error {
	for _, part := range strings.Split("\n"+b.Text, "\n==> ")[1:] {
		name, text, _ := strings.Cut(part, " <==\n")
		if _, there := e.Files[name]; !there {
			return fmt.Errorf("%q is not in the tree", name)
		}
		e.Files[name] = strings.ReplaceAll(strings.TrimSuffix(text, "\n")+"\n", Tab, "\t")
	}
	for _, name := range slices.Sorted(maps.Keys(e.Files)) {
		if e.Files[name] == "" {
			return fmt.Errorf("%q is in the tree, and its text is not shown", name)
		}
	}
	return nil
}

// Write makes the dataset in dir, and returns its path.
func (e Example) Write(dir string) (string, error) {
	root := filepath.Join(dir, e.Root)
	write := func(name string, data []byte) error {
		full := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o750); err != nil {
			return err
		}
		return os.WriteFile(full, data, 0o600)
	}
	for name, text := range e.Files {
		if err := write(name, []byte(text)); err != nil {
			return "", fmt.Errorf("write an example: %w", err)
		}
	}
	for i, name := range e.Images {
		data, err := picture(ImageSize, imageHeight, i, path.Ext(name))
		if err == nil {
			err = write(name, data)
		}
		if err != nil {
			return "", fmt.Errorf("write an example: %w", err)
		}
	}
	return root, nil
}

// picture draws image number i: noise, which is of about the size of a photograph.
func picture(width, height, i int, ext string) ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	state := uint32(i)*2654435761 + 1
	for y := range height {
		for x := range width {
			state = state*1664525 + 1013904223
			img.SetRGBA(x, y, color.RGBA{uint8(state >> 24), uint8(x + i), uint8(y), 255})
		}
	}
	var b bytes.Buffer
	if ext == ".png" {
		err := png.Encode(&b, img)
		return b.Bytes(), err
	}
	err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90})
	return b.Bytes(), err
}
