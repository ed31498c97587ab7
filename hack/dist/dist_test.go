package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// built is a directory as goreleaser leaves it, with small files in place of binaries.
type built struct {
	t   *testing.T
	dir string
}

func newBuilt(t *testing.T) built {
	t.Helper()
	b := built{t, t.TempDir()}
	b.write("metadata.json", `{"project_name":"kubectl-tracebloc","tag":"v1.2.2","version":"1.2.3","commit":"0f1e2d3c4b5a69788796a5b4c3d2e1f001234567"}`)
	r := &release{version: "v1.2.3"}
	for _, platform := range platforms {
		b.archive(r.archive(platform), wanted(platform))
	}
	b.sums()
	return b
}

func (b built) write(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func (b built) archive(name string, files map[string]fs.FileMode) {
	b.t.Helper()
	var out bytes.Buffer
	pack := packTar
	if strings.HasSuffix(name, ".zip") {
		pack = packZip
	}
	if err := pack(&out, name, files); err != nil {
		b.t.Fatal(err)
	}
	b.write(name, out.String())
}

// packTar writes a text of its own into each file, so that no two archives have the same sum.
func packTar(out io.Writer, title string, files map[string]fs.FileMode) error {
	zipped := gzip.NewWriter(out)
	archive := tar.NewWriter(zipped)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: int64(files[name]), Size: int64(len(title + name))}); err != nil {
			return err
		}
		if _, err := io.WriteString(archive, title+name); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return zipped.Close()
}

func packZip(out io.Writer, title string, files map[string]fs.FileMode) error {
	archive := zip.NewWriter(out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate}
		header.SetMode(files[name])
		file, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(file, title+name); err != nil {
			return err
		}
	}
	return archive.Close()
}

// sums writes SHA256SUMS of the archives that are there.
func (b built) sums() {
	b.t.Helper()
	paths, err := filepath.Glob(filepath.Join(b.dir, "kubectl-tracebloc_*"))
	if err != nil {
		b.t.Fatal(err)
	}
	var text strings.Builder
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			b.t.Fatal(err)
		}
		fmt.Fprintf(&text, "%x  %s\n", sha256.Sum256(content), filepath.Base(path))
	}
	b.write("SHA256SUMS", text.String())
}

func (b built) read(name string) string {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

func (b built) run(args ...string) (string, error) {
	var stdout bytes.Buffer
	err := run(append([]string{"-dist", b.dir, "-templates", "../../plugins"}, args...), &stdout, io.Discard)
	return strings.ReplaceAll(stdout.String(), b.dir+string(filepath.Separator), ""), err
}

func TestRender(t *testing.T) {
	b := newBuilt(t)
	stdout, err := b.run()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("tracebloc.yaml\nkubectl-tracebloc.rb\n", stdout); diff != "" {
		t.Errorf("stdout (-want +got):\n%s", diff)
	}
	for _, name := range []string{"tracebloc.yaml", "kubectl-tracebloc.rb"} {
		got := withoutSums(t, b)(b.read(name))
		golden := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got), go test ./hack/dist -update writes it anew:\n%s", name, diff)
		}
	}
}

