//go:build unix

package stage

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
)

// shell is one of the environments that a stage image may have.
type shell struct {
	name string
	argv []string
	path string
}

// shells returns busybox with nothing but its applets, and dash with the tools of this machine.
func shells(t testing.TB) []shell {
	t.Helper()
	return []shell{busybox(t), gnu(t, "dash")}
}

func gnu(t testing.TB, name string) shell {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return shell{name: name, argv: []string{path}, path: "/usr/bin:/bin"}
}

func busybox(t testing.TB) shell {
	t.Helper()
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatalf("these tests need busybox: apt-get install busybox-static (%v)", err)
	}
	list, err := exec.Command(busybox, "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	applets := reachable(t)
	for _, name := range strings.Fields(string(list)) {
		if err := os.Symlink(busybox, filepath.Join(applets, name)); err != nil {
			t.Fatal(err)
		}
	}
	return shell{name: "busybox", argv: []string{busybox, "sh"}, path: applets}
}

// local runs sessions as processes of this machine, with the manners of a container runtime: the end of the connection is the end of
// stdin for the process, which runs on.
type local struct {
	shell shell
	dir   string

	// prefix is put before the script, and extra where a test needs to break something.
	prefix string
	env    []string
	uid    uint32 // 0 is that of the test
	// stdin and stdout may spoil what passes; session counts from 0.
	stdin  func(session int, r io.Reader) io.Reader
	stdout func(session int, w io.Writer) io.Writer
	// result may replace what Exec returns.
	result func(session int, err error) error

	mu       sync.Mutex
	sessions int
	tasks    []string
	groups   []int // process groups of the sessions
}

func newLocal(t testing.TB, sh shell) *local {
	l := &local{shell: sh, dir: reachable(t)}
	t.Cleanup(l.kill)
	return l
}

// kill ends every process of every session at once, as the end of a Pod does.
func (l *local) kill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, group := range l.groups {
		_ = syscall.Kill(-group, syscall.SIGKILL)
	}
	l.groups = nil
}

// reachable is a directory that other users can enter, as some tests need it.
func reachable(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// detachable forgets its writer when Exec returns.
type detachable struct {
	mu sync.Mutex
	w  io.Writer
}

func (d *detachable) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.w == nil {
		return 0, io.ErrClosedPipe
	}
	return d.w.Write(p)
}

func (d *detachable) detach() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.w = nil
}

func (l *local) count(command []string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tasks = append(l.tasks, task(command))
	l.sessions++
	return l.sessions - 1
}

// task names the script of a command.
func task(command []string) string {
	for name, script := range map[string]string{"probe": probeScript, "receive": receiveScript, "publish": publishScript,
		"record": recordScript, "remove": removeScript, "clean": cleanScript} {
		if strings.HasSuffix(command[2], compact(script)) {
			return name
		}
	}
	return "unknown"
}

func (l *local) Exec(ctx context.Context, _ podio.Target, command []string, stdin io.Reader, stdout, stderr io.Writer) error {
	n := l.count(command)
	argv := append(append([]string{}, l.shell.argv...), command[1:]...)
	argv[len(l.shell.argv)+1] = l.prefix + argv[len(l.shell.argv)+1]
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = l.dir
	cmd.Env = append([]string{"PATH=" + l.shell.path}, l.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if l.uid != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: l.uid, Gid: l.uid}
	}
	out, errOut := &detachable{w: stdout}, &detachable{w: stderr}
	defer out.detach()
	defer errOut.detach()
	cmd.Stdout, cmd.Stderr = out, errOut
	if l.stdout != nil {
		cmd.Stdout = l.stdout(n, out)
	}
	var in io.WriteCloser
	if stdin != nil {
		var err error
		if in, err = cmd.StdinPipe(); err != nil {
			return err
		}
		if l.stdin != nil {
			stdin = l.stdin(n, stdin)
		}
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	l.mu.Lock()
	l.groups = append(l.groups, cmd.Process.Pid)
	l.mu.Unlock()
	if in != nil {
		go func() {
			_, _ = io.Copy(in, stdin)
			_ = in.Close()
		}()
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		if in != nil {
			_ = in.Close()
		}
		err = context.Cause(ctx)
	}
	if l.result != nil {
		err = l.result(n, err)
	}
	return err
}

func (l *local) root() string { return filepath.Join(l.dir, Directory) }

func (l *local) volume() *Volume {
	return &Volume{Exec: l, Owner: "11111111-aaaa-bbbb-cccc-000000000001"}
}

// write makes a dataset of the given files.
func write(t testing.TB, files map[string]string) *dataset.Dataset {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return open(t, dir)
}

func open(t testing.TB, dir string) *dataset.Dataset {
	t.Helper()
	d, err := dataset.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// manifest takes every entry of the dataset.
func manifest(t testing.TB, d *dataset.Dataset) dataset.Manifest {
	t.Helper()
	var m dataset.Manifest
	for _, e := range d.Entries {
		content, err := d.Root.ReadFile(e.Path)
		if err != nil {
			t.Fatal(err)
		}
		m = append(m, dataset.NewFile(e, sha256.Sum256(content)))
	}
	m.Sort()
	return m
}

func (l *local) plan(t testing.TB, d *dataset.Dataset) Plan {
	t.Helper()
	p, err := NewPlan("cats", manifest(t, d), l.root())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// contents reads a tree; a directory that is not there is nil.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		all[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// listing is what lies in the table's directory.
func (l *local) listing(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(l.root(), "cats"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// wantPublished checks that the tree, and nothing else, is there.
func (l *local) wantPublished(t testing.TB, p Plan, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, contents(t, p.Dir())); diff != "" {
		t.Errorf("published tree (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{p.TreeID, p.TreeID + ".sha256"}, l.listing(t)); diff != "" {
		t.Errorf("directory of the table (-want +got):\n%s", diff)
	}
}
