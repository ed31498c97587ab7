package preflight

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// maxTable is the length of a Kubernetes label value: one less than the database allows.
const maxTable = 63

var tablePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// checkLayout applies the rules that names alone decide.
func (c *checker) checkLayout() {
	if t := c.Table; t != "" && (!tablePattern.MatchString(t) || len(t) > maxTable || strings.HasSuffix(t, "_")) {
		c.report.add("table-name", Finding{Value: clip([]byte(t)),
			Message: fmt.Sprintf("table %s must be letters, digits and underscores after a letter, at most %d, not ending in an underscore", quoted(t), maxTable)})
	}
	c.checkRefused()
	c.checkCSVName()
	c.checkPlaces()
	c.checkLeftOut()
	c.extension = c.checkExtensions(c.primary, c.Task.Extensions, c.Extension)
	c.checkExtensionCase()
	for _, s := range c.Task.Sidecars {
		if s.Dir && !c.dataset.Single {
			c.checkExtensions(c.dataset.InDir(s.Path), s.Extensions, "")
		}
	}
	c.checkPairing()
	c.checkCaseVariants()
}

func (c *checker) checkRefused() {
	rules := map[string]string{
		dataset.RefusedSymlink: "file-symlink", dataset.RefusedSpecial: "file-special",
		dataset.RefusedName: "file-name", dataset.RefusedUnreadable: "file-unreadable",
	}
	for _, r := range c.dataset.RefusedIn(c.Task) {
		c.report.add(rules[r.Kind], Finding{File: r.Path, Message: fmt.Sprintf("%q %s", r.Path, r.Reason), Remedy: r.Remedy})
	}
}

func (c *checker) checkCSVName() {
	d := c.dataset
	switch {
	case d.CSV == "" && len(d.CSVs) > 1:
		c.report.add("csv-missing", Finding{Message: fmt.Sprintf("there are %d CSV files in the root, and none is labels.csv: %s", len(d.CSVs), quoteList(d.CSVs, 5))})
	case d.CSV == "":
		c.report.add("csv-missing", Finding{Message: "there is no CSV file in the root of the dataset"})
	case path.Ext(d.CSV) != ".csv":
		c.report.add("csv-name", Finding{File: d.CSV, Message: fmt.Sprintf("%q does not end in .csv, in lower case", d.CSV)})
	}
}

// checkPlaces looks for the directories and files that the task needs.
func (c *checker) checkPlaces() {
	t := c.Task
	if t.Dir != "" {
		c.checkDirectory(t.Dir)
	}
	for _, s := range t.Sidecars {
		switch {
		case !s.Required:
		case s.Dir:
			c.checkDirectory(s.Path)
		default:
			if _, ok := c.dataset.Entry(s.Path); !ok || c.dataset.Single {
				c.report.add("sidecar-missing", Finding{File: s.Path, Message: fmt.Sprintf("task %s needs %s in the root of the dataset", t.Name, s.Path)})
			}
		}
	}
}

func (c *checker) checkDirectory(dir string) {
	d := c.dataset
	switch {
	case slices.ContainsFunc(d.Refused, func(r dataset.Refused) bool { return r.Path == dir }):
	case d.Single || !d.HasDir(dir):
		message := fmt.Sprintf("task %s needs the directory %s/ in the root of the dataset", c.Task.Name, dir)
		for _, have := range d.Dirs {
			if dataset.EditDistance(strings.ToLower(have), dir) <= 2 {
				message += fmt.Sprintf("; did you mean to call %q so", have)
			}
		}
		c.report.add("dir-missing", Finding{File: dir, Message: message})
	case len(d.InDir(dir)) == 0:
		c.report.add("dir-empty", Finding{File: dir, Message: fmt.Sprintf("directory %s/ holds no file", dir)})
	}
}

