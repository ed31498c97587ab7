package preflight

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// bigCSV writes rows of eight columns: an int, two floats, a code, a date, a text, a word and a label.
func bigCSV(t testing.TB, path string, rows int) int64 {
	t.Helper()
	file, err := os.Create(path)
	must(t, err)
	w := bufio.NewWriterSize(file, 1<<20)
	_, err = io.WriteString(w, "n,x,y,code,day,name,flag,label\n")
	must(t, err)
	var line []byte
	for i := range rows {
		line = strconv.AppendInt(line[:0], int64(i), 10)
		line = append(line, ',')
		line = strconv.AppendFloat(line, float64(i)*0.37, 'f', 3, 64)
		line = append(line, ',')
		line = strconv.AppendFloat(line, float64(i%1000)/7, 'g', -1, 64)
		line = fmt.Appendf(line, ",%06d,2024-%02d-%02d,\"name %d, of some length\",%v,class_%d\n", i%100000, 1+i%12, 1+i%28, i%977, i%2 == 0, i%5)
		_, err = w.Write(line)
		must(t, err)
	}
	must(t, w.Flush())
	info, err := file.Stat()
	must(t, err)
	must(t, file.Close())
	return info.Size()
}

// bigSchema fits bigCSV.
func bigSchema() []dataset.Column {
	return []dataset.Column{
		{Name: "n", Type: "BIGINT"}, {Name: "x", Type: "DOUBLE"}, {Name: "y", Type: "DOUBLE"}, {Name: "code", Type: "VARCHAR(6)"}, {Name: "day", Type: "DATE"},
		{Name: "name", Type: "VARCHAR(40)"}, {Name: "flag", Type: "BOOLEAN"}, {Name: "label", Type: "VARCHAR(10)"},
	}
}

// checkMemory checks a dataset, and returns what was allocated in all, and the most that was held at any time above what
// was held before.
func checkMemory(t *testing.T, path string, p Params) (r *Result, allocated, most int64) {
	t.Helper()
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	d, err := dataset.Open(t.Context(), path)
	must(t, err)
	defer func() { must(t, d.Close()) }()
	read, seen := int64(0), int64(0)
	r, err = Check(t.Context(), d, p, func(n int64) {
		if read += n; read-seen > 1<<20 {
			seen = read
			runtime.ReadMemStats(&now)
			most = max(most, int64(now.HeapAlloc)-int64(before.HeapAlloc))
		}
	})
	must(t, err)
	runtime.ReadMemStats(&now)
	return r, int64(now.TotalAlloc - before.TotalAlloc), max(most, int64(now.HeapAlloc)-int64(before.HeapAlloc))
}

// TestCSVMemory: what a check of a CSV allocates does not grow with the number of rows, whether types are inferred or every
// value is held against a declared one.
func TestCSVMemory(t *testing.T) {
	for name, schema := range map[string][]dataset.Column{"inferred": nil, "declared": bigSchema()} {
		check := func(rows int) (allocated, size int64) {
			path := filepath.Join(t.TempDir(), "data.csv")
			size = bigCSV(t, path, rows)
			p := tabularParams(t)
			p.Schema = schema
			r, allocated, most := checkMemory(t, path, p)
			if r.Rows != int64(rows) || r.Errors() != 0 {
				t.Fatalf("%s: %d rows, findings %v", name, r.Rows, r.Findings)
			}
			if most > 16<<20 {
				t.Errorf("%s: %d bytes held at once for %d rows", name, most, rows)
			}
			return allocated, size
		}
		few, _ := check(20_000)
		many, size := check(200_000)
		// All that was ever allocated, not only what was held at once, must stay far below the size of the file.
		if many > few+4<<20 || many > size/2 {
			t.Errorf("%s: allocated %d bytes for 20,000 rows and %d for 200,000 rows of %d bytes", name, few, many, size)
		}
	}
}

