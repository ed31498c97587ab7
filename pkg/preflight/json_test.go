package preflight

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestJSON holds the reader to what the json module of Python 3.11 makes of the documents.
func TestJSON(t *testing.T) {
	t.Parallel()
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	for _, document := range []string{
		`{"a":[1,2.5,-0,1e5,true,false,null,"x\u0041\n\/"],"b":{}}`, `[]`, `NaN`, `-Infinity`, `[Infinity]`, " {}\r\n\t", `"\ud800"`, `["\ud83d\ude00"]`,
		"\"\x7f\u2028é\"", `1E+2`, `1.5e-3`, `{"a":1,"a":2}`, strings.Repeat("9", 4300), nested(900),
	} {
		j := newJSONReader(strings.NewReader(document))
		j.skip()
		if err := j.end(); err != nil {
			t.Errorf("%q: %v", clip([]byte(document)), err)
		}
	}
	for _, document := range []string{
		``, ` `, `{`, `[`, `"a`, `01`, `-`, `+1`, `1.`, `.5`, `1e`, `1_0`, `-NaN`, `nul`, `True`, `{"a":1,}`, `[1,]`, `[1 2]`, `{a:1}`, `{'a':1}`, `{"a" 1}`, `{}x`,
		"\"\x01\"", "\"\n\"", `"\x"`, `"\u12"`, `"\u１234"`, "\"\xff\"", "\xff", "\ufeff{}", "\v1", "é", nested(1000), strings.Repeat("9", 4400),
	} {
		j := newJSONReader(strings.NewReader(document))
		j.skip()
		var syntax *jsonError
		if err := j.end(); !errors.As(err, &syntax) {
			t.Errorf("%q: error %v, want a jsonError", clip([]byte(document)), err)
		}
	}
	j := newJSONReader(strings.NewReader("{\n\"a\": 1,\n\"b\": x\n}"))
	j.skip()
	var syntax *jsonError
	if err := j.end(); !errors.As(err, &syntax) || syntax.line != 3 {
		t.Errorf("error %v, want one in line 3", err)
	}
}

func TestJSONUnread(t *testing.T) {
	t.Parallel()
	for _, start := range []string{"", "{", `{"a`, "[1"} {
		_, err := readVocabulary(newJSONReader(io.MultiReader(strings.NewReader(start), iotest.ErrReader(errors.New("broken disk")))), nil)
		if !errors.Is(err, errJSONUnread) {
			t.Errorf("after %q: error %v, want %v", start, err, errJSONUnread)
		}
	}
}

// TestTokenizerMemory: what is held of a tokenizer does not grow with it.
func TestTokenizerMemory(t *testing.T) {
	for name, document := range map[string]io.Reader{
		"string": io.MultiReader(strings.NewReader(`{"x": "`), repeated("x", 2<<20), strings.NewReader(`", "added_tokens": ["[PAD]"]}`)),
		"number": io.MultiReader(strings.NewReader(`{"x": `), repeated("1", 2<<20), strings.NewReader(`}`)),
		"depth":  repeated("[", 2<<20),
		"list":   io.MultiReader(strings.NewReader(`{"model": {"vocab": [`), repeated(`["a",1],`, 1<<16), strings.NewReader(`["[PAD]",0]]}}`)),
	} {
		n := allocated(func() {
			v, err := readVocabulary(newJSONReader(document), []string{"[PAD]"})
			if good := name == "string" || name == "list"; good != (err == nil && (v.model.found["[PAD]"] || v.added.found["[PAD]"])) {
				t.Errorf("%s: %+v, error %v", name, v, err)
			}
		})
		if n > 8<<20 {
			t.Errorf("%s: %d bytes were allocated", name, n)
		}
	}
}
