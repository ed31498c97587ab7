package stage

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

const (
	// stallAfter ends a session in which no byte was accepted and no answer came. WebSocket gives up after 61 s by itself; SPDY and a
	// link that is half open would wait for ever.
	stallAfter = time.Minute
	// beatEvery is how often a script that is busy says so; script/session.sh has the same number.
	beatEvery = 5 * time.Second
	// lingerFor bounds how long a session that has answered may still tidy up.
	lingerFor = 2 * time.Minute
	// abandonAfter is how long a session that was ended is waited for.
	abandonAfter = 5 * time.Second
)

var (
	errStalled = errors.New("no byte was accepted and no answer came for " + stallAfter.String())
	errSettled = errors.New("the session has given its answer")
)

// session is one script that runs in the Pod.
type session struct {
	nonce   string
	answers chan answer
	stdin   *io.PipeWriter // nil where the script reads nothing

	ctx    context.Context // ends with the session, with the reason as its cause
	cancel context.CancelCauseFunc
	alive  atomic.Int64 // when the other side last did something, in Unix nanoseconds

	done   chan struct{} // closed when Exec has returned; the fields below are valid then
	err    error
	stdout *lines
	stderr *tail
}

// call is what a session is to do.
type call struct {
	script    string
	attempt   attempt // zero for a script that has no work directory
	nonce     string  // "" for a new one
	reads     bool    // the script reads stdin
	arguments []string
}

// open starts a script. The caller must call close.
func (v *Volume) open(ctx context.Context, plan Plan, c call) *session {
	if c.nonce == "" {
		c.nonce = newNonce()
	}
	s := &session{
		nonce:   c.nonce,
		answers: make(chan answer, 64),
		done:    make(chan struct{}),
		stderr:  &tail{},
	}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	s.stdout = &lines{nonce: s.nonce, deliver: s.deliver}
	s.touch()
	var stdin io.Reader
	if c.reads {
		stdin, s.stdin = io.Pipe()
	}
	words := command(c.script, append([]string{plan.Root, plan.Table, plan.TreeID, c.attempt.String(), s.nonce}, c.arguments...)...)
	go func() {
		defer close(s.done)
		s.err = v.Exec.Exec(s.ctx, v.Target, words, stdin, s.stdout, s.stderr)
	}()
	go s.watch()
	return s
}

func newNonce() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

func (s *session) touch() { s.alive.Store(time.Now().UnixNano()) }

func (s *session) idle() time.Duration { return time.Since(time.Unix(0, s.alive.Load())) }

// deliver hands an answer to the reader. It waits while the reader is busy, but not for one that has left.
func (s *session) deliver(a answer) {
	s.touch()
	if a.verb == ansBeat {
		return
	}
	select {
	case s.answers <- a:
	case <-s.ctx.Done():
	}
}

// watch ends a session in which nothing moves any more.
func (s *session) watch() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.done:
			return
		case <-tick.C:
			if s.idle() >= stallAfter {
				s.cancel(errStalled)
				return
			}
		}
	}
}

// read gives each answer to handle until it returns true or an error. ERR becomes a *VolumeError, and the end of the session without
// the answer that was waited for a *SessionError.
func (s *session) read(plan Plan, handle func(answer) (bool, error)) error {
	for {
		a, err := s.next()
		if err != nil {
			return err
		}
		if a.verb == ansError {
			return newVolumeError(plan, a)
		}
		if done, err := handle(a); done || err != nil {
			return err
		}
	}
}

// next waits for an answer. What came before the end of the session still counts.
func (s *session) next() (answer, error) {
	select {
	case a := <-s.answers:
		return a, nil
	default:
	}
	select {
	case a := <-s.answers:
		return a, nil
	case <-s.ctx.Done():
		return answer{}, s.lost(context.Cause(s.ctx))
	case <-s.done:
	}
	select {
	case a := <-s.answers:
		return a, nil
	default:
		return answer{}, s.lost(s.err)
	}
}

// lost describes the end of a session that did not say what it should.
func (s *session) lost(err error) error {
	lost := &SessionError{Err: err}
	select {
	case <-s.done:
		lost.Output = s.stderr.String()
		if lost.Output == "" {
			lost.Output = s.stdout.noise.String()
		}
	default:
	}
	return lost
}

// settle lets a session that has given its last answer end by itself, for it may still remove what nobody needs, and beats as long as it
// does. Some runtimes never report the end of a command; silence has to do then.
func (s *session) settle() {
	if s.stdin != nil {
		_ = s.stdin.Close()
	}
	s.touch()
	limit := time.NewTimer(lingerFor)
	defer limit.Stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-s.answers:
		case <-s.done:
			return
		case <-s.ctx.Done():
			return
		case <-limit.C:
			return
		case <-tick.C:
			if s.idle() > beatEvery+2*time.Second {
				return
			}
		}
	}
}

// close ends the session, if it has not ended, and waits for it for a short time only: a connection may be stuck.
func (s *session) close() {
	s.cancel(errSettled)
	if s.stdin != nil {
		_ = s.stdin.CloseWithError(errSettled)
	}
	limit := time.NewTimer(abandonAfter)
	defer limit.Stop()
	select {
	case <-s.done:
	case <-limit.C:
	}
}

// ask runs a script that reads nothing.
func (v *Volume) ask(ctx context.Context, plan Plan, c call, handle func(answer) (bool, error)) error {
	s := v.open(ctx, plan, c)
	defer s.close()
	err := s.read(plan, handle)
	var refused *VolumeError
	if err == nil || errors.As(err, &refused) {
		s.settle()
	}
	return err
}
