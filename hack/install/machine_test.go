//go:build unix

package install

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// shell is one of those that people have as sh.
type shell struct {
	name string
	argv []string
	// alone: its own applets come before the PATH, as in Debian's busybox, so that tools can be neither taken away nor faked.
	alone bool
}

// shells returns dash, bash, and on Linux the busyboxes that TRACEBLOC_BUSYBOX names.
func shells(t testing.TB) []shell {
	t.Helper()
	all := openShells(t)
	if runtime.GOOS == "linux" {
		for _, file := range busyboxes(t) {
			all = append(all, shell{name: filepath.Base(file), argv: []string{file, "sh"}, alone: true})
		}
	}
	return all
}

// openShells returns those that find every tool on the PATH.
func openShells(t testing.TB) []shell {
	t.Helper()
	return []shell{{name: "dash", argv: []string{tool(t, "dash")}}, {name: "bash", argv: []string{tool(t, "bash"), "--posix"}}}
}

func busyboxes(t testing.TB) []string {
	t.Helper()
	if listed := os.Getenv("TRACEBLOC_BUSYBOX"); listed != "" {
		return filepath.SplitList(listed)
	}
	return []string{tool(t, "busybox")}
}

func tool(t testing.TB, name string) string {
	t.Helper()
	file, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("these tests need %s: %v", name, err)
	}
	return file
}

// machine is what the script finds around it.
type machine struct {
	shell shell
	root  string // holds all of the following
	bin   string // the PATH
	home  string
	tmp   string
	env   []string
	uid   uint32 // another user than that of the test, unless 0
}

const (
	basics = "cat chmod env grep gzip mkdir mktemp mv rm sed tail tar tr uname"
	usual  = basics + " curl sha256sum"
)

// newMachine returns a machine with those tools on the PATH and no others.
func newMachine(t testing.TB, sh shell, tools string) *machine {
	t.Helper()
	root := t.TempDir()
	// Other users have to get in.
	if err := os.Chmod(filepath.Dir(root), 0o755); err != nil {
		t.Fatal(err)
	}
	m := &machine{shell: sh, root: root, bin: filepath.Join(root, "tools"), home: filepath.Join(root, "home"), tmp: filepath.Join(root, "tmp")}
	for _, dir := range []string{m.bin, m.home, m.tmp} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name := range strings.FieldsSeq(tools) {
		if err := os.Symlink(tool(t, name), filepath.Join(m.bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// fake puts a program of the test onto the PATH. It replaces the link to a real one, not the real one.
func (m *machine) fake(t testing.TB, name, script string) {
	t.Helper()
	file := filepath.Join(m.bin, name)
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	write(t, file, "#!/bin/sh\n"+script+"\n")
}

// write makes a program.
func write(t testing.TB, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func script(t testing.TB) string { return read(t, "../install.sh") }

// become makes the machine that of another user, to whom nothing but its home and its directory for temporary files belong.
func (m *machine) become(t testing.TB, uid uint32) {
	t.Helper()
	for _, dir := range []string{m.home, m.tmp} {
		if err := os.Chown(dir, int(uid), int(uid)); err != nil {
			t.Fatal(err)
		}
	}
	m.uid = uid
	// busybox looks at the name that it is called by; the original may lie where only its owner can go.
	if m.shell.alone {
		file := filepath.Join(m.bin, "busybox")
		write(t, file, read(t, m.shell.argv[0]))
		m.shell.argv = []string{file, "sh"}
	}
}

type result struct {
	code           int
	stdout, stderr string
}

// command is the script with arguments, not started yet.
func (m *machine) command(t testing.TB, stdin string, args ...string) *exec.Cmd {
	t.Helper()
	// Another user might not be allowed to read the work tree.
	file := filepath.Join(m.root, "install.sh")
	if err := os.WriteFile(file, []byte(script(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	if stdin == "" {
		args = append([]string{file}, args...)
	} else {
		args = append([]string{"-s", "--"}, args...)
	}
	c := exec.CommandContext(t.Context(), m.shell.argv[0], append(m.shell.argv[1:len(m.shell.argv):len(m.shell.argv)], args...)...)
	c.Dir = m.home
	c.Stdin = strings.NewReader(stdin)
	c.Env = append([]string{"PATH=" + m.bin, "HOME=" + m.home, "TMPDIR=" + m.tmp}, m.env...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if m.uid != 0 {
		c.SysProcAttr.Credential = &syscall.Credential{Uid: m.uid, Gid: m.uid}
	}
	return c
}

// run runs the script to its end. It must never leave temporary files, whatever happens.
func (m *machine) run(t testing.TB, args ...string) result {
	t.Helper()
	return m.finish(t, m.command(t, "", args...))
}

func (m *machine) finish(t testing.TB, c *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	m.clean(t)
	return result{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// clean fails the test if the script left something that is of no use to anybody.
func (m *machine) clean(t testing.TB) {
	t.Helper()
	for name := range m.tree(t) {
		if strings.HasPrefix(name, "tmp/") || strings.HasPrefix(filepath.Base(name), ".kubectl") {
			t.Errorf("left behind: %s", name)
		}
	}
}

// tree returns the files below the machine's root with their modes and contents, without the tools and the script.
func (m *machine) tree(t testing.TB) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(m.root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(m.root, file)
		if err != nil || name == "." || name == "install.sh" || name == "tools" || strings.HasPrefix(name, "tools/") {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		found[name] = info.Mode().String()
		if info.Mode().IsRegular() {
			found[name] += " " + read(t, file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// want fails the test unless the script ended with that code, and wrote those texts to stderr.
func (r result) want(t testing.TB, code int, texts ...string) {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit code %d, want %d\nstdout: %s\nstderr: %s", r.code, code, r.stdout, r.stderr)
	}
	for _, text := range texts {
		if !strings.Contains(r.stderr, text) {
			t.Errorf("stderr lacks %q:\n%s", text, r.stderr)
		}
	}
}

// wantInstalled fails the test unless both files are there, whole and executable, and belong to nobody else.
func wantInstalled(t testing.TB, dir, version string) {
	t.Helper()
	for name, content := range map[string]string{"kubectl-tracebloc": plugin(version), "kubectl_complete-tracebloc": shim} {
		info, err := os.Lstat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o755 {
			t.Errorf("%s has the mode %v, want -rwxr-xr-x", name, info.Mode())
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; owner == 4711 {
			t.Errorf("%s belongs to user %d of the archive", name, owner)
		}
		if got := read(t, filepath.Join(dir, name)); got != content {
			t.Errorf("%s is %q, want %q", name, got, content)
		}
	}
}

// wantUntouched fails the test unless the directory does not exist.
func wantUntouched(t testing.TB, dir string) {
	t.Helper()
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s exists (%v), and should not", dir, err)
	}
}

// each runs a test under every shell.
func each(t *testing.T, shells []shell, test func(t *testing.T, sh shell)) {
	t.Helper()
	for _, sh := range shells {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			test(t, sh)
		})
	}
}
