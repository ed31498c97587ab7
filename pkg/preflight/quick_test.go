package preflight

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// randomDate is a date, or nearly one.
func randomDate(r *rand.Rand) string {
	s := fmt.Sprintf("%04d-%02d-%02d", 1670+r.IntN(600), r.IntN(14), r.IntN(33))
	switch r.IntN(5) {
	case 0:
		s += fmt.Sprintf("%c%02d:%02d", " T_"[r.IntN(3)], r.IntN(26), r.IntN(62))
	case 1:
		s += fmt.Sprintf("%c%02d:%02d:%02d", " T"[r.IntN(2)], r.IntN(26), r.IntN(62), r.IntN(62))
	case 2:
		s += fmt.Sprintf(" %02d:%02d:%02d.%03d", r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1000))
	}
	b := []byte(s)
	if r.IntN(4) == 0 {
		b[r.IntN(len(b))] = "-:/ TZ.x0"[r.IntN(9)]
	}
	return string(b)
}

// TestPlainDateAgrees: what is read the quick way is read alike the slow way.
func TestPlainDateAgrees(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	quick := 0
	for range 200_000 {
		cell := []byte(randomDate(r))
		form, ok := plainDate(cell)
		if !ok {
			continue
		}
		quick++
		if slow, ok := isoForm(cell); !ok || slow != form {
			t.Fatalf("plainDate(%q) = %+v, but isoForm says %+v, %v", cell, form, slow, ok)
		}
	}
	if quick < 50_000 {
		t.Errorf("only %d of 200000 dates were read the quick way", quick)
	}
}

// TestPlainlyFits: a value that fits at first sight fits at the second, too.
func TestPlainlyFits(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	words := []string{"true", "NO", "t", "abc", "münchen", "none", "éééééé", "abcdef", strings.Repeat("ü", 5), strings.Repeat("x", 300)}
	for _, name := range []string{
		"INT", "BIGINT", "FLOAT", "FLOAT(30)", "DOUBLE", "DECIMAL(10,2)", "BOOLEAN", "VARCHAR(5)", "VARCHAR(255)", "TEXT", "DATE", "DATETIME", "TIMESTAMP", "TIME",
	} {
		typ, err := dataset.ParseSQLType(name)
		must(t, err)
		for _, first := range []string{"2024-01-02", "2024-01-02 03:04:05", "2024-01-02T03:04", "2024-01-02 03:04:05.5", "02/01/2024", "20240102"} {
			c := &column{name: "a", declared: &typ}
			if typ.Kind == dataset.SQLDate {
				c.check([]byte(first))
			}
			for range 5000 {
				cell := randomCell(r)
				switch r.IntN(3) {
				case 0:
					cell = randomDate(r)
				case 1:
					cell = words[r.IntN(len(words))]
				}
				n := parseNumber([]byte(cell))
				if !c.plainlyFits([]byte(cell), &n) {
					continue
				}
				if b := c.check([]byte(cell)); b != nil {
					t.Fatalf("%q fits %s plainly, but breaks %s: it %s", cell, name, b.rule, b.message)
				}
			}
		}
	}
}
