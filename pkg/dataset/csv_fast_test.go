package dataset

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// reading is all that can be seen of a reading.
type reading struct {
	records  []Record
	ends     LineEnds
	unclosed string
}

// read feeds input in random blocks; slow leaves every record to the state machine, and a record has at most so many fields.
func read(t testing.TB, r *rand.Rand, input []byte, opts CSVOptions, fields int, slow bool) reading {
	t.Helper()
	var out reading
	p := NewParser(opts, func(r *Record) error {
		out.records = append(out.records, Record{Line: r.Line, Cut: r.Cut})
		last := &out.records[len(out.records)-1]
		for i := range r.Len() {
			last.data = append(last.data, r.Field(i)...)
			last.ends = append(last.ends, len(last.data))
		}
		return nil
	})
	if slow {
		p.whole.usable = false
	}
	p.whole.fields = fields
	for rest := input; len(rest) > 0; {
		n := 1 + r.IntN(len(rest))
		block := bytes.Clone(rest[:n])
		if _, err := p.Write(block); err != nil {
			t.Fatal(err)
		}
		clear(block) // a record is valid only while it is handed out
		rest = rest[n:]
	}
	if err := p.Close(); err != nil {
		out.unclosed = err.Error()
	}
	out.ends = p.LineEnds()
	return out
}

func (a reading) equal(b reading) bool {
	return a.ends == b.ends && a.unclosed == b.unclosed && slices.EqualFunc(a.records, b.records, func(x, y Record) bool {
		return x.Line == y.Line && x.Cut == y.Cut && bytes.Equal(x.data, y.data) && slices.Equal(x.ends, y.ends)
	})
}

// cut is the reading with at most so many fields of each record.
func (a reading) cut(fields int) reading {
	a.records = slices.Clone(a.records)
	for i := range a.records {
		if r := &a.records[i]; len(r.ends) > fields {
			r.ends = r.ends[:fields]
			r.data, r.Cut = r.data[:r.ends[fields-1]], true
		}
	}
	return a
}

// TestScannerAgrees: records that are found whole are what the state machine makes of them, whatever the options.
func TestScannerAgrees(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	options := []CSVOptions{
		DefaultCSV(), {Delimiter: ',', Quote: '"', Escape: '\\'}, {Delimiter: ';'}, {Delimiter: '\t', Quote: '\''}, {Delimiter: ' ', Quote: '"'},
		{Delimiter: ',', Quote: '"', Escape: '"'}, {Delimiter: ',', Quote: ','}, {Delimiter: '\\', Quote: '"', Escape: '\\'},
		{Delimiter: ',', Quote: '\n'}, {Delimiter: '\r', Quote: '"'}, {Delimiter: 0xff, Quote: 0x80}, {Delimiter: ',', Quote: ' '},
	}
	pieces := []string{
		"a", "b", "1", "-2.5", "long text without end", ",", ",", ";", "\t", " ", "\"", "\"\"", "\"x,y\"", "\"x\ny\"", "\"a\"\"b\"", "'", "\\",
		"\n", "\n", "\n", "\r\n", "\r", "\x00", "\xff", "\x80", "\x8d", "\x0b", "ü", "2024-01-02",
	}
	for range 30_000 {
		var input []byte
		for range r.IntN(40) {
			input = append(input, pieces[r.IntN(len(pieces))]...)
		}
		opts := options[r.IntN(len(options))]
		fields := 1 + r.IntN(12)
		want, got := read(t, r, input, opts, fields, true), read(t, r, input, opts, fields, false)
		if !got.equal(want) {
			t.Fatalf("%q with %+v and at most %d fields:\nstates  %+v\nscanner %+v", input, opts, fields, want, got)
		}
		if all := read(t, r, input, opts, MaxFields, false); !got.equal(all.cut(fields)) {
			t.Fatalf("%q with %+v:\nat most %d fields %+v\nall            %+v", input, opts, fields, got, all)
		}
	}
}

// TestScannerSpecial holds eight bytes at a time against one at a time.
func TestScannerSpecial(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	for range 20_000 {
		s := newScanner(CSVOptions{Delimiter: byte(1 + r.IntN(255)), Quote: '"', Escape: byte(r.IntN(256))})
		block := make([]byte, r.IntN(40))
		for i := range block {
			block[i] = byte(r.IntN(256))
			if r.IntN(4) > 0 {
				block[i] = "ab,;\n\r\\"[r.IntN(7)]
			}
		}
		want := slices.IndexFunc(block, func(c byte) bool { return c == s.delimiter || c == s.escape || isLineEnd(c) })
		if want < 0 {
			want = len(block)
		}
		_, got := s.unquoted(block, 0)
		if s.record.Len() > 0 {
			got = s.record.ends[0]
		}
		if got != want {
			t.Fatalf("the first field of %q ends at %d, want %d", block, got, want)
		}
	}
}

// TestScannerTakesPlainRecords: what files are mostly made of does not fall back to the state machine.
func TestScannerTakesPlainRecords(t *testing.T) {
	t.Parallel()
	s := newScanner(CSVOptions{Delimiter: ',', Quote: '"', Escape: '\\'})
	for record, fields := range map[string]int{
		"a,b\n": 2, "1,,3\r\n": 3, "\"a, b\",c\n": 2, "\"two\nlines\",\"\"\n": 2, ",\n": 2, "say \"hi\",x\n": 2, "x,  y \n": 2,
	} {
		if got := s.scan([]byte(record + "next")); got.size != len(record) || s.record.Len() != fields {
			t.Errorf("scan(%q) = %+v with %d fields, want all of it with %d", record, got, s.record.Len(), fields)
		}
	}
}

func BenchmarkParser(b *testing.B) {
	var input []byte
	for range 2000 {
		input = append(input, "12,61,50854.74,0.429793,-0.4005883316435388,041205,city-199 with a longer name,2016-05-18,\"late, early\",true,,leaves\n"...)
	}
	b.SetBytes(int64(len(input)))
	for b.Loop() {
		records := 0
		p := NewParser(DefaultCSV(), func(*Record) error { records++; return nil })
		if _, err := p.Write(input); err != nil || records != 2000 {
			b.Fatal(records, err)
		}
	}
}

// TestParserAllocations: records are handed out, and kept in batches, without memory of their own.
func TestParserAllocations(t *testing.T) {
	block := bytes.Repeat([]byte("12,61,50854.74,\"late, early\",city-199,2016-05-18,,\"say \"\"hi\"\"\",true,leaves\n"), 1000)
	batch := NewBatch(1 << 20)
	p := NewParser(DefaultCSV(), func(r *Record) error { batch.Add(r); return nil })
	if n := testing.AllocsPerRun(10, func() {
		batch.Reset()
		_, _ = p.Write(block)
	}); n > 0 {
		t.Errorf("%v allocations for 1000 records", n)
	}
	if got := string(batch.Field(999, 7)); batch.Len() != 1000 || got != `say "hi"` || batch.Line(1) != batch.Line(0)+1 {
		t.Errorf("%d records; the eighth field of the last is %q", batch.Len(), got)
	}
	if batch.Field(999, 10) != nil || batch.Field(0, 10) != nil {
		t.Error("a record has a field beyond its last one")
	}
}
