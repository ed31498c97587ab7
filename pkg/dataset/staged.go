package dataset

import (
	"slices"
	"strings"
)

// Staged returns the entries that a task stages, sorted: the CSV, the files of the task's directory and sidecars.
func (d *Dataset) Staged(t Task) []Entry {
	return d.filter(func(path string) bool { return d.stages(t, path) })
}

// NotStaged returns the entries that a task leaves where they are, sorted. The spec file is not among them: nobody
// expects it to be staged.
func (d *Dataset) NotStaged(t Task) []Entry {
	return d.filter(func(path string) bool { return path != d.SpecFile && !d.stages(t, path) })
}

// RefusedIn returns what stands where the task would stage it and cannot be carried. A link or an unreadable
// directory in the place of a whole directory is among them.
func (d *Dataset) RefusedIn(t Task) []Refused {
	var in []Refused
	for _, r := range d.Refused {
		if d.stages(t, r.Path) || slices.Contains(places(t), r.Path) || (d.CSV == "" && isCSVName(r.Path) && !strings.Contains(r.Path, "/")) {
			in = append(in, r)
		}
	}
	return in
}

// filter shares the entries where those to keep stand together, and else makes a copy of just their size: there may be
// very many.
func (d *Dataset) filter(keep func(path string) bool) []Entry {
	first, last, n := 0, 0, 0
	for i, e := range d.Entries {
		if keep(e.Path) {
			if n == 0 {
				first = i
			}
			last, n = i, n+1
		}
	}
	if n == 0 {
		return nil
	}
	if n == last-first+1 {
		return d.Entries[first : last+1 : last+1]
	}
	out := make([]Entry, 0, n)
	for _, e := range d.Entries[first : last+1] {
		if keep(e.Path) {
			out = append(out, e)
		}
	}
	return out
}

func (d *Dataset) stages(t Task, path string) bool {
	if path == d.CSV {
		return true
	}
	if d.Single {
		return false
	}
	top, _, below := strings.Cut(path, "/")
	if below && t.Dir != "" && top == t.Dir {
		return true
	}
	return slices.ContainsFunc(t.Sidecars, func(s Sidecar) bool { return s.Path == top && s.Dir == below })
}

// places are the names in the root that a task stages from, beside the CSV.
func places(t Task) []string {
	var names []string
	if t.Dir != "" {
		names = append(names, t.Dir)
	}
	for _, s := range t.Sidecars {
		names = append(names, s.Path)
	}
	return names
}
