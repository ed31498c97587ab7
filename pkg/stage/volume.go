package stage

import (
	"context"
	"io"
	"regexp"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio"
)

// Execer runs a command in a container, as *podio.Client does: a nil error proves nothing.
type Execer interface {
	Exec(ctx context.Context, t podio.Target, command []string, stdin io.Reader, stdout, stderr io.Writer) error
}

// Volume is the shared volume as it is reached through one container. Pod.Volume makes one.
type Volume struct {
	// Exec runs the sessions.
	Exec Execer
	// Target is the container.
	Target podio.Target
	// Owner names the work directories that this Volume makes: the UID of the Pod.
	Owner string
	// Check tells whether the Pod still runs: nil, a *GoneError, or any other error when nobody could tell. It is asked after a session
	// failed. nil means that nobody knows.
	Check func(context.Context) error
	// Owners returns the owners whose processes may still be at work, of all Pods that share the volume. It decides which work
	// directories are leftovers. nil, or an error, means that none is.
	Owners func(context.Context) (map[string]bool, error)
}

// unknownOwner stands for an owner that is no UID.
const unknownOwner = "0"

var ownerName = regexp.MustCompile(`^[0-9a-f][0-9a-f-]{0,63}$`)

// owner is Owner as it may stand in a name on the volume.
func (v *Volume) owner() string {
	if ownerName.MatchString(v.Owner) {
		return v.Owner
	}
	return unknownOwner
}
