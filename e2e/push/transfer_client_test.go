package push

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/e2e/link"
)

// client is a push that runs beside the test.
type client struct {
	cmd    *exec.Cmd
	stderr transcript
	stdout bytes.Buffer
	ended  chan struct{}
}

// transcript is what a process has said so far.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// start begins a push of dir, as push does. It ends with the test at the latest.
func (l *lab) start(t *testing.T, dir string, more ...string) *client {
	t.Helper()
	return begin(t, l.command(context.WithoutCancel(t.Context()), dir, more...))
}

func begin(t *testing.T, cmd *exec.Cmd) *client {
	t.Helper()
	c := &client{cmd: cmd, ended: make(chan struct{})}
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.cmd.Stdout, c.cmd.Stderr = &c.stdout, &c.stderr
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = c.cmd.Wait() // the exit code says it
		close(c.ended)
	}()
	t.Cleanup(func() {
		c.signal(syscall.SIGKILL)
		<-c.ended
	})
	return c
}

// signal reaches kubectl and the plugin, as Ctrl-C in a terminal does. A client that has ended hears nothing.
func (c *client) signal(s syscall.Signal) {
	select {
	case <-c.ended:
	default:
		_ = syscall.Kill(-c.cmd.Process.Pid, s)
	}
}

// wait returns how the client ended.
func (c *client) wait() result {
	<-c.ended
	return result{code: c.cmd.ProcessState.ExitCode(), stdout: c.stdout.String(), stderr: c.stderr.String()}
}

// says waits until stderr has the text.
func (c *client) says(t *testing.T, text string) {
	t.Helper()
	eventually(t, "the push says "+text, func() bool {
		select {
		case <-c.ended:
			if !strings.Contains(c.stderr.String(), text) {
				t.Fatalf("the push ended without saying %q:\n%s", text, c.stderr.String())
			}
		default:
		}
		return strings.Contains(c.stderr.String(), text)
	})
}

// preamble is how many bytes a push of dir sends before it comes to the transfer.
func (l *lab) preamble(t *testing.T, dir string) int64 {
	t.Helper()
	p, flag := through(t, link.Shape{})
	args := []string{"push", dir, "-n", l.Options.Namespace, "--dry-run=server", "--no-progress", flag}
	run(t, args...).expect(t, 0)
	return p.Sent()
}

// halfway starts a push of dir over a link, and returns when that part of the data, in percent, has been sent.
func (l *lab) halfway(t *testing.T, dir string, shape link.Shape, percent int64, more ...string) (*client, *link.Proxy) {
	t.Helper()
	p, flag := through(t, shape)
	there := make(chan struct{})
	p.After(l.preamble(t, dir)+size(t, dir)*percent/100, func() { close(there) })
	c := l.start(t, dir, append(more, flag)...)
	select {
	case <-there:
	case <-c.ended:
		t.Fatalf("the push ended before %d %% of the data were sent:\n%s", percent, c.wait().stderr)
	}
	return c, p
}

// size is how many bytes a dataset has.
func size(t *testing.T, dir string) int64 {
	t.Helper()
	var all int64
	for name := range sums(t, dir) {
		all += fileSize(t, filepath.Join(dir, name))
	}
	return all
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
