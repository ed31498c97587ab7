package dataset

import (
	"fmt"
	"slices"
	"strings"
)

// AmbiguousTaskError says that the layout fits several tasks, or none.
type AmbiguousTaskError struct {
	Path       string
	Candidates []Task
	// Why says what is missing when there is no candidate.
	Why string
}

// Error lists the candidates, one per line.
func (e *AmbiguousTaskError) Error() string {
	if len(e.Candidates) == 0 {
		return fmt.Sprintf("no task fits dataset %q: %s", e.Path, e.Why)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "dataset %q fits several tasks; choose one with --task:", e.Path)
	for _, t := range e.Candidates {
		fmt.Fprintf(&b, "\n  --task %-30s %s", t.Name, t.Summary)
	}
	return b.String()
}

// InferTask finds the task from the layout, the CSV's header, and the labels of its first rows. It gives an
// *AmbiguousTaskError unless exactly one task fits.
func (d *Dataset) InferTask() (Task, error) {
	records, err := d.head(DefaultCSV(), 1+sampleRows)
	if err != nil {
		return Task{}, err
	}
	c := newClues(records)
	candidates := d.candidates(c)
	if len(candidates) == 1 {
		return candidates[0], nil
	}
	return Task{}, &AmbiguousTaskError{Path: d.Path, Candidates: candidates, Why: d.whyNone(c)}
}

// LabelNames are the column names that are taken for the label when the user names none, in lower case.
func LabelNames() []string { return []string{"label", "target", "class"} }

// sampleRows is how many rows are looked at for what their cells are like.
const sampleRows = 20

// clues are what the head of a CSV tells about the task.
type clues struct {
	header []string
	// label is true when a column has the name of a label.
	label bool
	// bio is true when the labels of the first rows are BIO tags, which no class looks like.
	bio bool
	// files are the filename cells of the first rows.
	files []string
}

func newClues(records [][]string) clues {
	if len(records) == 0 {
		return clues{}
	}
	c := clues{header: records[0]}
	name := slices.Index(c.header, "filename")
	label := slices.IndexFunc(c.header, func(n string) bool { return slices.Contains(LabelNames(), strings.ToLower(n)) })
	c.label = label >= 0
	tagged, plain := 0, 0
	for _, record := range records[1:] {
		if name >= 0 && name < len(record) && record[name] != "" {
			c.files = append(c.files, record[name])
		}
		if label >= 0 && label < len(record) {
			switch entities, ok := bioTags(record[label]); {
			case !ok:
				plain++
			case entities > 0:
				tagged++
			}
		}
	}
	c.bio = tagged > 0 && plain == 0
	return c
}

// bioTags counts the tags of entities in a label, and reports whether all its words are BIO tags.
func bioTags(label string) (entities int, ok bool) {
	for word := range strings.FieldsSeq(label) {
		switch {
		case word == "O":
		case len(word) > 2 && (word[0] == 'B' || word[0] == 'I') && word[1] == '-':
			entities++
		default:
			return 0, false
		}
	}
	return entities, true
}

// candidates returns the tasks that explain most of the layout.
func (d *Dataset) candidates(c clues) []Task {
	if d.CSV == "" || d.listsFiles(c) || d.misnamedSidecar() != "" {
		return nil
	}
	var best []Task
	bestScore := -1
	for _, t := range Tasks {
		score, fits := d.score(t, c)
		switch {
		case !fits || score < bestScore:
		case score > bestScore:
			best, bestScore = []Task{t}, score
		default:
			best = append(best, t)
		}
	}
	if c.label {
		best = narrow(best, Task.HasLabel)
	}
	if c.bio {
		best = narrow(best, func(t Task) bool { return t.Has(CheckBIO) })
	}
	return best
}

// narrow drops the tasks that another one on the same directory is better than.
func narrow(tasks []Task, better func(Task) bool) []Task {
	return slices.DeleteFunc(slices.Clone(tasks), func(t Task) bool {
		return t.Dir != "" && !better(t) && slices.ContainsFunc(tasks, func(o Task) bool { return o.Dir == t.Dir && better(o) })
	})
}

// score counts the marks of a task that the dataset has beside the primary directory: directories of paired files, and
// columns of its own. Without a mark, a column of its own, in any letter case, still makes a candidate: whoever has it may
// have forgotten the rest. Tabular tasks fit only where no task's directory is.
func (d *Dataset) score(t Task, c clues) (score int, fits bool) {
	if t.Dir == "" {
		return 0, !d.hasTaskDir() && hasColumns(c.header, t.Columns)
	}
	// A CSV of file names alone cannot carry a label.
	if d.Single || !d.HasDir(t.Dir) || (t.HasLabel() && c.namesOnly()) {
		return 0, false
	}
	marked, whole := 0, true
	for _, s := range t.Sidecars {
		switch {
		case !s.Dir:
		case d.HasDir(s.Path):
			marked++
		default:
			whole = false
		}
	}
	own := t.Columns[1:]
	switch {
	case len(own) == 0 || (marked > 0 && !hasColumns(c.header, own)):
		return marked, whole
	case whole && hasColumns(c.header, own):
		return marked + 1, true
	}
	return 0, hasAnyColumn(c.header, own)
}

// namesOnly reports whether the CSV has no column but that of the file names.
func (c clues) namesOnly() bool { return len(c.header) == 1 && c.header[0] == "filename" }

func hasColumns(header, columns []string) bool {
	return !slices.ContainsFunc(columns, func(c string) bool { return !slices.Contains(header, c) })
}

func hasAnyColumn(header, columns []string) bool {
	return slices.ContainsFunc(header, func(h string) bool {
		return slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(h, c) })
	})
}

func (d *Dataset) hasTaskDir() bool {
	return !d.Single && slices.ContainsFunc(Tasks, func(t Task) bool { return t.Dir != "" && d.HasDir(t.Dir) })
}
