package stage

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// stallAfter ends a session in which no byte was accepted and no answer came. WebSocket gives up after 61 s by itself; SPDY and a
	// link that is half open would wait for ever.
	stallAfter = time.Minute
	// blockedAfter ends one that answers, but has not taken a byte for so long: a volume that hangs, or a link that works one way.
	blockedAfter = 5 * time.Minute
	// muteAfter ends one that only ever says that it lives.
	muteAfter = 30 * time.Minute
	// beatEvery is how often a script that is busy says so; script/session.sh has the same number.
	beatEvery = 5 * time.Second
	// lingerFor bounds how long a session that has answered may still tidy up, and leaveFor how long one that is given up.
	lingerFor = 2 * time.Minute
	leaveFor  = 3 * time.Second
	// abandonAfter is how long a session that was ended is waited for.
	abandonAfter = 5 * time.Second
)

var (
	errStalled = errors.New("no byte was accepted and no answer came for " + stallAfter.String())
	errMute    = errors.New("no answer came for " + muteAfter.String())
	errBlocked = errors.New("no byte was accepted for " + blockedAfter.String())
	errSettled = errors.New("the session has given its answer")
)

// session is one script that runs in the Pod.
type session struct {
	nonce   string
	answers chan answer
	stdin   *io.PipeWriter // nil where the script reads nothing
	caller  context.Context
	opened  time.Time
	serial  int // of the last shard that was sent

	ctx    context.Context // ends with the session, with the reason as its cause
	cancel context.CancelCauseFunc
	// Moments are nanoseconds since opened, by the monotonic clock: that of the day may jump.
	alive   atomic.Int64 // when the other side last did something
	heard   atomic.Int64 // when it last said more than that it lives, or took a byte
	blocked atomic.Int64 // when the Write that is under way began; 0 without one

	done   chan struct{} // closed when Exec has returned; the fields below are valid then
	err    error
	stdout *lines
	stderr *tail
}

// call is what a session is to do.
type call struct {
	task  string   // "" is worker
	reads bool     // the script reads stdin
	words []string // arguments of the task
}

// open starts a script. The caller must end the session with quit or close. It outlives ctx by a little, so that the other side can tidy
// up: the end of ctx is the end of its stdin.
func (v *Volume) open(ctx context.Context, plan Plan, c call) *session {
	s := &session{
		nonce:   newNonce(),
		answers: make(chan answer, 64),
		done:    make(chan struct{}),
		stderr:  &tail{},
		caller:  ctx,
		opened:  time.Now(),
	}
	s.ctx, s.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	s.stdout = &lines{nonce: s.nonce, deliver: s.deliver}
	s.touch()
	s.heard.Store(s.alive.Load())
	var stdin io.Reader
	if c.reads {
		stdin, s.stdin = io.Pipe()
	}
	if c.task == "" {
		c.task = "worker"
	}
	exec, target, owner := v.route()
	words := command(append([]string{c.task, plan.Root, plan.Table, plan.TreeID, owner, s.nonce}, c.words...)...)
	go func() {
		defer close(s.done)
		s.err = exec.Exec(s.ctx, target, words, stdin, s.stdout, s.stderr)
	}()
	go s.watch()
	return s
}

func newNonce() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

func (s *session) touch() { s.alive.Store(int64(s.age())) }

// age is how long the session exists; at least 1 ns.
func (s *session) age() time.Duration { return time.Since(s.opened) + 1 }

func (s *session) idle() time.Duration { return s.since(&s.alive) }

func (s *session) since(moment *atomic.Int64) time.Duration {
	return s.age() - time.Duration(moment.Load())
}

// deliver hands an answer to the reader. It waits while the reader is busy, but not for one that has left.
func (s *session) deliver(a answer) {
	s.touch()
	if a.verb == ansBeat {
		return
	}
	s.heard.Store(s.alive.Load())
	select {
	case s.answers <- a:
	case <-s.ctx.Done():
	}
}

