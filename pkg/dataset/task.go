package dataset

import "slices"

// Family is the kind of data that a task works on.
type Family string

// The three families. File-bearing tasks (image, text) have a directory of files beside their CSV; tabular tasks have
// the CSV alone.
const (
	FamilyImage   Family = "image"
	FamilyText    Family = "text"
	FamilyTabular Family = "tabular"
)

// ManifestKind says what the CSV of a task holds.
type ManifestKind string

const (
	// ManifestLabels is a labels.csv with one row per file, named by its filename column.
	ManifestLabels ManifestKind = "labels.csv"
	// ManifestData is a CSV that is the data itself.
	ManifestData ManifestKind = "data CSV"
)

// LabelForm is the form that the label takes in the spec.
type LabelForm string

const (
	// LabelForbidden: the spec must not have a label.
	LabelForbidden LabelForm = "forbidden"
	// LabelColumn: a label is required; a plain column name is enough.
	LabelColumn LabelForm = "column"
	// LabelObject: a label is required, as {column, policy}.
	LabelObject LabelForm = "column and policy"
)

// The label policies of the spec.
const (
	PolicyPassthrough = "passthrough"
	PolicyBucket      = "bucket"
)

// Check names a group of the ingestor's rules that some tasks have and others have not; pkg/preflight holds the rules.
type Check string

// The groups of rules (contract/ingestor.md 2.2 and 6).
const (
	// CheckImages: headers and sizes of the images.
	CheckImages Check = "images"
	// CheckVOC: the content of Pascal VOC annotations, and how rows name them.
	CheckVOC Check = "voc"
	// CheckKeypoints: the Annotation and Visibility columns.
	CheckKeypoints Check = "keypoints"
	// CheckMasks: the mask_id column and the size of the masks.
	CheckMasks Check = "masks"
	// CheckText: texts are UTF-8 without NUL.
	CheckText Check = "text"
	// CheckBIO: texts, and one BIO tag in the label column for each of their words.
	CheckBIO Check = "bio"
	// CheckSentencePairs: texts are text_a<TAB>text_b.
	CheckSentencePairs Check = "sentence-pairs"
	// CheckContrastivePairs: texts are anchor<TAB>positive, or with a negative behind them.
	CheckContrastivePairs Check = "contrastive-pairs"
	// CheckTokenizer: tokenizer.json has a vocabulary with [PAD].
	CheckTokenizer Check = "tokenizer"
	// CheckMaskedTokenizer: tokenizer.json has a vocabulary with [PAD] and [MASK].
	CheckMaskedTokenizer Check = "masked-tokenizer"
	// CheckForecasting: the order, form and past of the timestamp column, and numeric features.
	CheckForecasting Check = "forecasting"
	// CheckSequences: the order of each sequence, and its one label.
	CheckSequences Check = "sequences"
	// CheckTimeToEvent: the time column holds numbers that are not negative.
	CheckTimeToEvent Check = "time-to-event"
)

// Sidecar is what stands beside the primary directory of a task: a directory of files paired with the primary files
// by name, or one single file.
type Sidecar struct {
	// Path is a directory ("masks") or a file ("tokenizer.json") in the dataset's root.
	Path string
	// Dir tells a directory from a single file.
	Dir bool
	// Required is false for what is staged when it is there and not missed when it is not.
	Required bool
	// Extensions are the allowed suffixes, lower case with the dot; nil for a single file.
	Extensions []string
	// Suffix is what the stem of a paired file has beyond the stem of the primary file ("_mask").
	Suffix string
	// SpecField is the property of the spec that names the directory; "" where the ingestor finds it by itself.
	SpecField string
}

// Task is one entry of the task registry (contract/spec.md, "The sixteen tasks"). Everything that differs between
// tasks is read from here.
type Task struct {
	// Name is the wire word, the spec's category.
	Name string
	// Summary is one line for lists of candidates.
	Summary string
	Family  Family
	// Manifest says whether the CSV lists files or is the data.
	Manifest ManifestKind
	// Dir is the primary directory in the dataset's root ("images"), which is also the property of the spec that
	// names it; "" for tabular tasks.
	Dir string
	// Extensions are the allowed suffixes in Dir, lower case with the dot.
	Extensions []string
	// Sidecars stand beside Dir.
	Sidecars []Sidecar
	// Columns are the CSV columns that the task needs beside the label, exact names.
	Columns []string
	// LabelForm says whether and how the spec carries the label.
	LabelForm LabelForm
	// LabelPolicy is the policy used when the user gives none; "" when there is no label.
	LabelPolicy string
	// Classes is true when the label is a class, so that at least two different ones are needed.
	Classes bool
	// LabelOptional is true where the ingestor stores NULL when the CSV has no label column, and every version takes that.
	LabelOptional bool
	// DefaultTimeColumn is the time column where the user names none; "" for a task that has no such column.
	DefaultTimeColumn string
	// Flags are the flags of push that fit this task beside the general ones.
	Flags []string
	// SpecFields are the properties of the spec that this task needs beside apiVersion, kind, category, table,
	// intent and csv. "spec.file_options" names a nested one.
	SpecFields []string
	// Since is the first ingestor version that knows the task; "" when all do.
	Since string
	// ReadsFiles is true where a validator of the ingestor opens the files that rows name. It reads the names with pandas'
	// missing values, so that "NA" names no file.
	ReadsFiles bool
	// Checks are the groups of rules that the preflight holds the dataset against, beside those that every task of its
	// manifest kind has (CSV, file names, label, schema).
	Checks []Check
}

// Takes reports whether a flag of push fits the task. General flags are not listed in a task and are not asked here.
func (t Task) Takes(flag string) bool { return slices.Contains(t.Flags, flag) }

// Has reports whether the task has a group of rules.
func (t Task) Has(check Check) bool { return slices.Contains(t.Checks, check) }

// Newer reports whether only ingestors from 0.7 on know the task.
func (t Task) Newer() bool { return t.Since == "0.7.0" }

// HasLabel reports whether the task's spec has a label.
func (t Task) HasLabel() bool { return t.LabelForm != LabelForbidden }

// HasFiles reports whether the CSV of the task names files.
func (t Task) HasFiles() bool { return t.Manifest == ManifestLabels }

// TaskFlags are the flags of push that fit some tasks only: the union of Task.Flags, in the order of design.md.
func TaskFlags() []string {
	order := []string{flagLabelColumn, flagLabelPolicy, flagSchema, flagTimeColumn, flagTargetSize, flagKeypoints}
	var used []string
	for _, flag := range order {
		if slices.ContainsFunc(Tasks, func(t Task) bool { return t.Takes(flag) }) {
			used = append(used, flag)
		}
	}
	return used
}

// Column is one column of a table: its name and SQL type, e.g. {"age", "INT"}.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}
