package ingest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// ParseSchema reads the value of --schema, "age:INT,price:DECIMAL(10,2)".
// Commas inside parentheses do not split; a name may hold colons, its type
// stands after the last one. Types come back in canonical form.
func ParseSchema(flag string) ([]dataset.Column, error) {
	var columns []dataset.Column
	seen := map[string]bool{}
	for _, part := range splitOutside(flag) {
		colon := strings.LastIndexByte(part, ':')
		if colon < 0 {
			return nil, fmt.Errorf("schema entry %q has no type; write it as name:TYPE", part)
		}
		name := strings.TrimSpace(part[:colon])
		if name == "" {
			return nil, fmt.Errorf("schema entry %q has no column name; write it as name:TYPE", part)
		}
		if seen[name] {
			return nil, fmt.Errorf("column %q stands twice in the schema", name)
		}
		seen[name] = true
		sqlType, err := dataset.ParseSQLType(part[colon+1:])
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", name, err)
		}
		if sqlType.Unread != "" {
			return nil, fmt.Errorf("column %q: the ingestor does not read %q after the type; leave it out", name, sqlType.Unread)
		}
		columns = append(columns, dataset.Column{Name: name, Type: sqlType.String()})
	}
	return columns, nil
}

// splitOutside cuts at the commas that stand outside of parentheses.
func splitOutside(s string) []string {
	var parts []string
	depth, start := 0, 0
	for i, r := range s {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth = max(0, depth-1)
		case r == ',' && depth == 0:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

// normalize brings the usable types into their canonical form. One with words
// that the ingestor does not read stays as it is, to be warned of.
func (c *Config) normalize() {
	for i, column := range c.Schema {
		if t, err := dataset.ParseSQLType(column.Type); err == nil && t.Unread == "" {
			c.Schema[i].Type = t.String()
		}
	}
}

// undeclared are the columns of a task with files that its schema must have,
// and has not: those that name further files.
func (c *Config) undeclared(task dataset.Task) []string {
	if !task.HasFiles() || !slices.Contains(task.SpecFields, "schema") {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(task.Columns), func(name string) bool {
		_, declared := c.Schema.Lookup(name)
		return declared || dataset.ReservedColumn(name)
	})
}
