package preflight

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight/pyjson"
)

// The columns of keypoint_detection, which the ingestor's validators know by these names only.
const (
	annotationColumn = "Annotation"
	visibilityColumn = "Visibility"
)

// keypointCheck holds the rules about both columns (contract/ingestor.md 2.2, "KeypointAnnotationValidator").
type keypointCheck struct {
	checker                *checker
	table                  *table
	annotation, visibility int
	// count is the number of keypoints that each row must have; 0 until the first row tells.
	count int
	// names are those of the first row, sorted; nil until there is one.
	names []string
	// far are the outermost corners of the first maxFindings rows, until the size of the images is known. Of the rows
	// behind them only the widest and the highest are kept: enough to tell whether any is outside.
	far             []corner
	widest, tallest corner
}

// corner is the largest x and y of a row.
type corner struct {
	at   place
	x, y float64
}

func (k *keypointCheck) begin(t *table) bool {
	k.table, k.count = t, k.checker.Keypoints
	k.annotation, k.visibility = t.exact(annotationColumn), t.exact(visibilityColumn)
	if k.annotation < 0 {
		t.lacksExact("keypoint-column", annotationColumn)
	}
	if k.visibility < 0 {
		t.lacksExact("keypoint-column", visibilityColumn)
	}
	return k.annotation >= 0 || k.visibility >= 0
}

func (k *keypointCheck) row(at place, r *dataset.Record) {
	annotation, ok := pyjson.Value{}, false
	if k.annotation >= 0 {
		if annotation, ok = k.object(at, annotationColumn, r.Field(k.annotation)); ok {
			k.checkAnnotation(at, annotation)
		}
	}
	if k.visibility < 0 {
		return
	}
	visibility, readable := k.object(at, visibilityColumn, r.Field(k.visibility))
	if !readable {
		return
	}
	for _, m := range visibility.Members {
		if v := m.Value; (v.Kind != pyjson.Number && v.Kind != pyjson.Bool) || (v.Number != 0 && v.Number != 1) {
			k.add("keypoint-visibility", at, visibilityColumn, fmt.Sprintf("the visibility of %s is none of 0 and 1", quoted(m.Name)))
		}
	}
	if ok {
		k.compareNames("keypoint-visibility-names", at, visibilityColumn, memberNames(annotation), memberNames(visibility))
	}
}

func (k *keypointCheck) finish() { k.checker.keypoints = k.count }

func (k *keypointCheck) add(rule string, at place, column, message string) {
	k.table.report.add(rule, k.table.finding(at, column, nil, message))
}

// object reads a cell that must hold a JSON object.
func (k *keypointCheck) object(at place, column string, cell []byte) (pyjson.Value, bool) {
	if len(cell) > maxText {
		k.table.report.add("keypoint-json", k.table.finding(at, column, cell, fmt.Sprintf("the cell has %d bytes; the database holds %d", len(cell), maxText)))
		return pyjson.Value{}, false
	}
	v, ok := pyjson.Parse(cell)
	if ok && v.Kind == pyjson.Object {
		return v, true
	}
	message := fmt.Sprintf("\"%s\" is no JSON", clip(cell))
	switch {
	case ok:
		message = fmt.Sprintf("\"%s\" is JSON, but no object", clip(cell))
	case len(cell) == 0:
		message = "the cell is empty"
	}
	k.table.report.add("keypoint-json", k.table.finding(at, column, cell, message))
	return v, false
}

func (k *keypointCheck) checkAnnotation(at place, v pyjson.Value) {
	names := memberNames(v)
	if k.count == 0 {
		k.count = len(names)
	}
	switch {
	case len(names) == 0:
		k.add("keypoint-count", at, annotationColumn, "the row has no keypoint")
	case k.checker.Keypoints != 0 && len(names) != k.count:
		k.add("keypoint-count", at, annotationColumn, fmt.Sprintf("the row has %d keypoints; %d are declared", len(names), k.count))
	}
	if k.names == nil {
		k.names = names
	} else {
		k.compareNames("keypoint-names", at, annotationColumn, k.names, names)
	}
	lowX, lowY := math.Inf(1), math.Inf(1)
	far := corner{at: at, x: math.Inf(-1), y: math.Inf(-1)}
	n := 0
	for _, m := range v.Members {
		x, y, wrong := coordinates(m.Value)
		if wrong != "" {
			k.add("keypoint-coordinates", at, annotationColumn, fmt.Sprintf("keypoint %s %s", quoted(m.Name), wrong))
			continue
		}
		if x < 0 || y < 0 {
			k.add("keypoint-coordinates", at, annotationColumn, fmt.Sprintf("keypoint %s is negative: %v, %v", quoted(m.Name), x, y))
		}
		n++
		lowX, lowY = min(lowX, x), min(lowY, y)
		far.x, far.y = max(far.x, x), max(far.y, y)
	}
	if n >= 2 && (far.x <= lowX || far.y <= lowY) {
		k.add("keypoint-box", at, annotationColumn, fmt.Sprintf("the keypoints span a box of %v by %v", far.x-lowX, far.y-lowY))
	}
	if n > 0 {
		k.reach(far)
	}
}

