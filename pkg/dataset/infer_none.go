package dataset

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// listsFiles reports whether the CSV is the list of files that stand in the wrong place: no table then, though its
// columns would make one.
func (d *Dataset) listsFiles(c clues) bool {
	return slices.Contains(c.header, "filename") && !d.hasTaskDir() && (d.misplaced() != "" || d.besideFiles() != "" || d.strayFile(c) != "")
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

// whyNone explains a dataset that fits no task.
func (d *Dataset) whyNone(c clues) string {
	if hint := d.misplaced(); hint != "" {
		return hint
	}
	if hint := d.misnamedSidecar(); hint != "" {
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
	if stray := d.strayFile(c); stray != "" && !d.hasTaskDir() {
		return fmt.Sprintf("%q lists the file %q; it must stand in a directory named %s", d.CSV, stray, quoteOr(dirsFor(path.Ext(stray))))
	}
	switch {
	case d.CSV != "" && d.hasTaskDir() && c.namesOnly():
		return fmt.Sprintf("%q has no column but %q; the tasks on its directory need a label column", d.CSV, "filename")
	case d.CSV == "" && len(d.CSVs) > 1 && d.hasTaskDir():
		return fmt.Sprintf("it has several CSV files (%s) and none is labels.csv; call one labels.csv", quoteAnd(d.CSVs))
	case d.CSV == "" && len(d.CSVs) > 1:
		return fmt.Sprintf("it has several CSV files (%s) and none is labels.csv; name one of them, or keep one", quoteAnd(d.CSVs))
	case d.CSV == "" && d.hasTaskDir():
		return "it has no labels.csv beside its directories"
	case d.CSV == "":
		return "it has no CSV file; " + expectedLayout
	}
	return expectedLayout
}

// strayFile is a file that the first rows of the CSV list and that stands anywhere; asked where no directory of a task is.
func (d *Dataset) strayFile(c clues) string {
	wanted := map[string]bool{}
	for _, name := range c.files {
		wanted[path.Base(name)] = true
	}
	i := slices.IndexFunc(d.Entries, func(e Entry) bool {
		base := path.Base(e.Path)
		return (wanted[base] || wanted[strings.TrimSuffix(base, path.Ext(base))]) && len(dirsFor(path.Ext(base))) > 0
	})
	if i < 0 {
		return ""
	}
	return d.Entries[i].Path
}

// dirsFor are the directories that take files with a suffix.
func dirsFor(ext string) []string {
	var dirs []string
	for _, t := range Tasks {
		if slices.Contains(t.Extensions, strings.ToLower(ext)) && !slices.Contains(dirs, t.Dir) {
			dirs = append(dirs, t.Dir)
		}
	}
	return dirs
}

// misplaced finds what stands in the place of a task's directory, or nearly so: a link, or a name in another spelling.
func (d *Dataset) misplaced() string {
	for _, t := range Tasks {
		if t.Dir == "" || d.HasDir(t.Dir) {
			continue
		}
		if hint := d.inPlaceOf(t.Dir); hint != "" {
			return hint
		}
	}
	return ""
}

// misnamedSidecar is misplaced for the directories beside a task's own. Without it, a dataset would be taken for one of a
// task that has no such directory, and half of it would stay behind.
func (d *Dataset) misnamedSidecar() string {
	for _, t := range Tasks {
		if t.Dir == "" || !d.HasDir(t.Dir) {
			continue
		}
		for _, s := range t.Sidecars {
			if !s.Dir || d.HasDir(s.Path) {
				continue
			}
			if hint := d.inPlaceOf(s.Path); hint != "" {
				return hint + " (if it is not part of the dataset, name the task with --task)"
			}
		}
	}
	return ""
}

// inPlaceOf says what stands where a directory must, and is none or has nearly its name; "" for nothing.
func (d *Dataset) inPlaceOf(name string) string {
	for _, r := range d.Refused {
		if r.Path == name {
			return fmt.Sprintf("%q %s; %s", r.Path, r.Reason, r.Remedy)
		}
	}
	for _, dir := range d.Dirs {
		if have := foldName(dir); have == name || have+"s" == name {
			return fmt.Sprintf("directory %q must be named %q; the ingestor knows it by no other name", dir, name)
		}
	}
	return ""
}

const expectedLayout = "expected labels.csv beside images/, texts/ or sequences/, or one CSV for a tabular task"
