package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

// filePairing holds the stems of images/ against those of another directory, both ways. A directory that is not there is
// the File Type Validator's concern.
func filePairing(in *ingestor, dir, noun, suffix string) validator {
	return validator{name: "File Pairing Validator", doing: "Pairing files", check: func() ([]string, error) {
		images, err := stems(filepath.Join(in.config.source, "images"), "")
		if err != nil {
			return nil, nil
		}
		others, err := stems(filepath.Join(in.config.source, dir), suffix)
		if err != nil {
			return nil, nil
		}
		var lines []string
		if single := without(images, others); len(single) > 0 {
			lines = append(lines, fmt.Sprintf("%d image(s) have no matching %s: %s", len(single), noun, firstTen(single)))
		}
		if single := without(others, images); len(single) > 0 {
			lines = append(lines, fmt.Sprintf("%d %s(s) have no matching image: %s", len(single), noun, firstTen(single)))
		}
		return lines, nil
	}}
}

func stems(dir, suffix string) (map[string]bool, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			found[strings.TrimSuffix(stem(e.Name()), suffix)] = true
		}
	}
	return found, nil
}

func without(these, those map[string]bool) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(these)), func(s string) bool { return those[s] })
}

func firstTen(names []string) string {
	if len(names) > 10 {
		return spec.PyList(names[:10]) + " …"
	}
	return spec.PyList(names)
}
