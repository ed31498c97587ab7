package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
)

// wanted are the files of a platform's archive, with their permissions. krew asks for the license, kubectl for the shim.
func wanted(platform string) map[string]fs.FileMode {
	binary, shim := "kubectl-tracebloc", "kubectl_complete-tracebloc"
	if strings.HasPrefix(platform, "windows_") {
		binary, shim = binary+".exe", shim+".cmd"
	}
	return map[string]fs.FileMode{binary: 0o755, shim: 0o755, "LICENSE": 0o644}
}

// checkContent reports what is missing from an archive, or does not belong there.
func checkContent(path, platform string) error {
	list := listTar
	if strings.HasSuffix(path, ".zip") {
		list = listZip
	}
	got, err := list(path)
	if err != nil {
		return err
	}
	want := wanted(platform)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		mode, ok := got[name]
		switch {
		case !ok:
			return fmt.Errorf("file %q is not in it", name)
		case mode != want[name]:
			return fmt.Errorf("file %q has mode %v in it, not %v", name, mode, want[name])
		}
		delete(got, name)
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		return fmt.Errorf("file %q is in it, which nobody needs", name)
	}
	return nil
}

// listTar reads to the end of the archive, so that one that was cut off is an error.
func listTar(path string) (map[string]fs.FileMode, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	files := map[string]fs.FileMode{}
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		files[header.Name] = header.FileInfo().Mode()
	}
}

func listZip(path string) (map[string]fs.FileMode, error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = archive.Close() }()
	files := map[string]fs.FileMode{}
	for _, file := range archive.File {
		files[file.Name] = file.Mode()
	}
	return files, nil
}
