//go:build unix

package stage

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
)

// shell is one of the environments that a stage image may have.
type shell struct {
	name string
	argv []string
	path string
}

// tools is what the scripts use; the whole of busybox would be hundreds of links for each test.
const tools = "base64 cat cp cut dd df find grep gzip kill ln mkdir mv od printf rm rmdir sed sh sha256sum sleep sort stat sync tail tar test tr uniq wc xargs"

// shells returns the busyboxes that TRACEBLOC_BUSYBOX names, with nothing but their applets, and dash and bash with the tools of this
// machine.
func shells(t testing.TB) []shell {
	t.Helper()
	all := make([]shell, len(busyboxes(t))+2)
	for i := range all {
		all[i] = shellOf(t, i)
	}
	return all
}

// shellOf spreads the cases of a test over the shells.
func shellOf(t testing.TB, n int) shell {
	t.Helper()
	found := busyboxes(t)
	switch n %= len(found) + 2; n {
	case len(found):
		return gnu(t, "dash")
	case len(found) + 1:
		return gnu(t, "bash")
	}
	return busybox(t, found[n])
}

func gnu(t testing.TB, name string) shell {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return shell{name: name, argv: []string{path}, path: "/usr/bin:/bin"}
}

func busyboxes(t testing.TB) []string {
	t.Helper()
	if listed := os.Getenv("TRACEBLOC_BUSYBOX"); listed != "" {
		return filepath.SplitList(listed)
	}
	found, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatalf("these tests need busybox: apt-get install busybox-static (%v)", err)
	}
	return []string{found}
}

func busybox(t testing.TB, path string) shell {
	t.Helper()
	applets := reachable(t)
	for name := range strings.FieldsSeq(tools) {
		if err := os.Symlink(path, filepath.Join(applets, name)); err != nil {
			t.Fatal(err)
		}
	}
	return shell{name: filepath.Base(path), argv: []string{path, "sh"}, path: applets}
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
	drops    []context.CancelFunc
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

// detachable forgets its writer when Exec returns. What is written later is lost, as a container runtime loses it.
type detachable struct {
	mu sync.Mutex
	w  io.Writer
}

func (d *detachable) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.w == nil {
		return len(p), nil
	}
	return d.w.Write(p)
}

func (d *detachable) detach() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.w = nil
}

func (l *local) count(command []string) (session int, dropped context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	dropped, drop := context.WithCancel(context.Background())
	l.tasks = append(l.tasks, task(command))
	l.drops = append(l.drops, drop)
	l.sessions++
	return l.sessions - 1, dropped
}

// drop cuts the connection of a session.
func (l *local) drop(session int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drops[session]()
}

// task is what a command does.
func task(command []string) string { return command[4] }

func (l *local) Exec(ctx context.Context, _ podio.Target, command []string, stdin io.Reader, stdout, stderr io.Writer) error {
	n, dropped := l.count(command)
	argv := append(append([]string{}, l.shell.argv...), command[1:]...)
	argv[len(l.shell.argv)+1] = l.prefix + argv[len(l.shell.argv)+1]
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = l.dir
	cmd.Env = append([]string{"PATH=" + l.shell.path, scriptVariable + "=" + Script()}, l.env...)
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
	case <-dropped.Done():
		err = errReset
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if in != nil {
		_ = in.Close()
	}
	if l.result != nil {
		err = l.result(n, err)
	}
	return err
}

var errReset = errors.New("connection reset by peer")

func (l *local) root() string { return filepath.Join(l.dir, Directory) }

func (l *local) volume() *Volume { return l.owned(1) }

// owned is the volume as it is reached through the nth Pod; the others have ended.
func (l *local) owned(n int) *Volume {
	owner := ownerOf(n)
	return &Volume{Exec: l, Owner: owner, Owners: func(context.Context) (map[string]string, error) {
		return map[string]string{owner: "stage-" + owner[:8]}, nil
	}}
}

func ownerOf(n int) string { return fmt.Sprintf("%08d-aaaa-bbbb-cccc-000000000001", n) }

// forget starts the count of the sessions anew.
func (l *local) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tasks, l.drops, l.sessions = nil, nil, 0
}

// opened are the tasks of all sessions so far.
func (l *local) opened() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.tasks)
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

// fineRange is the size of a range in a plan of finePlan.
const fineRange = 32 << 10

// finePlan cuts a little data into many jobs, as the usual limits cut much.
func (l *local) finePlan(t testing.TB, d *dataset.Dataset) Plan {
	t.Helper()
	p := l.plan(t, d)
	p.limits = limits{
		rangeAbove: 2 * fineRange, rangeBytes: fineRange,
		shardBytes: 16 << 10, shardBytesMin: 4 << 10,
		shardFiles: 320, linkFiles: 100, shardDirs: 8,
		aim: 16, chunkBytes: 4 << 10,
	}
	return p
}
