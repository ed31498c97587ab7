package preflight

import (
	"fmt"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// fitRow makes TEXT of the longest inferred columns until a row fits.
func fitRow(types []dataset.SQLType) {
	text := dataset.Varchar(dataset.MaxVarchar + 1)
	for {
		_, row, _ := dataset.TableSize(types)
		longest := -1
		for i, t := range types {
			if t.Base == "VARCHAR" && t.RowBytes() > text.RowBytes() && (longest < 0 || t.Length() > types[longest].Length()) {
				longest = i
			}
		}
		if row <= dataset.MaxRowBytes || longest < 0 {
			return
		}
		types[longest] = text
	}
}

// checkSize holds the table that the ingestor would create against the database's limits. The label's own column is not
// added to the table, so it does not count.
func (t *table) checkSize(types []dataset.SQLType) {
	features := make([]dataset.SQLType, 0, len(types))
	for i, c := range t.columns {
		if c != nil && !c.label {
			features = append(features, types[i])
		}
	}
	columns, row, page := dataset.TableSize(features)
	all := columns + dataset.FrameworkColumns
	f := Finding{File: t.file}
	switch {
	case all > dataset.MaxColumns:
		f.Message = fmt.Sprintf("the table would have %d columns, the ingestor's own among them; %d is the limit", all, dataset.MaxColumns)
		t.report.add("schema-too-many-columns", f)
	case row > dataset.MaxRowBytes:
		f.Message = fmt.Sprintf("a row would take %d bytes; %d is the limit", row, dataset.MaxRowBytes)
		t.report.add("schema-row-size", f)
	case page > dataset.MaxPageBytes:
		f.Message = fmt.Sprintf("a row would take up to %d bytes of a page of the database; %d is the limit", page, dataset.MaxPageBytes)
		t.report.add("schema-row-page", f)
	}
}
