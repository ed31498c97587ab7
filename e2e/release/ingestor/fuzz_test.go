package main

import (
	"encoding/json"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/e2e/gen"
)

func FuzzVOCFile(f *testing.F) {
	good, err := gen.Make("object_detection", 2)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(good.Files[fileAt(&good, "annotations/street_0000.xml")].Data))
	for _, seed := range []string{"<annotation><object><bndbox/></object></annotation>", "<a/><b/>", "</a>", "", "<!DOCTYPE a><annotation xmlns='x'/>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(vocFile([]byte(text))) > 0 {
			return
		}
		root, err := parseXML([]byte(text))
		if err != nil || len(root.lacks("folder", "filename", "source", "size", "segmented")) > 0 {
			t.Errorf("took %q", text)
		}
	})
}

func FuzzCellObject(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2],"b":{"x":1,"y":2}}`, `{"a":1,"a":2}`, `[]`, `{`, `{} x`, `null`, `"s"`, `{"a":1]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, _, broken := cellObject(text)
		if broken == json.Valid([]byte(text)) {
			t.Errorf("%q: broken is %t", text, broken)
		}
		if o != nil && len(o.names) != len(o.values) {
			t.Errorf("%q: %d names of %d values", text, len(o.names), len(o.values))
		}
		_, _ = annotationCell(text, 2)
		_ = visibilityCell(text, o)
	})
}

func FuzzVocabulary(f *testing.F) {
	for _, seed := range []string{`{"model":{"vocab":{"[PAD]":0}}}`, `{"model":{"vocab":[["a",1],[],3]},"added_tokens":["b",{"content":"c"},{"content":4}]}`, `[]`, `3`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := vocabularyOf([]byte(text)); (err == nil) != json.Valid([]byte(text)) {
			t.Errorf("%q: %v", text, err)
		}
	})
}
