package main

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
)

func TestShow(t *testing.T) {
	var out bytes.Buffer
	err := show(&out, "pets", release.Table{
		Columns: []string{"id", "created_at", "label", "filename"},
		Rows: []release.Row{
			{"id": "1", "created_at": "now", "label": "cat", "filename": "two words"},
			{"id": "2", "created_at": "now", "label": nil, "filename": "\x1b[31m"},
			{"id": "3", "created_at": "now", "label": "dog", "filename": "c"},
		},
	}, 2)
	want := "ID   LABEL   FILENAME\n1    cat     two words\n2    NULL    \\x1b[31m\n3 rows in table pets\n"
	if err != nil || out.String() != want {
		t.Errorf("%v\n%s", err, cmp.Diff(want, out.String()))
	}
}
