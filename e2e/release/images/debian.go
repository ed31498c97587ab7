package images

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

//go:embed mysql-entrypoint.sh
var mysqlEntrypoint []byte

// debianRecipe changes when the files that the two Debian images take do; the cached archives are then made anew.
const debianRecipe = "3"

func busyboxKey() string { return recipeKey("busybox") }
func mysqlKey() string   { return recipeKey("mysql", string(mysqlEntrypoint)) }

func recipeKey(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(append([]string{debianRecipe, runtime.GOARCH}, parts...), "\x00")))
	return hex.EncodeToString(sum[:])
}

// busyboxImage is what the chart's docker.io/library/busybox:1.35 is: a static busybox with its applets as links.
func busyboxImage(ctx context.Context) (Image, func(), error) {
	root, done, err := unpack(ctx, []string{"busybox-static"})
	if err != nil {
		return Image{}, nil, err
	}
	files, err := busyboxFiles(ctx, root)
	if err != nil {
		done()
		return Image{}, nil, err
	}
	files = append(files,
		File{Path: "etc/passwd", Mode: 0o644, Data: []byte("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n")},
		File{Path: "etc/group", Mode: 0o644, Data: []byte("root:x:0:\nnobody:x:65534:\n")},
		File{Path: "root", Mode: 0o700, Dir: true},
		File{Path: "home", Mode: 0o755, Dir: true},
	)
	return Image{Ref: refBusybox, Cmd: []string{"sh"}, Env: []string{"PATH=/bin"}, Files: files}, done, nil
}

func busyboxFiles(ctx context.Context, root string) ([]File, error) {
	bin := filepath.Join(root, "bin", "busybox")
	if _, err := os.Stat(bin); err != nil {
		bin = filepath.Join(root, "usr", "bin", "busybox")
	}
	list, err := exec.CommandContext(ctx, bin, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("list busybox's applets: %w", err)
	}
	files := []File{{Path: "bin/busybox", Mode: 0o755, Source: bin}, {Path: "tmp", Mode: 0o1777, Dir: true}}
	for _, applet := range strings.Fields(string(list)) {
		if applet != "busybox" {
			files = append(files, File{Path: "bin/" + applet, Link: "busybox", Mode: 0o777})
		}
	}
	return files, nil
}

// mysqlFiles are the files of the packages that the server image keeps; libraries follow from the programs.
var mysqlFiles = []string{
	"usr/sbin/mariadbd",
	"usr/bin/mariadb",
	"usr/bin/mariadb-admin",
	"usr/share/mysql/english",
	"usr/share/mysql/charsets",
	"usr/share/mysql/mysql_system_tables.sql",
	"usr/share/mysql/mysql_performance_tables.sql",
	"usr/share/mysql/mysql_system_tables_data.sql",
	"usr/share/mysql/maria_add_gis_sp_bootstrap.sql",
}

// mysqlImage is Debian's MariaDB server and client with their libraries, a busybox for the entrypoint's shell, and nothing else.
func mysqlImage(ctx context.Context) (Image, func(), error) {
	packages, err := libraryClosure(ctx, []string{"mariadb-server-core", "mariadb-client-core"})
	if err != nil {
		return Image{}, nil, err
	}
	root, done, err := unpack(ctx, append(packages, "mariadb-client", "busybox-static"))
	if err != nil {
		return Image{}, nil, err
	}
	files, err := mysqlRoot(ctx, root)
	if err != nil {
		done()
		return Image{}, nil, err
	}
	return Image{
		Ref:        refMySQL,
		Entrypoint: []string{"/entrypoint.sh"},
		Env:        []string{"PATH=/usr/sbin:/usr/bin:/bin"},
		User:       "999:999",
		Files:      files,
	}, done, nil
}

func mysqlRoot(ctx context.Context, root string) ([]File, error) {
	files, err := busyboxFiles(ctx, root)
	if err != nil {
		return nil, err
	}
	kept, err := keep(root, mysqlFiles)
	if err != nil {
		return nil, err
	}
	var programs []string
	for _, f := range kept {
		if f.Mode&0o111 != 0 && f.Source != "" {
			programs = append(programs, f.Source)
		}
	}
	libraries, err := sharedLibraries(root, programs)
	if err != nil {
		return nil, err
	}
	files = append(files, kept...)
	files = append(files, libraries...)
	return append(files,
		File{Path: "entrypoint.sh", Mode: 0o755, Data: mysqlEntrypoint},
		File{Path: "usr/bin/mysqladmin", Link: "mariadb-admin", Mode: 0o777},
		File{Path: "usr/bin/mysql", Link: "mariadb", Mode: 0o777},
		File{Path: "etc/passwd", Mode: 0o644, Data: []byte("mysql:x:999:999:mysql:/var/lib/mysql:/bin/false\n")},
		File{Path: "etc/group", Mode: 0o644, Data: []byte("mysql:x:999:\n")},
		File{Path: "etc/mysql/conf.d", Mode: 0o755, Dir: true},
		File{Path: "var/lib/mysql", Mode: 0o777, Dir: true},
		File{Path: "var/log/mysql", Mode: 0o777, Dir: true},
		File{Path: "var/run/mysqld", Mode: 0o777, Dir: true},
	), nil
}

// keep lists the named files, and what is under the named directories, of an unpacked root.
func keep(root string, names []string) ([]File, error) {
	var files []File
	for _, name := range names {
		err := filepath.WalkDir(filepath.Join(root, name), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			files = append(files, File{Path: filepath.ToSlash(rel), Mode: int64(info.Mode().Perm()), Source: path})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// unpack fetches the packages with apt, which verifies them, and extracts them into a new directory.
func unpack(ctx context.Context, packages []string) (root string, done func(), err error) {
	dir, err := os.MkdirTemp("", "debian-*")
	if err != nil {
		return "", nil, err
	}
	done = func() { _ = os.RemoveAll(dir) }
	defer func() {
		if err != nil {
			done()
		}
	}()
	if err := run(ctx, dir, "apt-get", append([]string{"-q", "-o", "APT::Sandbox::User=root", "download"}, packages...)...); err != nil {
		return "", nil, fmt.Errorf("%w (the images of the database and of busybox come from Debian packages; run apt-get update)", err)
	}
	debs, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil {
		return "", nil, err
	}
	root = filepath.Join(dir, "root")
	for _, deb := range debs {
		if err := run(ctx, dir, "dpkg-deb", "-x", deb, root); err != nil {
			return "", nil, err
		}
	}
	return root, done, nil
}

// libraryClosure adds to the packages every library package that they depend on, directly or not.
func libraryClosure(ctx context.Context, packages []string) ([]string, error) {
	args := append([]string{"depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances"}, packages...)
	out, err := exec.CommandContext(ctx, "apt-cache", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("apt-cache depends: %w (the database image comes from Debian packages; run apt-get update)", err)
	}
	all := slices.Clone(packages)
	for line := range bytes.Lines(out) {
		name := strings.TrimSpace(string(line))
		library := strings.HasPrefix(name, "lib") || name == "zlib1g"
		if library && !bytes.HasPrefix(line, []byte(" ")) && !strings.HasSuffix(name, "-perl") && !strings.HasPrefix(name, "libperl") {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func run(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
