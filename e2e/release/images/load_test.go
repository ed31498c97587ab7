package images

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/kubernetes/fake"
)

func TestLoadHandsOverOnlyWhatIsNew(t *testing.T) {
	dir := t.TempDir()
	seen := filepath.Join(dir, "seen")
	loader := filepath.Join(dir, "loader")
	if err := os.WriteFile(loader, []byte("#!/bin/sh\nprintf '%s\\n' \"$@\" >\""+seen+"\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("E2E_IMAGE_LOADER", loader)
	client := fake.NewClientset()
	archives := []Archive{{Ref: "a/b:1", Digest: "sha256:1", Path: "b.tar"}, {Ref: "a/c:1", Digest: "sha256:2", Path: "c.tar"}}
	for _, tc := range []struct {
		name   string
		change func()
		want   string
	}{
		{"all", func() {}, "b.tar\nc.tar\n"},
		{"none", func() {}, ""},
		{"the changed one", func() { archives[1].Digest = "sha256:3" }, "c.tar\n"},
	} {
		tc.change()
		if err := os.RemoveAll(seen); err != nil {
			t.Fatal(err)
		}
		if err := Load(t.Context(), client, dir, archives, &bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(seen)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if string(got) != tc.want {
			t.Errorf("%s: loaded %q, want %q", tc.name, got, tc.want)
		}
	}
	if err := os.WriteFile(loader, []byte("#!/bin/sh\necho no cluster >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	archives[0].Digest = "sha256:4"
	if err := Load(t.Context(), client, dir, archives, &bytes.Buffer{}); err == nil {
		t.Error("a loader that fails is no error")
	}
}
