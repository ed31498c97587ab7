package preflight

import (
	"fmt"
	"strings"
	"sync"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// textInspected is how many bytes of a text newer ingestors look at (contract/ingestor.md 6, "TextContent").
const textInspected = 64 << 10

// textBlock is how much is read of a text at a time.
const textBlock = 32 << 10

// textRules are the rules about the content of texts.
func textRules() []Rule {
	return []Rule{
		{"text-not-utf8", SeverityError, "6", "a text is not UTF-8, which newer ingestors refuse (0.3.9 only beside BIO tags)", "save it as UTF-8"},
		{"text-nul", SeverityError, "6", "a text holds a NUL byte, which newer ingestors refuse", "save it as plain text in UTF-8"},
		{"text-damaged", SeverityWarning, "5.3", "a text is not UTF-8, or holds a NUL byte, behind the 64 KiB that ingestors look at", "save it as plain text in UTF-8"},
		{"text-empty", SeverityWarning, "6", "a text is empty or blank", "remove the file and its row, unless it is meant"},
		{"text-bom", SeverityWarning, "2.2", "a text begins with a byte order mark, which the ingestor takes for a letter of its first word", "save it as UTF-8 without a mark"},
		{"pair-lines", SeverityError, "6", "a text has several lines, where one record of fields between tabs must stand", "write one file for each record"},
		{"pair-fields", SeverityError, "6", "a text has another number of fields between tabs than the task demands", "put exactly one tab between the fields"},
		{"pair-empty-field", SeverityError, "6", "a field of a text is empty or blank", "fill the field in"},
	}
}

// textForm is what a task demands of its texts.
type textForm struct {
	// fields are the names of the fields between tabs; the last ones may be left out down to least. nil for free text.
	fields []string
	least  int
	// whole is true when the ingestor decodes a text to its end.
	whole bool
	// words is true when they are counted.
	words bool
}

func sentencePair() textForm {
	return textForm{fields: []string{"text_a", "text_b"}, least: 2, whole: true}
}

func contrastivePair() textForm {
	return textForm{fields: []string{"anchor", "positive", "negative"}, least: 2, whole: true}
}

func (f textForm) String() string {
	form := strings.Join(f.fields, "<TAB>")
	if f.least < len(f.fields) {
		form = strings.Join(f.fields[:f.least], "<TAB>") + " or " + form
	}
	return form
}

// textCheck holds the texts that rows name against the rules. It judges them at the end only, because a file that no row
// names is never opened by the ingestor.
type textCheck struct {
	checker *checker
	form    textForm
	texts   []textFacts // by index into the staged files
	blocks  sync.Pool   // of *[textBlock]byte
}

func newTextCheck(c *checker, form textForm) *textCheck {
	return &textCheck{
		checker: c, form: form, texts: make([]textFacts, len(c.staged)),
		blocks: sync.Pool{New: func() any { return new([textBlock]byte) }},
	}
}

func (x *textCheck) wants(e dataset.Entry) bool {
	return strings.HasPrefix(e.Path, x.checker.Task.Dir+"/")
}

func (x *textCheck) read(i int, _ dataset.Entry, content content) {
	block := x.blocks.Get().(*[textBlock]byte)
	x.texts[i] = readText(content, x.form, block[:])
	x.blocks.Put(block)
}

func (x *textCheck) finish() {
	named := x.checker.referenced()
	for i, facts := range x.texts {
		if facts.read && named(i) {
			x.judge(x.checker.staged[i].Path, facts)
		}
	}
}

func (x *textCheck) judge(file string, facts textFacts) {
	add := func(rule, message string) { x.checker.report.add(rule, Finding{File: file, Message: message}) }
	if facts.bom {
		add("text-bom", "the text begins with a byte order mark")
	}
	if !facts.solid {
		add("text-empty", "the text is empty or blank")
	}
	if at := facts.badAt - 1; at >= 0 {
		rule := "text-not-utf8"
		if at >= textInspected && !x.form.whole {
			rule = "text-damaged"
		}
		add(rule, fmt.Sprintf("not valid UTF-8: a non-UTF-8 byte was found at byte %d", at))
	}
	if at := facts.nulAt - 1; at >= 0 {
		rule := "text-nul"
		if at >= textInspected {
			rule = "text-damaged"
		}
		add(rule, fmt.Sprintf("a NUL byte was found at byte %d", at))
	}
	if x.form.fields != nil && facts.solid && facts.badAt == 0 {
		x.judgeFields(add, facts)
	}
}

// judgeFields applies the rules about one record of fields (contract/ingestor.md 6, "SentencePair", "ContrastivePairs").
func (x *textCheck) judgeFields(add func(rule, message string), facts textFacts) {
	f := x.form
	switch {
	case facts.lines:
		add("pair-lines", fmt.Sprintf("the text has several lines; it must be one line: %s", f))
	case facts.fields < f.least || facts.fields > len(f.fields):
		add("pair-fields", fmt.Sprintf("the number of fields is %d; the text must be %s", facts.fields, f))
	case facts.blank != 0:
		var names []string
		for i, name := range f.fields {
			if facts.blank&(1<<i) != 0 {
				names = append(names, name)
			}
		}
		add("pair-empty-field", fmt.Sprintf("field %s is empty or blank", strings.Join(names, ", ")))
	}
}
