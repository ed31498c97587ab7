package stage

import (
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"sync"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
)

// Execer runs a command in a container, as *podio.Client does: a nil error proves nothing.
type Execer interface {
	Exec(ctx context.Context, t podio.Target, command []string, stdin io.Reader, stdout, stderr io.Writer) error
}

// Volume is the shared volume as it is reached through one container at a time. Pod.Volume makes one. Its methods may be used
// concurrently; its fields are set before the first of them.
type Volume struct {
	// Exec runs the sessions.
	Exec Execer
	// Plainer runs a session again that has stalled through Exec: the same over SPDY, which waits where WebSocket gives up. nil is Exec.
	Plainer Execer
	// Target is the container.
	Target podio.Target
	// Owner is the UID of the Pod: it names the sessions that are at work in a work directory.
	Owner string
	// Check tells whether the Pod still runs: nil, a *GoneError, or any other error when nobody could tell. It is asked after a session
	// failed. nil means that nobody knows.
	Check func(context.Context) error
	// Owners returns the names by UID of the Pods whose processes may still be at work, of all that share the volume. It decides which
	// work directories are leftovers. nil, or an error, means that none is.
	Owners func(context.Context) (map[string]string, error)
	// Renew returns the volume as it is reached through a new Pod, when the Pod is gone. nil means that there is none.
	Renew func(context.Context) (*Volume, error)

	mu      sync.Mutex
	current *Volume  // after a renewal
	plainer bool     // a session has stalled
	former  []string // owners: the Pods that were replaced
}

// unknownOwner stands for an owner that is no UID.
const unknownOwner = "0"

var ownerName = regexp.MustCompile(`^[0-9a-f][0-9a-f-]{0,63}$`)

// now is the Volume of the Pod that is there now.
func (v *Volume) now() *Volume {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.current != nil {
		return v.current
	}
	return v
}

// route is what a session needs to know.
func (v *Volume) route() (Execer, podio.Target, string) {
	n := v.now()
	owner := n.Owner
	if !ownerName.MatchString(owner) {
		owner = unknownOwner
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.plainer && n.Plainer != nil {
		return n.Plainer, n.Target, owner
	}
	return n.Exec, n.Target, owner
}

// replaced are the owners of the Pods that were there before.
func (v *Volume) replaced() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.former)
}

// stalled notes that a session has stalled.
func (v *Volume) stalled() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.plainer = true
}

// gone returns a *GoneError when the Pod of v, which now returned, has ended.
func (v *Volume) gone(ctx context.Context) error {
	if v.Check == nil {
		return nil
	}
	var gone *GoneError
	if err := v.Check(ctx); errors.As(err, &gone) {
		return gone
	}
	return nil
}

// renew makes sure that there is a Pod: it does nothing when that of failed, which now returned, was replaced or still runs.
func (v *Volume) renew(ctx context.Context, failed *Volume) (renewed bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.current != nil && v.current != failed {
		return false, nil
	}
	gone := failed.gone(ctx)
	if gone == nil {
		return false, nil
	}
	if v.Renew == nil {
		return false, gone
	}
	next, err := v.Renew(ctx)
	if err != nil {
		return false, errors.Join(gone, err)
	}
	if ownerName.MatchString(failed.Owner) {
		v.former = append(v.former, failed.Owner)
	}
	v.current, v.plainer = next, false
	return true, nil
}
