package preflight

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

const maskColumn = "mask_id"

// maskRules are the rules about masks and the column that names them.
func maskRules() []Rule {
	return []Rule{
		{"mask-column", SeverityError, "2.2", "the CSV has no column named exactly mask_id, which says where the masks are", "add the column, with the name of each image's mask"},
		{"mask-blank", SeverityError, "2.2", "a row names no mask, and its record fails", "fill in mask_id, or remove the row"},
		{"mask-missing", SeverityError, "2.2", "a row names a mask that is not there; the ingestor cuts the name at its first dot, and tries .png, .jpg and .jpeg", "write the name of the mask; where an image's own name holds a dot, rename the image and the mask"},
		{"mask-unreadable", SeverityError, "6", "a mask has no header that PIL reads, and newer ingestors refuse it (0.3.9 does not open masks)", "replace the mask"},
		{"mask-unknown-format", SeverityWarning, "6", "the content of a mask is of a format whose size cannot be read here; the ingestor may take it", "convert it to PNG"},
		{"mask-size", SeverityError, "6", "a mask is not of the size of the images, and newer ingestors refuse it (0.3.9 does not open masks)", "resize the mask, without mixing its values"},
		{"mask-stored-null", SeverityWarning, "5.3", "ingestor 0.3.9 stores NULL for every mask_id, though it copies the masks; newer ones store it", "ingest with version 0.7 or later, if the training reads mask_id"},
	}
}

// maskCheck holds mask_id and the masks against the rules (contract/ingestor.md 2.2, "semantic_segmentation masks", and
// 6, "Mask Resolution").
type maskCheck struct {
	checker *checker
	dir     string
	index   int
}

// newMaskCheck takes the masks from the only directory beside the images.
func newMaskCheck(c *checker) *maskCheck {
	m := &maskCheck{checker: c}
	for _, s := range c.Task.Sidecars {
		if s.Dir {
			m.dir = s.Path
		}
	}
	return m
}

func (m *maskCheck) begin(t *table) bool {
	if t.shapeOnly {
		return false // nothing that reads mask_id is a validator, and only they read with commas here
	}
	if m.index = t.position(maskColumn); m.index < 0 {
		t.lacks("mask-column", maskColumn, "the CSV has no column "+quoted(maskColumn))
		return false
	}
	m.checker.report.add("mask-stored-null", Finding{File: t.file, Column: maskColumn, Message: "ingestor 0.3.9 stores NULL in column \"mask_id\" of every row"})
	return true
}

func (m *maskCheck) row(at place, r *dataset.Record) {
	cell := r.Field(m.index)
	f := Finding{File: m.checker.dataset.CSV, Row: at.row, Line: at.line, Column: maskColumn, Value: clip(cell)}
	// The column is in the schema, and the ingestor strips what the schema names.
	name := trimPython(cell)
	if len(name) == 0 {
		f.Message = "the row names no mask"
		m.checker.report.add("mask-blank", f)
		return
	}
	short, rest, _ := bytes.Cut(name, []byte("."))
	if m.find(short) {
		return
	}
	f.Message = fmt.Sprintf("%s/%s.png is not there", m.dir, clip(short))
	switch {
	case bytes.IndexByte(name, '/') >= 0:
		f.Message = fmt.Sprintf("\"%s\" holds a path; the ingestor looks directly in %s/", clip(name), m.dir)
	case bytes.IndexByte(rest, '.') >= 0, len(rest) > 0 && !knownExtension(name):
		f.Message += fmt.Sprintf("; the ingestor cuts \"%s\" at its first dot", clip(name))
	case m.find(append(bytes.Clone(short), m.suffix()...)):
		f.Message += fmt.Sprintf("; did you mean \"%s%s\"", clip(short), m.suffix())
	}
	m.checker.report.add("mask-missing", f)
}

// suffix is what masks have behind the names of their images.
func (m *maskCheck) suffix() string {
	for _, s := range m.checker.Task.Sidecars {
		if s.Path == m.dir {
			return s.Suffix
		}
	}
	return ""
}

func (m *maskCheck) find(name []byte) bool {
	if bytes.IndexByte(name, '/') >= 0 {
		return false
	}
	for _, extension := range []string{".png", ".jpg", ".jpeg"} {
		if _, ok := m.checker.stagedAt(m.dir + "/" + string(name) + extension); ok {
			return true
		}
	}
	return false
}

func (m *maskCheck) finish() {}

// maskFiles is the part of the check that reads files.
type maskFiles struct{ *maskCheck }

// wants takes what the ingestor opens as images among the masks, at any depth. The rest breaks a rule of its own.
func (m maskFiles) wants(e dataset.Entry) bool {
	if !strings.HasPrefix(e.Path, m.dir+"/") {
		return false
	}
	switch extensionOf(e.Path) {
	case ".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff":
		return true
	}
	return false
}

func (m maskFiles) read(i int, e dataset.Entry, content content) {
	c := m.checker
	h, err := dataset.ReadImageHeader(dataset.ImageSource(content), content.at, e.Size)
	switch {
	case e.Size == 0:
		c.report.add("mask-unreadable", Finding{File: e.Path, Message: "empty file (0 bytes)"})
	case errors.Is(err, dataset.ErrUnknownImage):
		c.report.add("mask-unknown-format", Finding{File: e.Path, Message: err.Error()})
	case errors.Is(err, dataset.ErrNotImage):
		c.report.add("mask-unreadable", Finding{File: e.Path, Message: err.Error()})
	case err == nil:
		c.sizes[i] = sizeOf(h.Width, h.Height)
	}
}

// finish compares the masks with the size that the images have or should have, which is known by now.
func (m maskFiles) finish() {
	c := m.checker
	want := sizeOf(c.targetSize[0], c.targetSize[1])
	if want == (size{}) {
		return
	}
	count, wrong := map[size]int{}, 0
	for i, s := range c.sizes {
		if s != (size{}) && strings.HasPrefix(c.staged[i].Path, m.dir+"/") {
			count[s]++
			if s != want {
				wrong++
			}
		}
	}
	if wrong == 0 {
		return
	}
	if len(count) == 1 {
		c.report.addMany("mask-size", wrong, Finding{Message: fmt.Sprintf("all masks are %s pixels; the images must be %s", mostFrequent(count), want)})
		return
	}
	for i, s := range c.sizes {
		if s != (size{}) && s != want && strings.HasPrefix(c.staged[i].Path, m.dir+"/") {
			c.report.add("mask-size", Finding{File: c.staged[i].Path, Message: fmt.Sprintf("%s pixels; the images must be %s", s, want)})
		}
	}
}
