package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// twin is how the second file of a record is found. It is copied together with the first one, or neither is.
type twin struct {
	dir    string // under SRC_PATH
	column string // of the manifest, whose value names it; it never reaches the table
	// names are the files to try for a value, in order; absent is what the log says when none is there.
	names  func(value string) []string
	absent func(dir, value string) string
}

// annotationTwin is found by the value of filename as it stands: with an extension in it, annotations/a.jpg is looked for
// (contract/ingestor.md §5.1, 1).
func annotationTwin() *twin {
	names := func(value string) []string { return []string{fileName(value, ".xml")} }
	return &twin{
		dir: "annotations", column: "filename", names: names,
		absent: func(dir, value string) string {
			return fmt.Sprintf("Source annotation not found: %s — skipping record", filepath.Join(dir, names(value)[0]))
		},
	}
}

// maskTwin is found by mask_id, cut at its first dot.
func maskTwin() *twin {
	stem := func(value string) string { return strings.SplitN(value, ".", 2)[0] }
	return &twin{
		dir: "masks", column: "mask_id",
		names: func(value string) []string {
			return []string{stem(value) + ".png", stem(value) + ".jpg", stem(value) + ".jpeg"}
		},
		absent: func(dir, value string) string {
			return fmt.Sprintf("Source mask not found: %s in %s/ — skipping record", stem(value), dir)
		},
	}
}

// find is the twin of a record: its path, or what the log says of its absence.
func (w *twin) find(source string, rec record) (path, problem string) {
	value, _ := rec[w.column].(string)
	if value == "" {
		return "", fmt.Sprintf("No %s found in record", w.column)
	}
	dir := filepath.Join(source, w.dir)
	for _, name := range w.names(value) {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, ""
		}
	}
	return "", w.absent(dir, value)
}
