package dist

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRebuildIsTheSame builds one commit in two places, as two people would: in other directories, homes, time zones and umasks, and
// with other settings of Go. They share Go's build cache, which saves most of the time and hides nothing: what it holds is found by all that
// goes into it, and that is the directory as well where -trimpath does not keep it out.
func TestRebuildIsTheSame(t *testing.T) {
	root := repository(t)
	first, second := filepath.Join(root, "dist"), filepath.Join(t.TempDir(), "another", "place")
	if git(t, root, "status", "--porcelain") == "" {
		git(t, root, "clone", "--quiet", root, second)
	} else {
		// What has been changed is committed in clones, as a build of a changed work tree cannot be repeated.
		clone := filepath.Join(t.TempDir(), "clone")
		git(t, root, "clone", "--quiet", root, clone)
		commitChanges(t, root, clone)
		git(t, root, "clone", "--quiet", clone, second)
		build(t, clone)
		first = filepath.Join(clone, "dist")
	}
	home := t.TempDir()
	build(t, second, "HOME="+home, "TZ=Asia/Kolkata", "LC_ALL=C", "GOFLAGS=-buildvcs=false", "GO386=softfloat")
	second = filepath.Join(second, "dist")

	for _, name := range []string{"SHA256SUMS", "tracebloc.yaml", "kubectl-tracebloc.rb"} {
		if diff := cmp.Diff(read(t, first, name), read(t, second, name)); diff != "" {
			t.Errorf("%s of two builds (-first +second):\n%s", name, diff)
		}
	}
	modules := goEnv(t, "GOMODCACHE")
	for _, path := range archives(t, second) {
		for _, m := range members(t, path) {
			for _, place := range []string{filepath.Dir(second), home, modules} {
				if bytes.Contains(m.text, []byte(place)) {
					t.Errorf("%s: %s has the path %s in it", filepath.Base(path), m.Name, place)
				}
			}
		}
	}
}

// repository is the directory that this module is in.
func repository(t *testing.T) string {
	t.Helper()
	return git(t, ".", "rev-parse", "--show-toplevel")
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	return strings.TrimSpace(string(run(t, nil, "git", append([]string{"-C", dir}, args...)...)))
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	return strings.TrimSpace(string(run(t, nil, "go", "env", name)))
}

func run(t *testing.T, stdin []byte, name string, args ...string) []byte {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return out
}

// build runs hack/dist.sh, with the caches and the settings of Go that this test has, and with env.
func build(t *testing.T, dir string, env ...string) {
	t.Helper()
	caches, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	umask := "022"
	if len(env) > 0 {
		umask = "077"
	}
	c := exec.CommandContext(t.Context(), "bash", "-c", "umask "+umask+" && exec hack/dist.sh")
	c.Dir = dir
	c.Env = append(os.Environ(), "XDG_CACHE_HOME="+caches, "GITHUB_TOKEN=", "SBOM=")
	for _, name := range []string{"GOENV", "GOPATH", "GOMODCACHE", "GOCACHE"} {
		c.Env = append(c.Env, name+"="+goEnv(t, name))
	}
	c.Env = append(c.Env, env...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("hack/dist.sh in %s: %v\n%s", dir, err, out)
	}
}

// commitChanges commits in clone what differs from HEAD in root's work tree.
func commitChanges(t *testing.T, root, clone string) {
	t.Helper()
	if patch := run(t, nil, "git", "-C", root, "diff", "--binary", "HEAD"); len(patch) > 0 {
		run(t, patch, "git", "-C", clone, "apply", "--index")
	}
	added := run(t, nil, "git", "-C", root, "ls-files", "--others", "--exclude-standard", "-z")
	for name := range strings.SplitSeq(strings.TrimSuffix(string(added), "\x00"), "\x00") {
		if name != "" {
			copyFile(t, filepath.Join(root, name), filepath.Join(clone, name))
		}
	}
	git(t, clone, "add", "--all")
	git(t, clone, "-c", "user.name=e2e", "-c", "user.email=e2e@example.com", "commit", "--quiet", "--no-verify", "--message=changes")
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Lstat(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(from)
		if err == nil {
			err = os.Symlink(target, to)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, info.Mode().Perm()); err != nil {
		t.Fatal(err)
	}
}
