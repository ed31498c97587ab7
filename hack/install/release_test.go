// Package install tests hack/install.sh and hack/install.ps1 against a server that looks like the project's releases.
package install

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	version = "v1.2.3"
	bundle  = `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`
	// shim is the content of the completion shim, which nobody runs here.
	shim = "#!/bin/sh\nexec kubectl tracebloc __complete \"$@\"\n"
)

// TestMain lets the test binary be the installed plugin, where a test needs one that the operating system treats as a program.
func TestMain(m *testing.M) {
	if !strings.HasPrefix(strings.TrimPrefix(filepath.Base(os.Args[0]), "."), "kubectl-tracebloc") {
		os.Exit(m.Run())
	}
	if slices.Equal(os.Args[1:], []string{"wait"}) {
		fmt.Println("waiting")
		if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
			os.Exit(1)
		}
	}
	fmt.Println("Client Version:", version)
}

// plugin is a plugin that can be told from others by its version, and does nothing else.
func plugin(version string) string {
	return "#!/bin/sh\n[ \"$*\" = 'version --client' ] || exit 64\necho Client Version: " + version + "\n"
}

// server has releases as GitHub has them: the newest is a redirect, and a file is one to another place.
type server struct {
	*httptest.Server
	latest string                                            // what /latest redirects to; the newest version by default
	answer func(w http.ResponseWriter, r *http.Request) bool // answers before the releases do, where it returns true

	mu       sync.Mutex
	files    map[string][]byte // by VERSION/NAME
	requests []string          // "GET /releases/latest"
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := idle()
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func newTLSServer(t testing.TB) *server {
	t.Helper()
	s := idle()
	// Clients that refuse the certificate are what some tests are about.
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func idle() *server {
	s := &server{files: map[string][]byte{}, latest: "/releases/tag/" + version}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.release(version, plugin(version))
	return s
}

func (s *server) base() string { return s.URL + "/releases" }

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	s.mu.Unlock()
	if s.answer != nil && s.answer(w, r) {
		return
	}
	switch dir, name := path.Split(r.URL.Path); {
	case r.URL.Path == "/releases/latest":
		w.Header().Set("Location", s.latest)
		w.WriteHeader(http.StatusFound)
	case strings.HasPrefix(dir, "/releases/download/"):
		w.Header().Set("Location", strings.Replace(dir, "/releases/download/", "/assets/", 1)+name)
		w.WriteHeader(http.StatusFound)
	case strings.HasPrefix(dir, "/assets/") && s.file(strings.TrimPrefix(r.URL.Path, "/assets/")) != nil:
		_, _ = w.Write(s.file(strings.TrimPrefix(r.URL.Path, "/assets/")))
	case dir == "/releases/tag/":
		_, _ = fmt.Fprintf(w, "<title>Release %s</title>\n", name)
	default:
		http.NotFound(w, r)
	}
}

func (s *server) file(name string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files[name]
}

func (s *server) set(version, name, content string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[version+"/"+name] = []byte(content)
}

// asked returns what was asked for so far.
func (s *server) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// release adds a release of all platforms, whose plugin has that content.
func (s *server) release(version, plugin string) {
	var sums strings.Builder
	for _, platform := range platforms {
		archive := archiveOf(version, platform)
		content := pack(platform, plugin)
		s.set(version, archive, string(content))
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), archive)
	}
	s.set(version, "SHA256SUMS", sums.String())
	s.set(version, "SHA256SUMS.sigstore.json", bundle)
}

// platforms are those of a release, sorted by archive.
var platforms = []string{
	"darwin_amd64", "darwin_arm64", "linux_386", "linux_amd64", "linux_arm", "linux_arm64", "windows_amd64", "windows_arm64",
}

func archiveOf(version, platform string) string {
	extension := ".tar.gz"
	if strings.HasPrefix(platform, "windows") {
		extension = ".zip"
	}
	return "kubectl-tracebloc_" + version + "_" + platform + extension
}

// pack makes an archive as releases have it. Writing into memory does not fail.
func pack(platform, plugin string) []byte {
	var out bytes.Buffer
	if strings.HasPrefix(platform, "windows") {
		archive := zip.NewWriter(&out)
		for name, content := range map[string]string{
			"kubectl-tracebloc.exe": plugin, "kubectl_complete-tracebloc.cmd": "@kubectl tracebloc __complete %*\r\n", "LICENSE": "Apache\n",
		} {
			w, _ := archive.Create(name)
			_, _ = io.WriteString(w, content)
		}
		_ = archive.Close()
		return out.Bytes()
	}
	compressed := gzip.NewWriter(&out)
	archive := tar.NewWriter(compressed)
	for _, file := range []struct {
		name, content string
		mode          int64
	}{{"LICENSE", "Apache\n", 0o644}, {"kubectl-tracebloc", plugin, 0o755}, {"kubectl_complete-tracebloc", shim, 0o755}} {
		_ = archive.WriteHeader(&tar.Header{Name: file.name, Mode: file.mode, Size: int64(len(file.content)), Uid: 4711, Gid: 4711})
		_, _ = io.WriteString(archive, file.content)
	}
	_ = archive.Close()
	_ = compressed.Close()
	return out.Bytes()
}

// remove takes a file out of the release.
func (s *server) remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.files, version+"/"+name)
}

// replace exchanges an archive, and its sum with it.
func (s *server) replace(archive, content string) {
	old, sums := s.file(version+"/"+archive), s.file(version+"/SHA256SUMS")
	s.set(version, archive, content)
	s.set(version, "SHA256SUMS", strings.ReplaceAll(string(sums), fmt.Sprintf("%x", sha256.Sum256(old)), fmt.Sprintf("%x", sha256.Sum256([]byte(content)))))
}
