//go:build unix

package podiotest

import (
	"io"
	"os"
	"os/exec"
	"sync"
)

// attachment connects the streams of a session with the pipes of a process the way containerd does.
type attachment struct {
	in       io.Reader
	stdin    *os.File // our end of the process's stdin
	outputs  []output
	children []*os.File // the ends of the process, which must be closed here once it has its own
}

type output struct {
	pipe   *os.File
	stream io.WriteCloser
}

func attach(cmd *exec.Cmd, in io.Reader, out, errOut io.WriteCloser) (*attachment, error) {
	a := &attachment{in: in}
	if in != nil {
		reader, writer, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		cmd.Stdin, a.stdin = reader, writer
		a.children = append(a.children, reader)
	}
	for _, o := range []struct {
		stream io.WriteCloser
		set    func(*os.File)
	}{
		{out, func(f *os.File) { cmd.Stdout = f }},
		{errOut, func(f *os.File) { cmd.Stderr = f }},
	} {
		if o.stream == nil {
			continue
		}
		reader, writer, err := os.Pipe()
		if err != nil {
			a.abandon()
			return nil, err
		}
		o.set(writer)
		a.outputs = append(a.outputs, output{reader, o.stream})
		a.children = append(a.children, writer)
	}
	return a, nil
}

// abandon closes everything for a process that was not started.
func (a *attachment) abandon() {
	a.release()
	if a.stdin != nil {
		_ = a.stdin.Close()
	}
	for _, o := range a.outputs {
		_ = o.pipe.Close()
	}
}

func (a *attachment) release() {
	for _, f := range a.children {
		_ = f.Close()
	}
}

// copy returns when every output has ended, that is when neither the process nor a child of it holds one open.
func (a *attachment) copy() {
	a.release()
	cancel := a.copyStdin()
	var wg sync.WaitGroup
	for _, o := range a.outputs {
		wg.Go(func() {
			_, err := io.Copy(o.stream, o.pipe)
			if err != nil {
				// The client has gone. The process must not see that: it may write on.
				_, _ = io.Copy(io.Discard, o.pipe)
			}
			_ = o.pipe.Close()
			_ = o.stream.Close()
			cancel() // containerd ends stdin with the first output that ends
		})
	}
	wg.Wait()
}

// copyStdin copies stdin in the background, to the end of the stream or of the connection, or until cancel is called.
func (a *attachment) copyStdin() (cancel func()) {
	if a.in == nil {
		return func() {}
	}
	reader, writer := io.Pipe()
	go func() {
		_, _ = io.Copy(writer, a.in)
		_ = writer.Close()
	}()
	go func() {
		_, _ = io.Copy(a.stdin, reader)
		_ = a.stdin.Close()
		_ = reader.Close()
	}()
	return func() { _ = reader.Close() }
}