// TestCellAllocations: a look at a cell allocates nothing, unless it breaks a rule.
func TestCellAllocations(t *testing.T) {
	c := &checker{Params: tabularParams(t), report: newReport()}
	table := &table{file: "data.csv", checker: c, report: c.report, missing: missingTabular}
	for name, cells := range map[string][]string{
		"":       {"1", "-2.5", "0.1234567890123", "1e-05", "2024-01-02", "2024-01-02 03:04:05", "true", "a longer text of words", "éü", "", "NA"},
		"BIGINT": {"1", "-22", "", "12345678901"}, "DOUBLE": {"1", "2.5", "-0.1234567890123456"}, "BOOLEAN": {"true", "No"},
		"DATE": {"2024-01-02", "2023-12-31"}, "DATETIME": {"2024-01-02 03:04:05", "2023-12-31 23:59:59"},
		"VARCHAR(30)": {"000123", "a text of words", "é"}, "TEXT": {"a text of words", "1"},
	} {
		column := &column{name: "a"}
		if name != "" {
			typ, err := dataset.ParseSQLType(name)
			must(t, err)
			column.declared = &typ
		}
		for _, text := range cells {
			cell := []byte(text)
			table.cell(column, place{row: 1, line: 2}, cell) // the first of its kind may be remembered
			if n := testing.AllocsPerRun(100, func() { table.cell(column, place{row: 2, line: 3}, cell) }); n > 0 {
				t.Errorf("%v allocations for the %s %q", n, name, text)
			}
		}
	}
}

// TestManyBreachesMemory: a CSV may break a rule in every row. What is kept of it is bounded, and the rows behind that are
// only counted.
func TestManyBreachesMemory(t *testing.T) {
	const rows = 2 * maxFindings
	path := filepath.Join(t.TempDir(), "data.csv")
	bigCSV(t, path, rows)
	p := tabularParams(t)
	p.Schema = bigSchema()
	p.Schema[5].Type = "INT"
	r, allocated, most := checkMemory(t, path, p)
	if len(r.Findings) != maxFindings || r.Totals["value-not-numeric"] != rows || r.Findings[maxFindings-1].Row != maxFindings {
		t.Fatalf("%d findings of %v", len(r.Findings), r.Totals)
	}
	if most > 1000*maxFindings || allocated > 2000*maxFindings {
		t.Errorf("%d bytes held at once and %d allocated for %d findings", most, allocated, maxFindings)
	}
	report := newReport()
	for row := range int64(2 * maxFindings) {
		report.add("csv-ragged-row", Finding{File: "data.csv", Row: row + 1})
	}
	if n := testing.AllocsPerRun(100, func() { report.onlyCount("csv-ragged-row", "data.csv", rows+1) }); n > 0 {
		t.Errorf("%v allocations for a breach that is only counted", n)
	}
	if report.onlyCount("csv-ragged-row", "data.csv", 1) || report.onlyCount("csv-ragged-row", "a.csv", rows+1) || report.onlyCount("csv-short-row", "data.csv", 1) {
		t.Error("a breach is only counted that should be kept")
	}
}

// TestFilesMemory: a check keeps little more of a file than its name and digest, and needs no memory of its own for each.
func TestFilesMemory(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "images"), 0o755))
	content := []byte(pngOf(32, 32))
	labels, err := os.Create(filepath.Join(dir, "labels.csv"))
	must(t, err)
	_, err = fmt.Fprintln(labels, "filename,label")
	must(t, err)
	const files = 5000
	for i := range files {
		name := fmt.Sprintf("IMAGE_%06d.png", i)
		must(t, os.WriteFile(filepath.Join(dir, "images", name), content, 0o644))
		_, err = fmt.Fprintf(labels, "%s,%c\n", name, 'a'+i%2)
		must(t, err)
	}
	must(t, labels.Close())
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	d, err := dataset.Open(t.Context(), dir)
	must(t, err)
	defer func() { must(t, d.Close()) }()
	r, err := Check(t.Context(), d, imageParams(t), nil)
	must(t, err)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if len(r.Manifest) != files+1 || len(r.Findings) != 0 {
		t.Fatalf("%d files, findings %v", len(r.Manifest), r.Findings)
	}
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > files*320 {
		t.Errorf("%d bytes held for %d files; want at most 320 for each", held, files)
	}
	// Walking, opening and looking at a file cost some small objects each, but no buffer.
	if allocated := int64(after.TotalAlloc - before.TotalAlloc); allocated > 4<<20+files*3000 {
		t.Errorf("%d bytes allocated for %d files", allocated, files)
	}
	runtime.KeepAlive(r)
	runtime.KeepAlive(d)
}

func BenchmarkCheckCSV(b *testing.B) {
	path := filepath.Join(b.TempDir(), "data.csv")
	b.SetBytes(bigCSV(b, path, 200_000))
	d, err := dataset.Open(b.Context(), path)
	must(b, err)
	defer func() { must(b, d.Close()) }()
	b.ResetTimer()
	for b.Loop() {
		if _, err := Check(b.Context(), d, tabularParams(b), nil); err != nil {
			b.Fatal(err)
		}
	}
}
