package preflight

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight/expat"
)

// vocBuffer is how much is read of an annotation at a time.
const vocBuffer = 16 << 10

// vocCheck holds Pascal VOC annotations, and how rows name them, against the rules (contract/ingestor.md 2.2,
// "PascalVOCXMLValidator", and 5.1).
type vocCheck struct {
	checker  *checker
	root     vocShape
	filename int
	// declared are the sizes that annotations give their images, by index into the staged files.
	declared []size
	buffers  sync.Pool // of *bufio.Reader
}

func newVOCCheck(c *checker) *vocCheck {
	return &vocCheck{
		checker: c, root: vocAnnotation(), declared: make([]size, len(c.staged)),
		buffers: sync.Pool{New: func() any { return bufio.NewReaderSize(nil, vocBuffer) }},
	}
}

func (v *vocCheck) begin(t *table) bool {
	v.filename = t.position(filenameColumn)
	// With another delimiter, the validators' reading has no file names; nothing that reads them is a validator.
	return v.filename >= 0 && !t.shapeOnly
}

// row looks at the name as ingestor 0.3.9 does, which keeps an extension that it knows when it looks for the annotation.
func (v *vocCheck) row(at place, r *dataset.Record) {
	cell := r.Field(v.filename)
	if !knownExtension(cell) {
		return
	}
	c := v.checker
	f := Finding{File: c.dataset.CSV, Row: at.row, Line: at.line, Column: filenameColumn, Value: clip(cell),
		Message: fmt.Sprintf("ingestor 0.3.9 looks for the annotation of \"%s\" under that very name", clip(cell))}
	if stem := cell[:bytes.LastIndexByte(cell, '.')]; parseNumber(stem).numeric() {
		f.Remedy = "write the names without extension; where all are numbers, put a letter in front of them and of the names of the files"
	}
	c.report.add("voc-filename", f)
}

func (v *vocCheck) finish() {}

// vocFiles is the part of the check that reads files.
type vocFiles struct{ *vocCheck }

// wants takes the annotations wherever they are staged, as the ingestor does.
func (v vocFiles) wants(e dataset.Entry) bool { return extensionOf(e.Path) == ".xml" }

func (v vocFiles) read(i int, e dataset.Entry, content content) {
	report := v.checker.report
	if path.Ext(e.Path) != ".xml" {
		report.add("voc-extension", Finding{File: e.Path, Message: fmt.Sprintf("extension %q is not .xml in lower case", path.Ext(e.Path))})
	}
	judge := &vocJudge{file: e.Path, report: report}
	reader := &vocReader{root: v.root, object: judge.object}
	buffer := v.buffers.Get().(*bufio.Reader)
	buffer.Reset(content)
	err := reader.read(buffer)
	buffer.Reset(nil)
	v.buffers.Put(buffer)
	var syntax *expat.SyntaxError
	switch {
	case errors.As(err, &syntax):
		report.add("voc-xml", Finding{File: e.Path, Line: syntax.Line, Message: syntax.Problem})
	case errors.Is(err, errVOCRoot):
		report.add("voc-root", Finding{File: e.Path, Value: clip([]byte(reader.wrong)), Message: fmt.Sprintf("the root element is %s", quoted(reader.wrong))})
	case err == nil:
		judge.annotation(reader.found)
		v.declared[i] = judge.size
	}
}

// finish compares the sizes in annotations with those of the images, which are all known now.
func (v vocFiles) finish() {
	c := v.checker
	for i, declared := range v.declared {
		if declared == (size{}) {
			continue
		}
		e := c.staged[i]
		stem := strings.TrimSuffix(path.Base(e.Path), path.Ext(e.Path))
		for _, extension := range []string{".jpg", ".jpeg", ".png"} {
			at, ok := c.stagedAt(c.Task.Dir + "/" + stem + extension)
			if !ok {
				continue
			}
			if actual := c.sizes[at]; actual != (size{}) && actual != declared {
				c.report.add("voc-image-size", Finding{File: e.Path,
					Message: fmt.Sprintf("the annotation says that the image is %s; %q is %s", declared, escape(c.staged[at].Path), actual)})
			}
			break
		}
	}
}
