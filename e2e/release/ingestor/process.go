package main

import (
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/ingestor/pandas"
)

// process makes the row of one record and copies its file. ok is false for a record that is lost, which a counter tells.
func (in *ingestor) process(rec record) (made row, ok bool) {
	if in.skip > 0 {
		in.skip--
		in.counts.skipped++
		return row{}, false
	}
	made = row{intent: in.config.intent, dataID: in.newID(), ingestor: in.id, filename: rec["filename"], extension: rec["extension"]}
	if in.config.idColumn != "" {
		id := ""
		if v := rec[in.config.idColumn]; v != nil {
			id = strings.TrimSpace(pandas.Str(v))
		}
		if id == "" {
			in.counts.skipped++
			return row{}, false
		}
		made.dataID = id
	}
	name, ok := in.recordFile(rec, &made)
	if !ok {
		return row{}, false
	}
	label, ok := in.labelValue(rec)
	in.counts.processed++
	if name != "" && !in.transfer(rec, name) {
		in.warn("base.py:809", "Skipping record due to file transfer failure: %s", name)
		in.counts.transfer++
		return row{}, false
	}
	if !ok {
		in.warn("database.py:388", "Failed to insert record: (1054, \"Unknown column 'nan' in 'field list'\")")
		in.counts.failed++
		return row{}, false
	}
	made.label = label
	if column := in.config.category.annotation; column != "" {
		made.annotation = rec[column]
	}
	for _, c := range in.config.features() {
		v := rec[c.name]
		if v == "" || in.popped(c.name) {
			v = nil
		}
		made.features = append(made.features, v)
	}
	return made, true
}

// popped says whether the name of a second file stands in the column: it is taken out of the record before the insert, so
// that the column stays NULL even where the schema declares it (contract/ingestor.md §2.2).
func (in *ingestor) popped(column string) bool {
	twin := in.config.category.twin
	return twin != nil && twin.column == column
}

// recordFile resolves the file of a record, for the tasks that have one. A name that pandas took for a number, or that is
// missing, fails without a word in the log: only the counter moves.
func (in *ingestor) recordFile(rec record, made *row) (name string, ok bool) {
	if in.config.category.files == "" {
		return "", true
	}
	v, there := rec["filename"]
	if !there {
		in.log("ERROR", "tracebloc_ingestor.file_transfer", "file_transfer.py:98", "No filename found in record")
		in.counts.processed++
		in.counts.transfer++
		return "", false
	}
	text, isText := v.(string)
	if !isText || in.numericTwin(rec) {
		in.counts.failed++
		return "", false
	}
	name = fileName(text, in.config.extension)
	made.filename, made.extension = stem(name), in.config.extension
	return name, true
}

// numericTwin says whether pandas took the name of the second file for a number.
func (in *ingestor) numericTwin(rec record) bool {
	twin := in.config.category.twin
	if twin == nil || rec[twin.column] == nil {
		return false
	}
	_, isText := rec[twin.column].(string)
	return !isText
}
