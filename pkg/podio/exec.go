package podio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"
	"k8s.io/klog/v2"
	"k8s.io/streaming/pkg/httpstream"
)

// ExitError says that the command ran and ended with a code other than 0. A command that was killed by a signal has 128 plus its number.
type ExitError struct {
	Code int
}

// Error returns the same words as kubectl exec.
func (e *ExitError) Error() string {
	return fmt.Sprintf("command terminated with exit code %d", e.Code)
}

// LocalError says that the caller's own side of a stream failed: its stdin could not be read, or its stdout or stderr refused a Write.
type LocalError struct {
	Stream string // "stdin", "stdout" or "stderr"
	Err    error
}

// Error names the stream and what the caller's reader or writer said.
func (e *LocalError) Error() string {
	if e.Stream == streamStdin {
		return fmt.Sprintf("read what goes to %s: %v", e.Stream, e.Err)
	}
	return fmt.Sprintf("write what comes from %s: %v", e.Stream, e.Err)
}

// Unwrap returns the error of the caller's reader or writer.
func (e *LocalError) Unwrap() error { return e.Err }

const (
	streamStdin  = "stdin"
	streamStdout = "stdout"
	streamStderr = "stderr"
)

// Exec runs command in the container and copies stdin to it and its output to stdout and stderr, until it ends. A nil stream is not
// opened. The command travels in the URL of the request, so it must stay short: some proxies refuse more than 8 KiB.
//
// A nil error proves nothing. Over SPDY a connection that is cut ends with nil, as if the command had succeeded, and over WebSocket one
// that is cut behind the API server does; the command may even run on, and it sees the cut as a clean end of its stdin. Bytes that
// stdin handed out are up to some 46 MB ahead of what the command has read. Whoever must know lets the command say so on stdout.
//
// Two things the command must not do. It must not close its stdout or stderr while it reads stdin: some container runtimes close stdin
// with either of them. And it must not end while stdin still flows: over SPDY its last output and its exit code are then lost as often
// as not, and Exec returns nil. A command that gives up says so, and reads on (cat >/dev/null) until the caller has ended stdin.
//
// The error is an *ExitError when the command ran and failed; a *LocalError when stdin, stdout or stderr of the caller failed, which ends
// the session at once, without the orderly end of stdin that the command would take for the end of the data; an
// *apierrors.StatusError (k8s.io/apimachinery/pkg/api/errors) when the API server or the node refused the session; the cause of ctx when
// that ended first; or that of the connection. A text that the server sent is in it as it came: escape it before it is printed.
//
// When Exec returns, stdout and stderr are no longer written to. stdin is not read again, but where the session ended while a Read was
// blocked, that one Read is still under way, and what it returns is dropped: close the reader to end it. When ctx ends, Exec returns
// at once. Over SPDY the connection itself is given back only when its last Write ends, which a remote that does not read may delay
// for as long as it lives; nothing of the caller is held by it.
func (c *Client) Exec(ctx context.Context, t Target, command []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if err := c.exec(ctx, t, command, stdin, stdout, stderr); err != nil {
		return fmt.Errorf("exec in pod %q: %w", t, err)
	}
	return nil
}

func (c *Client) exec(ctx context.Context, t Target, command []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	url := c.rest.Post().Resource("pods").Namespace(t.Namespace).Name(t.Pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{
			Container: t.Container,
			Command:   command,
			Stdin:     stdin != nil,
			Stdout:    stdout != nil,
			Stderr:    stderr != nil,
		}, scheme.ParameterCodec).URL()

	session, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	streams := newStreams(abort, stdin, stdout, stderr)
	handshake := handshake{warn: c.config.WarningHandler}
	config := rest.CopyConfig(c.config)
	config.Wrap(handshake.watch)

	// ExecuteWithContext can outlive its context: while it waits for the answer to the upgrade, and over SPDY while a Write is stuck.
	result := make(chan error, 1)
	go func() {
		in, out, errOut := streams.remote()
		result <- c.execute(klog.NewContext(session, logger()), url, config, in, out, errOut)
	}()
	var err error
	select {
	case err = <-result:
	case <-session.Done():
		err = context.Cause(session)
	}
	streams.detach()
	return verdict(ctx, session, &handshake, err)
}

// execute runs the session the way of kubectl, unless it is to be SPDY: over a WebSocket, and over SPDY where that is refused.
func (c *Client) execute(ctx context.Context, url *url.URL, config *rest.Config, stdin io.Reader, stdout, stderr io.Writer) error {
	executor, err := remotecommand.NewSPDYExecutor(config, http.MethodPost, url)
	if err != nil {
		return err
	}
	if !c.spdy && !disabled("KUBECTL_REMOTE_COMMAND_WEBSOCKETS") {
		socket, err := remotecommand.NewWebSocketExecutor(config, http.MethodGet, url.String())
		if err != nil {
			return err
		}
		if executor, err = remotecommand.NewFallbackExecutor(socket, executor, refusesWebSocket); err != nil {
			return err
		}
	}
	return executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: stdin, Stdout: stdout, Stderr: stderr})
}

// refusesWebSocket tells the errors after which kubectl tries SPDY.
func refusesWebSocket(err error) bool {
	return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
}

// disabled reads one of kubectl's feature gates as kubectl does: only false turns it off.
func disabled(gate string) bool { return strings.EqualFold(os.Getenv(gate), "false") }

// verdict chooses what Exec reports where several things went wrong together: the caller's streams first, since their failure ends
// session and not ctx; then an exit code, which is the one answer that the command itself gave; then the end of ctx, which explains
// whatever else the connection says.
func verdict(ctx, session context.Context, handshake *handshake, err error) error {
	var local *LocalError
	var exit utilexec.CodeExitError
	switch {
	case errors.As(context.Cause(session), &local):
		return local
	case err == nil:
		return nil
	case errors.As(err, &exit):
		return &ExitError{Code: exit.Code}
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	if refusal := handshake.refusal(); refusal != nil {
		return refusal
	}
	return err
}
