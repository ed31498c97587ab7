package preflight

import (
	"math"
	"strings"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight/pyjson"
)

// poses is the smallest good dataset of keypoint_detection, with cells of the first row that replace its own.
func poses(annotation, visibility string) tree {
	quote := func(cell string) string { return `"` + strings.ReplaceAll(cell, `"`, `""`) + `"` }
	return images().With("labels.csv", "filename,label,Annotation,Visibility\n"+
		"a.png,cat,"+quote(`{"nose": [1, 2], "tail": [3, 4]}`)+","+quote(`{"nose": 1, "tail": 0}`)+"\n"+
		"b.png,dog,"+quote(annotation)+","+quote(visibility)+"\n")
}

const (
	goodAnnotation = `{"nose": [5, 6], "tail": {"x": 7.5, "y": 8, "z": 9}}`
	goodVisibility = `{"nose": 1, "tail": 0}`
)

func keypointParams(p *Params) { p.Task = mustTask("keypoint_detection") }

func keypointCases() []ruleCase {
	header := func(from, to string) tree {
		good := poses(goodAnnotation, goodVisibility)
		return good.With("labels.csv", strings.Replace(good["labels.csv"], from, to, 1))
	}
	good := poses(goodAnnotation, goodVisibility)
	annotation := func(rule, cell string, also ...string) ruleCase {
		return ruleCase{rule: rule, name: cell, params: keypointParams, breaks: poses(cell, goodVisibility), passes: good, also: also}
	}
	visibility := func(rule, breaks, passes string) ruleCase {
		return ruleCase{rule: rule, name: breaks, params: keypointParams, breaks: poses(goodAnnotation, breaks), passes: poses(goodAnnotation, passes)}
	}
	declared := func(count int) func(*Params) {
		return func(p *Params) { keypointParams(p); p.Keypoints = count }
	}
	return []ruleCase{
		{rule: "keypoint-column", name: "letter case", params: keypointParams, breaks: header("Annotation", "annotation"), passes: good},
		{rule: "keypoint-column", name: "visibility", params: keypointParams, breaks: header("Visibility", "Visible"), passes: good},
		{rule: "keypoint-column", name: "padded", params: keypointParams, breaks: header(",Visibility", ", Visibility"), passes: good, also: []string{"csv-padded-header"}},
		annotation("keypoint-json", ""),
		annotation("keypoint-json", "nose"),
		annotation("keypoint-json", "[1, 2]"),
		annotation("keypoint-json", goodAnnotation+strings.Repeat(" ", maxText)),
		annotation("keypoint-json", `{"nose": [5, 6], "tail": [7, 8],}`),
		visibility("keypoint-json", "1", goodVisibility),
		{rule: "keypoint-count", name: "declared", params: declared(3), breaks: good, passes: good, fixed: declared(2)},
		annotation("keypoint-names", `{"nose": [5, 6], "ear": [7, 8]}`, "keypoint-visibility-names"),
		annotation("keypoint-names", `{}`, "keypoint-count", "keypoint-visibility-names"),
		annotation("keypoint-coordinates", `{"nose": [5, 6], "tail": [7, 8, 9]}`),
		annotation("keypoint-coordinates", `{"nose": [5, 6], "tail": "7, 8"}`),
		annotation("keypoint-coordinates", `{"nose": [5, 6], "tail": ["7", "8"]}`),
		annotation("keypoint-coordinates", `{"nose": [5, 6], "tail": {"x": 7}}`),
		annotation("keypoint-coordinates", `{"nose": [5, 6], "tail": [-1, 8]}`),
		annotation("keypoint-coordinates", `{"nose": [5, 6], "tail": [NaN, 8]}`),
		annotation("keypoint-coordinates", `{"nose": [5, 6], "tail": [1`+strings.Repeat("0", 400)+`, 8]}`),
		annotation("keypoint-box", `{"nose": [5, 6], "tail": [5, 8]}`),
		{rule: "keypoint-outside", params: keypointParams, breaks: poses(`{"nose": [5, 6], "tail": [33, 8]}`, goodVisibility), passes: poses(`{"nose": [5, 6], "tail": [32, 32]}`, goodVisibility)},
		visibility("keypoint-visibility", `{"nose": 2, "tail": 0}`, `{"nose": true, "tail": 0.0}`),
		visibility("keypoint-visibility", `{"nose": "1", "tail": 0}`, `{"nose": 2, "nose": 1, "tail": 0}`),
		visibility("keypoint-visibility-names", `{"nose": 1}`, goodVisibility),
		visibility("keypoint-visibility-names", `{"nose": 1, "tail": 0, "ear": 1}`, `{"tail": 0, "nose": 1}`),
	}
}