// reach holds the corner of a row against the size of the images, at once where that is given.
func (k *keypointCheck) reach(far corner) {
	switch {
	case k.checker.TargetSize != [2]int{}:
		k.outside(far, k.checker.TargetSize)
	case len(k.far) < maxFindings:
		k.far = append(k.far, far)
	default:
		if far.x > k.widest.x {
			k.widest = far
		}
		if far.y > k.tallest.y {
			k.tallest = far
		}
	}
}

// outside reports a corner that lies beyond the size of the images.
func (k *keypointCheck) outside(far corner, size [2]int) {
	if far.x > float64(size[0]) || far.y > float64(size[1]) {
		k.add("keypoint-outside", far.at, annotationColumn, fmt.Sprintf("keypoints reach to %v, %v; the images are %dx%d", far.x, far.y, size[0], size[1]))
	}
}

// coordinates reads [x, y] or {"x": x, "y": y}; wrong says why it cannot.
func coordinates(v pyjson.Value) (x, y float64, wrong string) {
	var pair [2]*pyjson.Value
	switch {
	case v.Kind == pyjson.Array && len(v.Items) == 2:
		pair = [2]*pyjson.Value{&v.Items[0], &v.Items[1]}
	case v.Kind == pyjson.Array:
		return 0, 0, fmt.Sprintf("has %d coordinates; x and y are needed", len(v.Items))
	case v.Kind == pyjson.Object:
		pair = [2]*pyjson.Value{v.Get("x"), v.Get("y")}
	}
	if pair[0] == nil || pair[1] == nil {
		return 0, 0, `is neither [x, y] nor {"x": x, "y": y}`
	}
	for _, c := range pair {
		if c.Kind != pyjson.Number && c.Kind != pyjson.Bool {
			return 0, 0, "has a coordinate that is no number"
		}
		if c.Huge || math.IsNaN(c.Number) || math.IsInf(c.Number, 0) {
			return 0, 0, "has a coordinate that is not finite"
		}
	}
	return pair[0].Number, pair[1].Number, ""
}

// memberNames are the names in an object, sorted.
func memberNames(v pyjson.Value) []string {
	names := make([]string, 0, len(v.Members))
	for _, m := range v.Members {
		names = append(names, m.Name)
	}
	slices.Sort(names)
	return names
}

// compareNames reports names that one object has and the other has not.
func (k *keypointCheck) compareNames(rule string, at place, column string, want, have []string) {
	if slices.Equal(want, have) {
		return
	}
	missing, extra := without(want, have), without(have, want)
	var parts []string
	if len(missing) > 0 {
		parts = append(parts, "missing: "+strings.Join(missing, ", "))
	}
	if len(extra) > 0 {
		parts = append(parts, "too many: "+strings.Join(extra, ", "))
	}
	other := "the first row"
	if column == visibilityColumn {
		other = "the row's " + annotationColumn
	}
	k.add(rule, at, column, fmt.Sprintf("the keypoints are not those of %s; %s", other, strings.Join(parts, "; ")))
}

// without lists up to five of the sorted names that others lack, quoted.
func without(names, others []string) []string {
	var left []string
	for _, name := range names {
		if _, found := slices.BinarySearch(others, name); found {
			continue
		}
		if len(left) == 5 {
			return append(left, "…")
		}
		left = append(left, quoted(name))
	}
	return left
}

// keypointBounds holds keypoints against the size of the images, once both were read.
type keypointBounds struct{ keypoints *keypointCheck }

func (b keypointBounds) wants(dataset.Entry) bool { return false }

func (b keypointBounds) read(int, dataset.Entry, content) {}

func (b keypointBounds) finish() {
	k := b.keypoints
	size := k.checker.targetSize
	if size == [2]int{} {
		return
	}
	for _, far := range k.far {
		k.outside(far, size)
	}
	k.outside(k.widest, size)
	if k.tallest.at != k.widest.at {
		k.outside(k.tallest, size)
	}
}

// newKeypoints makes both halves of the group.
func newKeypoints(c *checker) taskCheck {
	k := &keypointCheck{checker: c}
	return taskCheck{rows: k, files: keypointBounds{k}}
}
