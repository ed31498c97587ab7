// Package dist looks into what make dist has built, runs it, and builds it again elsewhere.
package dist

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// member is a file of an archive.
type member struct {
	Name  string
	Owner string
	Time  time.Time
	text  []byte
}

// members reads an archive to its end.
func members(t *testing.T, path string) []member {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	read := untar
	if strings.HasSuffix(path, ".zip") {
		read = unzip
	}
	found, err := read(text)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return found
}

func untar(text []byte) ([]member, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	var found []member
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			return nil, err
		}
		owner := header.Uname + ":" + header.Gname
		if header.Uid != 0 || header.Gid != 0 {
			owner = "not root"
		}
		found = append(found, member{header.Name, owner, header.ModTime.UTC(), text})
	}
}

func unzip(text []byte) ([]member, error) {
	archive, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return nil, err
	}
	var found []member
	for _, file := range archive.File {
		reader, err := file.Open()
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(reader)
		if err != nil {
			return nil, err
		}
		// A zip has no owners.
		found = append(found, member{file.Name, "root:root", file.Modified.UTC(), text})
	}
	return found, nil
}

// archives are the paths of the archives in a directory.
func archives(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "kubectl-tracebloc_v*_*_*.*"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, path := range paths {
		if strings.HasSuffix(path, ".tar.gz") || strings.HasSuffix(path, ".zip") {
			found = append(found, path)
		}
	}
	if len(found) != 8 {
		t.Fatalf("%d archives in %s, want 8; make dist builds them", len(found), dir)
	}
	return found
}

func read(t *testing.T, elements ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elements...))
	if err != nil {
		t.Fatalf("%v; make dist builds it", err)
	}
	return string(text)
}

// metadata is what goreleaser says of what it has built.
type metadata struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
}

func readMetadata(t *testing.T, dir string) metadata {
	t.Helper()
	var m metadata
	if err := json.Unmarshal([]byte(read(t, dir, "metadata.json")), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// What an archive says of the time and of people is the same, whoever builds it.
func TestArchivesTellOnlyOfTheCommit(t *testing.T) {
	root := repository(t)
	dist := filepath.Join(root, "dist")
	committed, err := time.Parse(time.RFC3339, git(t, root, "show", "--no-patch", "--format=%cI", readMetadata(t, dist).Commit))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range archives(t, dist) {
		binary, shim := "kubectl-tracebloc", "kubectl_complete-tracebloc"
		if strings.HasSuffix(path, ".zip") {
			binary, shim = binary+".exe", shim+".cmd"
		}
		want := []member{{Name: "LICENSE"}, {Name: shim}, {Name: binary}}
		for i := range want {
			want[i].Owner, want[i].Time = "root:root", committed.UTC()
		}
		got := members(t, path)
		for i := range got {
			got[i].text = nil
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(member{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", filepath.Base(path), diff)
		}
	}
}

// The binaries that this machine can run know their version and their commit.
func TestBinariesRun(t *testing.T) {
	platforms := []string{runtime.GOOS + "_" + runtime.GOARCH}
	if platforms[0] == "linux_amd64" {
		platforms = append(platforms, "linux_386")
	}
	dist := filepath.Join(repository(t), "dist")
	built := readMetadata(t, dist)
	state := "clean"
	if strings.HasSuffix(built.Version, ".dirty") {
		state = "dirty"
	}
	for _, platform := range platforms {
		t.Run(platform, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), unpack(t, dist, platform), "version", "--client", "-o", "json").Output()
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				ClientVersion map[string]string `json:"clientVersion"`
			}
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatalf("%v in %s", err, out)
			}
			for field, want := range map[string]string{
				"version": "v" + built.Version, "platform": strings.Replace(platform, "_", "/", 1), "gitCommit": built.Commit, "gitTreeState": state,
			} {
				if got.ClientVersion[field] != want {
					t.Errorf("%s is %q, want %q", field, got.ClientVersion[field], want)
				}
			}
		})
	}
}

// unpack writes the binary of a platform's archive into a new directory, and returns its path.
func unpack(t *testing.T, dist, platform string) string {
	t.Helper()
	for _, path := range archives(t, dist) {
		if !strings.Contains(path, "_"+platform+".") {
			continue
		}
		for _, m := range members(t, path) {
			if !strings.HasPrefix(m.Name, "kubectl-tracebloc") {
				continue
			}
			binary := filepath.Join(t.TempDir(), m.Name)
			if err := os.WriteFile(binary, m.text, 0o755); err != nil {
				t.Fatal(err)
			}
			return binary
		}
	}
	t.Fatalf("no archive in %s has a binary for %s", dist, platform)
	return ""
}