func TestKeypointNumber(t *testing.T) {
	t.Parallel()
	p := imageParams(t)
	keypointParams(&p)
	if r := checkPath(t, poses(goodAnnotation, goodVisibility).Write(t), p); r.Keypoints != 2 || len(r.Findings) != 0 {
		t.Errorf("%d keypoints, findings %v", r.Keypoints, r.Findings)
	}
	p.Keypoints = 3
	if r := checkPath(t, poses(goodAnnotation, goodVisibility).Write(t), p); r.Keypoints != 3 || r.Totals["keypoint-count"] != 2 {
		t.Errorf("%d keypoints where 3 are declared, findings %v", r.Keypoints, r.Findings)
	}
	if r := checkPath(t, images().Write(t), imageParams(t)); r.Keypoints != 0 {
		t.Errorf("%d keypoints of a task that has none", r.Keypoints)
	}
}

// TestKeypointMemory: a cell may be as long as a record, and rows may be as many as they like.
func TestKeypointMemory(t *testing.T) {
	c := &checker{Params: Params{Task: mustTask("keypoint_detection")}, report: newReport()}
	k := &keypointCheck{checker: c, table: &table{checker: c, report: c.report}, visibility: -1}
	var r dataset.Record
	parser := dataset.NewParser(dataset.DefaultCSV(), func(got *dataset.Record) error { r.CopyFrom(got); return nil })
	_, err := parser.Write([]byte(`"{""a"": [` + strings.Repeat("0,", 6<<20) + `0]}"` + "\n"))
	must(t, err)
	if n := allocated(func() { k.row(place{row: 1, line: 2}, &r) }); n > 1<<20 || c.report.totals["keypoint-json"] != 1 {
		t.Errorf("%d bytes were allocated for a cell of %d bytes; totals %v", n, len(r.Field(0)), c.report.totals)
	}
	for _, given := range []bool{false, true} {
		c.report = newReport()
		k.table.report = c.report
		k.far, k.widest, k.tallest = nil, corner{}, corner{}
		c.targetSize, c.TargetSize = [2]int{100, 50}, [2]int{}
		if given {
			c.TargetSize = c.targetSize
		}
		k.table.header = []string{"Annotation"}
		for row, rest := range map[int64]corner{1: {x: 100, y: 50}, 2: {x: 101, y: 1}, 3: {x: 1, y: 51}} {
			rest.at = place{row: row}
			k.reach(rest)
		}
		for row := range int64(3 * maxFindings) {
			k.reach(corner{at: place{row: row + 4}, x: 10, y: 10})
		}
		k.reach(corner{at: place{row: 1 << 40}, x: 200, y: 1})
		k.reach(corner{at: place{row: 2 << 40}, x: 1, y: 300})
		keypointBounds{k}.finish()
		if cap(k.far) > 2*maxFindings || c.report.totals["keypoint-outside"] != 4 {
			t.Errorf("target size given %v: room for %d corners, totals %v", given, cap(k.far), c.report.totals)
		}
	}
}

// FuzzKeypoints: coordinates are numbers, or are said to be wrong.
func FuzzKeypoints(f *testing.F) {
	for _, seed := range []string{goodAnnotation, goodVisibility, `{"\ud83d\ude00":[NaN,-1.5e3]}`, `[[],{},null,"\n"]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, _ := pyjson.Parse(data)
		for _, m := range v.Members {
			x, y, wrong := coordinates(m.Value)
			if wrong == "" && (math.IsNaN(x) || math.IsInf(x, 0) || math.IsNaN(y) || math.IsInf(y, 0)) {
				t.Errorf("%q: coordinates %v, %v", data, x, y)
			}
		}
	})
}
