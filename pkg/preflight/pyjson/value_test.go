package pyjson

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// show writes a value for a comparison: numbers of both kinds, the lengths of arrays, names with their values.
func show(v Value) string {
	switch v.Kind {
	case Array:
		return fmt.Sprintf("array of %d", len(v.Items))
	case Object:
		var parts []string
		for _, m := range v.Members {
			parts = append(parts, fmt.Sprintf("%x=%s", m.Name, show(m.Value)))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case Number, Bool:
		return fmt.Sprintf("%v %v %v", v.Kind == Bool, v.Number, v.Huge)
	case Null, String:
	}
	return fmt.Sprintf("kind %d", v.Kind)
}

// TestParse holds the reader against what Python's json.loads makes of each text.
func TestParse(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("9", 310)
	for text, want := range map[string]string{
		`{"a":[1,2]}`: "{61=array of 2}", " {\"a\" :\t1}\r\n": "{61=false 1 false}", `{"a":1,"b":2,"a":3}`: "{61=false 3 false 62=false 2 false}",
		`{}`: "{}", `[]`: "array of 0", `{"":1}`: "{=false 1 false}", `"x"`: "kind 4", `null`: "kind 1", `true`: "true 1 false", `false`: "true 0 false",
		`NaN`: "false NaN false", `Infinity`: "false +Inf false", `-Infinity`: "false -Inf false", `1e400`: "false +Inf false", long: "false +Inf true",
		`-0`: "false -0 false", `1E5`: "false 100000 false", `0.5`: "false 0.5 false",
		`{"\u00e9\n":1}`: "{c3a90a=false 1 false}", `{"\ud83d\ude00":1}`: "{f09f9880=false 1 false}", `{"\ud800":1}`: "{eda080=false 1 false}", `{"\ud800\u0041":1}`: "{eda08041=false 1 false}",
		"{\"\x7f\":1}": "{7f=false 1 false}",
		"":             "", "\ufeff{}": "", `{"a":1}x`: "", `{"a":01}`: "", `{"a":1.}`: "", `{"a":.5}`: "", `{"a":+1}`: "", `{'a':1}`: "", `{"a":1,}`: "", `[1,]`: "", `{"a":True}`: "",
		`{"a" 1}`: "", `{"\u12"`: "", `"\x"`: "", `-`: "", `-NaN`: "", "\v{}": "", "{\"\t\":1}": "", `"x`: "", `{"a":1`: "", `1e`: "", `"\ud83d`: "", `tru`: "",
		strings.Repeat("[", 2000) + strings.Repeat("]", 2000): "",
	} {
		v, ok := Parse([]byte(text))
		got := ""
		if ok {
			got = show(v)
		}
		if got != want {
			t.Errorf("Parse(%.60q) is %q, %v, want %q", text, got, ok, want)
		}
	}
}

// FuzzParse: blanks around a value change nothing.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a": [1, 2], "b": {"x": 1}}`, `{"\ud83d\ude00":[NaN,-1.5e3]}`, `[[],{},null,"\n"]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, ok := Parse(data)
		if !ok {
			return
		}
		again, ok := Parse([]byte(" " + string(data) + "\n"))
		if diff := cmp.Diff(show(v), show(again)); diff != "" || !ok {
			t.Errorf("%q with blanks around it: %v %s", data, ok, diff)
		}
	})
}
