package push

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Names that a shell, a tar or a list of sums could trip over arrive as they are, with the bytes that belong to them.
func testNames(t *testing.T, l *lab) {
	dir := photos(t, filepath.Join(t.TempDir(), "names"), 100, 0, 0)
	stems := []string{
		"with space", " leading", "trailing ", "'single'", `"double"`, "`back`", "$(touch pwned)", "${HOME}", "-rf", "--help", "*", "glob[1]?", "{a,b}", "~", "#",
		"semi;colon&|<>", "!bang", "%s%n", "a  .b", "grüße-日本-🦊", "\u00e9", "e\u0301", "tree", "sums", strings.Repeat("n", 251),
	}
	labels := "filename,label\n"
	for i, stem := range stems {
		photo(t, filepath.Join(dir, "images", stem+".png"), 101, i, 5000+i)
		labels += fmt.Sprintf("\"%s\",%s\n", strings.ReplaceAll(stem, `"`, `""`), []string{"cat", "dog"}[i%2])
	}
	write(t, filepath.Join(dir, "labels.csv"), labels)
	// No row can name these, and they are staged all the same.
	for i, name := range []string{"gr\xfc\xdfe \xff.png", `back\slash.png`, `\leading.png`, `\\.png`} {
		photo(t, filepath.Join(dir, "images", name), 101, 90+i, 5000)
	}
	deep := filepath.Join(dir, "images", strings.Repeat(strings.Repeat("d", 250)+"/", 10))
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	photo(t, filepath.Join(deep, "deep.png"), 101, 99, 5000)
	l.good(t, dir)
	if found := l.sh(t, `find "$1" -name '*pwned*' ! -name '*.png'`, l.disk); found != "" {
		t.Errorf("a name was executed: %s", found)
	}
}

// Names and files that cannot be staged are refused by name before anything is sent.
func testRefusedNames(t *testing.T, l *lab) {
	for _, refused := range []struct {
		name string
		make func(images string) error
		text string
	}{
		{"newline", func(d string) error { return os.WriteFile(filepath.Join(d, "new\nline.png"), nil, 0o644) }, `new\nline.png`},
		{"empty", func(d string) error { return os.WriteFile(filepath.Join(d, "empty.png"), nil, 0o644) }, "empty.png"},
		{"fifo", func(d string) error { return syscall.Mkfifo(filepath.Join(d, "fifo.png"), 0o644) }, "fifo.png"},
		{"link", func(d string) error { return os.Symlink("000000.png", filepath.Join(d, "link.png")) }, "link.png"},
	} {
		t.Run(refused.name, func(t *testing.T) {
			table := "refused_" + strings.NewReplacer(" ", "_", "-", "_").Replace(refused.name)
			dir := photos(t, filepath.Join(t.TempDir(), table), 102, 4, 1000)
			if err := refused.make(filepath.Join(dir, "images")); err != nil {
				t.Fatal(err)
			}
			l.push(t, dir).expect(t, 3, refused.text)
			l.onlyTrees(t, table)
		})
	}
}

// A file of more than 8 GiB that is nearly all hole: it arrives with its size and its content, and takes no more room there than here.
func testHuge(t *testing.T, l *lab) {
	dir := photos(t, filepath.Join(t.TempDir(), "huge"), 103, 2, 1<<20)
	path := filepath.Join(dir, "images", "000000.png")
	const bytes = 8<<30 + 4097
	if err := os.Truncate(path, bytes); err != nil {
		t.Fatal(err)
	}
	if err := patch(path, bytes-int64(len(pictureTail)), pictureTail); err != nil {
		t.Fatal(err)
	}
	s := l.push(t, dir).expect(t, 0).staged(t)
	if s.SentBytes > 64<<20 {
		t.Errorf("%d bytes were sent for a hole", s.SentBytes)
	}
	// The Pod's sha256sum would take minutes; whether a byte is wrong shows in a faster sum as well.
	staged := l.onDisk(s.Path) + "/images/000000.png"
	if got, want := l.sh(t, `md5sum <"$1"`, staged), md5Of(t, path)+"  -\n"; got != want {
		t.Errorf("the staged file has the sum %q, want %q", got, want)
	}
	kib := strings.Fields(l.sh(t, `du -k "$1"`, staged))[0]
	var used int64
	if _, err := fmt.Sscan(kib, &used); err != nil || used > 64<<10 {
		t.Errorf("the staged file takes %s KiB (%v)", kib, err)
	}
	t.Logf("%d KiB used; %+v", used, s)
}

func md5Of(t *testing.T, path string) string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	h := md5.New()
	if _, err := io.Copy(h, file); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Very many small files; what it takes of the client is told.
func testManyFiles(t *testing.T, l *lab) {
	const files = 200_000
	dir := photos(t, filepath.Join(t.TempDir(), "many"), 104, files, 100)
	cmd := l.command(t.Context(), dir)
	began := time.Now()
	s := l.succeeded(t, dir, finish(t, cmd))
	l.nothingLeft(t, "many")
	if s.Files != files+1 {
		t.Errorf("%d files were sent", s.Files)
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && runtime.GOOS == "linux" {
		t.Logf("%d MiB resident, %s of processor time", usage.Maxrss>>10, (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Round(time.Second))
	}
	t.Logf("%s with the comparison; %+v", time.Since(began).Round(time.Second), s)
}
