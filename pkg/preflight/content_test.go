package preflight

import (
	"bufio"
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight/pyjson"
)

// TestPlaces: findings name the line of a file, or the row of the CSV, where there is one.
func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		task, path, content string
		want                Finding
	}{
		{"object_detection", "annotations/a.xml", strings.Replace(vocOf("a.png"), "<xmin>1<", "\n<xmin>\n1.5<", 1),
			Finding{Rule: "voc-bndbox", File: "annotations/a.xml", Line: 2, Message: `object 1: xmin is "\n1.5"; it must be a whole number from 0 up`}},
		{"object_detection", "annotations/b.xml", "<annotation>\n<folder>\n</annotation>",
			Finding{Rule: "voc-xml", File: "annotations/b.xml", Line: 3, Message: `end tag "annotation" stands where element "folder" is open`}},
		{"object_detection", "annotations/a.xml", strings.Replace(vocOf("a.png"), "<depth>3</depth>", "", 1),
			Finding{Rule: "voc-missing-element", File: "annotations/a.xml", Line: 1, Message: "element size lacks depth"}},
		{"object_detection", "labels.csv", "filename,label\na,x\n\nb.png,y\n",
			Finding{Rule: "voc-filename", File: "labels.csv", Row: 2, Line: 4, Column: "filename", Value: "b.png",
				Message: `ingestor 0.3.9 looks for the annotation of "b.png" under that very name`}},
		{"semantic_segmentation", "labels.csv", "filename,mask_id,label\na.png,a,x\nb.png,b_mask,y\n",
			Finding{Rule: "mask-missing", File: "labels.csv", Row: 1, Line: 2, Column: "mask_id", Value: "a", Message: `masks/a.png is not there; did you mean "a_mask"`}},
		{"semantic_segmentation", "labels.csv", "filename,mask_id,label\na.png,a_mask,x\nb.png,b.v1_mask,y\n",
			Finding{Rule: "mask-missing", File: "labels.csv", Row: 2, Line: 3, Column: "mask_id", Value: "b.v1_mask",
				Message: `masks/b.png is not there; the ingestor cuts "b.v1_mask" at its first dot`}},
		{"semantic_segmentation", "masks/a_mask.png", pngOf(16, 16),
			Finding{Rule: "mask-size", File: "masks/a_mask.png", Message: "16x16 pixels; the images must be 32x32"}},
		{"token_classification", "texts/a.txt", "one",
			Finding{Rule: "bio-count", File: "labels.csv", Row: 1, Line: 2, Column: "label", Message: `the row has 2 tags for 1 word in "texts/a.txt"`}},
		{"token_classification", "labels.csv", "filename,label\na.txt,O B-PER\nb.txt,X\n",
			Finding{Rule: "bio-tag", File: "labels.csv", Row: 2, Line: 3, Column: "label", Value: "X", Message: `tag "X" is none of O, B-TYPE and I-TYPE`}},
		{"embeddings", "texts/b.txt", "a", Finding{Rule: "pair-fields", File: "texts/b.txt",
			Message: "the number of fields is 1; the text must be anchor<TAB>positive or anchor<TAB>positive<TAB>negative"}},
		{"text_classification", "tokenizer.json", "{\n\"model\": }", Finding{Rule: "tokenizer-json", File: "tokenizer.json", Line: 2, Message: `"}" is no value`}},
		{"masked_language_modeling", "tokenizer.json", `{"added_tokens": ["a"]}`,
			Finding{Rule: "tokenizer-token", File: "tokenizer.json", Message: "the vocabulary lacks [MASK] and [PAD]"}},
	} {
		r := checkPath(t, good(c.task).With(c.path, c.content).Write(t), Params{Task: task(t, c.task)})
		var got *Finding
		for _, f := range r.Findings {
			if f.Rule == c.want.Rule {
				got = &f
				break
			}
		}
		if got == nil {
			t.Errorf("%s: no finding of %s in %v", c.task, c.want.Rule, r.Findings)
			continue
		}
		got.Severity, got.Remedy = "", ""
		if diff := cmp.Diff(c.want, *got); diff != "" {
			t.Errorf("%s, %s (-want +got):\n%s", c.task, c.path, diff)
		}
	}
}

