package preflight

import (
	"fmt"
	"path"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// pairingRules are the rules about files that belong together by their names.
func pairingRules() []Rule {
	return []Rule{
		{"file-unpaired", SeverityError, "2.0", "a file has no annotation or mask of its name, and the ingestor refuses the dataset", "add the annotation or mask, or remove the file"},
		{"file-collision", SeverityError, "2.0", "two files of different directories have one name: the ingestor copies all into one directory, where the later takes the place of the other", "rename one of them"},
		{"sidecar-unpaired", SeverityError, "2.0", "an annotation or mask has no image of its name, and the ingestor refuses the dataset", "add the image, or remove the file"},
	}
}

// checkPairing holds the stems of the files in the task's directory against those of each directory beside it, and the
// other way round (contract/ingestor.md 2.0, "FilePairingValidator"). Only files directly in the directories count.
func (c *checker) checkPairing() {
	for _, s := range c.Task.Sidecars {
		if !s.Dir || c.dataset.Single {
			continue
		}
		beside := c.dataset.InDir(s.Path)
		if len(c.primary) == 0 || len(beside) == 0 {
			continue // one finding about the directory says it all
		}
		primary, beside := flatFiles(c.primary), flatFiles(beside)
		c.pair(s, primary, beside)
		c.collide(primary, beside)
	}
}

func (c *checker) pair(s dataset.Sidecar, primary, beside []dataset.Entry) {
	have := make(map[string]struct{}, len(beside))
	for _, e := range beside {
		have[stemOf(e.Path)] = struct{}{}
	}
	want := make(map[string]struct{}, len(primary))
	for _, e := range primary {
		stem := stemOf(e.Path) + s.Suffix
		want[stem] = struct{}{}
		if _, ok := have[stem]; !ok {
			c.report.add("file-unpaired", Finding{File: e.Path, Message: fmt.Sprintf("there is no %s/%s%s", s.Path, clip([]byte(stem)), s.Extensions[0])})
		}
	}
	for _, e := range beside {
		stem := stemOf(e.Path)
		if _, ok := want[stem]; ok {
			continue
		}
		name, ok := strings.CutSuffix(stem, s.Suffix)
		message := fmt.Sprintf("there is no %s/%s%s", c.Task.Dir, clip([]byte(name)), c.extension)
		if !ok {
			message = fmt.Sprintf("the name does not end in %s, as that of every file in %s/ must in front of its extension", s.Suffix, s.Path)
		}
		c.report.add("sidecar-unpaired", Finding{File: e.Path, Message: message})
	}
}

// collide reports files of one name: the ingestor copies the files of all directories into one.
func (c *checker) collide(primary, beside []dataset.Entry) {
	byName := make(map[string]string, len(beside))
	for _, e := range beside {
		byName[path.Base(e.Path)] = e.Path
	}
	for _, e := range primary {
		if other := byName[path.Base(e.Path)]; other != "" {
			c.report.add("file-collision", Finding{File: e.Path, Message: fmt.Sprintf("%q has the same name, and all files are copied into one directory", escape(other))})
		}
	}
}

// flatFiles leaves out what is in directories below.
func flatFiles(entries []dataset.Entry) []dataset.Entry {
	var flat []dataset.Entry
	for _, e := range entries {
		if strings.Count(e.Path, "/") == 1 {
			flat = append(flat, e)
		}
	}
	return flat
}

// stemOf is Python's Path.stem: a dot at either end of a name begins no extension.
func stemOf(file string) string {
	name := path.Base(file)
	if dot := strings.LastIndexByte(name, '.'); dot > 0 && dot < len(name)-1 {
		return name[:dot]
	}
	return name
}
