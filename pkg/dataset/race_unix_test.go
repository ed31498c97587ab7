//go:build unix

package dataset

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// racing is a dataset beside a secret of the same names, sizes and times, so that nothing but the file itself tells them apart.
func racing(t *testing.T) (dir, outside string) {
	t.Helper()
	top := t.TempDir()
	dir, outside = filepath.Join(top, "data"), filepath.Join(top, "outside")
	for path, content := range map[string]string{
		"data/labels.csv": "labels", "data/raw/a.png": "public", "data/raw/b.png": "inside", "data/images/a.png": "public", "outside/a.png": "secret",
	} {
		full := filepath.Join(top, path)
		must(t, os.MkdirAll(filepath.Dir(full), 0o755))
		must(t, os.WriteFile(full, []byte(content), 0o644))
		must(t, os.Chtimes(full, time.Unix(1e9, 0), time.Unix(1e9, 0)))
	}
	link(t, dir, map[string]string{"images/link.png": "../raw/a.png", "masks": "raw"})
	return dir, outside
}

// swap puts a symbolic link in the place of path and takes it away again, over and over until ctx ends.
func swap(ctx context.Context, path, target string) error {
	held, planted := path+".held", path+".planted"
	for ctx.Err() == nil {
		if err := errors.Join(os.Symlink(target, planted), os.Rename(path, held), os.Rename(planted, path)); err != nil {
			return err
		}
		if err := errors.Join(os.Remove(path), os.Rename(held, path)); err != nil {
			return err
		}
	}
	return nil
}

// TestRace reads and walks while what is read is swapped for links to other files. Whenever a read succeeds, it is of the
// file that was walked.
func TestRace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ read, swapped, target string }{
		"file for a link out":                    {"images/a.png", "images/a.png", "../../outside/a.png"},
		"file for an absolute link":              {"images/a.png", "images/a.png", "/outside/a.png"},
		"file for a link inside":                 {"images/a.png", "images/a.png", "../raw/b.png"},
		"directory for a link out":               {"images/a.png", "images", "../outside"},
		"directory for an absolute link":         {"images/a.png", "images", "/outside"},
		"directory for a link inside":            {"images/a.png", "images", "raw"},
		"link for a link out":                    {"images/link.png", "images/link.png", "../../outside/a.png"},
		"link for a link inside":                 {"images/link.png", "images/link.png", "../raw/b.png"},
		"target of a link for a link out":        {"images/link.png", "raw/a.png", "../../outside/a.png"},
		"linked directory for a link out":        {"masks/a.png", "masks", "../outside"},
		"target of a linked directory for a way": {"masks/a.png", "raw", "../outside"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, outside := racing(t)
			d := follow(t, dir)
			e, ok := d.Entry(c.read)
			if !ok {
				t.Fatalf("%q was not walked: %+v", c.read, d.Refused)
			}
			target := c.target
			if filepath.IsAbs(target) {
				target = filepath.Join(filepath.Dir(outside), target)
			}
			ctx, stop := context.WithCancel(t.Context())
			swapping := make(chan error, 1)
			go func() { swapping <- swap(ctx, filepath.Join(dir, c.swapped), target) }()
			err := readUntilBoth(d, e)
			stop()
			must(t, errors.Join(err, <-swapping))
			if content, err := readFile(d, e); content != "public" {
				t.Errorf("read %q, %v after all; want the file as it was", content, err)
			}
		})
	}
}

// readUntilBoth reads a file until it was both read and refused many times.
func readUntilBoth(d *Dataset, e Entry) error {
	const enough, most = 200, 5_000_000
	read, refused := 0, 0
	for range most {
		content, err := readFile(d, e)
		var changed *ChangedError
		switch {
		case err == nil && content == "public":
			read++
		case err == nil:
			return errors.New("read of another file: " + content)
		case errors.As(err, &changed) && changed.What == "it is gone": // between the file and the link
		case errors.As(err, &changed):
			refused++
		default:
			return err
		}
		if read >= enough && refused >= enough {
			return nil
		}
	}
	return errors.New("the swapping was never met")
}

// TestRaceOfTheWalk walks while a directory is swapped for a link out of the dataset: nothing from there is ever found.
func TestRaceOfTheWalk(t *testing.T) {
	t.Parallel()
	dir, outside := racing(t)
	must(t, os.Rename(filepath.Join(outside, "a.png"), filepath.Join(outside, "secret.png")))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	swapping := make(chan error, 1)
	go func() { swapping <- swap(ctx, filepath.Join(dir, "images"), "../outside") }()
	met := 0
	for i := 0; i < 500 || met < 20 && i < 100_000; i++ {
		for _, options := range []Options{{}, {FollowSymlinks: true}} {
			d, err := OpenWith(t.Context(), dir, options)
			var changed *ChangedError
			if errors.As(err, &changed) {
				met++
				continue
			}
			must(t, err)
			if len(d.InDir("images")) == 0 {
				met++
			}
			for _, path := range paths(d.Entries) {
				if strings.Contains(path, "secret") {
					t.Errorf("the walk found %q", path)
				}
			}
			must(t, d.Close())
		}
	}
	stop()
	must(t, <-swapping)
	if met == 0 {
		t.Error("the swapping was never met")
	}
}
