package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/ingestor/pandas"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

// The validators here are the newer ingestors' (contract/ingestor.md §6).

// ingestable wants one row at least, and one file that is there for the tasks with files.
func ingestable(in *ingestor) validator {
	return validator{name: "Ingestable Records", doing: "Looking for records", check: func() ([]string, error) {
		f := in.frame()
		if f == nil {
			return []string{fmt.Sprintf("No data rows found in CSV '%s': the file has a header but no data rows (0 ingestable records).", filepath.Base(in.config.csv))}, nil
		}
		dir := in.config.category.files
		if dir == "" {
			return nil, nil
		}
		at := slices.IndexFunc(f.header, func(h string) bool { return strings.TrimSpace(h) == "filename" })
		if at < 0 {
			return []string{fmt.Sprintf("No 'filename' column found in CSV '%s' (columns: %s).", filepath.Base(in.config.csv), spec.PyList(f.header))}, nil
		}
		for _, v := range f.columns[at] {
			if _, err := os.Stat(in.textFile(v)); err == nil {
				return nil, nil
			}
		}
		return []string{fmt.Sprintf("No referenced data files could be found under '%s/'; nothing to ingest (0 ingestable records).", dir)}, nil
	}}
}

// textFile is where the file of a record is looked for.
func (in *ingestor) textFile(filename any) string {
	return filepath.Join(in.config.source, in.config.category.files, fileName(pandas.Str(filename), in.config.extension))
}

// eachText looks at the text of every record, and stops after fifty problems. content is nil for a file that is not there.
func eachText(in *ingestor, name, doing string, check func(row int, filename string, content []byte) string) validator {
	return validator{name: name, doing: doing, check: func() ([]string, error) {
		f := in.frame()
		if f == nil {
			return nil, nil
		}
		column := f.similar("filename")
		if column == "" {
			return []string{"Missing required column: filename"}, nil
		}
		names, _ := f.column(column)
		var lines []string
		for i, v := range names {
			if len(lines) >= reportedErrors {
				return append(lines, "... further errors suppressed."), nil
			}
			content, err := os.ReadFile(in.textFile(v))
			if err != nil {
				content = nil
			}
			if line := check(i, pandas.Str(v), content); line != "" {
				lines = append(lines, line)
			}
		}
		return lines, nil
	}}
}

// textContent wants UTF-8 without NUL bytes; an empty text is only a warning.
func textContent(in *ingestor) validator {
	return eachText(in, "Text Content", "Validating texts", func(_ int, filename string, content []byte) string {
		path := in.config.category.files + "/" + fileName(filename, in.config.extension)
		switch {
		case bytes.IndexByte(content, 0) >= 0:
			return fmt.Sprintf("'%s' contains a NUL byte (0x00) — the file is binary, not UTF-8 text.", path)
		case invalidByte(content) >= 0:
			return fmt.Sprintf("'%s' is not valid UTF-8 text — it looks binary or wrongly encoded.", path)
		}
		return ""
	})
}

// tabbed wants one record of tab separated fields in each text, none of them blank.
func tabbed(in *ingestor, name, expected string, counts ...int) validator {
	return eachText(in, name, "Validating records", func(row int, filename string, content []byte) string {
		if content == nil {
			return fmt.Sprintf("Row %d: text file not found at '%s/%s'.", row, in.config.category.files, fileName(filename, in.config.extension))
		}
		record := strings.Trim(string(content), "\r\n")
		prefix := fmt.Sprintf("Row %d ('%s'): ", row, filename)
		fields := strings.Split(record, "\t")
		var blank []int
		for i, field := range fields {
			if strings.TrimSpace(field) == "" {
				blank = append(blank, i+1)
			}
		}
		switch {
		case strings.TrimSpace(record) == "":
			return ""
		case strings.ContainsAny(record, "\r\n"):
			return prefix + "expected a single tab-separated record but the file spans multiple lines."
		case !slices.Contains(counts, len(fields)):
			return prefix + fmt.Sprintf("expected %s tab-separated fields, found %d.", expected, len(fields))
		case len(blank) > 0:
			return prefix + fmt.Sprintf("field(s) %s are empty", strings.Join(strings.Fields(fmt.Sprint(blank)), ", "))
		}
		return ""
	})
}

func sentencePairs(in *ingestor) validator {
	return tabbed(in, "Sentence Pair", "exactly 2 (text_a<TAB>text_b)", 2)
}

func contrastivePairs(in *ingestor) validator {
	return tabbed(in, "Contrastive Pairs", "2 (anchor<TAB>positive) or 3 (anchor<TAB>positive<TAB>negative)", 2, 3)
}

// labelColumn wants the label in the header, whatever its letters' case is.
func labelColumn(in *ingestor) validator {
	return validator{name: "Label Column", doing: "Looking for the label", check: func() ([]string, error) {
		f := in.frame()
		if f == nil || f.similar(in.config.label) != "" {
			return nil, nil
		}
		return []string{fmt.Sprintf("Configured label column '%s' not found in CSV header (columns: %s).", in.config.label, strings.Join(f.header, ", "))}, nil
	}}
}

// labelDiversity wants two classes at least.
func labelDiversity(in *ingestor) validator {
	return validator{name: "Label Diversity Validator", doing: "Counting classes", check: func() ([]string, error) {
		f := in.frame()
		if f == nil || f.similar(in.config.label) == "" {
			return nil, nil
		}
		labels, _ := f.column(f.similar(in.config.label))
		seen := map[any]bool{}
		var distinct []string
		for _, v := range labels {
			if v != nil && !seen[v] {
				seen[v] = true
				distinct = append(distinct, pandas.Str(v))
			}
		}
		if len(distinct) >= 2 {
			return nil, nil
		}
		return []string{fmt.Sprintf("Classification category requires at least 2 distinct label values in column '%s'; this dataset has %d distinct value(s): %s.", in.config.label, len(distinct), spec.PyList(distinct))}, nil
	}}
}
