package dataset

import (
	"bytes"
	"encoding/csv"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parsed is what a parser handed out.
type parsed struct {
	rows  [][]string
	lines []int64
}

// parseCSV feeds input in blocks of the size, and returns the error of Close.
func parseCSV(t testing.TB, input string, opts CSVOptions, block int) (parsed, *Parser, error) {
	t.Helper()
	var out parsed
	p := NewParser(opts, func(r *Record) error {
		out.rows = append(out.rows, r.Strings())
		out.lines = append(out.lines, r.Line)
		return nil
	})
	for b := []byte(input); len(b) > 0; {
		n := min(block, len(b))
		if _, err := p.Write(b[:n]); err != nil {
			t.Fatal(err)
		}
		b = b[n:]
	}
	return out, p, p.Close()
}

func TestParser(t *testing.T) {
	t.Parallel()
	escape := CSVOptions{Delimiter: ',', Quote: '"', Escape: '\\'}
	plain := DefaultCSV()
	cases := []struct {
		name  string
		opts  CSVOptions
		input string
		rows  [][]string
		lines []int64
	}{
		{"plain", plain, "a,b\n1,2\n", [][]string{{"a", "b"}, {"1", "2"}}, []int64{1, 2}},
		{"no line end", plain, "a,b\n1,", [][]string{{"a", "b"}, {"1", ""}}, []int64{1, 2}},
		{"mixed line ends", plain, "a\r\nb\rc\nd", [][]string{{"a"}, {"b"}, {"c"}, {"d"}}, []int64{1, 2, 3, 4}},
		{"carriage return then delimiter", plain, "a,b\r,c\r", [][]string{{"a", "b"}, {"", "c"}}, []int64{1, 2}},
		{"byte order mark", plain, "\xef\xbb\xbf\"a\",b\n", [][]string{{"a", "b"}}, []int64{1}},
		{"part of a byte order mark", plain, "\xef\xbb", [][]string{{"\xef\xbb"}}, []int64{1}},
		{"blank lines", plain, "\n \t\r\n\na\r\n\r\n\rb\n  \n", [][]string{{"a"}, {"b"}}, []int64{4, 7}},
		{"blanks before text", plain, "  a, b\n", [][]string{{"  a", " b"}}, []int64{1}},
		{"blanks before a quote", plain, " \"a,b\"\n", [][]string{{" \"a", "b\""}}, []int64{1}},
		{"blanks before a delimiter", plain, "  ,b\n", [][]string{{"  ", "b"}}, []int64{1}},
		{"only delimiters", plain, ",\n", [][]string{{"", ""}}, []int64{1}},
		{"a quoted empty field is a row", plain, "a\n\"\"\n", [][]string{{"a"}, {""}}, []int64{1, 2}},
		{"quotes", plain, "\"a\"\"b\",\"c,d\"\n", [][]string{{"a\"b", "c,d"}}, []int64{1}},
		{"line break in quotes", plain, "\"a\r\n\nb\"\nc\n", [][]string{{"a\r\n\nb"}, {"c"}}, []int64{1, 4}},
		{"quote inside", plain, "a\"b\",c\n", [][]string{{"a\"b\"", "c"}}, []int64{1}},
		{"text behind a quote", plain, "\"a\"b,c\n", [][]string{{"ab", "c"}}, []int64{1}},
		{"ragged", plain, "a\nb,c,d\n\"\",\n", [][]string{{"a"}, {"b", "c", "d"}, {"", ""}}, []int64{1, 2, 3}},
		{"backslash is text", plain, "a\\,b\n", [][]string{{"a\\", "b"}}, []int64{1}},
		{"escaped delimiter", escape, "a\\,b,c\\\\d\n", [][]string{{"a,b", "c\\d"}}, []int64{1}},
		{"escaped quote", escape, "\"say \\\"hi, you\\\"\",b\n", [][]string{{"say \"hi, you\"", "b"}}, []int64{1}},
		{"escaped line end", escape, "a\\\nb\nc\n", [][]string{{"a\nb"}, {"c"}}, []int64{1, 3}},
		{"escape behind a quote is text", escape, "\"a\"\\,b\n", [][]string{{"a\\", "b"}}, []int64{1}},
		{"semicolon", CSVOptions{Delimiter: ';', Quote: '\''}, "a;'b;c'\n", [][]string{{"a", "b;c"}}, []int64{1}},
		{"tab", CSVOptions{Delimiter: '\t', Quote: '"'}, "\ta\n \tb\n", [][]string{{"", "a"}, {" ", "b"}}, []int64{1, 2}},
		{"NUL", plain, "a\x00b,c\n", [][]string{{"a\x00b", "c"}}, []int64{1}},
		{"empty", plain, "", nil, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, block := range []int{1, 2, 3, 7, 1 << 20} {
				got, _, err := parseCSV(t, c.input, c.opts, block)
				if err != nil {
					t.Errorf("block %d: Close() = %v", block, err)
				}
				if diff := cmp.Diff(c.rows, got.rows); diff != "" {
					t.Errorf("block %d: rows (-want +got):\n%s", block, diff)
				}
				if diff := cmp.Diff(c.lines, got.lines); diff != "" {
					t.Errorf("block %d: lines (-want +got):\n%s", block, diff)
				}
			}
		})
	}
}

