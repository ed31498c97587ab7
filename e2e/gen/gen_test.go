package gen

import (
	"encoding/csv"
	"image"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestImagesAreRealAndListed(t *testing.T) {
	for _, format := range []string{".png", ".jpg", ".jpeg"} {
		dir := filepath.Join(t.TempDir(), "data")
		names, err := Images{Count: 13, Width: 12, Height: 8, Format: format, Unusual: true}.Write(dir)
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(filepath.Join(dir, "labels.csv"))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(f).ReadAll()
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != 14 || len(names) != 13 {
			t.Fatalf("%d rows, %d names", len(rows), len(names))
		}
		for i, name := range names {
			if rows[i+1][0] != name {
				t.Errorf("row %d names %q, want %q", i+1, rows[i+1][0], name)
			}
			img, err := os.Open(filepath.Join(dir, "images", name))
			if err != nil {
				t.Fatal(err)
			}
			decoded, _, err := image.Decode(img)
			_ = img.Close()
			if err != nil {
				t.Fatalf("%q: %v", name, err)
			}
			if got := decoded.Bounds().Size(); got != (image.Point{X: 12, Y: 8}) {
				t.Errorf("%q is %v", name, got)
			}
		}
	}
}

func TestTheSameOptionsGiveTheSameBytes(t *testing.T) {
	var got [2]map[string]string
	for i := range got {
		got[i] = map[string]string{}
		dir := t.TempDir()
		if _, err := (Images{Count: 3, Width: 4, Height: 4, Format: ".png"}).Write(filepath.Join(dir, "i")); err != nil {
			t.Fatal(err)
		}
		if err := (Tabular{Rows: 40}).Write(filepath.Join(dir, "t")); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"i/labels.csv", "i/images/img_00000.png", "i/images/img_00002.png", "t/data.csv"} {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			got[i][name] = string(data)
		}
	}
	if diff := cmp.Diff(got[0], got[1]); diff != "" {
		t.Error(diff)
	}
}

func TestBadOptions(t *testing.T) {
	dir := t.TempDir()
	if _, err := (Images{Count: 1, Width: 1, Height: 1, Format: ".gif"}).Write(filepath.Join(dir, "a")); err == nil {
		t.Error("took the format .gif")
	}
	if _, err := (Images{Width: 1, Height: 1, Format: ".png"}).Write(filepath.Join(dir, "b")); err == nil {
		t.Error("took a count of 0")
	}
	if err := (Tabular{Rows: 1}).Write(dir); err == nil {
		t.Error("wrote into an existing directory")
	}
}
