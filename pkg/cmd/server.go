package cmd

import (
	"context"
	"fmt"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
)

// forwardTimeout bounds the opening of a port-forward.
const forwardTimeout = 30 * time.Second

// server is the way to jobs-manager: one port-forward that is made anew, to
// whichever Pod is Ready then, when it broke.
type server struct {
	streams *podio.Client
	release *release.Release
	forward *podio.Forward
}

// open returns the base URL of a fresh port-forward to the release's Pod.
func (s *server) open(ctx context.Context) (string, error) {
	s.close()
	// A proxy that swallows the upgrade must not hold the push for ever. Once
	// the forward is open, the context means nothing to it.
	ctx, cancel := context.WithTimeoutCause(ctx, forwardTimeout, fmt.Errorf("no answer to the port-forward within %s", forwardTimeout))
	defer cancel()
	forward, err := s.streams.Forward(ctx, s.release.Namespace, s.release.Pod, s.release.Port)
	if err != nil {
		return "", fmt.Errorf("open a port-forward to pod %q: %w", s.release.Pod, err)
	}
	s.forward = forward
	return "http://" + forward.Addr, nil
}

// alive tells whether the forward that was opened last is still good.
func (s *server) alive() bool {
	if s.forward == nil {
		return false
	}
	select {
	case <-s.forward.Done():
		return false
	default:
		return true
	}
}

func (s *server) close() {
	if s != nil && s.forward != nil {
		s.forward.Close()
		s.forward = nil
	}
}

// ping opens a port-forward and asks jobs-manager for its health.
func (s *server) ping(ctx context.Context) error {
	url, err := s.open(ctx)
	if err != nil {
		return err
	}
	err = release.Ping(ctx, url)
	// The forward knows why the connection broke; the HTTP client only saw it close.
	if cause := s.forward.Err(); err != nil && cause != nil {
		return fmt.Errorf("jobs-manager pod %q does not answer on port %d: %w (kubectl logs %s -n %s -c api)",
			s.release.Pod, s.release.Port, cause, s.release.Pod, s.release.Namespace)
	}
	return err
}