func TestParserUnclosed(t *testing.T) {
	t.Parallel()
	escape := CSVOptions{Delimiter: ',', Quote: '"', Escape: '\\'}
	for input, want := range map[string]UnclosedError{
		"a\nb,\"c\nd":   {Line: 2},
		"a\n\"b\\":      {Line: 2},
		"a\n\nb\\":      {Line: 3, Escape: true},
		"a,\"\"\"\nb\n": {Line: 1},
	} {
		_, _, err := parseCSV(t, input, escape, 1)
		var got *UnclosedError
		if !errors.As(err, &got) || *got != want {
			t.Errorf("Close() after %q = %v, want %v", input, err, &want)
		}
	}
}

func TestParserCounts(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]LineEnds{
		"a\nb\r\nc\rd": {LF: 1, CRLF: 1, CR: 1},
		"a\r":          {CR: 1},
		"a\r\n":        {CRLF: 1},
		"\"a\r\n\"\n":  {LF: 1},
		"\n\r\n\r":     {},
	} {
		for _, block := range []int{1, 99} {
			_, p, err := parseCSV(t, input, DefaultCSV(), block)
			if err != nil || p.LineEnds() != want {
				t.Errorf("block %d: LineEnds() of %q = %+v, %v, want %+v", block, input, p.LineEnds(), err, want)
			}
		}
	}
}

func TestParserHandlerError(t *testing.T) {
	t.Parallel()
	p := NewParser(DefaultCSV(), func(*Record) error { return ErrStop })
	if _, err := p.Write([]byte("a\nb\n")); !errors.Is(err, ErrStop) {
		t.Errorf("Write() = %v, want the handler's error", err)
	}
}

func TestParserBoundsRecord(t *testing.T) {
	t.Parallel()
	var got Record
	p := NewParser(DefaultCSV(), func(r *Record) error { got = *r; return nil })
	block := bytes.Repeat([]byte("x"), 1<<20)
	if _, err := p.Write([]byte("\"")); err != nil {
		t.Fatal(err)
	}
	for range 3 * MaxRecord / len(block) {
		if _, err := p.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Write([]byte("\",end\n")); err != nil {
		t.Fatal(err)
	}
	if !got.Cut || len(got.data) > MaxRecord || cap(got.data) > 2*MaxRecord || got.Len() != 2 {
		t.Errorf("record of %d bytes, cap %d, cut %v, %d fields; want at most %d bytes, cut, 2 fields", len(got.data), cap(got.data), got.Cut, got.Len(), MaxRecord)
	}
}

// TestMaxFields: a record of delimiters alone may not fill the memory with the places of its fields, whichever way it is read.
func TestMaxFields(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fields, want int
		end          string
		cut          bool
	}{
		"as many as may be": {MaxFields, MaxFields, "\n", false}, "one too many": {MaxFields + 1, MaxFields, "\n", true},
		"one too many, CR": {MaxFields + 1, MaxFields, "\r", true}, "many": {8 << 20, MaxFields, "\r\n", true}, "many, open": {8 << 20, MaxFields, "", true},
	} {
		for _, size := range []int{256 << 10, 64 << 20} {
			records := []Record{}
			capacity := 0
			p := NewParser(DefaultCSV(), func(r *Record) error {
				records = append(records, Record{})
				capacity = max(capacity, cap(r.ends), cap(r.starts))
				records[len(records)-1].CopyFrom(r)
				return nil
			})
			input := []byte(strings.Repeat(",", c.fields-1) + c.end + "a,b\n")
			for rest := input; len(rest) > 0; rest = rest[min(size, len(rest)):] {
				if _, err := p.Write(rest[:min(size, len(rest))]); err != nil {
					t.Fatal(err)
				}
			}
			if c.end != "" && (len(records) != 2 || records[1].Len() != 2 || records[1].Cut || records[1].Line != 2) {
				t.Fatalf("%s: %d records; want a second one of two fields", name, len(records))
			}
			if first := records[0]; first.Len() != c.want || first.Cut != c.cut {
				t.Errorf("%s: %d fields, cut %v; want %d, cut %v", name, first.Len(), first.Cut, c.want, c.cut)
			}
			// Of a parser's two records, only the one that was handed out is seen here.
			if most := max(capacity, cap(p.whole.record.ends), cap(p.whole.record.starts)); most > 2*MaxFields {
				t.Errorf("%s: room for %d fields", name, most)
			}
		}
	}
}

