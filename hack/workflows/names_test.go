package workflows

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// device is a name that Windows keeps for itself, with any extension.
var device = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$`)

// impossible says why Windows cannot have a file of that path, "" where it can.
func impossible(path string) string {
	for name := range strings.SplitSeq(path, "/") {
		switch {
		case device.MatchString(name):
			return "is a device"
		case strings.ContainsAny(name, `<>:"|?*\`):
			return "has a character that no name has there"
		case strings.HasSuffix(name, ".") || strings.HasSuffix(name, " "):
			return "ends with what is cut off there"
		}
	}
	return ""
}

// git on Windows checks nothing out of a repository that has a name which Windows cannot have, and one of two that differ in case only.
func TestRepositoryOnWindows(t *testing.T) {
	out, err := exec.Command("git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate").Output()
	if err != nil {
		t.Fatalf("this test needs git, and a work tree: %v", err)
	}
	deleted, err := exec.Command("git", "-C", root, "ls-files", "-z", "--deleted").Output()
	if err != nil {
		t.Fatal(err)
	}
	gone := map[string]bool{}
	for path := range strings.SplitSeq(string(deleted), "\x00") {
		gone[path] = true
	}
	seen, files := map[string]string{}, 0
	for path := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if gone[path] {
			continue
		}
		files++
		if why := impossible(path); why != "" {
			t.Errorf("%q %s", path, why)
		}
		folded := strings.ToLower(path)
		if other := seen[folded]; other != "" {
			t.Errorf("%q and %q are one file there", path, other)
		}
		seen[folded] = path
	}
	if files < 300 {
		t.Errorf("only %d files were found", files)
	}
}

// What is left out on Windows is there to be left out: a test that is renamed, or gone, must not stay on the list.
func TestSkippedTestsExist(t *testing.T) {
	var sources strings.Builder
	for _, dir := range []string{"pkg", "hack", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, e fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			sources.Write(source)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	skipped := 0
	for line := range strings.Lines(read(t, "hack/workflows/windows-skip.txt")) {
		name := strings.TrimSpace(line)
		if name == "" || strings.HasPrefix(name, "#") {
			continue
		}
		skipped++
		if !strings.Contains(sources.String(), "\nfunc "+name+"(t *testing.T)") {
			t.Errorf("windows-skip.txt: there is no %q", name)
		}
	}
	if skipped == 0 {
		t.Error("windows-skip.txt is empty: portable.sh would skip every test")
	}
}

func TestImpossibleNames(t *testing.T) {
	for path, possible := range map[string]bool{
		"pkg/cmd/push.go": true, "a/console.txt": true, "nullable.yaml": true, "a/.b": true, "con.d/x": false, "a/NUL": false, "a/nul.yaml": false, "x/aux.tar.gz": false,
		"com1": false, "com10": true, "a:b": false, `a\b`: false, "a/b.": false, "a /b": false, "what?": false,
	} {
		if why := impossible(path); (why == "") != possible {
			t.Errorf("%q: %q", path, why)
		}
	}
}
