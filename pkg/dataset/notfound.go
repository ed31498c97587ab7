package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// notFound words why there is no dataset at path, and what was probably meant.
func notFound(path string, cause error) error {
	switch {
	case path == "":
		return errors.New("the path of the dataset is empty; name a directory or one CSV file")
	case path == "-":
		return fmt.Errorf("dataset %q: standard input is not taken, because data must be read more than once; save it as a .csv file and push that", path)
	case !errors.Is(cause, fs.ErrNotExist):
		return fmt.Errorf("dataset %q: %w", path, reason(cause))
	}
	if target, err := os.Readlink(path); err == nil {
		return fmt.Errorf("dataset %q is a symbolic link to %q: %w", path, target, reason(cause))
	}
	if near := sibling(path); near != "" {
		return fmt.Errorf("dataset %q: %w; did you mean %q", path, reason(cause), near)
	}
	return fmt.Errorf("dataset %q: %w", path, reason(cause))
}

// maxSiblings is how many names are looked at for the one that was meant.
const maxSiblings = 10_000

// sibling is the dataset beside path whose name is nearest to that of path; "" where none is near.
func sibling(path string) string {
	dir, want := filepath.Dir(path), filepath.Base(path)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return ""
	}
	defer func() { _ = root.Close() }()
	list, err := root.Open(".")
	if err != nil {
		return ""
	}
	defer func() { _ = list.Close() }()
	// Of a directory that cannot be read to its end, the names until there do.
	names, _ := list.Readdirnames(maxSiblings)
	slices.Sort(names)
	best, least := "", 0
	for _, name := range names {
		distance := nameDistance(want, name)
		if distance > 1+len(want)/6 || (best != "" && distance >= least) || junk(name) != "" || badName(name) != "" {
			continue
		}
		if info, err := root.Stat(name); err == nil && (info.IsDir() || info.Mode().IsRegular() && isCSVName(name)) {
			best, least = name, distance
		}
	}
	if best == "" {
		return ""
	}
	return filepath.Join(dir, best)
}

// nameDistance is the edit distance of two names of datasets; .csv may be left out.
func nameDistance(want, have string) int {
	d := EditDistance(foldName(want), foldName(have))
	if isCSVName(have) && filepath.Ext(want) == "" {
		d = min(d, EditDistance(foldName(want), foldName(strings.TrimSuffix(have, filepath.Ext(have)))))
	}
	return d
}

// notCSV says what a file is that is no CSV by its name, and how it becomes one.
func notCSV(path string) string {
	name := strings.ToLower(filepath.Base(path))
	ends := func(suffixes ...string) bool {
		return slices.ContainsFunc(suffixes, func(suffix string) bool { return strings.HasSuffix(name, suffix) })
	}
	switch {
	case ends(".tar", ".tgz", ".tbz2", ".txz", ".zip", ".7z", ".rar", ".gz", ".bz2", ".xz", ".zst"):
		return "an archive; unpack it first, and push the directory or the .csv file"
	case ends(".xlsx", ".xlsm", ".xls", ".ods", ".numbers"):
		return "a spreadsheet; export it as CSV (UTF-8, with commas), and push the .csv file"
	case ends(".tsv", ".tab"):
		return "separated by tabs, and the ingestor reads commas; export it as CSV, and push the .csv file"
	case ends(".parquet", ".feather", ".arrow", ".orc", ".avro", ".json", ".jsonl", ".ndjson", ".pkl", ".db", ".sqlite"):
		return "in a format that is not taken; export it as CSV, and push the .csv file"
	}
	return "a file whose name does not end in .csv; it must be a directory or one CSV file"
}