// TestForkAgrees: a fork goes on as a parser with the new options that was fed everything.
func TestForkAgrees(t *testing.T) {
	t.Parallel()
	escape := CSVOptions{Delimiter: ',', Quote: '"', Escape: '\\'}
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		input := randomCSV(r, "ab,\"\n\r \t\xef\xbb\xbf")
		tail := randomCSV(r, "ab,\"\n\r\\")
		want, _, wantErr := parseCSV(t, input+tail, escape, 1000)
		var got parsed
		collect := func(r *Record) error {
			got.rows = append(got.rows, r.Strings())
			got.lines = append(got.lines, r.Line)
			return nil
		}
		p := NewParser(DefaultCSV(), collect)
		_, err := p.Write([]byte(input))
		if err != nil {
			t.Fatal(err)
		}
		fork := p.Fork(escape, collect)
		if _, err := fork.Write([]byte(tail)); err != nil {
			t.Fatal(err)
		}
		gotErr := fork.Close()
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(parsed{})); diff != "" || (wantErr == nil) != (gotErr == nil) {
			t.Fatalf("fork after %q, then %q (-whole +fork):\n%s%v, %v", input, tail, diff, wantErr, gotErr)
		}
	}
}

func randomCSV(r *rand.Rand, alphabet string) string {
	b := make([]byte, r.IntN(24))
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

// TestParserAgreesWithEncodingCSV holds on what both must read alike: well-formed rows without blank lines.
func TestParserAgreesWithEncodingCSV(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	cells := []string{"", "a", "1", " x ", "é", "a,b", "say \"hi\"", "two\nlines", "\"", "semi;colon", "\\", "tab\there"}
	for range 500 {
		rows := make([][]string, 1+r.IntN(8))
		columns := 2 + r.IntN(4)
		for i := range rows {
			rows[i] = make([]string, columns)
			for j := range rows[i] {
				rows[i][j] = cells[r.IntN(len(cells))]
			}
		}
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.UseCRLF = r.IntN(2) == 0
		if err := w.WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		want, err := csv.NewReader(bytes.NewReader(b.Bytes())).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := parseCSV(t, b.String(), DefaultCSV(), 1+r.IntN(40))
		if err != nil {
			t.Fatal(err)
		}
		// encoding/csv turns CRLF inside quotes into LF, which pandas does not.
		for _, row := range got.rows {
			for i := range row {
				row[i] = strings.ReplaceAll(row[i], "\r\n", "\n")
			}
		}
		if diff := cmp.Diff(want, got.rows); diff != "" {
			t.Fatalf("rows of %q (-encoding/csv +ours):\n%s", b.String(), diff)
		}
	}
}

func FuzzParser(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "\"a\"\"b\"\r\n", "\xef\xbb\xbfa\r\r", " \t\"x", "a\\,b\\", "\x00,\x00"} {
		f.Add(seed, uint8(3), true)
	}
	f.Fuzz(func(t *testing.T, input string, block uint8, escape bool) {
		opts := DefaultCSV()
		if escape {
			opts.Escape = '\\'
		}
		whole, wp, wholeErr := parseCSV(t, input, opts, len(input)+1)
		cut, cp, cutErr := parseCSV(t, input, opts, int(block)+1)
		if !reflect.DeepEqual(whole, cut) || (wholeErr == nil) != (cutErr == nil) {
			t.Errorf("one block and several differ: %q, %v and %q, %v", whole.rows, wholeErr, cut.rows, cutErr)
		}
		if wp.LineEnds() != cp.LineEnds() || wp.BOM() != cp.BOM() {
			t.Errorf("line ends %+v and %+v", wp.LineEnds(), cp.LineEnds())
		}
		last := int64(0)
		for i, line := range whole.lines {
			if line <= last || len(whole.rows[i]) == 0 {
				t.Errorf("record %d: line %d after %d, %d fields", i, line, last, len(whole.rows[i]))
			}
			last = line
		}
	})
}
