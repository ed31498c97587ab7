// Package gen makes small real datasets for the demo and the tests: the same options give the same bytes.
package gen

import (
	"encoding/csv"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
)

// Images describes an image_classification dataset: labels.csv with filename and label, and images/.
type Images struct {
	Count         int
	Width, Height int      // pixels
	Format        string   // .png, .jpg or .jpeg
	Labels        []string // default cat, dog
	Unusual       bool     // names with spaces, quotes, commas, leading dashes, and letters beyond ASCII
}

// Write makes dir, which must not exist, and fills it. It returns the names of the images in the order of the manifest.
func (o Images) Write(dir string) ([]string, error) {
	if o.Count < 1 || o.Width < 1 || o.Height < 1 {
		return nil, fmt.Errorf("make images: %d images of %dx%d", o.Count, o.Width, o.Height)
	}
	if len(o.Labels) == 0 {
		o.Labels = []string{"cat", "dog"}
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Join(dir, "images"), 0o755); err != nil {
		return nil, err
	}
	rows := [][]string{{"filename", "label"}}
	var names []string
	for i := range o.Count {
		name := o.name(i)
		if err := writeFile(filepath.Join(dir, "images", name), func(w io.Writer) error { return o.encode(w, i) }); err != nil {
			return nil, err
		}
		names = append(names, name)
		rows = append(rows, []string{name, o.Labels[i%len(o.Labels)]})
	}
	return names, writeCSV(filepath.Join(dir, "labels.csv"), rows)
}

func (o Images) name(i int) string {
	if !o.Unusual {
		return fmt.Sprintf("img_%05d%s", i, o.Format)
	}
	stems := []string{"two words", "größe", "図形", "it's", `say "hi"`, "a,b", "-dash", "$(touch pwned)", "star*", "img[1]", "dots.in.name", "émile"}
	return fmt.Sprintf("%s %d%s", stems[i%len(stems)], i, o.Format)
}

// encode draws image number i: a gradient with a colored block whose place depends on i.
func (o Images) encode(w io.Writer, i int) error {
	random := sequence(i + 1)
	img := image.NewRGBA(image.Rect(0, 0, o.Width, o.Height))
	block := color.RGBA{uint8(random.next(256)), uint8(random.next(256)), uint8(random.next(256)), 255}
	left, top := random.next(o.Width), random.next(o.Height)
	for y := range o.Height {
		for x := range o.Width {
			c := color.RGBA{uint8(255 * x / o.Width), uint8(255 * y / o.Height), uint8(i), 255}
			if x >= left && x < left+o.Width/4+1 && y >= top && y < top+o.Height/4+1 {
				c = block
			}
			img.SetRGBA(x, y, c)
		}
	}
	switch o.Format {
	case ".png":
		return png.Encode(w, img)
	case ".jpg", ".jpeg":
		return jpeg.Encode(w, img, nil)
	default:
		return fmt.Errorf("make images: unknown format %q (known: .png, .jpg, .jpeg)", o.Format)
	}
}

func writeCSV(path string, rows [][]string) error {
	return writeFile(path, func(w io.Writer) error {
		cw := csv.NewWriter(w)
		return cw.WriteAll(rows)
	})
}

func writeFile(path string, fill func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(fill(f), f.Close())
}
