package preflight

import (
	"io"
	"strings"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/preflight/pyjson"
)

// TestTokenizerMemory: what is held of a tokenizer does not grow with it.
func TestTokenizerMemory(t *testing.T) {
	for name, document := range map[string]io.Reader{
		"string": io.MultiReader(strings.NewReader(`{"x": "`), repeated("x", 2<<20), strings.NewReader(`", "added_tokens": ["[PAD]"]}`)),
		"number": io.MultiReader(strings.NewReader(`{"x": `), repeated("1", 2<<20), strings.NewReader(`}`)),
		"depth":  repeated("[", 2<<20),
		"list":   io.MultiReader(strings.NewReader(`{"model": {"vocab": [`), repeated(`["a",1],`, 1<<16), strings.NewReader(`["[PAD]",0]]}}`)),
	} {
		n := allocated(func() {
			v, err := readVocabulary(pyjson.NewReader(document), []string{"[PAD]"})
			if good := name == "string" || name == "list"; good != (err == nil && (v.model.found["[PAD]"] || v.added.found["[PAD]"])) {
				t.Errorf("%s: %+v, error %v", name, v, err)
			}
		})
		if n > 8<<20 {
			t.Errorf("%s: %d bytes were allocated", name, n)
		}
	}
}
