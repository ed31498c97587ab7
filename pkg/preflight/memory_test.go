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

// TestCSVMemory: what a check of a CSV allocates does not grow with the number of rows.
func TestCSVMemory(t *testing.T) {
	allocated := func(rows int) (bytes uint64, size int64) {
		path := filepath.Join(t.TempDir(), "data.csv")
		size = bigCSV(t, path, rows)
		d, err := dataset.Open(t.Context(), path)
		must(t, err)
		defer func() { must(t, d.Close()) }()
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		r, err := Check(t.Context(), d, tabularParams(t), nil)
		must(t, err)
		runtime.ReadMemStats(&after)
		if r.Rows != int64(rows) || r.Errors() != 0 {
			t.Fatalf("%d rows, findings %v", r.Rows, r.Findings)
		}
		return after.TotalAlloc - before.TotalAlloc, size
	}
	few, _ := allocated(20_000)
	many, size := allocated(200_000)
	// All that was ever allocated, not only what was held at once, must stay far below the size of the file.
	if many > few+4<<20 || many > uint64(size)/2 {
		t.Errorf("allocated %d bytes for 20,000 rows and %d for 200,000 rows of %d bytes", few, many, size)
	}
}

// TestFilesMemory: a check keeps little more of a file than its name and digest.
func TestFilesMemory(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "images"), 0o755))
	content := []byte(pngOf(32, 32))
	labels, err := os.Create(filepath.Join(dir, "labels.csv"))
	must(t, err)
	_, err = fmt.Fprintln(labels, "filename,label")
	must(t, err)
	const files = 2000
	for i := range files {
		name := fmt.Sprintf("image_%06d.png", i)
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
	held := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	if len(r.Manifest) != files+1 || len(r.Findings) != 0 {
		t.Fatalf("%d files, findings %v", len(r.Manifest), r.Findings)
	}
	if held > files*512 {
		t.Errorf("%d bytes held for %d files; want at most 512 for each", held, files)
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
