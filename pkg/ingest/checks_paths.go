package ingest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// podPath is a field of the spec that holds a path.
type podPath struct{ field, path string }

// sidecarDirs are the directories of a spec in the order of its fields.
func (c *Config) sidecarDirs() []podPath {
	all := []podPath{{"images", c.Images}, {"annotations", c.Annotations}, {"masks", c.Masks}, {"texts", c.Texts}, {"sequences", c.Sequences}}
	return slices.DeleteFunc(all, func(p podPath) bool { return p.path == "" })
}

// places are all paths of a spec.
func (c *Config) places() []podPath {
	sources := []podPath{{"csv", c.CSV}, {"json", c.JSON}}
	return append(slices.DeleteFunc(sources, func(p podPath) bool { return p.path == "" }), c.sidecarDirs()...)
}

// checkDirs holds the directories against the fixed names that the ingestor
// looks for under their common parent, whatever the spec says.
func (c *Config) checkDirs() []finding {
	var findings []finding
	parent, first := "", ""
	for _, d := range c.sidecarDirs() {
		dir := strings.TrimRight(d.path, "/")
		if path.Base(dir) != d.field {
			findings = append(findings, errorAt(
				fmt.Sprintf("the directory must be called %q; the ingestor looks for that name only, not %s", d.field, show(path.Base(dir))), d.field))
			continue
		}
		switch {
		case first == "":
			parent, first = path.Dir(dir), d.field
		case path.Dir(dir) != parent:
			findings = append(findings, errorAt(fmt.Sprintf("must stand beside %s, in %s", first, show(parent)), d.field))
		}
	}
	for _, p := range c.places() {
		destination := "/data/shared/" + c.Table
		if c.Table != "" && (path.Clean(p.path) == destination || strings.HasPrefix(path.Clean(p.path), destination+"/")) {
			findings = append(findings, errorAt(
				fmt.Sprintf("%s is where the ingestor writes the table; it refuses to run when there are files already", show(destination)), p.field))
		}
	}
	return findings
}

// checkRelative warns of relative paths, which no ingestor takes. A spec that
// lies in its dataset names what is in it by relative paths; such a one is for
// push, which puts the paths of the staged copy in their place.
func (c *Config) checkRelative() []finding {
	dirs := c.sidecarDirs()
	outside := func(p podPath) bool {
		clean := path.Clean(p.path)
		return path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") || (slices.Contains(dirs, p) && path.Dir(clean) != ".")
	}
	if !slices.ContainsFunc(c.places(), outside) {
		return nil
	}
	var findings []finding
	for _, p := range c.places() {
		if !path.IsAbs(p.path) {
			findings = append(findings, warningAt("the path is relative; the ingestor takes only absolute ones in its Pod (push puts its own in place of it)", p.field))
		}
	}
	return findings
}
