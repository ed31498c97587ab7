package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// stdinFile is how standard input is called in the place of a file.
const stdinFile = "<stdin>"

// workspace is the directory that services which show findings beside the
// source take paths relative to. It is GITHUB_WORKSPACE where that holds the
// working directory, else the working directory itself.
type workspace struct {
	root string // absolute
	dir  string // the working directory
}

func findWorkspace() (workspace, error) {
	dir, err := os.Getwd()
	if err != nil {
		return workspace{}, fmt.Errorf("find the working directory: %w", err)
	}
	w := workspace{root: dir, dir: dir}
	if root := os.Getenv("GITHUB_WORKSPACE"); filepath.IsAbs(root) {
		if _, inside := (workspace{root: root, dir: dir}).place("."); inside {
			w.root = root
		}
	}
	return w, nil
}

// place is the path of a file with slashes: relative to the workspace if it is
// inside, else absolute.
func (w workspace) place(file string) (path string, inside bool) {
	if !filepath.IsAbs(file) {
		file = filepath.Join(w.dir, file)
	}
	relative, err := filepath.Rel(w.root, file)
	if err != nil || !filepath.IsLocal(relative) {
		return filepath.ToSlash(filepath.Clean(file)), false
	}
	return filepath.ToSlash(relative), true
}

// uri is the address of a file for SARIF: relative to the workspace if it is
// inside (RFC 3986, 4.2), else a file URI (RFC 8089).
func (w workspace) uri(file string) (uri string, relative bool) {
	if file == stdinFile {
		return percentEncode(file), false
	}
	path, inside := w.place(file)
	switch {
	case inside:
		return percentEncode(path), true
	case strings.HasPrefix(path, "//"): // a share on Windows
		return "file:" + percentEncode(path), false
	case strings.HasPrefix(path, "/"):
		return "file://" + percentEncode(path), false
	case len(path) > 1 && path[1] == ':': // a drive on Windows
		return "file:///" + path[:2] + percentEncode(path[2:]), false
	}
	return "file:///" + percentEncode(path), false
}

// percentEncode leaves only letters, digits and -._~ as they are, and slashes
// between the segments of a path.
func percentEncode(path string) string {
	var b strings.Builder
	for i := range len(path) {
		c := path[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~/", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
