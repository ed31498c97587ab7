package progress

import (
	"strings"
	"sync"
	"time"
)

// Transfer is the state of a transfer to the volume, cumulative: every state
// replaces the one before as a whole.
type Transfer struct {
	// Files and Bytes are acknowledged by the remote side, of TotalFiles and
	// TotalBytes that have to be sent. What was taken over is in neither.
	Files, TotalFiles int64
	Bytes, TotalBytes int64
	// Sent is the number of bytes on the wire, retries included. It never
	// becomes smaller: a state with less is an older one that came late, and
	// is ignored.
	Sent int64
	// InFlight is the payload that was sent and is not acknowledged yet.
	InFlight int64
	// TakenOverFiles and TakenOverBytes need not be sent: the volume has them
	// from an older tree or an earlier attempt. The first state that has any
	// makes the Reporter say so.
	TakenOverFiles, TakenOverBytes int64
	// Compressed is the payload of the files that traveled compressed.
	Compressed int64
	// Retries counts what had to be done again.
	Retries int
	// Step is what is being done when it is not sending, such as "publishing".
	// It is shown in the place of rate and ETA, with its time, and does not
	// count against the rate that follows.
	Step string
}

// kind is what a phase counts.
type kind int

const (
	ofBytes    kind = iota // bytes of local work
	ofThings               // things of local work, in the fields for files
	ofTransfer             // bytes and files that another side acknowledges
)

// stalledAfter is how long a transfer may go without an acknowledgement before
// that is what there is to say about it.
const stalledAfter = 15 * time.Second

// phase is what is known of the running phase.
type phase struct {
	name  string
	noun  string // of what Files counts
	kind  kind
	start time.Time
	stop  func() // ends the painter; nil before there is one

	mu    sync.Mutex
	state Transfer
	done  meter     // of what measure measures
	sent  meter     // of Sent
	heard time.Time // the last acknowledgement, or what else restarts the wait for one
}

func newPhase(name, noun string, k kind, state Transfer) *phase {
	now := time.Now()
	return &phase{
		name: oneLine(name), noun: oneLine(noun), kind: k, start: now, state: state, heard: now, done: newMeter(now), sent: newMeter(now),
	}
}

// oneLine escapes s for the middle of a line.
func oneLine(s string) string { return strings.Join(strings.Fields(Escape(s)), " ") }

// add counts n more units of local work.
func (p *phase) add(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kind == ofThings {
		p.state.Files += n
	} else {
		p.state.Bytes += n
	}
	p.done.add(n, time.Now())
}

// set replaces the state of a transfer. It reports whether files that need not
// be sent have turned up with it.
func (p *phase) set(t Transfer) (takenOver bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.state
	if t.Sent < before.Sent {
		return false
	}
	t.Step = oneLine(t.Step)
	p.state = t
	now := time.Now()
	if t.Files > before.Files || t.Bytes > before.Bytes || t.Step != before.Step {
		p.heard = now
	}
	if before.Step != "" && t.Step == "" {
		p.done, p.sent = newMeter(now), newMeter(now)
	}
	if t.TotalBytes > 0 {
		p.done.add(t.Bytes-before.Bytes, now)
	} else {
		p.done.add(t.Files-before.Files, now)
	}
	p.sent.add(t.Sent-before.Sent, now)
	return before.TakenOverFiles == 0 && t.TakenOverFiles > 0
}

// view is a phase at one moment: everything that a frame, a line or a report
// says, so that these are pure functions of it.
type view struct {
	Transfer
	name    string
	noun    string
	kind    kind
	took    time.Duration // since the phase began
	waiting time.Duration // since something was acknowledged, or the step began
	rate    float64       // of what measure measures, per second
	sending float64       // bytes on the wire per second, 0 when none went out of late
}

func (p *phase) view() view {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	v := view{
		Transfer: p.state, name: p.name, noun: p.noun, kind: p.kind, took: now.Sub(p.start), waiting: now.Sub(p.heard), rate: p.done.rate(now),
	}
	if now.Sub(p.sent.last) < averaged {
		v.sending = p.sent.rate(now)
	}
	// Work that is taken back may be more than what was counted.
	v.Bytes, v.Files, v.InFlight = max(v.Bytes, 0), max(v.Files, 0), max(v.InFlight, 0)
	return v
}

// measure is the part and the whole by which a phase is judged: bytes, or
// things where there are no bytes. The whole is 0 when it is unknown.
func (v view) measure() (done, total int64) {
	if v.ofFiles() {
		return v.Files, max(v.TotalFiles, 0)
	}
	return v.Bytes, max(v.TotalBytes, 0)
}

// ofFiles reports whether there are no bytes to measure by: things are counted,
// or all files of a transfer are empty.
func (v view) ofFiles() bool {
	return v.kind == ofThings || v.kind == ofTransfer && v.TotalBytes <= 0 && v.TotalFiles > 0
}

// complete reports whether nothing is left to count. Before the first totals
// that is not known.
func (v view) complete() bool {
	known := v.TotalFiles > 0 || v.TotalBytes > 0 || v.TakenOverFiles > 0
	return known && v.Files >= v.TotalFiles && v.Bytes >= v.TotalBytes
}

// stalled reports whether an acknowledgement is overdue.
func (v view) stalled() bool {
	return v.kind == ofTransfer && v.Step == "" && !v.complete() && v.waiting >= stalledAfter
}
