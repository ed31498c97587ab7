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

// InferTask finds the task from the layout and the CSV's header. It gives an *AmbiguousTaskError unless exactly one
// task fits.
func (d *Dataset) InferTask() (Task, error) {
	header, err := d.Header(DefaultCSV())
	if err != nil {
		return Task{}, err
	}
	candidates := d.candidates(header)
	if len(candidates) == 1 {
		return candidates[0], nil
	}
	return Task{}, &AmbiguousTaskError{Path: d.Path, Candidates: candidates, Why: d.whyNone()}
}

// candidates returns the tasks that explain most of the layout.
func (d *Dataset) candidates(header []string) []Task {
	if d.CSV == "" || d.listsFiles(header) {
		return nil
	}
	var best []Task
	bestScore := -1
	for _, t := range Tasks {
		score, fits := d.score(t, header)
		switch {
		case !fits || score < bestScore:
		case score > bestScore:
			best, bestScore = []Task{t}, score
		default:
			best = append(best, t)
		}
	}
	return best
}

// listsFiles reports whether the CSV is the list of files that stand in the wrong place: no table then, though its
// columns would make one.
func (d *Dataset) listsFiles(header []string) bool {
	return slices.Contains(header, "filename") && !d.hasTaskDir() && (d.misplaced() != "" || d.besideFiles() != "")
}

// besideFiles is the directory of a task that stands beside a single labels.csv; "" for none.
func (d *Dataset) besideFiles() string {
	if !d.Single || d.CSV != labelsFile {
		return ""
	}
	for _, t := range Tasks {
		if t.Dir == "" {
			continue
		}
		if info, err := d.Root.Lstat(t.Dir); err == nil && info.IsDir() {
			return t.Dir
		}
	}
	return ""
}

// score counts the marks of a task that the dataset has. A directory beside the primary one is a stronger mark than a
// column; tabular tasks fit only where no task's directory is.
func (d *Dataset) score(t Task, header []string) (score int, fits bool) {
	if t.Dir == "" {
		return 0, !d.hasTaskDir() && hasColumns(header, t.Columns)
	}
	if d.Single || !d.HasDir(t.Dir) {
		return 0, false
	}
	for _, s := range t.Sidecars {
		if !s.Dir {
			continue
		}
		if !d.HasDir(s.Path) {
			return 0, false
		}
		score += 2
	}
	extra := t.Columns[1:]
	switch {
	case len(extra) == 0:
	case hasColumns(header, extra):
		score += 2
	case score == 0:
		return 0, false
	}
	// A CSV of file names alone cannot carry a label.
	if t.HasLabel() && len(header) == 1 && header[0] == t.Columns[0] {
		return 0, false
	}
	return score, true
}

func hasColumns(header, columns []string) bool {
	return !slices.ContainsFunc(columns, func(c string) bool { return !slices.Contains(header, c) })
}

func (d *Dataset) hasTaskDir() bool {
	return !d.Single && slices.ContainsFunc(Tasks, func(t Task) bool { return t.Dir != "" && d.HasDir(t.Dir) })
}

// whyNone explains a dataset that fits no task.
func (d *Dataset) whyNone() string {
	if hint := d.misplaced(); hint != "" {
		return hint
	}
	if dir := d.besideFiles(); dir != "" {
		return fmt.Sprintf("%q is the list of the files in %q beside it; push the directory %q", d.CSV, dir, d.Root.Name())
	}
	if i := slices.IndexFunc(d.Refused, func(r Refused) bool {
		return r.Kind == RefusedSymlink && isCSVName(r.Path) && !strings.Contains(r.Path, "/")
	}); d.CSV == "" && i >= 0 {
		r := d.Refused[i]
		return fmt.Sprintf("%q %s; %s", r.Path, r.Reason, r.Remedy)
	}
	switch {
	case d.CSV == "" && len(d.CSVs) > 1:
		return fmt.Sprintf("it has several CSV files (%s) and none is labels.csv; name one of them, or keep one", quoteOr(d.CSVs))
	case d.CSV == "" && d.hasTaskDir():
		return "it has no labels.csv beside its directories"
	case d.CSV == "":
		return "it has no CSV file; " + expectedLayout
	}
	return expectedLayout
}

// misplaced finds what stands in the place of a task's directory, or nearly so: a link, or a name in another spelling.
func (d *Dataset) misplaced() string {
	for _, t := range Tasks {
		if t.Dir == "" || d.HasDir(t.Dir) {
			continue
		}
		for _, r := range d.Refused {
			if r.Path == t.Dir {
				return fmt.Sprintf("%q %s; %s", r.Path, r.Reason, r.Remedy)
			}
		}
		for _, dir := range d.Dirs {
			if have := foldName(dir); have == t.Dir || have+"s" == t.Dir {
				return fmt.Sprintf("directory %q must be named %q; the ingestor knows it by no other name", dir, t.Dir)
			}
		}
	}
	return ""
}

const expectedLayout = "expected labels.csv beside images/, texts/ or sequences/, or one CSV for a tabular task"