// withoutSums puts the name of an archive in place of its sum, which depends on how Go compresses.
func withoutSums(t *testing.T, b built) func(string) string {
	t.Helper()
	sums, err := parseSums(b.read("SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	var pairs []string
	for name, sum := range sums {
		pairs = append(pairs, sum, "SHA256 of "+name)
	}
	return strings.NewReplacer(pairs...).Replace
}

func TestRenderElsewhere(t *testing.T) {
	b := newBuilt(t)
	out := filepath.Join(t.TempDir(), "new", "directory")
	if _, err := b.run("-base", "http://127.0.0.1:8080/mirror", "-out", out); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tracebloc.yaml", "kubectl-tracebloc.rb"} {
		text, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "github.com/tracebloc/kubectl-tracebloc/releases") {
			t.Errorf("%s still names GitHub's archives:\n%s", name, text)
		}
		if want := "http://127.0.0.1:8080/mirror/kubectl-tracebloc_v1.2.3_linux_amd64.tar.gz"; !strings.Contains(string(text), want) {
			t.Errorf("%s does not have %s:\n%s", name, want, text)
		}
		if _, err := os.Stat(filepath.Join(b.dir, name)); err == nil {
			t.Errorf("%s was written beside the archives as well", name)
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	const linux, windows = "kubectl-tracebloc_v1.2.3_linux_amd64.tar.gz", "kubectl-tracebloc_v1.2.3_windows_arm64.zip"
	for _, tt := range []struct {
		name  string
		spoil func(built)
		want  string
	}{
		{"an archive that was not built", func(b built) {
			if err := os.Remove(filepath.Join(b.dir, linux)); err != nil {
				b.t.Fatal(err)
			}
		}, linux},
		{"an archive without a sum", func(b built) {
			lines := strings.SplitAfter(b.read("SHA256SUMS"), "\n")
			b.write("SHA256SUMS", strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.Contains(l, linux) }), ""))
		}, `archive "` + linux + `" is not in SHA256SUMS`},
		{"an archive that changed", func(b built) { b.write(linux, b.read(linux)+"more") }, `archive "` + linux + `" has SHA-256 `},
		{"a sum of something else", func(b built) {
			b.write("SHA256SUMS", b.read("SHA256SUMS")+strings.Repeat("a", 64)+"  kubectl-tracebloc_v1.2.3_plan9_amd64.tar.gz\n")
		}, "has 9 files, but there are 8 platforms"},
		{"sums that are none", func(b built) { b.write("SHA256SUMS", "nothing\n") }, `line "nothing\n" is not a SHA-256 sum`},
		{"an archive without license", func(b built) {
			files := wanted("linux_amd64")
			delete(files, "LICENSE")
			b.archive(linux, files)
			b.sums()
		}, `archive "` + linux + `": file "LICENSE" is not in it`},
		{"a shim that cannot be executed", func(b built) {
			files := wanted("linux_amd64")
			files["kubectl_complete-tracebloc"] = 0o644
			b.archive(linux, files)
			b.sums()
		}, `file "kubectl_complete-tracebloc" has mode -rw-r--r-- in it, not -rwxr-xr-x`},
		{"more than is needed", func(b built) {
			files := wanted("linux_amd64")
			files["notes.txt"] = 0o644
			b.archive(linux, files)
			b.sums()
		}, `file "notes.txt" is in it`},
		{"the other systems' files on Windows", func(b built) { b.archive(windows, wanted("linux_arm64")); b.sums() }, `file "kubectl-tracebloc.exe" is not in it`},
		{"half an archive", func(b built) { text := b.read(linux); b.write(linux, text[:len(text)/2]); b.sums() }, `archive "` + linux + `": unexpected EOF`},
		{"what is no archive", func(b built) { b.write(windows, "text"); b.sums() }, `archive "` + windows + `": zip: not a valid zip file`},
		{"no version", func(b built) { b.write("metadata.json", `{}`) }, `version "" is not a semantic version`},
		{"no commit", func(b built) { b.write("metadata.json", `{"version":"1.2.3","commit":"none"}`) }, `"none" is not a commit`},
		{"another version", func(b built) { b.write("metadata.json", strings.Replace(b.read("metadata.json"), "1.2.3", "1.2.4", 1)) }, `"kubectl-tracebloc_v1.2.4_darwin_amd64.tar.gz" is not in SHA256SUMS`},
		{"build metadata", func(b built) { b.write("metadata.json", `{"version":"1.2.3+dirty"}`) }, `version "1.2.3+dirty" is not`},
		{"broken metadata", func(b built) { b.write("metadata.json", `{`) }, "unexpected end of JSON input"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBuilt(t)
			tt.spoil(b)
			_, err := b.run()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if _, err := os.Stat(filepath.Join(b.dir, "tracebloc.yaml")); err == nil {
				t.Error("the manifest was written all the same")
			}
		})
	}
}

func TestTemplatesAreHeldToTheRelease(t *testing.T) {
	const use = `{{ addURIAndSha "https://github.com/tracebloc/kubectl-tracebloc/releases/download/{{ .TagName }}/kubectl-tracebloc_{{ .TagName }}_linux_arm.tar.gz" .TagName }}`
	b := newBuilt(t)
	r, err := load(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, template, want string
		render               func(string) ([]byte, error)
	}{
		{"an archive that the manifest leaves out", use, "has no platform that takes archive", r.manifest},
		{"an archive that is there twice", use + use, "was used before", r.manifest},
		{"another repository", `{{ addURIAndSha "https://github.com/else/where/{{ .TagName }}.tar.gz" .TagName }}`, "is no archive of release v1.2.3", r.manifest},
		{"a field that the bot does not know", `{{ .Version }}`, "Version", r.manifest},
		{"an address with a mistake", `{{ addURIAndSha "https://{{ .Tag }}" .TagName }}`, "Tag", r.manifest},
		{"a platform of the formula that is not built", `{{ uri "plan9_amd64" }}`, `platform "plan9_amd64" has no archive`, r.formula},
		{"a sum of the formula that is not there", `{{ sha256 "plan9_amd64" }}`, `platform "plan9_amd64" has no archive`, r.formula},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "template")
			if err := os.WriteFile(path, []byte(tt.template), 0o644); err != nil {
				t.Fatal(err)
			}
			text, err := tt.render(path)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%q and error %v, want one with %q", text, err, tt.want)
			}
		})
	}
}

func TestArguments(t *testing.T) {
	b := newBuilt(t)
	if _, err := b.run("more"); err == nil || !strings.Contains(err.Error(), `unexpected argument "more"`) {
		t.Errorf("error %v", err)
	}
	if _, err := b.run("-no-such-flag"); err == nil {
		t.Error("an unknown flag was taken")
	}
}

func FuzzParseSums(f *testing.F) {
	f.Add(strings.Repeat("a", 64) + "  kubectl-tracebloc_v1.2.3_linux_amd64.tar.gz\n")
	f.Add(strings.Repeat("a", 64) + " *../name\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		sums, err := parseSums(text)
		if err != nil {
			return
		}
		var again strings.Builder
		for line := range strings.Lines(text) {
			_, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
			fmt.Fprintf(&again, "%s  %s\n", sums[name], name)
		}
		if diff := cmp.Diff(strings.TrimSuffix(text, "\n"), strings.TrimSuffix(again.String(), "\n")); diff != "" {
			t.Errorf("read as something else (-text +read):\n%s", diff)
		}
	})
}
