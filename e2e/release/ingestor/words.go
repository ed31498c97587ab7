package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/ingestor/pandas"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

// reportedErrors is where validators of single records stop.
const reportedErrors = 50

var tagForm = regexp.MustCompile(`^(O|[BI]-\S+)$`)

// bioLabels holds the tags of each label against the words of its text.
func bioLabels(in *ingestor) validator {
	return onFrame(in, "BIO Label", "Validating BIO labels", func(f *frame) []string {
		filename, label := f.similar("filename"), f.similar(in.config.label)
		var missing []string
		if filename == "" {
			missing = append(missing, "filename")
		}
		if label == "" {
			missing = append(missing, in.config.label)
		}
		if len(missing) > 0 {
			return []string{"Missing required column(s): " + strings.Join(missing, ", ")}
		}
		names, _ := f.column(filename)
		labels, _ := f.column(label)
		var lines []string
		for i := range f.rows {
			if len(lines) >= reportedErrors {
				return append(lines, "... further errors suppressed.")
			}
			problems, err := in.bioRow(i, pandas.Str(names[i]), strings.Fields(pandas.Str(labels[i])))
			if err != nil {
				return []string{"BIO label validation error: " + err.Error()}
			}
			lines = append(lines, problems...)
		}
		return lines
	})
}

func (in *ingestor) bioRow(row int, name string, tags []string) (problems []string, err error) {
	var bad []string
	for _, tag := range tags {
		if !tagForm.MatchString(tag) {
			bad = append(bad, tag)
		}
	}
	if len(bad) > 0 {
		problems = append(problems, fmt.Sprintf("Row %d ('%s'): invalid BIO tag(s) %s; each tag must be 'O' or 'B-<TYPE>' / 'I-<TYPE>'.", row, name, spec.PyList(bad[:min(5, len(bad))])))
	}
	file := fileName(name, in.config.extension)
	content, err := os.ReadFile(filepath.Join(in.config.source, "texts", file))
	if err != nil {
		return append(problems, fmt.Sprintf("Row %d: text file not found at 'texts/%s'.", row, file)), nil
	}
	if at := invalidByte(content); at >= 0 {
		return nil, fmt.Errorf("'utf-8' codec can't decode byte 0x%02x in position %d: invalid start byte", content[at], at)
	}
	if words := len(strings.Fields(string(content))); words != len(tags) {
		problems = append(problems, fmt.Sprintf("Row %d ('%s'): token/label count mismatch — %d word(s) in the .txt but %d BIO tag(s) in the label column. Each word must have exactly one tag.", row, name, words, len(tags)))
	}
	return problems, nil
}

// invalidByte is where data stops being UTF-8, -1 when it does not.
func invalidByte(data []byte) int {
	for at := 0; at < len(data); {
		r, n := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && n == 1 {
			return at
		}
		at += n
	}
	return -1
}
