package podio

import (
	"context"
	"errors"
	"io"
	"sync"
)

// streams stand between the caller's streams and client-go. client-go only logs what a reader or writer of the caller reports, and goes
// on: it half-closes stdin, which the command takes for the end of the data. It also keeps using them after the session has ended.
type streams struct {
	stdin  *source
	stdout *sink
	stderr *sink
}

func newStreams(abort context.CancelCauseFunc, stdin io.Reader, stdout, stderr io.Writer) *streams {
	s := &streams{}
	if stdin != nil {
		s.stdin = &source{reader: stdin, abort: abort, detached: make(chan struct{})}
	}
	if stdout != nil {
		s.stdout = &sink{name: streamStdout, writer: stdout, abort: abort}
	}
	if stderr != nil {
		s.stderr = &sink{name: streamStderr, writer: stderr, abort: abort}
	}
	return s
}

// remote returns the streams for client-go; those that the caller did not give are nil, which means not to open them.
func (s *streams) remote() (stdin io.Reader, stdout, stderr io.Writer) {
	if s.stdin != nil {
		stdin = s.stdin
	}
	if s.stdout != nil {
		stdout = s.stdout
	}
	if s.stderr != nil {
		stderr = s.stderr
	}
	return stdin, stdout, stderr
}

// detach lets go of the caller's streams. It waits for a Write that is under way, not for a Read.
func (s *streams) detach() {
	if s.stdin != nil {
		close(s.stdin.detached)
	}
	if s.stdout != nil {
		s.stdout.detach()
	}
	if s.stderr != nil {
		s.stderr.detach()
	}
}

// source hands the caller's bytes to client-go until the reader fails or the session ends.
type source struct {
	reader   io.Reader
	abort    context.CancelCauseFunc
	detached chan struct{}
	pending  error // what the reader said together with its last bytes; only Read uses it
}

// Read never returns an error other than io.EOF, which client-go would write to the log. A failed reader aborts the session, and Read
// waits for its end, so that the half-close that follows any return cannot reach the command.
func (s *source) Read(p []byte) (int, error) {
	select {
	case <-s.detached:
		return 0, io.EOF
	default:
	}
	n, err := 0, s.pending
	if err == nil {
		n, err = s.reader.Read(p)
	}
	if n > 0 {
		s.pending = err
		return n, nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		s.abort(&LocalError{Stream: streamStdin, Err: err})
		<-s.detached
		return 0, io.EOF
	}
	return 0, err
}

// sink hands the command's bytes to the caller until the writer fails or the session ends.
type sink struct {
	name  string
	abort context.CancelCauseFunc

	mu       sync.Mutex
	writer   io.Writer
	detached bool
}

// Write always accepts everything, since client-go would only log the error. A failed writer aborts the session.
func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.detached {
		return len(p), nil
	}
	n, err := s.writer.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		s.detached = true
		s.abort(&LocalError{Stream: s.name, Err: err})
	}
	return len(p), nil
}

func (s *sink) detach() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.detached = true
}
