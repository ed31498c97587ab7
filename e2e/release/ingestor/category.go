package main

import (
	"slices"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/ingestor/pandas"
)

// category is one task as the ingestor knows it, contract/ingestor.md §2.1; the tasks that 0.3.9 does not know are those of §6.
// A further task is one more entry, and the validators that only it has.
type category struct {
	name       string
	files      string // directory under SRC_PATH whose files the manifest names; empty for the tabular tasks
	noun       string // what the log calls such a file
	twin       *twin  // second file of each record
	extension  string // default of file_options.extension
	targetSize []int  // default of file_options.target_size, width and height
	annotation string // column of the manifest that becomes the annotation
	missing    pandas.Missing
	validators func(*ingestor) []validator // in the order in which they run
}

func categories() []category {
	return slices.Concat(imageCategories(), textCategories(), tabularCategories())
}

func categoryByName(name string) (category, bool) {
	for _, c := range categories() {
		if c.name == name {
			return c, true
		}
	}
	return category{}, false
}

// ending is the validators that every task ends with.
func ending(in *ingestor, own ...validator) []validator {
	return append(own, tableName(in), duplicate(in))
}

// checkedData adds the Data Validator to a task that has it only with a schema.
func checkedData(in *ingestor, own ...validator) []validator {
	if len(in.config.features()) == 0 {
		return own
	}
	return append(own, dataValidator(in))
}
