package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

// validator is one of the ingestor's checks. check returns the lines of its error, none when it passes; an error of its own
// is one that Python does not catch.
type validator struct {
	name  string
	doing string // text of its progress bar
	check func() ([]string, error)
}

// validate runs all validators: none ends the others, and the text of the failures is joined.
func (in *ingestor) validate() error {
	var failures strings.Builder
	for _, v := range in.config.category.validators(in) {
		bar(in.err, v.doing, 0, 1)
		lines, err := v.check()
		if err != nil {
			return err
		}
		bar(in.err, v.doing, 1, 1)
		wipe(in.err, v.doing)
		if len(lines) == 0 {
			_, _ = fmt.Fprintf(in.out, "%s%s Validator successfully passed%s\n", green, v.name, reset)
			continue
		}
		fmt.Fprintf(&failures, "%s%s%s Validator failed: %s \n %s\n%s\n%s", red, bold, v.name, reset, red, strings.Join(lines, "\n"), reset)
	}
	if failures.Len() > 0 {
		return &ingestError{failures.String() + reset}
	}
	_, _ = fmt.Fprintf(in.out, "%sAll validations passed successfully%s\n", green, reset)
	return nil
}

// checkSource is the look at SRC_PATH before the tasks with files begin.
func (in *ingestor) checkSource() error {
	src := in.config.source
	if in.config.category.files == "" {
		return nil
	}
	switch info, err := os.Stat(src); {
	case src == "" || src == ".":
		return &ingestError{"SRC_PATH is empty. Set it to the cluster-PVC path where your data is staged."}
	case !filepath.IsAbs(src):
		return &ingestError{fmt.Sprintf("SRC_PATH=%s is not an absolute path.", spec.PyString(src))}
	case err != nil || !info.IsDir():
		return &ingestError{fmt.Sprintf("SRC_PATH=%s does not exist or is not a directory. Did the data-staging step (kubectl cp / init-container sync) run before the ingest Job?", spec.PyString(src))}
	}
	return nil
}

// checkEncoding is the gate for every CSV: the whole file must be UTF-8.
func (in *ingestor) checkEncoding() error {
	if !strings.HasSuffix(in.config.csv, ".csv") {
		return nil
	}
	f, err := os.Open(in.config.csv)
	if err != nil {
		return &ingestError{pyOSError(err)}
	}
	defer func() { _ = f.Close() }()
	for r, at := bufio.NewReaderSize(f, 1<<16), 0; ; {
		c, n, err := r.ReadRune()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return &ingestError{pyOSError(err)}
		case c == utf8.RuneError && n == 1:
			return &ingestError{fmt.Sprintf("%s is not valid UTF-8 — a non-UTF-8 byte was found at byte %d. Re-save the file as UTF-8 (in Excel: Save As → 'CSV UTF-8 (Comma delimited)'), then re-ingest.",
				spec.PyString(filepath.Base(in.config.csv)), at)}
		}
		at += n
	}
}

// visible lists the files under dir, hidden ones left out, in the order of their paths.
func visible(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			files = append(files, p)
		}
		return nil
	})
	return files, err
}

func fileType(in *ingestor, dir, allowed string) validator {
	return validator{name: "File Type Validator", doing: "Validating file types", check: func() ([]string, error) {
		if !slices.Contains([]string{".jpeg", ".jpg", ".png", ".xml", ".txt", ".text"}, allowed) {
			return nil, raise("Invalid allowed extension: %s", allowed)
		}
		root := filepath.Join(in.config.source, dir)
		if _, err := os.Stat(root); err != nil {
			return []string{"Validation error: Path does not exist: " + root}, nil
		}
		files, err := visible(root)
		if err != nil {
			return []string{"Validation error: " + pyOSError(err)}, nil
		}
		if len(files) == 0 {
			return []string{"No files found to validate"}, nil
		}
		var suffixes, invalid []string
		for _, f := range files {
			suffix := strings.ToLower(filepath.Ext(f))
			suffixes = append(suffixes, suffix)
			if suffix != allowed {
				invalid = append(invalid, f)
			}
		}
		slices.Sort(suffixes)
		suffixes = slices.Compact(suffixes)
		switch {
		case len(suffixes) > 1:
			return []string{
				fmt.Sprintf("Multiple file extensions found: %s. All files must have the same extension.", spec.PyList(suffixes)),
				fmt.Sprintf("Allowed extensions: %s", spec.PyList([]string{allowed})),
				fmt.Sprintf("Invalid files: %s", spec.PyList(invalid)),
			}, nil
		case len(invalid) > 0:
			return []string{fmt.Sprintf("Files with invalid extensions found: %s", spec.PyList(invalid))}, nil
		}
		return nil, nil
	}}
}

var tableForm = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]*$`)

func tableName(in *ingestor) validator {
	return validator{name: "Table Name Validator", doing: "Validating table names", check: func() ([]string, error) {
		if tableForm.MatchString(in.config.table) {
			return nil, nil
		}
		return []string{
			fmt.Sprintf("Invalid table names found: %s", spec.PyList([]string{spec.PyString(in.config.table) + " (contains invalid characters)"})),
			"Table names must contain only alphanumeric characters and underscores, and must start with a letter or underscore.",
		}, nil
	}}
}

func duplicate(in *ingestor) validator {
	return validator{name: "Duplicate Validator", doing: "Checking the destination", check: func() ([]string, error) {
		entries, err := os.ReadDir(in.destination())
		if err == nil && len(entries) > 0 {
			return []string{fmt.Sprintf("Destination directory %s already exists", spec.PyString(in.destination()))}, nil
		}
		return nil, nil
	}}
}
