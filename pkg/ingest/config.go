package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// The values of a spec's first two fields.
const (
	APIVersion = "tracebloc.io/v1"
	Kind       = "IngestConfig"
)

// Config is one ingest spec. Its fields stand in the order of the canonical
// YAML; the JSON names are the wire names. Paths are paths inside the ingestor
// Pod (contract: the ingest spec).
type Config struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Category   string `json:"category"`
	Table      string `json:"table"`
	Intent     string `json:"intent"`

	CSV         string `json:"csv,omitempty"`
	JSON        string `json:"json,omitempty"`
	Images      string `json:"images,omitempty"`
	Annotations string `json:"annotations,omitempty"`
	Masks       string `json:"masks,omitempty"`
	Texts       string `json:"texts,omitempty"`
	Sequences   string `json:"sequences,omitempty"`

	Label             *Label       `json:"label,omitempty"`
	Schema            Columns      `json:"schema,omitempty"`
	TimeColumn        string       `json:"time_column,omitempty"`
	TargetSize        *[2]int      `json:"target_size,omitempty"` // width, height in pixels
	NumberOfKeypoints int          `json:"number_of_keypoints,omitempty"`
	DataID            *DataID      `json:"data_id,omitempty"`
	Spec              *SpecOptions `json:"spec,omitempty"`
}

// Label names the label column. An empty Policy means passthrough
// (dataset.PolicyPassthrough) and is written as a plain string.
type Label struct {
	Column string
	Policy string
}

// labelObject is the object form of a Label.
type labelObject struct {
	Column string `json:"column"`
	Policy string `json:"policy,omitempty"`
}

// MarshalJSON writes the short form where there is no policy.
func (l Label) MarshalJSON() ([]byte, error) {
	if l.Policy == "" {
		return json.Marshal(l.Column)
	}
	return json.Marshal(labelObject(l))
}

// UnmarshalJSON reads both forms.
func (l *Label) UnmarshalJSON(data []byte) error {
	*l = Label{}
	if bytes.HasPrefix(data, []byte{'"'}) {
		return json.Unmarshal(data, &l.Column)
	}
	var object labelObject
	if err := json.Unmarshal(data, &object); err != nil {
		return err
	}
	*l = Label(object)
	return nil
}

// Columns are the columns of a table in the order in which the user or the
// CSV has them: a JSON object that keeps its order.
type Columns []dataset.Column

// MarshalJSON writes the object.
func (c Columns) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, column := range c {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(column.Name)
		if err != nil {
			return nil, err
		}
		sqlType, err := json.Marshal(column.Type)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(sqlType)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads an object of strings.
func (c *Columns) UnmarshalJSON(data []byte) error {
	*c = nil
	if string(data) == "null" {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return errors.Join(fmt.Errorf("columns must be an object"), err)
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var column dataset.Column
		column.Name, _ = name.(string) // the key of an object is always a string
		if err := decoder.Decode(&column.Type); err != nil {
			return err
		}
		*c = append(*c, column)
	}
	return nil
}

// Lookup finds a column by its exact name.
func (c Columns) Lookup(name string) (dataset.Column, bool) {
	for _, column := range c {
		if column.Name == name {
			return column, true
		}
	}
	return dataset.Column{}, false
}

// DataID says where the unique id of each record comes from.
type DataID struct {
	Strategy string `json:"strategy"`
	Column   string `json:"column,omitempty"`
}

// IDColumn is the column of the CSV that the ids of the records are taken from;
// "" where they come from elsewhere, whatever column data_id names.
func (c *Config) IDColumn() string {
	if c.DataID == nil || c.DataID.Strategy != "column" {
		return ""
	}
	return c.DataID.Column
}

// SpecOptions says how the CSV and the files are read. The ingestor accepts
// and ignores the last three fields.
type SpecOptions struct {
	CSVOptions  *CSVOptions  `json:"csv_options,omitempty"`
	FileOptions *FileOptions `json:"file_options,omitempty"`
	Validators  []string     `json:"validators,omitempty"`
	Sidecars    []Sidecar    `json:"sidecars,omitempty"`
	Processors  []Processor  `json:"processors,omitempty"`
}

// empty tells whether nothing is set.
func (o *SpecOptions) empty() bool {
	return o.CSVOptions == nil && o.FileOptions == nil && len(o.Validators) == 0 && len(o.Sidecars) == 0 && len(o.Processors) == 0
}

// CSVOptions says how the CSV is read into the table.
type CSVOptions struct {
	ChunkSize  int    `json:"chunk_size,omitempty"` // rows
	Delimiter  string `json:"delimiter,omitempty"`
	QuoteChar  string `json:"quotechar,omitempty"`
	EscapeChar string `json:"escapechar,omitempty"`
}

// FileOptions says what is true of every file. Sizes are width and height in
// pixels; Extension has its dot. Extra holds the fields that the schema lets
// through without knowing them.
type FileOptions struct {
	TargetSize *[2]int
	MinSize    *[2]int
	Extension  string
	Extra      map[string]any
}

// fileOptions are the known fields of a FileOptions.
type fileOptions struct {
	TargetSize *[2]int `json:"target_size,omitempty"`
	MinSize    *[2]int `json:"min_size,omitempty"`
	Extension  string  `json:"extension,omitempty"`
}

// fileOptionNames are the names of those fields.
func fileOptionNames() []string { return []string{"target_size", "min_size", "extension"} }

// MarshalJSON writes the known fields first, then the others by name.
func (f FileOptions) MarshalJSON() ([]byte, error) {
	known, err := json.Marshal(fileOptions{f.TargetSize, f.MinSize, f.Extension})
	if err != nil || len(f.Extra) == 0 {
		return known, err
	}
	extra, err := json.Marshal(f.Extra)
	if err != nil {
		return nil, err
	}
	if len(known) == len("{}") {
		return extra, nil
	}
	known[len(known)-1] = ','
	return append(known, extra[1:]...), nil
}

// UnmarshalJSON keeps the unknown fields in Extra. Fields are told apart by
// letter case, which encoding/json alone would not do.
func (f *FileOptions) UnmarshalJSON(data []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	*f = FileOptions{}
	for name, raw := range all {
		var err error
		switch name {
		case "target_size":
			err = json.Unmarshal(raw, &f.TargetSize)
		case "min_size":
			err = json.Unmarshal(raw, &f.MinSize)
		case "extension":
			err = json.Unmarshal(raw, &f.Extension)
		default:
			err = f.keep(name, raw)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keep adds a field to Extra, its numbers as they are written.
func (f *FileOptions) keep(name string, raw json.RawMessage) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return err
	}
	if f.Extra == nil {
		f.Extra = map[string]any{}
	}
	f.Extra[name] = value
	return nil
}

// Sidecar is accepted and ignored by the ingestor.
type Sidecar struct {
	Column     string         `json:"column"`
	Source     string         `json:"source"`
	Dest       string         `json:"dest,omitempty"`
	Transform  map[string]any `json:"transform,omitempty"`
	Validators []string       `json:"validators,omitempty"`
}

// Processor is accepted and ignored by the ingestor.
type Processor struct {
	Script string         `json:"script"`
	Class  string         `json:"class"`
	Args   map[string]any `json:"args,omitempty"`
}
