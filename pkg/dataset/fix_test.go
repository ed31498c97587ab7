package dataset

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// backslash is the dialect of the ingestion.
func backslash() CSVOptions { return CSVOptions{Delimiter: ',', Quote: '"', Escape: '\\'} }

// filesOf repairs a CSV whose filename column names the given files.
func filesOf(names ...string) FixOptions {
	known := map[string]bool{}
	for _, name := range names {
		known[name] = true
	}
	return FixOptions{CSV: backslash(), Filename: "filename", Known: func(name []byte) bool { return known[string(name)] }}
}

// fixedCSV is input repaired, fed in blocks of the size.
func fixedCSV(t testing.TB, input string, opts FixOptions, block int) (string, Repairs) {
	t.Helper()
	var out bytes.Buffer
	f := NewFixer(opts, &out)
	for b := []byte(input); len(b) > 0; {
		n := min(block, len(b))
		wrote, err := f.Write(b[:n])
		if err != nil || wrote != n {
			t.Fatalf("Write() = %d, %v", wrote, err)
		}
		b = b[n:]
	}
	must(t, f.Close())
	return out.String(), f.Repairs()
}

func TestFixer(t *testing.T) {
	t.Parallel()
	plain := FixOptions{CSV: backslash()}
	other := func(delimiter, quote byte) FixOptions {
		return FixOptions{CSV: CSVOptions{Delimiter: delimiter, Quote: quote, Escape: '\\'}}
	}
	cases := []struct {
		name      string
		opts      FixOptions
		in, want  string
		done      Repairs
		unchanged bool // want is in
	}{
		{name: "byte order mark", opts: plain, in: "\xef\xbb\xbfa\n1\n", want: "a\n1\n", done: Repairs{BOM: true}},
		{name: "only a byte order mark", opts: plain, in: "\xef\xbb\xbf", want: "", done: Repairs{BOM: true}},
		{name: "mark before quotes", opts: plain, in: "\xef\xbb\xbf\"a,b\",c\n", want: "\"a,b\",c\n", done: Repairs{BOM: true}},
		{name: "two marks", opts: plain, in: "\xef\xbb\xbf\xef\xbb\xbfa\n", unchanged: true},
		{name: "part of a mark", opts: plain, in: "\xef\xbb", unchanged: true},
		{name: "mark further on", opts: plain, in: "a\n\xef\xbb\xbfb\n", unchanged: true},

		{name: "CR only", opts: plain, in: "a\r1\r2\r", want: "a\n1\n2\n", done: Repairs{LineEnds: LineEnds{CR: 3}, LineEnd: "\n", LineEndsLine: 1}},
		{name: "LF first", opts: plain, in: "a\n1\r\n2\r3", want: "a\n1\n2\n3", done: Repairs{LineEnds: LineEnds{CRLF: 1, CR: 1}, LineEnd: "\n", LineEndsLine: 2}},
		{name: "CRLF first", opts: plain, in: "a\r\n1\r\n2\r3\n", want: "a\r\n1\r\n2\r\n3\r\n", done: Repairs{LineEnds: LineEnds{LF: 1, CR: 1}, LineEnd: "\r\n", LineEndsLine: 3}},
		{name: "all LF", opts: plain, in: "a\n1\n\n2", unchanged: true},
		{name: "all CRLF", opts: plain, in: "a\r\n\r\n1\r\n", unchanged: true},
		{name: "line breaks in quotes", opts: plain, in: "a\n\"1\r\n2\r3\"\r\n", want: "a\n\"1\r\n2\r3\"\n", done: Repairs{LineEnds: LineEnds{CRLF: 1}, LineEnd: "\n", LineEndsLine: 2}},
		{name: "blank lines", opts: plain, in: "\r\na\n \t\r\n1\n\r", want: "\r\na\n \t\n1\n\n", done: Repairs{LineEnds: LineEnds{CRLF: 1, CR: 1}, LineEnd: "\n", LineEndsLine: 3}},
		{name: "a CR that hides a delimiter", opts: plain, in: "a\n\r,1\n", unchanged: true},
		{name: "escaped line end", opts: plain, in: "a\n1\\\r\n2\r\n3\n", want: "a\n1\\\r\n2\n3\n", done: Repairs{LineEnds: LineEnds{CRLF: 1}, LineEnd: "\n", LineEndsLine: 3}},
		{name: "quote that one reading closes", opts: plain, in: "a\n\"1\\\"\r\n2\"\n3\r\n", want: "a\n\"1\\\"\r\n2\"\n3\n", done: Repairs{LineEnds: LineEnds{CRLF: 1}, LineEnd: "\n", LineEndsLine: 4}},
		{name: "open quote", opts: plain, in: "a\n1\r\n\"2\r\n3,\r\n", want: "a\n1\n\"2\r\n3,\r\n", done: Repairs{LineEnds: LineEnds{CRLF: 1}, LineEnd: "\n", LineEndsLine: 2}},
		{name: "quotes of the validators", opts: other(',', '\''), in: "a\n\"1\r\n2\"\r\n3\n", want: "a\n\"1\r\n2\"\n3\n", done: Repairs{LineEnds: LineEnds{CRLF: 1}, LineEnd: "\n", LineEndsLine: 2}},

		{name: "trailing delimiter", opts: plain, in: "a,b\n1,2,\n3,\"\",\n", want: "a,b\n1,2\n3,\"\"\n", done: Repairs{Trailing: Repair{2, 2}}},
		{name: "trailing quotes", opts: plain, in: "a,b\n1,2,\"\"\n3,4\n", want: "a,b\n1,2\n3,4\n", done: Repairs{Trailing: Repair{1, 2}}},
		{name: "trailing behind quotes", opts: plain, in: "a,b\n1,2,\n\"x\ny\",\"2,\",\n", want: "a,b\n1,2\n\"x\ny\",\"2,\"\n", done: Repairs{Trailing: Repair{2, 2}}},
		{name: "trailing delimiter, or an unquoted one", opts: plain, in: "text,label\nhi,x\nhello, world,\n", unchanged: true},
		{name: "no trailing delimiter", opts: plain, in: "a,b\n1,\n2,3,4\n5,6,,\n", unchanged: true},
		{name: "trailing delimiter without line end", opts: plain, in: "a,b\n1,2,", want: "a,b\n1,2", done: Repairs{Trailing: Repair{1, 2}}},
		{name: "nothing but the trailing delimiter", opts: plain, in: "a\n1,\n,\n  ,\n", want: "a\n1\n\"\"\n\"  \"\n", done: Repairs{Trailing: Repair{3, 2}}},
		{name: "the same without quotes", opts: other(',', 0), in: "a\n1,\n,\n", want: "a\n1\n,\n", done: Repairs{Trailing: Repair{1, 2}}},
		{name: "escaped elsewhere", opts: plain, in: "a,b\nC:\\x,2,\n", want: "a,b\nC:\\x,2\n", done: Repairs{Trailing: Repair{1, 2}}},
		{name: "escaped delimiter at the end", opts: plain, in: "a,b\n1,2\\,\n", unchanged: true},
		{name: "escaped delimiter before the end", opts: plain, in: "a,b\n1\\,2,\n", unchanged: true},
		{name: "escape in the header", opts: plain, in: "a\\,b,c\n1,2,3,\n", unchanged: true},
		{name: "other delimiter", opts: other(';', '"'), in: "a;b\n1,5;2;\n", want: "a;b\n1,5;2\n", done: Repairs{Trailing: Repair{1, 2}}},
		{name: "tabs", opts: other('\t', '"'), in: "a\tb\n\t\t\n", want: "a\tb\n\t\n", done: Repairs{Trailing: Repair{1, 2}}},

		{name: "trailing column", opts: plain, in: "a,b,\n1,2,\n3,4\n", want: "a,b\n1,2\n3,4\n", done: Repairs{Column: true, ColumnLine: 1, Trailing: Repair{1, 2}}},
		{name: "trailing column, quoted", opts: plain, in: "a,\" \"\n\n1,\"\"\n", want: "a\n\n1\n", done: Repairs{Column: true, ColumnLine: 1, Trailing: Repair{1, 3}}},
		{name: "trailing column without rows", opts: plain, in: "a,b, ", want: "a,b", done: Repairs{Column: true, ColumnLine: 1}},
		{name: "trailing column with a value at once", opts: plain, in: "a,b,\n1,2,x\n3,4,\n", unchanged: true},
		{
			name: "trailing column with a value later", opts: plain, in: "a,b,\n1,2,\n3,4,x\n5,6,\n7,8,9\n",
			want: "a,b\n1,2\n3,4,x\n5,6\n7,8,9\n", done: Repairs{Column: true, ColumnLine: 1, Trailing: Repair{2, 2}, Kept: Repair{2, 3}},
		},
		{name: "nothing but a blank name", opts: plain, in: " \n\"\"\n1\n", unchanged: true},
		{name: "two blank names", opts: plain, in: " ,\n1,\n", unchanged: true},

		{name: "padded header", opts: plain, in: " a,b\t, c d ,\"e \"\n1,2,3,4\n", want: "a,b,c d,\"e\"\n1,2,3,4\n", done: Repairs{Headers: Repair{4, 1}}},
		{name: "padded with a no-break space", opts: plain, in: "a\u00a0\n1\n", want: "a\n1\n", done: Repairs{Headers: Repair{1, 1}}},
		{name: "padded and quoted with a delimiter", opts: plain, in: "\" a,b\",c\n", want: "\"a,b\",c\n", done: Repairs{Headers: Repair{1, 1}}},
		{name: "padded to equality", opts: plain, in: "a, a,b \n1,2,3\n", unchanged: true},
		{name: "equal before", opts: plain, in: "a,a, b\n1,2,3\n", want: "a,a,b\n1,2,3\n", done: Repairs{Headers: Repair{1, 1}}},
		{name: "blank name in the middle", opts: plain, in: "a,  ,b\n1,2,3\n", unchanged: true},
		{name: "quote behind a blank is text", opts: plain, in: "a, \"b\"\n1,2\n", unchanged: true},
		{name: "escape in a padded name", opts: plain, in: "a, b\\c\n1,2\n", unchanged: true},
		{name: "mark behind a blank", opts: plain, in: " \xef\xbb\xbfa\n", unchanged: true},
		{name: "line end in a name", opts: plain, in: "\"a\n\",b\n1,2\n", unchanged: true},

		{name: "padded file name", opts: filesOf("a.png"), in: "filename,label\n a.png,x\na.png ,y\n", want: "filename,label\na.png,x\na.png,y\n", done: Repairs{Filenames: Repair{2, 2}}},
		{name: "padded column and file name", opts: filesOf("a.png"), in: "label, filename\nx,\" a.png \"\n", want: "label,filename\nx,\"a.png\"\n", done: Repairs{Headers: Repair{1, 1}, Filenames: Repair{1, 2}}},
		{name: "name with blanks on disk", opts: filesOf(" a.png", "a.png"), in: "filename\n a.png\n", unchanged: true},
		{name: "no such file", opts: filesOf("a.png"), in: "filename\n b.png\n", unchanged: true},
		{name: "label in the place", opts: filesOf("a.png"), in: "filename,label\na.png, a.png\n", unchanged: true},
		{name: "escape in a file name", opts: filesOf("a.png"), in: "filename\n \\a.png\n", unchanged: true},
		{name: "no filename column", opts: filesOf("a.png"), in: "Filename\n a.png\n", unchanged: true},
		{name: "short row", opts: filesOf("a.png"), in: "label,filename\n a.png\n", unchanged: true},
		{
			name: "all at once", opts: filesOf("a.png"), in: "\xef\xbb\xbf filename ,label,\r a.png,x,\r",
			want: "filename,label\na.png,x\n",
			done: Repairs{
				BOM: true, LineEnds: LineEnds{CR: 2}, LineEnd: "\n", LineEndsLine: 1, Column: true, ColumnLine: 1,
				Trailing: Repair{1, 2}, Headers: Repair{1, 1}, Filenames: Repair{1, 2},
			},
		},

		{name: "odd bytes", opts: plain, in: "a,b\n\x00\xff,x\"y\"\n\"1\"2,\"\"\"\"\n", unchanged: true},
		{name: "empty", opts: plain, in: "", unchanged: true},
		{name: "no dialect", opts: FixOptions{}, in: "\xef\xbb\xbfa,\r1,\n", want: "a,\r1,\n", done: Repairs{BOM: true}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.unchanged {
				c.want = c.in
			}
			for _, block := range []int{1, 2, 3, 1 << 20} {
				got, done := fixedCSV(t, c.in, c.opts, block)
				if got != c.want {
					t.Errorf("block %d: got %q, want %q", block, got, c.want)
				}
				if diff := cmp.Diff(c.done, done); diff != "" {
					t.Errorf("block %d: repairs (-want +got):\n%s", block, diff)
				}
				if done.Changed() != (c.in != c.want) {
					t.Errorf("Changed() = %v", done.Changed())
				}
			}
		})
	}
}

