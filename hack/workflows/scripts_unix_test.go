//go:build unix

package workflows

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// write makes a program.
func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// notes is a program that notes its arguments, a call a line, in the file NOTES.
const notes = `#!/bin/sh
echo "$(basename "$0") $*" >>"$NOTES"
`

// A script runs with programs in place of its own, and says what they were called with.
func script(t *testing.T, programs map[string]string, name string, args ...string) (called []string, output string, code int) {
	t.Helper()
	dir := t.TempDir()
	for program, text := range programs {
		write(t, filepath.Join(dir, "bin", program), text)
	}
	c := exec.Command(name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":/usr/bin:/bin", "NOTES="+filepath.Join(dir, "notes"), "PAUSE=0")
	out, err := c.CombinedOutput()
	if c.ProcessState == nil {
		t.Fatal(err)
	}
	noted, err := os.ReadFile(filepath.Join(dir, "notes"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if text := strings.TrimSpace(string(noted)); text != "" {
		called = strings.Split(text, "\n")
	}
	return called, string(out), c.ProcessState.ExitCode()
}

func absolute(t testing.TB, path string) string {
	t.Helper()
	abs, err := filepath.Abs(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// A tag with a hyphen is published as a prerelease, and never as the latest; and what is no version is not published.
func TestPublish(t *testing.T) {
	const upload = "gh release upload TAG dist/tracebloc.yaml dist/kubectl-tracebloc.rb --clobber"
	for _, tc := range []struct {
		tag  string
		edit string
	}{
		{"v1.2.3", "gh release edit TAG --prerelease=false --draft=false"},
		{"v10.20.30", "gh release edit TAG --prerelease=false --draft=false"},
		{"v1.2.3-rc.1", "gh release edit TAG --prerelease --latest=false --draft=false"},
		{"v0.1.0-alpha", "gh release edit TAG --prerelease --latest=false --draft=false"},
		{"v1.2", ""},
		{"1.2.3", ""},
		{"version", ""},
		{"", ""},
	} {
		called, output, code := script(t, map[string]string{"gh": notes}, absolute(t, "hack/workflows/publish.sh"), tc.tag)
		var want []string
		if tc.edit != "" {
			want = []string{strings.ReplaceAll(upload, "TAG", tc.tag), strings.ReplaceAll(tc.edit, "TAG", tc.tag)}
		}
		if diff := cmp.Diff(want, called); diff != "" || (code == 0) != (want != nil) {
			t.Errorf("%q: exit code %d\n%s\n%s", tc.tag, code, diff, output)
		}
	}
}

// What could not be uploaded leaves the release a draft.
func TestPublishStops(t *testing.T) {
	called, _, code := script(t, map[string]string{"gh": notes + `[ "$2" != upload ]`}, absolute(t, "hack/workflows/publish.sh"), "v1.2.3")
	if len(called) != 1 || code == 0 {
		t.Errorf("exit code %d, %q", code, called)
	}
}

// The smoke test believes the installed plugin, not the installer.
func TestSmoke(t *testing.T) {
	for _, tc := range []struct {
		name, install string
		good          bool
	}{
		{"good", `mkdir -p "$4/bin"; printf '#!/bin/sh\necho "Client Version: v1.2.3"\n' >"$4/bin/kubectl-tracebloc"; chmod +x "$4/bin/kubectl-tracebloc"`, true},
		{"another version", `mkdir -p "$4/bin"; printf '#!/bin/sh\necho "Client Version: v1.2.2"\n' >"$4/bin/kubectl-tracebloc"; chmod +x "$4/bin/kubectl-tracebloc"`, false},
		{"does not start", `mkdir -p "$4/bin"; printf '#!/bin/sh\nexit 1\n' >"$4/bin/kubectl-tracebloc"; chmod +x "$4/bin/kubectl-tracebloc"`, false},
		{"not installed", `true`, false},
		{"the installer fails", `exit 1`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "hack/workflows/smoke.sh"), read(t, "hack/workflows/smoke.sh"))
			write(t, filepath.Join(dir, "hack/install.sh"), "[ \"$1 $2 $3\" = '--version v1.2.3 --prefix' ] || exit 2\n"+tc.install+"\n")
			if _, output, code := script(t, nil, filepath.Join(dir, "hack/workflows/smoke.sh"), "v1.2.3"); (code == 0) != tc.good {
				t.Errorf("exit code %d\n%s", code, output)
			}
		})
	}
}

// e2e.sh takes the image of the minor that it is asked for, and no other.
func TestE2EImage(t *testing.T) {
	programs := map[string]string{
		"apt-get": notes, "make": "#!/bin/sh\necho \"make $* KIND_IMAGE=$KIND_IMAGE\" >>\"$NOTES\"\n", "sudo": "#!/bin/sh\nexec \"$@\"\n",
	}
	for minor, image := range kindImages(t) {
		called, output, code := script(t, programs, absolute(t, "hack/workflows/e2e.sh"), minor)
		if diff := cmp.Diff([]string{"apt-get -q update", "make e2e KIND_IMAGE=" + image}, called); diff != "" || code != 0 {
			t.Errorf("%s: exit code %d\n%s\n%s", minor, code, diff, output)
		}
	}
	for _, minor := range []string{"1.2", "1.240", "1.99", "#", "Kubernetes"} {
		if called, _, code := script(t, programs, absolute(t, "hack/workflows/e2e.sh"), minor); called != nil || code != 2 {
			t.Errorf("%q: exit code %d, %q", minor, code, called)
		}
	}
}

// Every fuzz target of every package is fuzzed, and one that finds something does not keep the others from it.
func TestFuzz(t *testing.T) {
	const golang = `#!/bin/sh
case "$*" in
*-list*) printf 'FuzzOne\nFuzzTwo\nok  	it\n' ;;
*) echo "go $*" >>"$NOTES"; case "$*" in *FuzzOne*) exit 1 ;; esac ;;
esac
`
	dir := t.TempDir()
	write(t, filepath.Join(dir, "hack/workflows/fuzz.sh"), read(t, "hack/workflows/fuzz.sh"))
	write(t, filepath.Join(dir, "pkg/a/a_test.go"), "package a\nfunc FuzzOne(f *testing.F) {}\nfunc FuzzTwo(f *testing.F) {}\n")
	write(t, filepath.Join(dir, "pkg/b/b_test.go"), "package b\nfunc TestNone(t *testing.T) {}\n")
	called, output, code := script(t, map[string]string{"go": golang}, filepath.Join(dir, "hack/workflows/fuzz.sh"))
	want := []string{
		"go test -run ^$ -fuzz ^FuzzOne$ -fuzztime 30s ./pkg/a",
		"go test -run ^$ -fuzz ^FuzzTwo$ -fuzztime 30s ./pkg/a",
	}
	if diff := cmp.Diff(want, called); diff != "" || code != 1 {
		t.Errorf("exit code %d\n%s\n%s", code, diff, output)
	}
}
