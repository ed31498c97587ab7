package main

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/ingestor/pandas"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/pyyaml"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

// column is one entry of the spec's schema, in the spec's order.
type column struct{ name, sqlType string }

// config is a resolved spec.
type config struct {
	category   category
	table      string
	intent     string
	csv        string
	source     string // SRC_PATH: the parent of the first directory that the spec names; empty for the tabular tasks
	label      string // column, empty where the task has none
	bucket     bool   // label policy
	schema     []column
	targetSize []int // width, height
	extension  string
	keypoints  int    // of every record, keypoint_detection only
	timeColumn string // time_to_event_prediction only
	idColumn   string // data_id strategy column
	dialect    pandas.Dialect
	chunk      int // rows per chunk
}

// loadConfig reads INGEST_CONFIG: YAML, then the schema, then the defaults of the task.
func loadConfig(getenv func(string) string) (*config, error) {
	name := getenv("INGEST_CONFIG")
	if name == "" {
		return nil, &configError{"ERROR: INGEST_CONFIG is not set"}
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, &configError{fmt.Sprintf("ERROR: cannot read INGEST_CONFIG: %v", err)}
	}
	v, err := pyyaml.Decode(data)
	if err != nil {
		return nil, &configError{fmt.Sprintf("ERROR: %s is not valid YAML: %v", name, err)}
	}
	doc, ok := v.(pyyaml.Map)
	if !ok {
		return nil, &configError{fmt.Sprintf("ERROR: %s must contain a mapping", name)}
	}
	schema, err := spec.Compile()
	if err != nil {
		return nil, err
	}
	if problems := schema.Check(doc); len(problems) > 0 {
		lines := []string{fmt.Sprintf("ERROR: %s does not match the schema:", name)}
		for _, p := range problems {
			lines = append(lines, "  "+p.String())
		}
		return nil, &configError{strings.Join(lines, "\n")}
	}
	return resolve(doc)
}

func resolve(doc pyyaml.Map) (*config, error) {
	text := func(m pyyaml.Map, key string) string {
		s, _ := m.Values[key].(string)
		return s
	}
	c := &config{table: text(doc, "table"), intent: text(doc, "intent"), csv: text(doc, "csv"), chunk: 1000}
	name := text(doc, "category")
	var ok bool
	if c.category, ok = categoryByName(name); !ok {
		return nil, &configError{fmt.Sprintf("ERROR: this stand-in does not ingest %s", spec.PyString(name))}
	}
	if c.csv == "" {
		return nil, &configError{"ERROR: this stand-in reads csv sources only"}
	}
	c.targetSize, c.extension = c.category.targetSize, c.category.extension
	for _, dir := range []string{"images", "texts", "masks", "annotations", "sequences"} {
		if p := text(doc, dir); p != "" && c.source == "" {
			c.source = path.Dir(strings.TrimRight(p, "/"))
		}
	}
	if size, ok := doc.Values["target_size"].([]any); ok {
		c.targetSize = integers(size)
	}
	if n, ok := doc.Values["number_of_keypoints"].(int64); ok {
		c.keypoints = int(n)
	}
	c.timeColumn = cmp.Or(text(doc, "time_column"), "time")
	switch label := doc.Values["label"].(type) {
	case string:
		c.label = label
	case pyyaml.Map:
		c.label, c.bucket = text(label, "column"), text(label, "policy") == "bucket"
	}
	if schema, ok := doc.Values["schema"].(pyyaml.Map); ok {
		for _, k := range schema.Keys {
			c.schema = append(c.schema, column{k, text(schema, k)})
		}
	}
	if id, ok := doc.Values["data_id"].(pyyaml.Map); ok && text(id, "strategy") == "column" {
		c.idColumn = text(id, "column")
	}
	c.dialect = pandas.Dialect{Escape: '\\'}
	if options, ok := doc.Values["spec"].(pyyaml.Map); ok {
		resolveOptions(c, options)
	}
	return c, nil
}

// resolveOptions applies spec.csv_options and spec.file_options; the latter win over the task's defaults.
func resolveOptions(c *config, options pyyaml.Map) {
	if csv, ok := options.Values["csv_options"].(pyyaml.Map); ok {
		for key, into := range map[string]*byte{"delimiter": &c.dialect.Delimiter, "quotechar": &c.dialect.Quote, "escapechar": &c.dialect.Escape} {
			if s, ok := csv.Values[key].(string); ok && s != "" {
				*into = s[0]
			}
		}
		if n, ok := csv.Values["chunk_size"].(int64); ok {
			c.chunk = int(n)
		}
	}
	file, ok := options.Values["file_options"].(pyyaml.Map)
	if !ok {
		return
	}
	if ext, ok := file.Values["extension"].(string); ok {
		c.extension = ext
	}
	if size, ok := file.Values["target_size"].([]any); ok && len(size) == 2 {
		c.targetSize = integers(size)
	}
	if n, ok := file.Values["number_of_keypoints"].(int64); ok {
		c.keypoints = int(n)
	}
}

func integers(list []any) []int {
	out := make([]int, len(list))
	for i, v := range list {
		n, _ := v.(int64)
		out[i] = int(n)
	}
	return out
}

// features are the schema columns that become columns of the table beside the standard ones.
func (c *config) features() []column {
	var out []column
	for _, col := range c.schema {
		if col.name != c.label && col.name != c.idColumn && col.name != c.category.annotation {
			out = append(out, col)
		}
	}
	return out
}
