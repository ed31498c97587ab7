package dataset

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOpenSaysWhatIsMeant: an error of opening names what was probably meant, or how a file becomes a dataset.
func TestOpenSaysWhatIsMeant(t *testing.T) {
	t.Parallel()
	dir := plant(t, "churn.csv", "chorn.txt", "cats-and-dogs/labels.csv", "deep/churn.csv", "book.XLSX", "t.parquet", "t.tsv", "t.csv.gz", "t.zip", "t.tgz", "notes")
	must(t, os.Symlink("nowhere.csv", filepath.Join(dir, "dangling.csv")))
	for path, want := range map[string]string{
		"chrn.csv":     `"DIR/chrn.csv": no such file or directory; did you mean "DIR/churn.csv"`,
		"Churn.CSV":    `did you mean "DIR/churn.csv"`,
		"churn":        `did you mean "DIR/churn.csv"`,
		"cats_and_dog": `did you mean "DIR/cats-and-dogs"`,
		"deep/chrn":    `did you mean "DIR/deep/churn.csv"`,
		"dangling.csv": `"DIR/dangling.csv" is a symbolic link to "nowhere.csv": no such file or directory`,
		"notes/x.csv":  `"DIR/notes/x.csv": not a directory`,
		"book.XLSX":    "is a spreadsheet; export it as CSV",
		"t.parquet":    "export it as CSV",
		"t.tsv":        "separated by tabs",
		"t.csv.gz":     "is an archive; unpack it first",
		"t.zip":        "is an archive; unpack it first",
		"t.tgz":        "is an archive; unpack it first",
		"notes":        "does not end in .csv",
	} {
		_, err := Open(t.Context(), filepath.Join(dir, path))
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), dir, "DIR"), want) {
			t.Errorf("Open(%q): %v; want %s", path, err, want)
		}
	}
	for path, want := range map[string]string{
		"":                                    "the path of the dataset is empty",
		"-":                                   "standard input is not taken",
		"/dev/null":                           "save it as a .csv file",
		filepath.Join(dir, "nothing-like-it"): "no such file or directory",
		filepath.Join(dir, "no", "such"):      "no such file or directory",
	} {
		_, err := Open(t.Context(), path)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "did you mean") {
			t.Errorf("Open(%q): %v; want %s and no guess", path, err, want)
		}
	}
}
