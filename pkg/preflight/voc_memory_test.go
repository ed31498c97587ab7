package preflight

import (
	"bufio"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// repeated gives the same text many times.
func repeated(text string, times int) io.Reader {
	readers := make([]io.Reader, 0, times/1000+2)
	block := strings.Repeat(text, 1000)
	for range times / 1000 {
		readers = append(readers, strings.NewReader(block))
	}
	return io.MultiReader(append(readers, strings.NewReader(strings.Repeat(text, times%1000)))...)
}

// allocated is how much a function allocates, in bytes.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestVOCMemory: what is held of a document does not grow with it, and entities cannot make it grow.
func TestVOCMemory(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString(`<!DOCTYPE annotation [<!ENTITY e0 "0123456789">`)
	for i := range 20 {
		fmt.Fprintf(&bomb, `<!ENTITY e%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&e%d;", i), 10))
	}
	bomb.WriteString(`]><annotation>&e20;</annotation>`)
	const many = 1 << 20
	around := func(before string, middle io.Reader, after string) io.Reader {
		return io.MultiReader(strings.NewReader(before), middle, strings.NewReader(after))
	}
	for _, c := range []struct {
		name     string
		document io.Reader
		good     bool
		passing  bool // much is allocated, but not held
	}{
		{"text", around("<annotation><folder>", repeated("x", many), "</folder></annotation>"), true, false},
		{"comment", around("<annotation><!--", repeated("x", many), "--></annotation>"), true, false},
		{"attribute", around("<annotation x='", repeated("x", many), "'/>"), true, false},
		{"siblings", around("<annotation>", repeated("<object></object>", many/16), "</annotation>"), true, true},
		{"name", around("<", repeated("x", many), "/>"), false, false},
		{"attributes", around("<annotation ", repeated("x='' ", many/5), "/>"), false, false},
		{"depth", around("<annotation>", repeated("<a>", many/3), ""), false, false},
		{"entity", around("<!DOCTYPE annotation [<!ENTITY e '", repeated("x", many), "'>]><annotation/>"), false, false},
		{"bomb", strings.NewReader(bomb.String()), false, true},
	} {
		reader := &vocReader{root: vocAnnotation(), object: func(*vocElement) {}}
		var err error
		if n := allocated(func() { err = reader.read(bufio.NewReader(c.document)) }); n > 16<<20 && !c.passing || n > 128<<20 {
			t.Errorf("%s: %d bytes were allocated", c.name, n)
		}
		if (err == nil) != c.good {
			t.Errorf("%s: error %v, want none: %v", c.name, err, c.good)
		}
	}
}
