package main

import (
	"errors"
	"fmt"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

// pixelLimit is where PIL suspects a decompression bomb and refuses.
const pixelLimit = 178_956_970

type size struct{ w, h int }

func (s size) String() string { return fmt.Sprintf("(%d, %d)", s.w, s.h) }

// imageResolution reads the header of each image under images/; no pixel is decoded.
func imageResolution(in *ingestor) validator {
	return validator{name: "Image Resolution Validator", doing: "Validating image resolutions", check: func() ([]string, error) {
		files, err := imageFiles(filepath.Join(in.config.source, "images"))
		if err != nil {
			return []string{"Validation error: " + pyOSError(err)}, nil
		}
		if len(files) == 0 {
			return []string{"No image files found to validate"}, nil
		}
		expected := size{in.config.targetSize[0], in.config.targetSize[1]}
		want := fmt.Sprintf("[%d, %d]", expected.w, expected.h)
		var sizes []size
		var unreadable, wrong []string
		for i, f := range files {
			s, problem := imageSize(f)
			if problem != "" {
				unreadable = append(unreadable, f+": "+problem)
				continue
			}
			sizes = append(sizes, s)
			if s != expected {
				wrong = append(wrong, fmt.Sprintf("%s: %s (expected: %s)", f, s, want))
			}
			if i%100 == 0 {
				bar(in.err, "Reading images", i, len(files))
			}
		}
		return resolutionErrors(sizes, want, unreadable, wrong), nil
	}}
}

func resolutionErrors(sizes []size, want string, unreadable, wrong []string) []string {
	slices.SortFunc(sizes, func(a, b size) int {
		if a.w != b.w {
			return a.w - b.w
		}
		return a.h - b.h
	})
	sizes = slices.Compact(sizes)
	var lines []string
	switch {
	case len(sizes) > 1:
		all := make([]string, len(sizes))
		for i, s := range sizes {
			all[i] = s.String()
		}
		return []string{
			fmt.Sprintf("Multiple image resolutions found: [%s]. All images must have the same resolution.", strings.Join(all, ", ")),
			"Expected resolution: " + want,
			"Invalid files: " + spec.PyList(unreadable),
			"Resolution errors: " + spec.PyList(wrong),
		}
	case len(wrong) > 0:
		lines = append(lines, "Images with incorrect resolution found: "+spec.PyList(wrong))
	}
	if len(unreadable) > 0 {
		lines = append(lines, "Files that could not be processed: "+spec.PyList(unreadable))
	}
	return lines
}

func imageFiles(dir string) ([]string, error) {
	files, err := visible(dir)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(files, func(f string) bool {
		return !slices.Contains([]string{".jpg", ".jpeg", ".png", ".bmp", ".tiff", ".tif"}, strings.ToLower(filepath.Ext(f)))
	}), nil
}

// imageSize reads an image's header; problem is PIL's complaint in the ingestor's words.
func imageSize(path string) (s size, problem string) {
	f, err := os.Open(path)
	if err != nil {
		return s, pyOSError(err)
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Size() == 0 {
		return s, "empty file (0 bytes)"
	}
	c, _, err := image.DecodeConfig(f)
	if err != nil {
		return s, "not a valid image (corrupt or unsupported format)"
	}
	if c.Width*c.Height > pixelLimit {
		return s, "exceeds the safe pixel limit (possible decompression bomb)"
	}
	return size{c.Width, c.Height}, ""
}

// pyOSError is an error of the file system in Python's words.
func pyOSError(err error) string {
	var pe *os.PathError
	if !errors.As(err, &pe) {
		return err.Error()
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Sprintf("[Errno 2] No such file or directory: %s", spec.PyString(pe.Path))
	case errors.Is(err, os.ErrPermission):
		return fmt.Sprintf("[Errno 13] Permission denied: %s", spec.PyString(pe.Path))
	default:
		return fmt.Sprintf("%v: %s", pe.Err, spec.PyString(pe.Path))
	}
}
