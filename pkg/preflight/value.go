package preflight

import (
	"bytes"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// maxText is how many bytes a TEXT column holds.
const maxText = 65535

// breach is a rule that a value breaks, and the sentence about it.
type breach struct {
	rule    string
	message string
}

// check holds a value that is not missing against the declared type of its column. The type of a label column is
// checked too, when the ingestor casts it, but not its length: a label has a column of its own.
func (c *column) check(cell []byte) *breach {
	t := c.declared
	switch t.Kind {
	case dataset.SQLInteger, dataset.SQLFloat, dataset.SQLDecimal:
		if pandasBool(cell) {
			return nil // whether it may stand depends on the other values
		}
		return checkNumber(*t, parseNumber(cell))
	case dataset.SQLBoolean:
		if n := parseNumber(cell); booleanWord(cell) || (n.kind != notNumber && (n.float() == 0 || n.float() == 1)) {
			return nil
		}
		return &breach{"value-not-boolean", "is no boolean"}
	case dataset.SQLDate:
		if !c.byTask {
			return c.checkDate(cell)
		}
	case dataset.SQLText:
		if !c.label {
			return checkText(*t, cell)
		}
	}
	return nil
}

func checkText(t dataset.SQLType, cell []byte) *breach {
	if n := t.Length(); n > 0 && len(cell) > n {
		if have := utf8.RuneCount(cell); have > n {
			return &breach{"value-too-long", fmt.Sprintf("has %d characters; %s holds %d", have, t, n)}
		}
	}
	return nil
}

func checkNumber(t dataset.SQLType, n number) *breach {
	switch {
	case n.kind == notNumber:
		return &breach{"value-not-numeric", fmt.Sprintf("is no number; the column is %s", t)}
	case n.kind == infinite, n.kind == overflow:
		return &breach{"value-not-finite", fmt.Sprintf("is not finite; the column is %s", t)}
	case t.Kind == dataset.SQLInteger:
		return checkInteger(t, n)
	case t.Kind == dataset.SQLDecimal:
		return checkDecimal(t, n)
	case t.Single() && math.Abs(n.float()) > math.MaxFloat32:
		return &breach{"value-range", "is beyond single precision; the column is FLOAT"}
	}
	return nil
}

func checkInteger(t dataset.SQLType, n number) *breach {
	if !n.whole() {
		return &breach{"value-not-integer", fmt.Sprintf("is no integer; the column is %s", t)}
	}
	fits := n.kind == integer
	if n.kind == decimal {
		fits = math.Abs(n.float()) < 1<<63
	}
	if fits && t.Base != "BIGINT" {
		f := n.float()
		fits = f >= math.MinInt32 && f <= math.MaxInt32
	}
	if !fits {
		return &breach{"value-range", fmt.Sprintf("is out of the range of %s", t)}
	}
	return nil
}

func checkDecimal(t dataset.SQLType, n number) *breach {
	// What is rounded up to the limit is beyond it as well.
	if limit := math.Pow10(t.Precision()-t.Scale()) - 0.5*math.Pow10(-t.Scale()); math.Abs(n.float()) >= limit {
		return &breach{"value-range", fmt.Sprintf("is out of the range of DECIMAL(%d,%d)", t.Precision(), t.Scale())}
	}
	if places := decimals(n.text); places > t.Scale() {
		return &breach{"value-decimal-rounded", fmt.Sprintf("is rounded to %d decimals; the column is %s", t.Scale(), t)}
	}
	return nil
}

// decimals counts the figures behind the point that are not trailing zeros. A value with an exponent counts as none.
func decimals(text []byte) int {
	_, fraction, found := bytes.Cut(text, []byte("."))
	if !found || bytes.ContainsAny(fraction, "eE") {
		return 0
	}
	return len(bytes.TrimRight(fraction, "0"))
}
