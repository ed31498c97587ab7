package dataset

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fixCase is a CSV, how it is cut, and what names a file.
type fixCase struct {
	in   string
	opts FixOptions
	cuts []int // ascending
}

// knownName takes every second name for one of a file, blanks and all.
func knownName(name []byte) bool {
	sum := 0
	for _, c := range name {
		sum += int(c)
	}
	return sum%2 == 0
}

// check holds the promises of a Fixer against what the parser sees.
func (c fixCase) check(t testing.TB) {
	t.Helper()
	whole, done := fixedCSV(t, c.in, c.opts, len(c.in)+1)
	var cut bytes.Buffer
	f := NewFixer(c.opts, &cut)
	last := 0
	for _, at := range append(c.cuts, len(c.in)) {
		_, err := f.Write([]byte(c.in[last:at]))
		must(t, err)
		last = at
	}
	must(t, f.Close())
	if whole != cut.String() {
		t.Fatalf("%q at once gives %q, cut at %v %q", c.in, whole, c.cuts, cut.String())
	}
	if diff := cmp.Diff(done, f.Repairs()); diff != "" {
		t.Fatalf("repairs of %q at once and in parts differ:\n%s", c.in, diff)
	}
	if done.Changed() != (whole != c.in) {
		t.Fatalf("%q became %q with %+v", c.in, whole, done)
	}
	ingestion := c.readings(t, whole, done, c.opts.CSV)
	if DefaultCSV().Delimiter == c.opts.CSV.Delimiter {
		c.readings(t, whole, done, DefaultCSV())
	}
	// Where both readings are one, all records end alike; but a CR before a delimiter may be that of a blank line.
	same := c.opts.CSV == DefaultCSV() || c.opts.CSV == backslash()
	if same && !strings.Contains(c.in, `\`) && !strings.Contains(c.in, "\r,") {
		if ends := ingestion.LineEnds(); ends.CR > 0 || (ends.LF > 0 && ends.CRLF > 0) {
			t.Fatalf("%q became %q, with %+v", c.in, whole, ends)
		}
	}
}

// readings compares the records of one reading, before and after.
func (c fixCase) readings(t testing.TB, out string, done Repairs, opts CSVOptions) *Parser {
	t.Helper()
	before, _, beforeErr := parseCSV(t, c.in, opts, len(c.in)+1)
	after, parser, afterErr := parseCSV(t, out, opts, len(out)+1)
	fail := func(what string) {
		t.Helper()
		t.Fatalf("%s\nescape %q: %q\nbecame %q\nrecords %q\nbecame %q\nwith %+v", what, opts.Escape, c.in, out, before.rows, after.rows, done)
	}
	if (beforeErr == nil) != (afterErr == nil) || len(before.rows) != len(after.rows) {
		fail("other records")
	}
	if !slices.Equal(before.lines, after.lines) {
		fail("other lines")
	}
	var dropped, trimmed int64
	at := -1
	for i, row := range before.rows {
		has := after.rows[i]
		switch {
		case len(has) == len(row):
		case len(has) == len(row)-1 && (row[len(has)] == "" || (i == 0 && strings.TrimSpace(row[len(has)]) == "")):
			dropped++
			if i > 0 && len(has) != len(after.rows[0]) {
				fail("a row was cut short")
			}
		default:
			fail("other fields")
		}
		for j, cell := range has {
			if cell == row[j] {
				continue
			}
			trimmed++
			if cell != strings.Trim(row[j], " \t\v\f\u0085\u00a0") || (i > 0 && (j != at || knownName([]byte(row[j])) || !knownName([]byte(cell)))) {
				fail("another field")
			}
		}
		if i == 0 {
			at = slices.IndexFunc(has, func(name string) bool { return strings.TrimSpace(name) == c.opts.Filename })
		}
	}
	wantDropped := done.Trailing.Count
	if done.Column {
		wantDropped++
	}
	if dropped != wantDropped || trimmed != done.Headers.Count+done.Filenames.Count {
		fail("other repairs than told")
	}
	return parser
}

// TestFixerKeepsRecords: whatever the CSV, both readings of the ingestor see the same records, but for the repairs.
func TestFixerKeepsRecords(t *testing.T) {
	t.Parallel()
	dialects := []CSVOptions{
		backslash(), DefaultCSV(), {Delimiter: ';', Quote: '"', Escape: '\\'}, {Delimiter: ',', Quote: '\'', Escape: '\\'},
		{Delimiter: '\t', Quote: '"', Escape: '\\'}, {Delimiter: ',', Escape: '\\'},
	}
	alphabets := []string{"ab,\n\r \"", "ab,,\n", "ab,\n\r \"\\", "a,;\t'\"\n\r\\ ", "ab, \n\xef\xbb\xbf\x00\u00a0", "f,\r \n"}
	r := rand.New(rand.NewPCG(5, 6))
	changed := 0
	for range 20000 {
		opts := FixOptions{CSV: dialects[r.IntN(len(dialects))], Filename: "f", Known: knownName}
		c := fixCase{opts: opts}
		delimiter := string(opts.CSV.Delimiter)
		switch r.IntN(4) {
		case 0:
			c.in = "f" + delimiter + "b\n"
		case 1:
			c.in = " a" + delimiter + " f" + delimiter + "\r"
		case 2:
			c.in = "\xef\xbb\xbfa\r\n"
		}
		alphabet := alphabets[r.IntN(len(alphabets))]
		if r.IntN(2) == 0 {
			alphabet = strings.ReplaceAll(alphabet, ",", delimiter)
		}
		for range r.IntN(3) {
			c.in += randomCSV(r, alphabet)
		}
		for range r.IntN(4) {
			c.cuts = append(c.cuts, r.IntN(len(c.in)+1))
		}
		slices.Sort(c.cuts)
		c.check(t)
		if out, _ := fixedCSV(t, c.in, opts, 1000); out != c.in {
			changed++
		}
	}
	if changed < 3000 {
		t.Errorf("only %d inputs had something to repair", changed)
	}
}

// TestFixerLeavesGoodFiles: a well-formed CSV with one kind of line end comes out as it went in.
func TestFixerLeavesGoodFiles(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	cells := []string{"a", "1.5", " x ", "é\xff", `"a,b"`, `"say ""hi"""`, "\"two\r\nlines\"", `b"`, "semi;colon", `C:\x`, `"\\"`, "\x00", `""`}
	for range 2000 {
		columns := 1 + r.IntN(5)
		end := []string{"\n", "\r\n"}[r.IntN(2)]
		var b strings.Builder
		b.WriteString("filename")
		for i := range columns {
			b.WriteString(",c" + string(rune('a'+i)))
		}
		b.WriteString(end)
		for range r.IntN(40) {
			b.WriteString("a.png")
			for range columns {
				b.WriteString("," + cells[r.IntN(len(cells))])
			}
			b.WriteString(end)
		}
		if got, done := fixedCSV(t, b.String(), filesOf("a.png"), 1+r.IntN(100)); got != b.String() || done != (Repairs{}) {
			t.Fatalf("%q\nbecame %q\nwith %+v", b.String(), got, done)
		}
	}
}

func FuzzFixer(f *testing.F) {
	for _, seed := range []string{"\xef\xbb\xbf a,f \r1,b \r\n", "f,b,\n1,\"\r\n\",\n", "a\\,b\r\"\\\"\r", "f,\n\r,\n  ,", " f,\" b\"\n x,\\,\n"} {
		f.Add(seed, byte(','), byte('"'), true, uint8(3), uint8(9))
	}
	f.Add("f;a;\n 1;2;\n", byte(';'), byte('\''), true, uint8(0), uint8(4))
	f.Fuzz(func(t *testing.T, in string, delimiter, quote byte, escape bool, first, second uint8) {
		opts := CSVOptions{Delimiter: delimiter, Quote: quote}
		if escape {
			opts.Escape = '\\'
		}
		if !followable(opts) || delimiter >= 0x80 || quote >= 0x80 {
			return
		}
		cuts := []int{min(int(first), len(in)), min(int(first)+int(second), len(in))}
		fixCase{in: in, opts: FixOptions{CSV: opts, Filename: "f", Known: knownName}, cuts: cuts}.check(t)
	})
}

func BenchmarkFixer(b *testing.B) {
	for name, row := range map[string]string{
		"plain":    "a.png,cat,1.5,some text that goes on for a while,12,13\n",
		"CRLF":     "a.png,cat,1.5,some text that goes on for a while,12,13\r\n",
		"CR":       "a.png,cat,1.5,some text that goes on for a while,12,13\r",
		"quoted":   "a.png,cat,1.5,\"some text, that goes on for a while\",12,13\n",
		"trailing": "a.png,cat,1.5,some text that goes on for a while,12,13,\n",
		"escaped":  "a.png,cat,1.5,\"some \\\\ text, that goes on for a while\",12,13,\n",
	} {
		b.Run(name, func(b *testing.B) {
			block := bytes.Repeat([]byte(row), (1<<20)/len(row))
			f := NewFixer(FixOptions{CSV: backslash()}, &discard{})
			_, err := f.Write([]byte("filename,label,a,b,c,d\n"))
			must(b, err)
			b.SetBytes(int64(len(block)))
			for b.Loop() {
				_, err := f.Write(block)
				must(b, err)
			}
			must(b, f.Close())
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
