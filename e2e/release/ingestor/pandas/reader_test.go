package pandas

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func readAll(t *testing.T, in string, d Dialect) ([]string, [][]string, error) {
	t.Helper()
	r, err := NewReader(strings.NewReader(in), d)
	if err != nil {
		return nil, nil, err
	}
	var rows [][]string
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Header(), rows, nil
		}
		if err != nil {
			return r.Header(), rows, err
		}
		var texts []string
		for _, c := range row {
			if c.Absent {
				texts = append(texts, "<absent>")
				continue
			}
			texts = append(texts, c.Text)
		}
		rows = append(rows, texts)
	}
}

func TestReader(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		dialect  Dialect
		header   []string
		rows     [][]string
		err      string
	}{
		{name: "plain", in: "a,b\n1,2\n3,4\n", header: []string{"a", "b"}, rows: [][]string{{"1", "2"}, {"3", "4"}}},
		{name: "no last line end, crlf, cr", in: "a,b\r\n1,2\r3,4", header: []string{"a", "b"}, rows: [][]string{{"1", "2"}, {"3", "4"}}},
		{name: "bom and blank lines", in: "\xef\xbb\xbf\n\na\n\n1\n\n", header: []string{"a"}, rows: [][]string{{"1"}}},
		{name: "quotes", in: "a,b\n\"x, \"\"y\"\"\",\"l1\nl2\"\nq\"r,\"s\"t\n", header: []string{"a", "b"}, rows: [][]string{{`x, "y"`, "l1\nl2"}, {`q"r`, "st"}}},
		{name: "short row", in: "a,b\n1\n", header: []string{"a", "b"}, rows: [][]string{{"1", "<absent>"}}},
		{name: "first row is wide: index column", in: "a,b\n1,2,3\n4,5,6\n", header: []string{"a", "b"}, rows: [][]string{{"2", "3"}, {"5", "6"}}},
		{name: "later row is wide", in: "a,b\n1,2\n3,4,5\n", header: []string{"a", "b"}, rows: [][]string{{"1", "2"}}, err: "Error tokenizing data. C error: Expected 2 fields in line 3, saw 3"},
		{name: "later rows are wide and left out", in: "a,b\n1,2\n3,4,5\n6,7,8\n9,10\n", dialect: Dialect{SkipLong: true}, header: []string{"a", "b"}, rows: [][]string{{"1", "2"}, {"9", "10"}}},
		{name: "backslash is text", in: "a,b\nC:\\,u\n", header: []string{"a", "b"}, rows: [][]string{{`C:\`, "u"}}},
		{name: "backslash escapes", in: "a,b\nC:\\,u\n", dialect: Dialect{Escape: '\\'}, header: []string{"a", "b"}, rows: [][]string{{"C:,u", "<absent>"}}},
		{name: "semicolon", in: "a;b\n1;2,5\n", dialect: Dialect{Delimiter: ';'}, header: []string{"a", "b"}, rows: [][]string{{"1", "2,5"}}},
		{name: "blank header", in: ",b\n0,1\n", header: []string{"Unnamed: 0", "b"}, rows: [][]string{{"0", "1"}}},
		{name: "header only", in: "a,b\n", header: []string{"a", "b"}},
		{name: "open quote", in: "a\n\"x\n", err: "Error tokenizing data. C error: EOF inside string starting at row 1"},
		{name: "empty", in: "\n", err: "No columns to parse from file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			header, rows, err := readAll(t, tc.in, tc.dialect)
			if got := errText(err); got != tc.err {
				t.Errorf("error %q, want %q", got, tc.err)
			}
			if diff := cmp.Diff(tc.header, header); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tc.rows, rows); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestColumn(t *testing.T) {
	for _, tc := range []struct {
		name  string
		cells []string
		na    Missing
		want  []any
	}{
		{"integers", []string{"01", "2", " -3"}, OnlyEmpty, []any{int64(1), int64(2), int64(-3)}},
		{"integers with a blank", []string{"1", ""}, OnlyEmpty, []any{1.0, nil}},
		{"floats", []string{"1", "2.5", "1e3"}, OnlyEmpty, []any{1.0, 2.5, 1000.0}},
		{"NA is text outside the tabular tasks", []string{"1", "NA"}, OnlyEmpty, []any{"1", "NA"}},
		{"NA is missing in the tabular tasks", []string{"1", "NA"}, DefaultMissing, []any{1.0, nil}},
		{"lower-case none is text", []string{"1", "none"}, DefaultMissing, []any{"1", "none"}},
		{"booleans", []string{"True", "false"}, OnlyEmpty, []any{true, false}},
		{"yes is text", []string{"yes", "no"}, OnlyEmpty, []any{"yes", "no"}},
		{"past 64 bits", []string{"9223372036854775808"}, OnlyEmpty, []any{9223372036854775808.0}},
		{"nothing", []string{"", ""}, OnlyEmpty, []any{nil, nil}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var cells []Cell
			for _, c := range tc.cells {
				cells = append(cells, Cell{Text: c})
			}
			if diff := cmp.Diff(tc.want, Column(cells, tc.na)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestStr(t *testing.T) {
	for _, tc := range []struct {
		in   any
		want string
	}{{1234.0, "1234.0"}, {1e16, "1e+16"}, {0.00001, "1e-05"}, {0.1, "0.1"}, {int64(7), "7"}, {true, "True"}, {nil, "nan"}, {"x", "x"}} {
		if got := Str(tc.in); got != tc.want {
			t.Errorf("Str(%v) = %q, want %q", tc.in, got, tc.want)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add("a,b\n\"x\"\"\",2\n", byte(0))
	f.Add("a\r\r\n\"", byte('\\'))
	f.Fuzz(func(t *testing.T, in string, escape byte) {
		r, err := NewReader(strings.NewReader(in), Dialect{Escape: escape})
		if err != nil {
			return
		}
		width := len(r.Header())
		for range len(in) + 1 {
			row, err := r.Next()
			if err != nil {
				return
			}
			if len(row) != width {
				t.Fatalf("row of %d cells under a header of %d", len(row), width)
			}
		}
		t.Fatal("more rows than bytes")
	})
}
