package install

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// powershells returns Windows PowerShell 5.1, and PowerShell 7 where it is.
func powershells(t *testing.T) []string {
	t.Helper()
	first, err := exec.LookPath("powershell")
	if err != nil {
		t.Fatalf("these tests need Windows PowerShell: %v", err)
	}
	if second, err := exec.LookPath("pwsh"); err == nil {
		return []string{first, second}
	}
	return []string{first}
}

// run runs install.ps1 and returns its exit code and all that it wrote.
func run(t *testing.T, powershell string, args ...string) (int, string) {
	t.Helper()
	script, err := filepath.Abs("../install.ps1")
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), powershell,
		append([]string{"-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File", script}, args...)...)
	c.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(strings.ToUpper(e), "HTTP") })
	out, _ := c.CombinedOutput()
	if c.ProcessState == nil {
		t.Fatalf("%s does not start", powershell)
	}
	return c.ProcessState.ExitCode(), string(out)
}

func self(t *testing.T) string {
	t.Helper()
	file, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestPowerShellInstalls(t *testing.T) {
	server := newServer(t)
	server.release(version, self(t))
	for _, powershell := range powershells(t) {
		prefix := filepath.Join(t.TempDir(), "a b'c", "deeper")
		flags := []string{"-BaseUrl", server.base(), "-Prefix", prefix, "-SkipSignature"}
		if code, out := run(t, powershell, append(flags, "-DryRun")...); code != 0 || !strings.Contains(out, "/download/v1.2.3/kubectl-tracebloc_v1.2.3_windows_") {
			t.Errorf("%s: a dry run ends with %d:\n%s", powershell, code, out)
		}
		if _, err := os.Stat(prefix); err == nil {
			t.Errorf("%s: a dry run makes the directory", powershell)
		}
		// Twice: the second time there is something to replace.
		for _, spelling := range []string{"v1.2.3", "1.2.3"} {
			if code, out := run(t, powershell, append(flags, "-Version", spelling)...); code != 0 || !strings.Contains(out, "installed kubectl-tracebloc v1.2.3") {
				t.Fatalf("%s: exit code %d:\n%s", powershell, code, out)
			}
			found, err := filepath.Glob(filepath.Join(prefix, "bin", "*"))
			if err != nil || len(found) != 2 {
				t.Errorf("%s: the directory has %q, %v; want the plugin and its shim", powershell, found, err)
			}
		}
		out, err := exec.CommandContext(t.Context(), filepath.Join(prefix, "bin", "kubectl-tracebloc.exe"), "version").CombinedOutput()
		if err != nil || string(out) != "Client Version: v1.2.3\n" {
			t.Errorf("%s: the plugin says %q, %v", powershell, out, err)
		}
	}
}

func TestPowerShellRefuses(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(s *server)
		args  []string
		code  int
		want  string
	}{
		{"wrong sum", func(s *server) {
			s.set(version, "SHA256SUMS", strings.ReplaceAll(string(s.file(version+"/SHA256SUMS")), "a", "b"))
		}, nil, 1, "has the SHA256"},
		{"no sum", func(s *server) { s.set(version, "SHA256SUMS", "") }, nil, 1, "has no sum for"},
		{"no release", func(*server) {}, []string{"-Version", "9.9.9"}, 1, "cannot download"},
		{"odd redirect", func(s *server) { s.latest = "/releases/tag/v1.2.3/../../x" }, nil, 1, "which is no version"},
		{"wrong version", func(*server) {}, []string{"-Version", "v1.2.3/../x"}, 2, "is not of the form v1.2.3"},
	} {
		server := newServer(t)
		tc.spoil(server)
		for _, powershell := range powershells(t) {
			prefix := filepath.Join(t.TempDir(), "p")
			code, out := run(t, powershell, append([]string{"-BaseUrl", server.base(), "-Prefix", prefix, "-SkipSignature"}, tc.args...)...)
			if flat := strings.Join(strings.Fields(out), " "); code != tc.code || !strings.Contains(flat, tc.want) {
				t.Errorf("%s, %s: exit code %d, want %d with %q:\n%s", powershell, tc.name, code, tc.code, tc.want, out)
			}
			if _, err := os.Stat(prefix); err == nil {
				t.Errorf("%s, %s: something was installed", powershell, tc.name)
			}
		}
	}
}
