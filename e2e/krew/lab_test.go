package krew

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// lab is a user's machine: a krew root, a home and a PATH of its own, and a server in place of GitHub.
type lab struct {
	root     string // KREW_ROOT
	home     string
	path     string
	releases string // the server's address of what stands at releases on GitHub
	env      []string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{root: filepath.Join(t.TempDir(), "krew"), home: t.TempDir()}
	bin := t.TempDir()
	for name, path := range map[string]func() (string, error){"kubectl": kubectl, "kubectl-krew": krew} {
		target, err := path()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	l.path = strings.Join([]string{filepath.Join(l.root, "bin"), bin, "/usr/local/bin", "/usr/bin", "/bin"}, string(os.PathListSeparator))
	l.releases = serve(t)
	return l
}

// serve is GitHub as far as a release needs it: the downloads by version and name, and the way to the latest one.
func serve(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("GET /releases/download/"+dist.manifest.Spec.Version+"/",
		http.StripPrefix("/releases/download/"+dist.manifest.Spec.Version+"/", http.FileServer(http.Dir(distDir))))
	mux.HandleFunc("GET /releases/latest", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/releases/tag/"+dist.manifest.Spec.Version, http.StatusFound)
	})
	mux.HandleFunc("GET /releases/tag/", func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/releases"
}

// manifest writes the release's manifest with the server's address in place of GitHub's, and changed as told: pairs of what is there,
// and what is to be there. Its name is the one that krew asks for.
func (l *lab) manifest(t *testing.T, changes ...string) string {
	t.Helper()
	text := strings.ReplaceAll(dist.text, releases+"/", l.releases+"/download/")
	for pair := range slices.Chunk(changes, 2) {
		if !strings.Contains(text, pair[0]) {
			t.Fatalf("the manifest has no %q", pair[0])
		}
		text = strings.Replace(text, pair[0], pair[1], 1)
	}
	path := filepath.Join(t.TempDir(), "tracebloc.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// result is how a program ended.
type result struct {
	command        string
	code           int
	stdout, stderr string
}

// run runs a program with the lab's environment and nothing of this one's, so that no proxy and no configuration takes part.
func (l *lab) run(t *testing.T, name string, args ...string) result {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	for dir := range strings.SplitSeq(l.path, string(os.PathListSeparator)) {
		if path := filepath.Join(dir, name); filepath.Base(name) == name {
			if _, err := os.Stat(path); err == nil {
				c.Path, c.Err = path, nil
				break
			}
		}
	}
	c.Dir = l.home
	c.Env = append([]string{
		"HOME=" + l.home, "PATH=" + l.path, "KREW_ROOT=" + l.root, "TMPDIR=" + t.TempDir(),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "KREW_NO_UPGRADE_CHECK=1",
	}, l.env...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	if ended := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return result{strings.Join(c.Args, " "), c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// succeeds fails the test unless the program ended with 0 and said all of it, on stdout or stderr.
func (r result) succeeds(t *testing.T, says ...string) result {
	t.Helper()
	if r.code != 0 {
		t.Fatalf("%s: exit code %d\n%s%s", r.command, r.code, r.stdout, r.stderr)
	}
	return r.says(t, says...)
}

// fails fails the test unless the program ended with another code than 0 and said all of it.
func (r result) fails(t *testing.T, says ...string) result {
	t.Helper()
	if r.code == 0 {
		t.Fatalf("%s: exit code 0\n%s%s", r.command, r.stdout, r.stderr)
	}
	return r.says(t, says...)
}

func (r result) says(t *testing.T, says ...string) result {
	t.Helper()
	for _, text := range says {
		if !strings.Contains(r.stdout+r.stderr, text) {
			t.Errorf("%s: no %q in\n%s%s", r.command, text, r.stdout, r.stderr)
		}
	}
	return r
}

// ours are the paths below the krew root that have the plugin's name in them, the indexes left out.
func (l *lab) ours(t *testing.T) []string {
	t.Helper()
	if _, err := os.Stat(l.root); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return slices.DeleteFunc(paths(t, l.root), func(path string) bool {
		return !strings.Contains(path, "tracebloc") || strings.HasPrefix(path, "index"+string(os.PathSeparator))
	})
}

// installed is what krew keeps of an installation of that version for that platform.
func (p platform) installed(version string) []string {
	want := []string{"bin/" + p.Bin, "receipts/tracebloc.yaml"}
	for _, name := range p.files() {
		want = append(want, fmt.Sprintf("store/tracebloc/%s/%s", version, name))
	}
	slices.Sort(want)
	return want
}
