package images

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Cache is the directory of finished archives, DefaultCache unless a test has its own.
type Cache struct{ Dir string }

// DefaultCache is ${XDG_CACHE_HOME:-~/.cache}/kubectl-tracebloc/images.
func DefaultCache() (Cache, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return Cache{}, fmt.Errorf("find the cache directory: %w (set XDG_CACHE_HOME)", err)
	}
	return Cache{Dir: filepath.Join(base, "kubectl-tracebloc", "images")}, nil
}

// path is where the archive of name with the content key stands.
func (c Cache) path(name, key string) string {
	return filepath.Join(c.Dir, name+"-"+runtime.GOARCH+"-"+key[:16]+".tar")
}

// lookup opens a finished archive, if there is one.
func (c Cache) lookup(ref, path string) (Archive, bool) {
	f, err := os.Open(path)
	if err != nil {
		return Archive{}, false
	}
	defer func() { _ = f.Close() }()
	digest, err := readDigest(f)
	if err != nil {
		return Archive{}, false
	}
	return Archive{Ref: ref, Digest: digest, Path: path}, true
}

// readDigest finds the image's digest in the index of an archive.
func readDigest(r io.Reader) (string, error) {
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if err != nil {
			return "", fmt.Errorf("find index.json: %w", err)
		}
		if h.Name != "index.json" {
			continue
		}
		var idx index
		if err := json.NewDecoder(tr).Decode(&idx); err != nil {
			return "", fmt.Errorf("read index.json: %w", err)
		}
		if len(idx.Manifests) == 0 || !strings.HasPrefix(idx.Manifests[0].Digest, "sha256:") {
			return "", errors.New("read index.json: no image in it")
		}
		return idx.Manifests[0].Digest, nil
	}
}

// store writes img to path, whole or not at all.
func (c Cache) store(img Image, path string) (_ Archive, err error) {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return Archive{}, err
	}
	scratch, err := os.CreateTemp(c.Dir, ".layer-*")
	if err != nil {
		return Archive{}, err
	}
	defer func() { _, _ = scratch.Close(), os.Remove(scratch.Name()) }()
	out, err := os.CreateTemp(c.Dir, ".archive-*")
	if err != nil {
		return Archive{}, err
	}
	defer func() {
		if err != nil {
			_, _ = out.Close(), os.Remove(out.Name())
		}
	}()
	digest, err := writeArchive(out, scratch, img, runtime.GOARCH)
	if err != nil {
		return Archive{}, err
	}
	if err := out.Chmod(0o644); err != nil {
		return Archive{}, err
	}
	if err := out.Close(); err != nil {
		return Archive{}, err
	}
	if err := os.Rename(out.Name(), path); err != nil {
		return Archive{}, err
	}
	return Archive{Ref: img.Ref, Digest: digest, Path: path}, nil
}
