package preflight

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// show writes a value for a comparison: numbers of both kinds, the lengths of arrays, names with their values.
func (v pyValue) show() string {
	switch v.kind {
	case pyArray:
		return fmt.Sprintf("array of %d", len(v.items))
	case pyObject:
		var parts []string
		for _, m := range v.members {
			parts = append(parts, fmt.Sprintf("%x=%s", m.name, m.value.show()))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case pyNumber, pyBool:
		return fmt.Sprintf("%v %v %v", v.kind == pyBool, v.number, v.huge)
	case pyNull, pyString:
	}
	return fmt.Sprintf("kind %d", v.kind)
}

// TestPythonJSON holds the reader against what Python's json.loads makes of each text.
func TestPythonJSON(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("9", 310)
	for text, want := range map[string]string{
		`{"a":[1,2]}`: "{61=array of 2}", " {\"a\" :\t1}\r\n": "{61=false 1 false}", `{"a":1,"b":2,"a":3}`: "{61=false 3 false 62=false 2 false}",
		`{}`: "{}", `[]`: "array of 0", `{"":1}`: "{=false 1 false}", `"x"`: "kind 3", `null`: "kind 0", `true`: "true 1 false", `false`: "true 0 false",
		`NaN`: "false NaN false", `Infinity`: "false +Inf false", `-Infinity`: "false -Inf false", `1e400`: "false +Inf false", long: "false +Inf true",
		`-0`: "false -0 false", `1E5`: "false 100000 false", `0.5`: "false 0.5 false",
		`{"\u00e9\n":1}`: "{c3a90a=false 1 false}", `{"\ud83d\ude00":1}`: "{f09f9880=false 1 false}", `{"\ud800":1}`: "{eda080=false 1 false}", `{"\ud800\u0041":1}`: "{eda08041=false 1 false}",
		"{\"\x7f\":1}": "{7f=false 1 false}",
		"":             "", "\ufeff{}": "", `{"a":1}x`: "", `{"a":01}`: "", `{"a":1.}`: "", `{"a":.5}`: "", `{"a":+1}`: "", `{'a':1}`: "", `{"a":1,}`: "", `[1,]`: "", `{"a":True}`: "",
		`{"a" 1}`: "", `{"\u12"`: "", `"\x"`: "", `-`: "", `-NaN`: "", "\v{}": "", "{\"\t\":1}": "", `"x`: "", `{"a":1`: "", `1e`: "", `"\ud83d`: "", `tru`: "",
		strings.Repeat("[", 2000) + strings.Repeat("]", 2000): "",
	} {
		v, ok := parsePythonJSON([]byte(text))
		got := ""
		if ok {
			got = v.show()
		}
		if got != want {
			t.Errorf("parsePythonJSON(%.60q) is %q, %v, want %q", text, got, ok, want)
		}
	}
}

func FuzzPythonJSON(f *testing.F) {
	for _, seed := range []string{goodAnnotation, goodVisibility, `{"\ud83d\ude00":[NaN,-1.5e3]}`, `[[],{},null,"\n"]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, ok := parsePythonJSON(data)
		if !ok {
			return
		}
		again, ok := parsePythonJSON([]byte(" " + string(data) + "\n"))
		if diff := cmp.Diff(v.show(), again.show()); diff != "" || !ok {
			t.Errorf("%q with blanks around it: %v %s", data, ok, diff)
		}
		for _, m := range v.members {
			x, y, wrong := coordinates(m.value)
			if wrong == "" && (math.IsNaN(x) || math.IsInf(x, 0) || math.IsNaN(y) || math.IsInf(y, 0)) {
				t.Errorf("%q: coordinates %v, %v", data, x, y)
			}
		}
	})
}