func TestRepairsList(t *testing.T) {
	t.Parallel()
	_, done := fixedCSV(t, "\xef\xbb\xbf filename,label, \r a.png,x,\n\r\na.png,y,z\n", filesOf("a.png"), 9)
	want := []string{
		"dropped the byte order mark at the start",
		"1 line ended in CRLF, 1 in CR, now all in LF (first on line 1)",
		"trimmed the blanks around 1 column name (line 1)",
		"dropped the last column, which has no name and no values (line 1)",
		"dropped the empty field behind the last column from 1 row (first on line 2)",
		"trimmed the blanks around 1 file name (first on line 2)",
		"left 1 row as it is that holds something in the dropped column (first on line 4)",
	}
	if diff := cmp.Diff(want, done.List()); diff != "" {
		t.Errorf("List() (-want +got):\n%s", diff)
	}
	if list := (Repairs{}).List(); len(list) != 0 {
		t.Errorf("List() of nothing = %q", list)
	}
}

// TestFixerLongRecord: the fields of a record over the limit stay, its end does not, and what follows is repaired again.
func TestFixerLongRecord(t *testing.T) {
	t.Parallel()
	row := strings.Repeat("x", maxFixed-1) + ",\r\n"
	for _, c := range []struct{ name, in, want string }{
		{"at the limit", "a\n" + row + "1,\n", "a\n" + row[:maxFixed-1] + "\n1\n"},
		{"over it", "a\nx" + row + "1,\n", "a\nx" + row[:maxFixed] + "\n1\n"},
		{"header", "x" + row + "1,\r", "x" + row + "1,\r\n"},
		{"behind a header that waits", "a,\nx" + row + "1,\n", "a,\nx" + row[:maxFixed] + "\n1,\n"},
		{"blank lines behind one", "a,\n" + strings.Repeat("\r", 2*maxFixed) + "1,\n", "a,\n" + strings.Repeat("\n", 2*maxFixed) + "1,\n"},
		{"open quote", "a\n1,\n\"" + row + row, "a\n1\n\"" + row + row},
		{"lines in quotes", "a\n\"" + strings.Repeat("\r\n", maxFixed) + "\",\r\n1,\n", "a\n\"" + strings.Repeat("\r\n", maxFixed) + "\",\n1\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, block := range []int{maxFixed / 3, 1 << 26} {
				got, done := fixedCSV(t, c.in, FixOptions{CSV: backslash()}, block)
				if got != c.want {
					t.Errorf("block %d: %d bytes, %+v; want %d bytes", block, len(got), done, len(c.want))
				}
			}
		})
	}
}

