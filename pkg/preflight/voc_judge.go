package preflight

import (
	"fmt"
	"math"
	"math/big"
	"strings"
)

// vocJudge holds the elements of one annotation against the rules.
type vocJudge struct {
	file    string
	report  *report
	objects int
	size    size // as declared; zero where it is not valid
	// farthest is the corner that lies farthest from the origin, of all boxes.
	farthest [2]*big.Int
	beyond   [2]int64 // the lines of the boxes
}

func (j *vocJudge) add(rule string, line int64, message string) {
	j.report.add(rule, Finding{File: j.file, Line: line, Message: message})
}

// annotation judges everything but the objects, once the document has ended.
func (j *vocJudge) annotation(root *vocElement) {
	j.lacks(root, "")
	for _, name := range []string{"folder", "filename"} {
		j.filled(root.child(name), "")
	}
	j.flag(root.child("segmented"), "")
	if source := root.child("source"); source != nil {
		j.lacks(source, "")
		j.filled(source.child("database"), "")
		j.filled(source.child("annotation"), "")
	}
	if s := root.child("size"); s != nil {
		j.lacks(s, "")
		j.declaredSize(s)
	}
	if j.objects == 0 {
		j.add("voc-no-object", root.line, "the annotation has no object")
	}
	j.outside()
}

func (j *vocJudge) lacks(e *vocElement, which string) {
	if names := e.missing(); len(names) > 0 {
		j.add("voc-missing-element", e.line, fmt.Sprintf("%selement %s lacks %s", which, e.shape.name, strings.Join(names, ", ")))
	}
}

func (j *vocJudge) filled(e *vocElement, which string) {
	if e != nil && !e.text.solid {
		j.add("voc-empty-element", e.line, fmt.Sprintf("%selement %s has no text", which, e.shape.name))
	}
}

func (j *vocJudge) flag(e *vocElement, which string) {
	if e != nil && !e.text.flag() {
		j.add("voc-flag", e.line, fmt.Sprintf("%s%s is \"%s\"; it must be 0 or 1, without blanks", which, e.shape.name, e.text.shown()))
	}
}

func (j *vocJudge) declaredSize(e *vocElement) {
	var n [3]*big.Int
	for i, name := range []string{"width", "height", "depth"} {
		kid := e.child(name)
		if kid == nil {
			continue
		}
		value, ok := kid.number()
		if !ok || value.Sign() <= 0 {
			j.add("voc-size", kid.line, fmt.Sprintf("%s is \"%s\"; it must be a positive whole number", name, kid.text.shown()))
			continue
		}
		n[i] = value
	}
	if n[0] != nil && n[1] != nil {
		j.size = size{width: clampInt32(n[0]), height: clampInt32(n[1])}
	}
}

// number reads an element; without text it is 0 to the ingestor.
func (e *vocElement) number() (*big.Int, bool) {
	if e.text.kept.Len() == 0 {
		return new(big.Int), true
	}
	return e.text.integer()
}

func clampInt32(n *big.Int) int32 {
	if !n.IsInt64() || n.Int64() > math.MaxInt32 {
		return math.MaxInt32
	}
	return int32(n.Int64())
}

// object judges an object as it ends.
func (j *vocJudge) object(e *vocElement) {
	j.objects++
	which := fmt.Sprintf("object %d: ", j.objects)
	j.lacks(e, which)
	j.filled(e.child("name"), which)
	j.filled(e.child("pose"), which)
	j.flag(e.child("truncated"), which)
	if d := e.child("difficult"); d != nil {
		switch n, ok := d.text.integer(); {
		case !ok || n.Sign() < 0:
			j.add("voc-difficult", d.line, fmt.Sprintf("%sdifficult is \"%s\"; it must be a whole number from 0 up", which, d.text.shown()))
		case n.Cmp(big.NewInt(1)) > 0:
			j.add("voc-difficult-level", d.line, fmt.Sprintf("%sdifficult is %s", which, d.text.shown()))
		}
	}
	if box := e.child("bndbox"); box != nil {
		j.lacks(box, which)
		j.box(box, which)
	}
}

// box judges the corners of a box, and that they are in order.
func (j *vocJudge) box(box *vocElement, which string) {
	corner := map[string]*big.Int{}
	for _, name := range []string{"xmin", "ymin", "xmax", "ymax"} {
		kid := box.child(name)
		if kid == nil {
			continue
		}
		n, ok := kid.number()
		if !ok || n.Sign() < 0 {
			j.add("voc-bndbox", kid.line, fmt.Sprintf("%s%s is \"%s\"; it must be a whole number from 0 up", which, name, kid.text.shown()))
			continue
		}
		corner[name] = n
	}
	if len(corner) < 4 {
		return
	}
	for i, pair := range [][2]string{{"xmin", "xmax"}, {"ymin", "ymax"}} {
		low, high := corner[pair[0]], corner[pair[1]]
		if low.Cmp(high) >= 0 {
			j.add("voc-bndbox", box.line, fmt.Sprintf("%s%s (%s) is not less than %s (%s)", which, pair[0], shortInt(low), pair[1], shortInt(high)))
		}
		if j.farthest[i] == nil || high.Cmp(j.farthest[i]) > 0 {
			j.farthest[i], j.beyond[i] = high, box.line
		}
	}
}

// shortInt keeps a number of thousands of digits out of messages.
func shortInt(n *big.Int) string { return clip([]byte(n.String())) }

// outside compares the boxes with the size that the annotation declares.
func (j *vocJudge) outside() {
	for i, edge := range []struct {
		side, corner string
		limit        int32
	}{{"of width", "xmax", j.size.width}, {"of height", "ymax", j.size.height}} {
		if far := j.farthest[i]; far != nil && edge.limit > 0 && far.Cmp(big.NewInt(int64(edge.limit))) > 0 {
			j.add("voc-box-outside", j.beyond[i], fmt.Sprintf("%s of a box is %s; the annotation gives the image %d pixels %s", edge.corner, shortInt(far), edge.limit, edge.side))
		}
	}
}
