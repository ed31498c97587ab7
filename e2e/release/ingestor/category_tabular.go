package main

import (
	"slices"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/ingestor/pandas"
)

// The names that the time series tasks give to two columns; a spec cannot change them.
const (
	timestampColumn = "timestamp"
	sequenceColumn  = "sequence_id"
)

func tabularCategories() []category {
	return []category{
		{name: "tabular_classification", missing: pandas.DefaultMissing, validators: func(in *ingestor) []validator {
			return ending(in, dataValidator(in))
		}},
		{name: "tabular_regression", missing: pandas.DefaultMissing, validators: func(in *ingestor) []validator {
			return ending(in, dataValidator(in))
		}},
		{name: "time_series_forecasting", missing: pandas.DefaultMissing, validators: func(in *ingestor) []validator {
			return ending(in, timeFormat(in), timeOrdered(in), timeBeforeToday(in), numericColumns(in, timestampColumn), dataValidator(in, timestampColumn))
		}},
		{name: "time_to_event_prediction", missing: pandas.DefaultMissing, validators: func(in *ingestor) []validator {
			return ending(in, timeToEvent(in), dataValidator(in))
		}},
		{name: "time_series_classification", missing: newerMissing, validators: func(in *ingestor) []validator {
			return ending(in, ingestable(in), sequenceGroup(in), constantLabel(in), orderedSequences(in),
				numericColumns(in, timestampColumn, sequenceColumn), dataValidator(in, timestampColumn), labelDiversity(in))
		}},
	}
}

// newerMissing is the set of the newer ingestors for the columns of the schema, contract/ingestor.md §6.
func newerMissing(text string) bool {
	return slices.Contains([]string{"", "NA", "N/A", "n/a", "NULL", "null", "None", "none", "NaN", "nan", "<NA>", "#N/A"}, text)
}
