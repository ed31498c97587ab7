package krew

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"debug/buildinfo"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// maxBinary is the most bytes that a stripped binary may have.
const maxBinary = 56_000_000

func runsHere(p platform) bool { return p.os() == runtime.GOOS && p.arch() == runtime.GOARCH }

// TestArchives looks at the archives' entries: krew unpacks regular files and directories only, and gives them the modes that they have.
func TestArchives(t *testing.T) {
	for _, p := range dist.manifest.Spec.Platforms {
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			list := listTar
			if p.os() == "windows" {
				list = listZip
			}
			got, err := list(filepath.Join(distDir, p.archive()))
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, name := range p.files() {
				mode := fs.FileMode(0o755)
				if name == "LICENSE" {
					mode = 0o644
				}
				want = append(want, fmt.Sprintf("%v %s", mode, name))
			}
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
	}
}

// listTar gives mode and name of each entry. An owner's name would be that of whoever built the archive.
func listTar(path string) (entries []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return entries, nil
		}
		if err != nil {
			return nil, err
		}
		if h.Uid != 0 || h.Gid != 0 {
			return nil, fmt.Errorf("%s belongs to %d:%d, want 0:0", h.Name, h.Uid, h.Gid)
		}
		entries = append(entries, fmt.Sprintf("%v %s", h.FileInfo().Mode(), h.Name))
	}
}

func listZip(path string) (entries []string, err error) {
	r, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for _, f := range r.File {
		entries = append(entries, fmt.Sprintf("%v %s", f.Mode(), f.Name))
	}
	return entries, nil
}

// machine is the GOARCH that an executable of the operating system is for, by its own header. One with symbols, or one that needs a
// C library, is refused.
func machine(goos, path string) (string, error) {
	var arch any
	var symbols, libraries bool
	switch goos {
	case "linux":
		f, err := elf.Open(path)
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }()
		arch, symbols = f.Machine, f.Section(".symtab") != nil
		libraries = slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
	case "darwin":
		f, err := macho.Open(path)
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }()
		arch, symbols = f.Cpu, f.Section("__debug_info") != nil || f.Section("__zdebug_info") != nil
	case "windows":
		f, err := pe.Open(path)
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }()
		arch, symbols = f.Machine, len(f.Symbols) > 0
	}
	switch {
	case symbols:
		return "", fmt.Errorf("%s is not stripped", path)
	case libraries:
		return "", fmt.Errorf("%s needs a dynamic linker", path)
	}
	return map[any]string{
		elf.EM_386: "386", elf.EM_X86_64: "amd64", elf.EM_ARM: "arm", elf.EM_AARCH64: "arm64",
		macho.CpuAmd64: "amd64", macho.CpuArm64: "arm64",
		uint16(pe.IMAGE_FILE_MACHINE_AMD64): "amd64", uint16(pe.IMAGE_FILE_MACHINE_ARM64): "arm64",
	}[arch], nil
}

// checkBinary holds an installed executable against its platform, and against how releases are built.
func checkBinary(t *testing.T, p platform, path string) {
	t.Helper()
	arch, err := machine(p.os(), path)
	if err != nil || arch != p.arch() {
		t.Errorf("%s is for %q (%v), want %q", path, arch, err, p.arch())
	}
	if info, err := os.Stat(path); err != nil || info.Size() > maxBinary || info.Mode()&0o111 == 0 {
		t.Errorf("%s: %v, %v; want an executable of at most %d bytes", path, info, err, maxBinary)
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := "github.com/tracebloc/kubectl-tracebloc/cmd/kubectl-tracebloc"; info.Path != want {
		t.Errorf("the binary is built from %s, want %s", info.Path, want)
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	want := map[string]string{"GOOS": p.os(), "GOARCH": p.arch(), "CGO_ENABLED": "0", "-trimpath": "true"}
	if p.arch() == "arm" {
		want["GOARM"] = "6"
	}
	for key, value := range want {
		got := settings[key]
		if key == "GOARM" {
			got, _, _ = strings.Cut(got, ",")
		}
		if got != value {
			t.Errorf("built with %s=%q, want %q", key, settings[key], value)
		}
	}
}
