package images

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
)

// sharedLibraries finds in root every library that the programs need, and the loader that runs them. Files keep the paths
// of their packages, which are those that the loader searches.
func sharedLibraries(root string, programs []string) ([]File, error) {
	files := map[string]File{}
	queue := programs
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		needed, err := imports(path)
		if err != nil {
			return nil, err
		}
		for _, name := range needed {
			if _, seen := files[name]; seen {
				continue
			}
			lib, rel, err := findLibrary(root, name)
			if err != nil {
				return nil, fmt.Errorf("%w (needed by %q)", err, filepath.Base(path))
			}
			files[name] = File{Path: rel, Mode: 0o755, Source: lib}
			queue = append(queue, lib)
		}
	}
	list := make([]File, 0, len(files))
	for _, f := range files {
		list = append(list, f)
	}
	return list, nil
}

// imports reads the names that an ELF file needs: its libraries, and for a program its loader.
func imports(path string) ([]string, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	defer func() { _ = f.Close() }()
	needed, err := f.ImportedLibraries()
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	if s := f.Section(".interp"); s != nil {
		data, err := s.Data()
		if err != nil {
			return nil, fmt.Errorf("read %q: %w", path, err)
		}
		for len(data) > 0 && data[len(data)-1] == 0 {
			data = data[:len(data)-1]
		}
		needed = append(needed, filepath.Base(string(data)))
	}
	return needed, nil
}

// findLibrary looks in the directories that Debian's packages put libraries in. The loader of amd64 is wanted in lib64,
// whatever the package calls the file behind the name.
func findLibrary(root, name string) (path, rel string, err error) {
	for _, pattern := range []string{"lib64", "usr/lib64", "lib/*-linux-gnu", "usr/lib/*-linux-gnu", "lib", "usr/lib"} {
		found, err := filepath.Glob(filepath.Join(root, pattern, name))
		if err != nil {
			return "", "", err
		}
		for _, f := range found {
			real, err := filepath.EvalSymlinks(inRoot(root, f))
			if err != nil {
				return "", "", err
			}
			rel, err := filepath.Rel(root, f)
			if err != nil {
				return "", "", err
			}
			return real, filepath.ToSlash(rel), nil
		}
	}
	return "", "", fmt.Errorf("library %q is in none of the packages", name)
}

// inRoot follows one absolute link inside root, which names a file of the image and not of this machine.
func inRoot(root, path string) string {
	target, err := os.Readlink(path)
	if err != nil || !filepath.IsAbs(target) {
		return path
	}
	return filepath.Join(root, target)
}