// TestFixerLines: the line of a repair behind a long record is the physical one.
func TestFixerLines(t *testing.T) {
	t.Parallel()
	in := "a\n\"" + strings.Repeat("\r\n", maxFixed) + "\r\r\n\n\"\r1,\n"
	for _, block := range []int{1001, 1 << 26} {
		_, done := fixedCSV(t, in, FixOptions{CSV: backslash()}, block)
		if want := (Repair{1, 2 + maxFixed + 4}); done.Trailing != want {
			t.Errorf("block %d: %+v, want %+v", block, done.Trailing, want)
		}
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestFixerErrors(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	f := NewFixer(FixOptions{CSV: backslash()}, brokenWriter{full})
	if _, err := f.Write(bytes.Repeat([]byte("a,b\n"), 1<<16)); !errors.Is(err, full) {
		t.Errorf("Write() = %v", err)
	}
	f = NewFixer(FixOptions{CSV: backslash()}, brokenWriter{full})
	if _, err := f.Write([]byte("a\n")); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); !errors.Is(err, full) {
		t.Errorf("Close() = %v", err)
	}
	f = NewFixer(FixOptions{CSV: backslash()}, &bytes.Buffer{})
	must(t, f.Close())
	if _, err := f.Write([]byte("abcdefg\n")); err == nil {
		t.Error("Write() after Close() worked")
	}
}