// checkLeftOut notes what is not staged, in one finding of each kind: nobody wants a thousand lines about thumbnails.
func (c *checker) checkLeftOut() {
	var names []string
	for _, i := range c.dataset.Ignored {
		names = append(names, i.Path)
		if c.Fix { // what is left out is among the repairs, of which each is listed
			c.report.add("file-hidden", Finding{File: i.Path, Message: "not staged: " + i.Reason})
		}
	}
	if len(names) > 0 && !c.Fix {
		c.report.addMany("file-hidden", len(names), Finding{Message: "not staged, because hidden or left by a desktop: " + quoteList(names, 5)})
	}
	names = nil
	for _, e := range c.dataset.NotStaged(c.Task) {
		names = append(names, e.Path)
	}
	if len(names) > 0 {
		c.report.addMany("file-not-staged", len(names), Finding{Message: fmt.Sprintf("not staged, because task %s does not use them: %s", c.Task.Name, quoteList(names, 5))})
	}
}

// checkExtensions holds a directory to one extension, and returns it: the wanted one, else the most frequent.
func (c *checker) checkExtensions(entries []dataset.Entry, allowed []string, want string) string {
	count := map[string]int{}
	for _, e := range entries {
		count[extensionOf(e.Path)]++
	}
	given := want != ""
	if !given {
		for ext, n := range count {
			// An allowed extension wins over any other: what is not allowed must go in any case.
			if want == "" || cmp.Or(
				compareBool(slices.Contains(allowed, ext), slices.Contains(allowed, want)),
				cmp.Compare(n, count[want]), -strings.Compare(ext, want)) > 0 {
				want = ext
			}
		}
	}
	for _, e := range entries {
		ext := extensionOf(e.Path)
		switch {
		case !slices.Contains(allowed, ext):
			c.report.add("file-extension", Finding{File: e.Path, Value: clip([]byte(ext)),
				Message: fmt.Sprintf("extension %q is none of %s", ext, strings.Join(allowed, ", "))})
		case ext != want && given:
			f := Finding{File: e.Path, Value: clip([]byte(ext)), Message: fmt.Sprintf("extension %q differs; the spec says %q", ext, want)}
			if len(count) == 1 {
				f.Remedy = fmt.Sprintf("set spec.file_options.extension to %q", ext)
			}
			c.report.add("file-mixed-extensions", f)
		case ext != want:
			c.report.add("file-mixed-extensions", Finding{File: e.Path, Value: clip([]byte(ext)),
				Message: fmt.Sprintf("extension %q differs from %q of the others", ext, want)})
		}
	}
	return want
}

// checkExtensionCase looks for files that keep an extension which the table names in lower case.
func (c *checker) checkExtensionCase() {
	for _, e := range c.primary {
		if given := path.Ext(e.Path); given != strings.ToLower(given) && slices.Contains(c.Task.Extensions, strings.ToLower(given)) {
			c.report.add("file-extension-case", Finding{File: e.Path, Value: clip([]byte(given)), Message: fmt.Sprintf("extension %q is not in lower case", given)})
		}
	}
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func extensionOf(name string) string { return strings.ToLower(path.Ext(name)) }

func (c *checker) checkCaseVariants() {
	if !slices.ContainsFunc(c.staged, func(e dataset.Entry) bool { return strings.ToLower(e.Path) != e.Path }) {
		return // different names in lower case
	}
	// Digests of names, because there may be very many.
	seed := maphash.MakeSeed()
	seen := make(map[uint64]int32, len(c.staged))
	for i, e := range c.staged {
		fold := strings.ToLower(e.Path)
		key := maphash.String(seed, fold)
		other, ok := seen[key]
		switch {
		case !ok:
			seen[key] = int32(i)
		case strings.ToLower(c.staged[other].Path) == fold:
			c.report.add("file-case-variants", Finding{File: e.Path, Message: fmt.Sprintf("the name differs from %q in letter case only", c.staged[other].Path)})
		}
	}
}

// quoteList quotes the first few names, and counts the others.
func quoteList(names []string, show int) string {
	var quoted []string
	for _, n := range names[:min(len(names), show)] {
		quoted = append(quoted, fmt.Sprintf("%q", n))
	}
	list := strings.Join(quoted, ", ")
	if more := len(names) - show; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}
