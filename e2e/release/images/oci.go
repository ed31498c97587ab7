// Package images builds the container images of the release stand-ins without Docker and without a registry, keeps the
// archives in a cache by the hash of what they hold, and loads them into a cluster.
package images

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// File is one entry of an image's only layer.
type File struct {
	Path   string // slash-separated, without a leading slash
	Mode   int64  // permission bits
	Data   []byte // content of a small file
	Source string // path of a file on this machine whose content is taken instead of Data
	Link   string // target of a symbolic link
	Dir    bool
}

// Image is what goes into an archive.
type Image struct {
	Ref        string // docker.io/tracebloc/jobs-manager:prod
	Entrypoint []string
	Cmd        []string
	Env        []string
	User       string // uid:gid
	Files      []File
}

// Archive is an OCI image layout in a tar file, as `ctr images import` and `kind load image-archive` take it.
type Archive struct {
	Ref    string // with the tag
	Digest string // sha256:<hex> of the image's manifest; the archive names the image by it as well
	Path   string
}

// Repository is Ref without its tag.
func (a Archive) Repository() string {
	return repository(a.Ref)
}

func repository(ref string) string {
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		return ref[:i]
	}
	return ref
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Platform    *platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

type manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        descriptor   `json:"config"`
	Layers        []descriptor `json:"layers"`
}

type index struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []descriptor `json:"manifests"`
}

type imageConfig struct {
	Created      string          `json:"created"`
	Architecture string          `json:"architecture"`
	OS           string          `json:"os"`
	Config       containerConfig `json:"config"`
	RootFS       rootFS          `json:"rootfs"`
}

type containerConfig struct {
	User       string   `json:"User,omitempty"`
	Env        []string `json:"Env,omitempty"`
	Entrypoint []string `json:"Entrypoint,omitempty"`
	Cmd        []string `json:"Cmd,omitempty"`
}

type rootFS struct {
	Type    string   `json:"type"`
	DiffIDs []string `json:"diff_ids"`
}

const (
	mediaIndex    = "application/vnd.oci.image.index.v1+json"
	mediaManifest = "application/vnd.oci.image.manifest.v1+json"
	mediaConfig   = "application/vnd.oci.image.config.v1+json"
	mediaLayer    = "application/vnd.oci.image.layer.v1.tar"
)

// writeArchive writes img as an OCI layout to w: the same image gives the same bytes on every machine. The layer goes
// through scratch, a file that the caller removes. It returns the manifest's digest.
func writeArchive(w io.Writer, scratch *os.File, img Image, arch string) (string, error) {
	layer, err := writeLayer(scratch, img.Files)
	if err != nil {
		return "", fmt.Errorf("write the layer of %q: %w", img.Ref, err)
	}
	config, err := json.Marshal(imageConfig{
		Created:      "1970-01-01T00:00:00Z",
		Architecture: arch,
		OS:           "linux",
		Config:       containerConfig{User: img.User, Env: img.Env, Entrypoint: img.Entrypoint, Cmd: img.Cmd},
		RootFS:       rootFS{Type: "layers", DiffIDs: []string{layer.Digest}},
	})
	if err != nil {
		return "", err
	}
	man, err := json.Marshal(manifest{SchemaVersion: 2, MediaType: mediaManifest, Config: blob(mediaConfig, config), Layers: []descriptor{layer}})
	if err != nil {
		return "", err
	}
	tag := blob(mediaManifest, man)
	tag.Platform = &platform{Architecture: arch, OS: "linux"}
	pinned := tag
	tag.Annotations = map[string]string{"io.containerd.image.name": img.Ref}
	pinned.Annotations = map[string]string{"io.containerd.image.name": repository(img.Ref) + "@" + tag.Digest}
	idx, err := json.Marshal(index{SchemaVersion: 2, MediaType: mediaIndex, Manifests: []descriptor{tag, pinned}})
	if err != nil {
		return "", err
	}
	tw := tar.NewWriter(w)
	for _, f := range []struct {
		name string
		data []byte
	}{
		{"oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		{"index.json", idx},
		{blobPath(tag.Digest), man},
		{blobPath(blob(mediaConfig, config).Digest), config},
	} {
		if err := writeEntry(tw, File{Path: f.name, Mode: 0o644, Data: f.data}); err != nil {
			return "", err
		}
	}
	if err := writeEntry(tw, File{Path: blobPath(layer.Digest), Mode: 0o644, Source: scratch.Name()}); err != nil {
		return "", err
	}
	return tag.Digest, tw.Close()
}

func blob(mediaType string, data []byte) descriptor {
	sum := sha256.Sum256(data)
	return descriptor{MediaType: mediaType, Digest: "sha256:" + hex.EncodeToString(sum[:]), Size: int64(len(data))}
}

func blobPath(digest string) string {
	return "blobs/sha256/" + strings.TrimPrefix(digest, "sha256:")
}

// writeLayer writes the files, sorted and with the directories above them, as an uncompressed tar to f.
func writeLayer(f *os.File, files []File) (descriptor, error) {
	sum := sha256.New()
	tw := tar.NewWriter(io.MultiWriter(f, sum))
	for _, file := range withParents(files) {
		if err := writeEntry(tw, file); err != nil {
			return descriptor{}, err
		}
	}
	if err := tw.Close(); err != nil {
		return descriptor{}, err
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return descriptor{}, err
	}
	return descriptor{MediaType: mediaLayer, Digest: "sha256:" + hex.EncodeToString(sum.Sum(nil)), Size: size}, nil
}

func withParents(files []File) []File {
	byPath := map[string]File{}
	for _, f := range files {
		byPath[f.Path] = f
		for dir := f.Path; ; {
			i := strings.LastIndexByte(dir, '/')
			if i < 0 {
				break
			}
			dir = dir[:i]
			if _, there := byPath[dir]; !there {
				byPath[dir] = File{Path: dir, Mode: 0o755, Dir: true}
			}
		}
	}
	all := make([]File, 0, len(byPath))
	for _, f := range byPath {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return all
}

func writeEntry(tw *tar.Writer, f File) error {
	h := &tar.Header{Name: f.Path, Mode: f.Mode, ModTime: time.Unix(0, 0), Format: tar.FormatGNU, Typeflag: tar.TypeReg}
	switch {
	case f.Dir:
		h.Typeflag, h.Name = tar.TypeDir, f.Path+"/"
		return tw.WriteHeader(h)
	case f.Link != "":
		h.Typeflag, h.Linkname = tar.TypeSymlink, f.Link
		return tw.WriteHeader(h)
	case f.Source == "":
		h.Size = int64(len(f.Data))
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		_, err := tw.Write(f.Data)
		return err
	}
	src, err := os.Open(f.Source)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	info, err := src.Stat()
	if err != nil {
		return err
	}
	h.Size = info.Size()
	if err := tw.WriteHeader(h); err != nil {
		return err
	}
	_, err = io.Copy(tw, src)
	return err
}
