package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// Mode says how progress is drawn.
type Mode int

const (
	// Auto draws a bar on a terminal that can redraw a line, and plain lines
	// elsewhere (also with TERM=dumb and where CI is set).
	Auto Mode = iota
	// Plain writes lines only, also on a terminal (--no-progress).
	Plain
	// Quiet writes nothing (--quiet).
	Quiet
)

// Reporter draws the phases of one command, one after the other. It is safe
// for concurrent use; text may be written to the same stream through Printf at
// any time. A phase ends with Finish or Stop, or when the next one begins;
// after that nothing runs on and the cursor is at the start of a clean line.
type Reporter struct {
	mode  Mode
	bar   bool // draw a bar, not lines
	width int  // of the terminal in cells; 0 asks it
	line  *line

	// mu guards phase. Painters never take it, so that it may be held while
	// one ends.
	mu    sync.Mutex
	phase *phase
}

// New makes a Reporter that draws on out.
func New(out io.Writer, mode Mode) *Reporter {
	return &Reporter{mode: mode, bar: mode == Auto && IsTerminal(out) && !isPlain(os.Getenv), line: &line{out: out}}
}

// Printf writes one line of foreign or own text, escaped, above the bar.
func (r *Reporter) Printf(format string, args ...any) {
	if r.mode != Quiet {
		r.line.text(Escape(fmt.Sprintf(format, args...)))
	}
}

// Start begins a phase of total bytes of local work; total 0 is unknown.
// Nothing is drawn before the first Add: most such phases are over by then.
func (r *Reporter) Start(phase string, total int64) {
	r.begin(newPhase(phase, "", ofBytes, Transfer{TotalBytes: total}), false)
}

// StartCount begins a phase that counts things of local work, such as files
// that are looked at. noun is the name of one of them ("file"), total how many
// there are; total 0 is unknown: the count alone is shown, without bar and ETA.
func (r *Reporter) StartCount(phase, noun string, total int64) {
	r.begin(newPhase(phase, noun, ofThings, Transfer{TotalFiles: total}), false)
}

// Add counts n more bytes, or things, of the phase; n may be negative when work
// that was counted has to be done again.
func (r *Reporter) Add(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.phase != nil && r.phase.kind != ofTransfer {
		r.phase.add(n)
		r.paint()
	}
}

// StartTransfer begins the transfer of this many files and bytes. It is drawn
// from here on: the wait for the first acknowledgement is part of it. The
// totals stand until the first Transfer, which brings its own.
func (r *Reporter) StartTransfer(phase string, totalFiles, totalBytes int64) {
	r.begin(newPhase(phase, "file", ofTransfer, Transfer{TotalFiles: totalFiles, TotalBytes: totalBytes}), true)
}

// Transfer takes the newest state of the transfer that StartTransfer began;
// without one it does nothing. It is cheap: drawing has its own pace.
func (r *Reporter) Transfer(t Transfer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.phase == nil || r.phase.kind != ofTransfer {
		return
	}
	if takenOver := r.phase.set(t); takenOver && r.mode != Quiet {
		r.line.text(r.phase.view().skipped())
	}
}

// Finish ends the phase; a phase in which something was done leaves one line
// behind, the report of a transfer among them.
func (r *Reporter) Finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	ended := r.end()
	if ended == nil || r.mode == Quiet {
		return
	}
	if report := ended.view().report(); report != "" {
		r.line.text(report)
	}
}

// Stop ends the phase without a word, for a phase that failed.
func (r *Reporter) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end()
}

func (r *Reporter) begin(p *phase, drawn bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end()
	r.phase = p
	if drawn {
		r.paint()
	}
}

// paint makes sure that the phase is drawn.
func (r *Reporter) paint() {
	switch {
	case r.mode == Quiet || r.phase.stop != nil:
	case r.bar:
		r.phase.stop = paintBar(r.phase, r.line, r.width)
	default:
		r.phase.stop = paintLines(r.phase, r.line)
	}
}

// end stops the drawing of the phase, if there is one, and returns it.
func (r *Reporter) end() *phase {
	ended := r.phase
	r.phase = nil
	if ended != nil && ended.stop != nil {
		ended.stop()
	}
	return ended
}