// TestOtherDelimiter: the columns that only the ingestion reads are not looked for in the reading with commas, and those
// that a validator reads are.
func TestOtherDelimiter(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{"semantic_segmentation": {}, "object_detection": {}, "token_classification": {"bio-header"}} {
		data := good(name)
		data["labels.csv"] = strings.ReplaceAll(data["labels.csv"], ",", ";")
		p := Params{Task: task(t, name), Delimiter: ";"}
		if diff := cmp.Diff(want, rulesOf(checkPath(t, data.Write(t), p)), emptyIsNil); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestStem(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"images/a.png": "a", "a.v1.png": "a.v1", ".png": ".png", "a.": "a.", "a": "a", "x.y/b": "b"} {
		if got := stemOf(name); got != want {
			t.Errorf("stemOf(%q) = %q, want %q", name, got, want)
		}
	}
}

// FuzzVOC: no annotation makes the check fail, and its verdict does not depend on how the file is read.
func FuzzVOC(f *testing.F) {
	for _, seed := range []string{
		vocOf("a.png"), "\ufeff<?xml version='1.0' encoding='utf-8'?>" + vocOf("a"), "<!DOCTYPE a [<!ENTITY e '<b>&#60;</b>'>]><annotation>&e;</annotation>",
		"\xff\xfe<\x00a\x00/\x00>\x00", "<annotation xmlns='u'><![CDATA[x]]></annotation>", "<a><?p?></a><!-- -->", "<annotation>&#x41;\r\n",
	} {
		f.Add([]byte(seed))
	}
	judge := func(r *bufio.Reader) []Finding {
		report := newReport()
		j := &vocJudge{file: "a.xml", report: report}
		reader := &vocReader{root: vocAnnotation(), object: j.object}
		if err := reader.read(r); err == nil {
			j.annotation(reader.found)
		} else {
			report.add("voc-xml", Finding{Message: err.Error()})
		}
		return report.findings()
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		whole := judge(bufio.NewReader(bytes.NewReader(data)))
		cut := judge(bufio.NewReaderSize(iotest.OneByteReader(bytes.NewReader(data)), 2048))
		if diff := cmp.Diff(whole, cut); diff != "" {
			t.Errorf("findings differ (-whole +cut):\n%s", diff)
		}
	})
}

// FuzzTokenizer: what is JSON to Go is JSON to the reader, and the other way round but for the numbers of Python's own.
func FuzzTokenizer(f *testing.F) {
	for _, seed := range []string{
		`{"model": {"vocab": {"[PAD]": 0}}, "added_tokens": [{"content": "[MASK]"}, "a"]}`, `{"model": {"vocab": [["[PAD]", -1.5e3], []]}}`,
		`[NaN, "\ud83d\ude00", "\u005b"]`, `{"a": null, "a": [true, false]}`, "\"é\xff\"", ` {} `,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		j := pyjson.NewReader(bytes.NewReader(data))
		j.Skip()
		err := j.End()
		own := bytes.Contains(data, []byte("NaN")) || bytes.Contains(data, []byte("Infinity"))
		if valid := json.Valid(data) && utf8.Valid(data); valid != (err == nil) && !own && len(data) < 950 {
			t.Errorf("%q: valid %v, error %v", data, valid, err)
		}
		if _, other := readVocabulary(pyjson.NewReader(bytes.NewReader(data)), []string{"[PAD]"}); (other == nil) != (err == nil) {
			t.Errorf("%q: as a vocabulary %v, as a document %v", data, other, err)
		}
	})
}

// FuzzText: words and fields are those that Python's split() finds, however the text is cut into blocks.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"by Ada\n", "a\tb\tc", "\r\n a\u3000\x1cb\u0085\t\r", "\ufeffx\xff y", "a\tb\n \n", "\t\t", "\u00a0"} {
		f.Add([]byte(seed), uint8(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		whole := readText(bytes.NewReader(data), contrastivePair(), make([]byte, len(data)+1))
		// The mark is looked for in the first block, which is never as short as it.
		if cut := readText(bytes.NewReader(data), contrastivePair(), make([]byte, int(size)+3)); whole != cut {
			t.Errorf("%q: %+v in one block, %+v in several", data, whole, cut)
		}
		if (whole.badAt == 0) != utf8.Valid(data) {
			t.Fatalf("%q: not UTF-8 from byte %d", data, whole.badAt)
		}
		if whole.badAt > 0 {
			return
		}
		if want := len(bytes.FieldsFunc(data, pythonSpace)); whole.words != want {
			t.Errorf("%q: %d words, want %d", data, whole.words, want)
		}
		record := strings.Trim(strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\r", "\n"), "\n")
		if lines := strings.Contains(record, "\n"); lines != whole.lines {
			t.Errorf("%q: several lines %v, want %v", data, whole.lines, lines)
		}
		if want := strings.Count(record, "\t") + 1; record != "" && whole.fields != want {
			t.Errorf("%q: %d fields, want %d", data, whole.fields, want)
		}
	})
}

// FuzzBIO: a label is good when each of its words is a tag.
func FuzzBIO(f *testing.F) {
	for _, seed := range []string{"O", "B-PER I-PER O", "b-x", "B-", "I--", " O\u3000O ", "O\x1fB-x"} {
		f.Add([]byte(seed))
	}
	// The rule book's own words: 'O' or 'B-<TYPE>' / 'I-<TYPE>'.
	tag := regexp.MustCompile(`(?s)^(O|[BI]-.+)$`)
	f.Fuzz(func(t *testing.T, label []byte) {
		for _, word := range bytes.FieldsFunc(label, pythonSpace) {
			want := tag.Match(word)
			if got := bioTag(word); got != want {
				t.Errorf("bioTag(%q) = %v, want %v", word, got, want)
			}
		}
	})
}
