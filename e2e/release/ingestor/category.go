package main

import "github.com/tracebloc/kubectl-tracebloc/e2e/release/ingestor/pandas"

// category is one task as the ingestor knows it, contract/ingestor.md §2.1. A further task is one more entry, and the
// validators that only it has.
type category struct {
	name       string
	files      string // directory under SRC_PATH whose files the manifest names; empty for the tabular tasks
	extension  string // default of file_options.extension
	targetSize []int  // default of file_options.target_size, width and height
	missing    pandas.Missing
	validators func(*ingestor) []validator // in the order in which they run
}

func categories() []category {
	return []category{
		{
			name:       "image_classification",
			files:      "images",
			extension:  ".jpeg",
			targetSize: []int{256, 256},
			missing:    pandas.OnlyEmpty,
			validators: func(in *ingestor) []validator {
				return []validator{fileType(in, "images", in.config.extension), imageResolution(in), tableName(in), duplicate(in)}
			},
		},
		{
			name:    "tabular_classification",
			missing: pandas.DefaultMissing,
			validators: func(in *ingestor) []validator {
				return []validator{dataValidator(in), tableName(in), duplicate(in)}
			},
		},
	}
}

func categoryByName(name string) (category, bool) {
	for _, c := range categories() {
		if c.name == name {
			return c, true
		}
	}
	return category{}, false
}
