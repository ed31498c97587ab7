//go:build unix

package podiotest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	utilexec "k8s.io/client-go/util/exec"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// runtime is the container runtime: a streaming.Runtime whose container is this machine.
type runtime struct {
	dir     string
	path    string
	options Options

	mu      sync.Mutex
	stopped bool
	running map[*exec.Cmd]struct{}
	wg      sync.WaitGroup
}

func newRuntime(dir, path string, options Options) *runtime {
	return &runtime{dir: dir, path: path, options: options, running: map[*exec.Cmd]struct{}{}}
}

// Exec runs the command to its end. ctx is not obeyed, nor is the end of the client's connection: a container runtime leaves the
// process of a lost session alone.
func (r *runtime) Exec(_ context.Context, _ string, command []string, in io.Reader, out, errOut io.WriteCloser, _ bool,
	_ <-chan remotecommand.TerminalSize) error {
	name, err := lookPath(r.path, command[0])
	if err != nil {
		return fmt.Errorf("failed to start exec: %w", err)
	}
	if in != nil && r.options.Stdin != nil {
		in = r.options.Stdin(in)
	}
	if out != nil && r.options.Stdout != nil {
		out = spliced{r.options.Stdout(out), out}
	}
	cmd := &exec.Cmd{
		Path:        name,
		Args:        command,
		Env:         append([]string{"PATH=" + r.path}, r.options.Env...),
		Dir:         r.dir,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	attached, err := attach(cmd, in, out, errOut)
	if err != nil {
		return err
	}
	if err := r.begin(cmd); err != nil {
		attached.abandon()
		return err
	}
	// The process is waited for apart from its streams: those of a connection that died before it was whole never close.
	ended := make(chan error, 1)
	go func() {
		defer r.end(cmd)
		ended <- cmd.Wait()
	}()
	attached.copy()
	return exitStatus(<-ended)
}

// spliced is written to through something that stands before it.
type spliced struct {
	io.Writer
	io.Closer
}

// Attach is not served.
func (*runtime) Attach(context.Context, string, io.Reader, io.WriteCloser, io.WriteCloser, bool, <-chan remotecommand.TerminalSize) error {
	return errors.New("attach is not supported")
}

// PortForward connects the stream with the address that stands for the port.
func (r *runtime) PortForward(ctx context.Context, pod string, port int32, stream io.ReadWriteCloser) error {
	defer func() { _ = stream.Close() }()
	var dialer net.Dialer
	address, ok := r.options.Ports[int(port)]
	if !ok {
		return fmt.Errorf("failed to connect to localhost:%d inside namespace %q, IPv4: dial tcp4 127.0.0.1:%d: %w",
			port, pod, port, os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("failed to connect to localhost:%d inside namespace %q, IPv4: %w", port, pod, err)
	}
	defer func() { _ = conn.Close() }()
	answered := make(chan error, 1)
	go func() {
		_, err := io.Copy(stream, conn)
		answered <- err
	}()
	go func() {
		_, _ = io.Copy(conn, stream)
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
	}()
	return <-answered
}

func (r *runtime) begin(cmd *exec.Cmd) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return errors.New("the container has stopped")
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("failed to start exec: %w", err)
	}
	r.running[cmd] = struct{}{}
	r.wg.Add(1)
	return nil
}

func (r *runtime) end(cmd *exec.Cmd) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, cmd)
	r.wg.Done()
}

func (r *runtime) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.running)
}

// kill ends what still runs, as the end of a Pod does; nothing is started any more.
func (r *runtime) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	for cmd := range r.running {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
}

// stop kills what still runs and waits for it.
func (r *runtime) stop() {
	r.kill()
	r.wg.Wait()
}

// exitStatus returns what the node reports for the end of a process: nil, or a CodeExitError with a signal as 128 plus its number.
func exitStatus(err error) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	code := exit.ExitCode()
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		code = 128 + int(status.Signal())
	}
	return utilexec.CodeExitError{Err: err, Code: code}
}

// lookPath finds name in the container's path and not in that of the test.
func lookPath(path, name string) (string, error) {
	if filepath.IsAbs(name) {
		return name, nil
	}
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", fmt.Errorf("exec: %q: executable file not found in $PATH", name)
}
