package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

const standardColumns = "`id` BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, " +
	"`created_at` DATETIME DEFAULT CURRENT_TIMESTAMP, " +
	"`updated_at` DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, " +
	"`status` INT DEFAULT 0, `label` VARCHAR(255), `data_intent` VARCHAR(100), `data_id` VARCHAR(255) NOT NULL UNIQUE, " +
	"`filename` VARCHAR(255), `extension` VARCHAR(10), `annotation` TEXT, `ingestor_id` VARCHAR(255)"

func reserved(name string) bool {
	return slices.Contains([]string{"id", "created_at", "updated_at", "status", "data_intent", "data_id", "filename", "extension", "annotation", "ingestor_id"}, name)
}

// checkColumns is what create_table refuses before it talks to the server.
func checkColumns(features []column) error {
	var taken, long []string
	for _, c := range features {
		if reserved(c.name) {
			taken = append(taken, c.name)
		}
		if n := len([]rune(c.name)); n > 64 {
			long = append(long, fmt.Sprintf("%s (%d chars)", spec.PyString(c.name), n))
		}
	}
	switch {
	case len(taken) > 0:
		return raise("Schema column(s) %s collide with reserved tracebloc columns. The framework manages its own row id, timestamps, status, data_id and sidecar metadata — rename these column(s) in your CSV/schema. (To use your own `id` as the record identifier, set data_id.strategy=column instead.)", spec.PyList(taken))
	case len(long) > 0:
		return raise("%d column name(s) exceed the 64-character database column-name limit and must be shortened: %s", len(long), strings.Join(long, ", "))
	case len(features) > 4000:
		return raise("Schema has %d columns, exceeding the supported maximum of 4000", len(features))
	}
	return nil
}

var typeForm = regexp.MustCompile(`^\s*([A-Za-z]+)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?`)

// sqlType is the ingestor's mapping to the server's types.
func sqlType(s string) (string, error) {
	m := typeForm.FindStringSubmatch(s)
	if m == nil {
		return "", raise("Unsupported MySQL type: %s", s)
	}
	base := strings.ToUpper(m[1])
	switch base {
	case "INT", "INTEGER", "TINYINT", "SMALLINT", "MEDIUMINT", "BIGINT", "BOOLEAN", "BOOL":
		if m[2] != "" {
			return "", raise("Integer() takes no arguments")
		}
		switch base {
		case "BIGINT":
			return "BIGINT", nil
		case "BOOLEAN", "BOOL":
			return "TINYINT(1)", nil
		}
		return "INT", nil
	case "VARCHAR":
		if m[2] == "" {
			return "", raise("VARCHAR requires a length on dialect mysql")
		}
		return "VARCHAR(" + m[2] + ")", nil
	case "DECIMAL", "NUMERIC":
		switch {
		case m[3] != "":
			return base + "(" + m[2] + "," + m[3] + ")", nil
		case m[2] != "":
			return base + "(" + m[2] + ")", nil
		}
		return base, nil
	case "TIMESTAMP", "DATETIME":
		return "DATETIME", nil
	case "TEXT", "FLOAT", "DOUBLE", "DATE", "TIME", "BLOB", "LONGBLOB":
		return base, nil
	}
	return "", raise("Unsupported MySQL type: %s", base)
}

func compareColumns(table string, there []string, features []column) error {
	if len(features) == 0 {
		return nil
	}
	var missing, extra, want []string
	for _, c := range features {
		want = append(want, c.name)
		if !slices.Contains(there, c.name) {
			missing = append(missing, c.name)
		}
	}
	for _, name := range there {
		if !reserved(name) && name != "label" && !slices.Contains(want, name) {
			extra = append(extra, name)
		}
	}
	if len(missing)+len(extra) == 0 {
		return nil
	}
	return raise("Table '%s' already exists with feature columns that do not match the dataset schema. In the schema but not the table: %s. In the table but not the schema: %s. Drop the existing '%s' table, or ingest under a new dataset name, and re-run.",
		table, spec.PyList(missing), spec.PyList(extra), table)
}
