package ingest

import (
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// smallestImage is the width and height that newer ingestors ask for unless
// min_size says otherwise.
const smallestImage = 32

// checkOptions looks at data_id and at the parts of spec that every task has.
func (c *Config) checkOptions() []finding {
	var findings []finding
	if id := c.DataID; id != nil {
		switch {
		case id.Strategy == "content_hash":
			findings = append(findings, warningAt(`"content_hash" is known to newer servers only; older ones refuse the spec`, "data_id", "strategy"))
		case id.Strategy != "" && id.Strategy != "column" && id.Column != "":
			findings = append(findings, warningAt(fmt.Sprintf("the strategy %q does not use it", id.Strategy), "data_id", "column"))
		}
		if id.Column != "" {
			if message := badName(id.Column); message != "" {
				findings = append(findings, errorAt(message, "data_id", "column"))
			}
		}
	}
	findings = append(findings, c.checkSizes()...)
	if c.Spec == nil {
		return findings
	}
	for _, ignored := range []struct {
		field string
		set   bool
	}{
		{"validators", len(c.Spec.Validators) > 0}, {"sidecars", len(c.Spec.Sidecars) > 0}, {"processors", len(c.Spec.Processors) > 0},
	} {
		if ignored.set {
			findings = append(findings, warningAt("is accepted and ignored by the ingestor", "spec", ignored.field))
		}
	}
	if c.Spec.CSVOptions != nil {
		findings = append(findings, checkCSVOptions(c.Spec.CSVOptions)...)
	}
	return findings
}

// largestImage is the width and height, in pixels, that no image reaches: a
// larger number is a slip, and may be too much for the numbers of others.
const largestImage = 1_000_000

// checkSizes looks at sizes that no image has.
func (c *Config) checkSizes() []finding {
	var options FileOptions
	if c.Spec != nil && c.Spec.FileOptions != nil {
		options = *c.Spec.FileOptions
	}
	var findings []finding
	for _, field := range []struct {
		size *[2]int
		at   []string
	}{
		{c.TargetSize, []string{"target_size"}},
		{options.TargetSize, []string{"spec", "file_options", "target_size"}},
		{options.MinSize, []string{"spec", "file_options", "min_size"}},
	} {
		if field.size != nil && max(field.size[0], field.size[1]) > largestImage {
			findings = append(findings, errorAt(fmt.Sprintf("%dx%d is larger than any image; width and height are pixels, at most %d",
				field.size[0], field.size[1], largestImage), field.at...))
		}
	}
	return findings
}

func checkCSVOptions(o *CSVOptions) []finding {
	var findings []finding
	for _, option := range []struct{ name, value string }{{"quotechar", o.QuoteChar}, {"escapechar", o.EscapeChar}} {
		if utf8.RuneCountInString(option.value) > 1 {
			findings = append(findings, errorAt(fmt.Sprintf("must be one character, is %q", option.value), "spec", "csv_options", option.name))
		}
	}
	switch {
	case o.Delimiter == "" || o.Delimiter == ",":
	case len(o.Delimiter) > 1:
		findings = append(findings, errorAt(fmt.Sprintf("must be one ASCII character, is %q", o.Delimiter), "spec", "csv_options", "delimiter"))
	case o.Delimiter == o.QuoteChar || o.Delimiter == `"` && o.QuoteChar == "":
		findings = append(findings, errorAt("the delimiter and the quote character are the same", "spec", "csv_options", "delimiter"))
	default:
		findings = append(findings, warningAt(fmt.Sprintf("%q is used when the CSV is read, but not by the ingestor's checks, which see one column only; a CSV with commas is safer",
			o.Delimiter), "spec", "csv_options", "delimiter"))
	}
	return findings
}

// checkFileOptions looks at sizes and the extension.
func (c *Config) checkFileOptions(task dataset.Task) []finding {
	var findings []finding
	options := &FileOptions{}
	if c.Spec != nil && c.Spec.FileOptions != nil {
		options = c.Spec.FileOptions
	}
	if e := options.Extension; e != "" && len(task.Extensions) > 0 && !slices.Contains(task.Extensions, e) {
		findings = append(findings, errorAt(fmt.Sprintf("the files of the task %q end in %s, not %s", task.Name, list(task.Extensions, "or"), e),
			"spec", "file_options", "extension"))
	}
	findings = append(findings, misspelledOptions(options.Extra)...)
	if task.Family != dataset.FamilyImage {
		if options.TargetSize != nil {
			findings = append(findings, warningAt(fmt.Sprintf("the task %q does not use it", task.Name), "spec", "file_options", "target_size"))
		}
		return findings
	}
	size, at := c.TargetSize, []string{"target_size"}
	if options.TargetSize != nil {
		if size != nil && *size != *options.TargetSize {
			findings = append(findings, errorAt(fmt.Sprintf("differs from spec.file_options.target_size, %dx%d, which wins; give one of the two",
				options.TargetSize[0], options.TargetSize[1]), at...))
		}
		size, at = options.TargetSize, []string{"spec", "file_options", "target_size"}
	}
	if size == nil {
		return findings
	}
	least := [2]int{smallestImage, smallestImage}
	if options.MinSize != nil {
		least = *options.MinSize
	}
	if size[0] < least[0] || size[1] < least[1] {
		if options.MinSize != nil {
			return append(findings, errorAt(fmt.Sprintf("%dx%d is smaller than spec.file_options.min_size, %dx%d", size[0], size[1], least[0], least[1]), at...))
		}
		findings = append(findings, warningAt(fmt.Sprintf("newer ingestors refuse images smaller than %dx%d unless spec.file_options.min_size allows them",
			least[0], least[1]), at...))
	}
	return findings
}

// misspelledOptions warns of fields that are nearly ones of the file options:
// the schema lets any field through, and the ingestor passes over it.
func misspelledOptions(extra map[string]any) []finding {
	var findings []finding
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		if near := nearest(name, fileOptionNames()); near != "" {
			f := warningAt(fmt.Sprintf("unknown field, which the ingestor does not look at; did you mean %s?", near), "spec", "file_options", name)
			f.atKey = true
			findings = append(findings, f)
		}
	}
	return findings
}
