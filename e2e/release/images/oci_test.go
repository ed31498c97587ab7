package images

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func testImage(t *testing.T) Image {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("#!/bin/true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Image{
		Ref:        "registry.example:5000/team/thing:1",
		Entrypoint: []string{"/usr/bin/program"},
		User:       "1:2",
		Files: []File{
			{Path: "usr/bin/program", Mode: 0o755, Source: program},
			{Path: "etc/note", Mode: 0o644, Data: []byte("hello")},
			{Path: "bin", Link: "usr/bin", Mode: 0o777},
		},
	}
}

func readTar(t *testing.T, r io.Reader) ([]string, map[string][]byte) {
	t.Helper()
	var names []string
	content := map[string][]byte{}
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return names, content
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		content[h.Name] = data
	}
}

func TestArchiveIsAnOCILayoutNamedByTagAndDigest(t *testing.T) {
	cache := Cache{Dir: t.TempDir()}
	a, err := cache.store(testImage(t), filepath.Join(cache.Dir, "a.tar"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(a.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	_, content := readTar(t, f)
	for name, data := range content {
		if want, isBlob := strings.CutPrefix(name, "blobs/sha256/"); isBlob {
			sum := sha256.Sum256(data)
			if got := hex.EncodeToString(sum[:]); got != want {
				t.Errorf("blob %s has the digest %s", want, got)
			}
		}
	}
	var idx index
	if err := json.Unmarshal(content["index.json"], &idx); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range idx.Manifests {
		if m.Digest != a.Digest {
			t.Errorf("manifest %s, want %s", m.Digest, a.Digest)
		}
		names = append(names, m.Annotations["io.containerd.image.name"])
	}
	want := []string{"registry.example:5000/team/thing:1", "registry.example:5000/team/thing@" + a.Digest}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	var man manifest
	if err := json.Unmarshal(content[blobPath(a.Digest)], &man); err != nil {
		t.Fatal(err)
	}
	files, layer := readTar(t, bytes.NewReader(content[blobPath(man.Layers[0].Digest)]))
	if diff := cmp.Diff([]string{"bin", "etc/", "etc/note", "usr/", "usr/bin/", "usr/bin/program"}, files); diff != "" {
		t.Error(diff)
	}
	if string(layer["usr/bin/program"]) != "#!/bin/true\n" {
		t.Errorf("program = %q", layer["usr/bin/program"])
	}
}

func TestArchiveBytesAreDeterministic(t *testing.T) {
	var got [2][]byte
	for i := range got {
		cache := Cache{Dir: t.TempDir()}
		img := testImage(t)
		if i == 1 {
			slices.Reverse(img.Files)
		}
		a, err := cache.store(img, filepath.Join(cache.Dir, "a.tar"))
		if err != nil {
			t.Fatal(err)
		}
		if got[i], err = os.ReadFile(a.Path); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got[0], got[1]) {
		t.Error("the same image gave different archives")
	}
}

func TestCacheLookup(t *testing.T) {
	cache := Cache{Dir: t.TempDir()}
	img := testImage(t)
	key, err := hashImage(img)
	if err != nil {
		t.Fatal(err)
	}
	path := cache.path("thing", key)
	if _, ok := cache.lookup(img.Ref, path); ok {
		t.Error("found an archive in an empty cache")
	}
	stored, err := cache.store(img, path)
	if err != nil {
		t.Fatal(err)
	}
	found, ok := cache.lookup(img.Ref, path)
	if !ok || found != stored {
		t.Errorf("lookup = %v, %v; want %v", found, ok, stored)
	}
	if err := os.WriteFile(path, []byte("cut"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := cache.lookup(img.Ref, path); ok {
		t.Error("took a damaged archive")
	}
	img.User = "3:4"
	if other, err := hashImage(img); err != nil || other == key {
		t.Errorf("another user gave the same key (%v)", err)
	}
	left, err := filepath.Glob(filepath.Join(cache.Dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("scratch files left: %v %v", left, err)
	}
}

func TestRepository(t *testing.T) {
	for ref, want := range map[string]string{
		"docker.io/a/b:1":    "docker.io/a/b",
		"host:5000/a":        "host:5000/a",
		"host:5000/a:latest": "host:5000/a",
	} {
		if got := repository(ref); got != want {
			t.Errorf("repository(%q) = %q, want %q", ref, got, want)
		}
	}
}