// watch ends a session in which nothing moves any more, and one whose caller has gone.
func (s *session) watch() {
	if s.stdin != nil {
		defer func() { _ = s.stdin.CloseWithError(errSettled) }() // a Write that nobody will take must return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.done:
			return
		case <-s.caller.Done():
			if s.stdin != nil {
				_ = s.stdin.Close()
			}
			s.linger(leaveFor, stallAfter)
			s.cancel(context.Cause(s.caller))
			return
		case <-tick.C:
			began := s.blocked.Load()
			switch {
			case s.idle() >= stallAfter:
				s.cancel(errStalled)
			case s.since(&s.heard) >= muteAfter:
				s.cancel(errMute)
			case began != 0 && s.since(&s.blocked) >= blockedAfter:
				s.cancel(errBlocked)
			}
		}
	}
}

// Write sends bytes, and sees each chunk that is accepted.
func (s *session) Write(p []byte) (int, error) {
	defer s.blocked.Store(0)
	written := 0
	for len(p) > 0 {
		s.blocked.Store(int64(s.age()))
		n, err := s.stdin.Write(p[:min(len(p), chunkBytes)])
		written += n
		if err != nil {
			return written, err
		}
		s.touch()
		s.heard.Store(s.alive.Load())
		p = p[n:]
	}
	return written, nil
}

// head sends the line that begins a frame, twice: nothing else protects it from a byte that was damaged where no checksum of the
// transport sees it. Lines that belong to it follow.
func (s *session) head(line string, more ...string) error {
	_, err := io.WriteString(s, strings.Join(append([]string{line, line}, more...), "\n")+"\n")
	return err
}

// read gives each answer to handle until it returns true or an error. ERR becomes a *VolumeError, and the end of the session without
// the answer that was waited for a *SessionError.
func (s *session) read(plan Plan, handle func(answer) (bool, error)) error {
	for {
		a, err := s.next(nil)
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

// next waits for an answer, or the end of stop; nil never ends. What came before the end of the session still counts.
func (s *session) next(stop <-chan struct{}) (answer, error) {
	select {
	case a := <-s.answers:
		return a, nil
	default:
	}
	select {
	case a := <-s.answers:
		return a, nil
	case <-stop:
		return answer{}, errSettled
	case <-s.caller.Done():
		return answer{}, context.Cause(s.caller)
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
	if err != nil && s.since(&s.heard) >= stallAfter/2 {
		// WebSocket gives up by itself, in words of its own, when the other side does not read for a minute.
		err = fmt.Errorf("%w: %w", errStalled, err)
	}
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
	s.linger(lingerFor, beatEvery+2*time.Second)
}

// tell writes a frame and waits for an answer.
func (s *session) tell(plan Plan, frame, verb string) error {
	if err := s.head(frame); err != nil {
		return &SessionError{Err: err}
	}
	return s.read(plan, until(verb))
}

// until waits for one verb.
func until(verb string) func(answer) (bool, error) {
	return func(a answer) (bool, error) { return a.verb == verb, nil }
}

// lives tells whether the session is there, as far as is known.
func (s *session) lives() bool {
	select {
	case <-s.done:
		return false
	default:
		return s.ctx.Err() == nil
	}
}

// quit lets the session end by itself.
func (s *session) quit() {
	s.settle()
	s.close()
}

// close ends the session, if it has not ended. The other side gets a moment to see the end of its stdin and to tidy up, and a connection
// that is stuck is not waited for.
func (s *session) close() {
	if s.stdin != nil {
		_ = s.stdin.Close()
	}
	s.linger(leaveFor, stallAfter)
	s.cancel(errSettled)
	limit := time.NewTimer(abandonAfter)
	defer limit.Stop()
	select {
	case <-s.done:
	case <-limit.C:
	}
}

// linger waits for the end of the session, or for silence.
func (s *session) linger(limit, silence time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-s.answers:
		case <-s.done:
			return
		case <-s.ctx.Done():
			return
		case <-timer.C:
			return
		case <-tick.C:
			if s.idle() > silence {
				return
			}
		}
	}
}

// ask runs a script that reads nothing.
func (v *Volume) ask(ctx context.Context, plan Plan, c call, handle func(answer) (bool, error)) error {
	s := v.open(ctx, plan, c)
	err := s.read(plan, handle)
	var refused *VolumeError
	if err == nil || errors.As(err, &refused) {
		s.settle()
	}
	s.close()
	return err
}
