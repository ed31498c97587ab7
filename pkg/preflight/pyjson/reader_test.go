package pyjson

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
		j := NewReader(strings.NewReader(document))
		j.Skip()
		if err := j.End(); err != nil {
			t.Errorf("%q: %v", document, err)
		}
	}
	for _, document := range []string{
		``, ` `, `{`, `[`, `"a`, `01`, `-`, `+1`, `1.`, `.5`, `1e`, `1_0`, `-NaN`, `nul`, `True`, `{"a":1,}`, `[1,]`, `[1 2]`, `{a:1}`, `{'a':1}`, `{"a" 1}`, `{}x`,
		"\"\x01\"", "\"\n\"", `"\x"`, `"\u12"`, `"\u１234"`, "\"\xff\"", "\xff", "\ufeff{}", "\v1", "é", nested(1000), strings.Repeat("9", 4400),
	} {
		j := NewReader(strings.NewReader(document))
		j.Skip()
		var syntax *SyntaxError
		if err := j.End(); !errors.As(err, &syntax) {
			t.Errorf("%q: error %v, want a SyntaxError", document, err)
		}
	}
	j := NewReader(strings.NewReader("{\n\"a\": 1,\n\"b\": x\n}"))
	j.Skip()
	var syntax *SyntaxError
	if err := j.End(); !errors.As(err, &syntax) || syntax.Line != 3 {
		t.Errorf("error %v, want one in line 3", err)
	}
}

func TestJSONUnread(t *testing.T) {
	t.Parallel()
	for _, start := range []string{"", "{", `{"a`, "[1"} {
		j := NewReader(io.MultiReader(strings.NewReader(start), iotest.ErrReader(errors.New("broken disk"))))
		j.Skip()
		err := j.End()
		if !errors.Is(err, errUnread) {
			t.Errorf("after %q: error %v, want %v", start, err, errUnread)
		}
	}
}
