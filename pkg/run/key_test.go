package run

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/validate/content"
)

func TestNewKeyIsValidAndNew(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		key := NewKey()
		if err := CheckKey(key); err != nil {
			t.Fatal(err)
		}
		if problems := content.IsLabelValue(key); len(problems) > 0 {
			t.Fatalf("%q is not a label value: %v", key, problems)
		}
		if seen[key] {
			t.Fatalf("%q came twice", key)
		}
		seen[key] = true
	}
}

func TestCheckKey(t *testing.T) {
	t.Parallel()
	tests := []struct{ key, want string }{
		{"a", ""},
		{"release-1.2_x", ""},
		{strings.Repeat("a", 63), ""},
		{strings.Repeat("a", 64), "64 characters"},
		{"", "is empty"},
		{"-a", "start and end"},
		{"a.", "start and end"},
		{"a b", `' ' is not allowed`},
		{"a/b", `'/' is not allowed`},
		{"ä", "is not allowed"},
		{"a\x1b[31m", "is not allowed"},
	}
	for _, test := range tests {
		err := CheckKey(test.key)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("CheckKey(%q) = %v", test.key, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("CheckKey(%q) = %v, want %q", test.key, err, test.want)
		}
		if err == nil && len(content.IsLabelValue(test.key)) > 0 {
			t.Errorf("%q was accepted and is not a label value", test.key)
		}
		if err != nil && strings.Contains(err.Error(), "\x1b") {
			t.Errorf("the error for %q carries an escape sequence", test.key)
		}
	}
}
