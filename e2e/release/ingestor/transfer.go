package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const copyTries = 3

// fileName is where a manifest's value is looked for: as it stands when it ends in a known extension, else with that of the spec.
func fileName(value, extension string) string {
	lower := strings.ToLower(value)
	if slices.ContainsFunc([]string{".jpeg", ".jpg", ".png", ".xml", ".txt", ".text"}, func(e string) bool { return strings.HasSuffix(lower, e) }) {
		return value
	}
	return value + extension
}

// stem is the name that goes into the table: without its extension.
func stem(name string) string {
	return strings.TrimSuffix(name, filepath.Ext(name))
}

// transfer copies the files of one record to the destination, flat, and says whether they are there.
func (in *ingestor) transfer(rec record, name string) bool {
	src := filepath.Join(in.config.source, in.config.category.files, name)
	twin := in.config.category.twin
	if _, err := os.Stat(src); err != nil {
		skipping := ""
		if twin != nil {
			skipping = " — skipping record"
		}
		in.log("ERROR", "tracebloc_ingestor.file_transfer", "file_transfer.py:144", "Source %s not found: %s%s", in.config.category.noun, src, skipping)
		return false
	}
	if twin == nil {
		return in.copyTo(src, name)
	}
	second, problem := twin.find(in.config.source, rec)
	if problem != "" {
		in.log("ERROR", "tracebloc_ingestor.file_transfer", "file_transfer.py:144", "%s", problem)
		return false
	}
	return in.copyTo(src, name) && in.copyTo(second, filepath.Base(second))
}

func (in *ingestor) copyTo(src, name string) bool {
	var err error
	for try := range copyTries {
		if try > 0 {
			in.pause(time.Second)
		}
		if err = copyFile(src, filepath.Join(in.destination(), name)); err == nil {
			return true
		}
	}
	in.log("ERROR", "tracebloc_ingestor.file_transfer", "file_transfer.py:171", "Failed to copy %s: %s", src, pyOSError(err))
	return false
}

func copyFile(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	if info, err := src.Stat(); err != nil || !info.Mode().IsRegular() {
		return errors.Join(err, &fs.PathError{Op: "open", Path: from, Err: fs.ErrInvalid})
	}
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}
