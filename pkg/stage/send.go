package stage

import (
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
)

// sending is one attempt to bring the whole plan into a work directory.
type sending struct {
	session  *session
	inFlight chan frame
	packed   chan error // what pack returned
	frames   int        // acknowledged
	acked    func(frame)
}

// send returns nil when the remote side says that it received everything up to the end mark; publish then judges what it is. acked is
// called with each frame that the remote side has taken. The data's own errors win over those of the connection that they ended.
func (v *Volume) send(ctx context.Context, plan Plan, src *dataset.Dataset, attempt attempt, acked func(frame)) error {
	s := v.open(ctx, plan, call{script: receiveScript, attempt: attempt, nonce: attempt.nonce, reads: true})
	defer s.close()
	t := &sending{session: s, inFlight: make(chan frame, framesInFlight), packed: make(chan error, 1), acked: acked}
	// Nothing is sent to a shell that is not there: megabytes would vanish in the buffers on the way.
	if err := s.read(plan, until(ansReady)); err != nil {
		return err
	}
	go func() { t.packed <- t.pack(plan, src) }()
	err := s.read(plan, t.take)

	var refused *VolumeError
	if errors.As(err, &refused) {
		s.settle()
	}
	s.close()
	cause := <-t.packed
	switch {
	case err != nil && isLocal(cause):
		return cause
	case err == nil && cause != nil:
		return &SessionError{Err: errProtocol} // it received more than was sent
	}
	return err
}

// pack feeds the session, and ends it when that is not possible: the end of stdin alone would look like a cut.
func (t *sending) pack(plan Plan, src *dataset.Dataset) error {
	out := newFramer(t.put)
	err := pack(t.session.ctx, plan, src, out)
	if err == nil {
		err = writeEnd(t.session.stdin, out.number)
	}
	// A closed pipe only says that the session is over; why, it says itself.
	if err != nil && !errors.Is(err, io.ErrClosedPipe) && !errors.Is(err, errSettled) {
		t.session.cancel(err)
	}
	return err
}

func (t *sending) put(kind byte, f frame, body []byte) error {
	select {
	case t.inFlight <- f:
	case <-t.session.ctx.Done():
		return context.Cause(t.session.ctx)
	}
	return writeFrame(t.session.stdin, kind, f.number, body, t.session.touch)
}

// take handles the answers after READY. Frames are acknowledged in order, and only those that were sent.
func (t *sending) take(a answer) (bool, error) {
	switch a.verb {
	case ansReceived:
		if len(t.inFlight) > 0 {
			return false, &SessionError{Err: errProtocol}
		}
		return true, nil
	case ansOK:
		select {
		case f := <-t.inFlight:
			if a.field(0) != strconv.Itoa(f.number) {
				return false, &SessionError{Err: errProtocol}
			}
			t.frames++
			t.acked(f)
		default:
			return false, &SessionError{Err: errProtocol}
		}
	}
	return false, nil
}

// isLocal reports whether err is about the dataset and not about the connection.
func isLocal(err error) bool {
	var changed *dataset.ChangedError
	var unreadable *FileError
	return errors.As(err, &changed) || errors.As(err, &unreadable)
}
