package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Severity says what becomes of a dataset with a finding.
type Severity string

const (
	// SeverityError: the ingestor, or a version of it, refuses the dataset or loses records.
	SeverityError Severity = "error"
	// SeverityWarning: the ingestor takes the dataset, but what it stores is not what the files say.
	SeverityWarning Severity = "warning"
	// SeverityNote: nothing is lost; worth knowing.
	SeverityNote Severity = "note"
)

func (s Severity) rank() int {
	switch s {
	case SeverityError:
		return 0
	case SeverityWarning:
		return 1
	case SeverityNote:
		return 2
	}
	return 3
}

// Finding is one breach of a rule.
type Finding struct {
	// Rule is the id of the rule, a key of Rules.
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	// File is relative to the dataset's root, escaped for a terminal; "" for the dataset as a whole.
	File string `json:"file,omitempty"`
	// Row is the data row of a CSV, from 1; 0 for none.
	Row int64 `json:"row,omitempty"`
	// Line is the physical line of a CSV, from 1; 0 for none.
	Line   int64  `json:"line,omitempty"`
	Column string `json:"column,omitempty"`
	// Value is the offending value, escaped and cut.
	Value string `json:"value,omitempty"`
	// Count is how many breaches the finding stands for, where they are more than one.
	Count   int    `json:"count,omitempty"`
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}

// maxFindings is how many findings of one rule are kept, which bounds the memory; Result.Totals counts them all.
const maxFindings = 100_000

// report collects findings from many goroutines. What it keeps of a rule are the first maxFindings in the order of
// compareFindings, whatever the order in which they came.
type report struct {
	mu     sync.Mutex
	byRule map[string][]Finding
	// last is the last of the findings to keep of a rule that has had too many: what comes behind it is only counted.
	last   map[string]Finding
	totals map[string]int
}

func newReport() *report {
	return &report{byRule: map[string][]Finding{}, last: map[string]Finding{}, totals: map[string]int{}}
}

// onlyCount counts a breach if no finding about that row of a CSV would be kept, so that none need be made: a CSV may
// break a rule in each of a hundred million rows.
func (r *report) onlyCount(rule, file string, row int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	last, full := r.last[rule]
	if !full || last.File != file || last.Row >= row {
		return false
	}
	r.totals[rule]++
	return true
}

// add records a finding of a rule in Rules, which gives the severity, and the remedy where the finding has none.
func (r *report) add(rule string, f Finding) {
	entry := ruleByID(rule)
	f.Rule, f.Severity = rule, entry.Severity
	f.File = escape(f.File)
	if len(f.Column) > maxValue || !plainASCII(f.Column) {
		f.Column = clip([]byte(f.Column))
	}
	if f.Remedy == "" {
		f.Remedy = entry.Remedy
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.totals[rule]++
	if last, full := r.last[rule]; full && compareFindings(f, last) > 0 {
		return
	}
	kept := append(r.byRule[rule], f)
	if len(kept) >= maxFindings+maxFindings/4 {
		kept = firstFindings(kept)
		clear(kept[len(kept):cap(kept)])
		r.last[rule] = kept[len(kept)-1]
	}
	r.byRule[rule] = kept
}

// addMany counts n breaches that one finding stands for.
func (r *report) addMany(rule string, n int, f Finding) {
	if n > 1 {
		f.Count = n
	}
	r.add(rule, f)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.totals[rule] += n - 1
}

func firstFindings(all []Finding) []Finding {
	slices.SortStableFunc(all, compareFindings)
	return all[:min(len(all), maxFindings)]
}

// findings returns what was kept: errors first, then in the order of Rules, then by place.
func (r *report) findings() []Finding {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := []Finding{}
	for _, severity := range []Severity{SeverityError, SeverityWarning, SeverityNote} {
		for _, rule := range Rules {
			if rule.Severity == severity {
				all = append(all, firstFindings(r.byRule[rule.ID])...)
			}
		}
	}
	return all
}

func compareFindings(a, b Finding) int {
	if a.Severity != b.Severity {
		return cmp.Compare(a.Severity.rank(), b.Severity.rank())
	}
	if a.File != b.File {
		return strings.Compare(a.File, b.File)
	}
	if a.Row != b.Row {
		return cmp.Compare(a.Row, b.Row)
	}
	return cmp.Or(
		cmp.Compare(a.Line, b.Line),
		strings.Compare(a.Column, b.Column),
		strings.Compare(a.Value, b.Value),
		strings.Compare(a.Message, b.Message),
	)
}

// maxValue is the number of characters that are shown of a value.
const maxValue = 64

// clip makes a value fit for a message: escaped for a terminal, and cut.
func clip(value []byte) string {
	if len(value) <= maxValue && plainASCII(value) {
		return string(value)
	}
	var b strings.Builder
	for n := 0; len(value) > 0; n++ {
		if n == maxValue {
			b.WriteString("…")
			break
		}
		r, size := utf8.DecodeRune(value)
		writeEscaped(&b, r, value[:size])
		value = value[size:]
	}
	return b.String()
}

// quoted makes a column's name fit for a message: quoted, and cut as clip cuts it.
func quoted(name string) string {
	if n := 0; len(name) > maxValue {
		for i := range name {
			if n == maxValue {
				name = name[:i] + "…"
				break
			}
			n++
		}
	}
	return strconv.Quote(name)
}

// escape makes a name fit for a terminal: control, bidirectional and invalid characters become escapes.
func escape(name string) string {
	if plainASCII(name) {
		return name
	}
	var b strings.Builder
	for len(name) > 0 {
		r, size := utf8.DecodeRuneInString(name)
		writeEscaped(&b, r, []byte(name[:size]))
		name = name[size:]
	}
	return b.String()
}

// plainASCII reports whether nothing has to be escaped.
func plainASCII[T string | []byte](text T) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

func writeEscaped(b *strings.Builder, r rune, raw []byte) {
	switch {
	case r == utf8.RuneError && len(raw) == 1:
		fmt.Fprintf(b, `\x%02x`, raw[0])
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\t':
		b.WriteString(`\t`)
	case r == ' ', unicode.IsPrint(r):
		b.WriteRune(r)
	case r > 0xffff:
		fmt.Fprintf(b, `\U%08x`, r)
	default:
		fmt.Fprintf(b, `\u%04x`, r)
	}
}

// String renders the finding as compilers do: place, severity, what is wrong,
// the way out, and the rule in brackets.
func (f Finding) String() string {
	place := f.File
	if place == "" {
		place = "dataset"
	}
	if f.Line > 0 {
		place += ":" + strconv.FormatInt(f.Line, 10)
	}
	text := place + ": " + string(f.Severity) + ": "
	if bare := `"` + f.Column + `"`; f.Column != "" && !strings.Contains(f.Message, bare) && !strings.Contains(f.Message, strconv.Quote(f.Column)) {
		text += "column " + bare + ": "
	}
	text += f.Message
	if f.Count > 1 {
		text += fmt.Sprintf(" (%d in all)", f.Count)
	}
	if f.Remedy != "" {
		text += "; " + f.Remedy
	}
	return text + " [" + f.Rule + "]"
}
