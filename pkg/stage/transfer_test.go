//go:build unix

package stage

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// noise is data that does not compress, the same each time.
func noise(n int) string {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)}).Read(b) // never fails
	return string(b)
}

// attack is a corpus of names that a shell, tar or sha256sum may take for something else.
func attack() map[string]string {
	files := map[string]string{
		"labels.csv":                         "a,b\n",
		"empty":                              "",
		"with space":                         "1",
		" leading":                           "2",
		"trailing ":                          "3",
		"-rf":                                "4",
		"-":                                  "5",
		"--help":                             "6",
		"$(touch pwned)":                     "7",
		"`touch pwned`":                      "8",
		"; touch pwned;":                     "9",
		"'quote'":                            "10",
		"\"double\"":                         "11",
		"back\\slash":                        "12",
		"\\n":                                "13",
		"*":                                  "14",
		"?":                                  "15",
		"img[1].png":                         "16",
		"~":                                  "17",
		"#hash":                              "18",
		"a: OK":                              "19",
		"status 0":                           "20",
		"b: FAILED":                          "21",
		"%s%n":                               "22",
		"ünï-😀":                              "23",
		"latin-\xe9\xff":                     "24",
		"images/No space left on device.jpg": "25",
		"images/a..b":                        "26",
		"images/" + strings.Repeat("n", 255): "27",
		strings.Repeat("d/", 200) + "deep":   "28",
		strings.Repeat("x", 100):             "29",
		strings.Repeat("y", 101):             "30",
		"PUBLISHED":                          "PUBLISHED 0000000000000000 0000000000000000\n",
		"512":                                noise(512),
		"513":                                noise(513),
		"big":                                noise(16<<20 + 1),
		"$(touch pwned) big":                 noise(16<<20 + 3),
	}
	return files
}

func TestTransferPublishes(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for i := range 769 {
		many[filepath.Join("images", string(rune('a'+i%26)), strings.Repeat("i", 1+i/26))] = strings.Repeat("z", i)
	}
	cases := map[string]map[string]string{
		"attack corpus": attack(),
		"no file":       {},
		"one empty":     {"empty.csv": ""},
		"many":          many,
	}
	for _, sh := range shells(t) {
		for name, files := range cases {
			t.Run(sh.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				l := newLocal(t, sh)
				d := write(t, files)
				p := l.plan(t, d)
				o := watched(t, Options{})
				report, err := l.volume().Transfer(t.Context(), p, d, o)
				if err != nil {
					t.Fatal(err)
				}
				l.wantPublished(t, p, files)
				if report.Bytes != p.Manifest.Bytes() || report.Files != int64(len(files)) || report.Retries != 0 || report.InFlight != 0 {
					t.Errorf("report %+v", report)
				}
				if _, err := os.Lstat(filepath.Join(l.dir, "pwned")); err == nil {
					t.Error("a file name was executed")
				}
				checkModes(t, p.Dir())
			})
		}
	}
}

// watched adds a check of what Progress says to options.
func watched(t testing.TB, o Options) Options {
	next := o.Progress
	o.Progress = func(p Progress) {
		if p.Files > p.TotalFiles || p.Bytes > p.TotalBytes || p.InFlight < 0 || p.TotalBytes < 0 {
			t.Errorf("progress %+v", p)
		}
		if next != nil {
			next(p)
		}
	}
	return o
}

// checkModes: the ingestor may have another user id.
func checkModes(t *testing.T, dir string) {
	t.Helper()
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		want := os.FileMode(0o644)
		if info.IsDir() {
			want = 0o755
		}
		if info.Mode().Perm() != want {
			t.Errorf("%q has mode %o, want %o", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
