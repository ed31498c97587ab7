package pyyaml

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeScalars(t *testing.T) {
	for in, want := range map[string]any{
		"yes": true, "Off": false, "true": true, "y": "y", "n": "n", "yEs": "yEs",
		"12": int64(12), "-3": int64(-3), "017": int64(15), "0x1f": int64(31), "1_000": int64(1000),
		"1.5": 1.5, "1e3": "1e3", "1.0e+3": 1000.0, "~": nil, "null": nil,
		`"yes"`: "yes", `'12'`: "12", "!!str 12": "12", "2024-01-01": "2024-01-01",
	} {
		got, err := Decode([]byte("v: " + in))
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if diff := cmp.Diff(want, got.(Map).Values["v"]); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	}
}

func TestDecodeOrderAndRefusals(t *testing.T) {
	got, err := Decode([]byte("b: 1\na: [x, {y: z}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"b", "a"}, got.(Map).Keys); diff != "" {
		t.Error(diff)
	}
	want := map[string]any{"b": int64(1), "a": []any{"x", map[string]any{"y": "z"}}}
	if diff := cmp.Diff(want, Plain(got)); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"a: 1\n---\nb: 2\n", "a: 1\na: 2\n", "on: 1\n", "a: &x 1\nb: *x\n", "a: [", "a: !!python/object:os.system x\n"} {
		if v, err := Decode([]byte(bad)); err == nil {
			t.Errorf("%q: got %v, want an error", bad, v)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("a: {b: [1, yes, ~]}\n"))
	f.Add([]byte("---\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Decode(data)
		if err == nil {
			Plain(v)
		}
	})
}
