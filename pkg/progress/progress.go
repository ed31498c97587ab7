package progress

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/cheggaaa/pb/v3"
	"github.com/mattn/go-isatty"
)

// Mode says how progress is drawn.
type Mode int

const (
	// Auto draws a bar on a terminal and plain lines elsewhere.
	Auto Mode = iota
	// Plain writes lines only, also on a terminal (--no-progress).
	Plain
	// Quiet writes nothing (--quiet).
	Quiet
)

// plainInterval is the time between two plain lines of one phase.
const plainInterval = 10 * time.Second

const barTemplate pb.ProgressBarTemplate = `{{string . "phase"}} {{counters . }} {{bar . }} {{percent . }} {{speed . }} {{rtime . "ETA %s"}}`

// Reporter draws the phases of one command, one after the other. It is safe
// for concurrent use; between phases, text may be written to the same stream
// through Printf.
type Reporter struct {
	out      io.Writer
	mode     Mode
	terminal bool

	mu    sync.Mutex
	phase string
	bar   *pb.ProgressBar
	total int64
	done  int64
	start time.Time
	last  time.Time
}

// New makes a Reporter that draws on out.
func New(out io.Writer, mode Mode) *Reporter {
	return &Reporter{out: out, mode: mode, terminal: IsTerminal(out)}
}

// IsTerminal reports whether w is a terminal.
func IsTerminal(w any) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}

// Printf writes one line of foreign or own text, escaped, above the bar.
func (r *Reporter) Printf(format string, args ...any) {
	if r.mode == Quiet {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bar != nil {
		// Wipe the bar's line; its next refresh draws it again below the text.
		_, _ = fmt.Fprint(r.out, "\r\x1b[K")
	}
	_, _ = fmt.Fprintln(r.out, Escape(fmt.Sprintf(format, args...)))
}

// Start begins a phase of total bytes. Nothing is drawn before the first Add,
// so that no bar collides with text that still has to be said.
func (r *Reporter) Start(phase string, total int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.phase, r.total, r.done = Escape(phase), total, 0
	r.start, r.last = time.Now(), time.Now()
}

// Add counts n more bytes of the phase; n may be negative when work that was
// counted has to be done again.
func (r *Reporter) Add(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.phase == "" {
		return
	}
	r.done += n
	switch {
	case r.mode == Quiet:
	case r.mode == Auto && r.terminal:
		r.draw()
	case time.Since(r.last) >= plainInterval:
		r.last = time.Now()
		_, _ = fmt.Fprintf(r.out, "%s: %s of %s\n", r.phase, Bytes(r.done), Bytes(r.total))
	}
}

func (r *Reporter) draw() {
	if r.bar == nil {
		r.bar = pb.New64(r.total).SetTemplate(barTemplate).SetWriter(r.out).
			Set(pb.Bytes, true).Set(pb.Terminal, true).Set(pb.CleanOnFinish, true).Set("phase", r.phase)
		r.bar.Start()
	}
	r.bar.SetCurrent(r.done)
}

// Finish ends the phase; a phase that moved bytes leaves one line behind.
func (r *Reporter) Finish() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bar != nil {
		r.bar.Finish()
		r.bar = nil
	}
	if r.phase != "" && r.done > 0 && r.mode != Quiet {
		took := time.Since(r.start)
		_, _ = fmt.Fprintf(r.out, "%s: %s in %s%s\n", r.phase, Bytes(r.done), Duration(took), rate(r.done, took))
	}
	r.phase = ""
}

// Stop ends the phase without a word, for a phase that failed.
func (r *Reporter) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bar != nil {
		r.bar.Finish()
		r.bar = nil
	}
	r.phase = ""
}

func rate(n int64, took time.Duration) string {
	if took < time.Second {
		return ""
	}
	return fmt.Sprintf(" (%s/s)", Bytes(int64(float64(n)/took.Seconds())))
}

// Bytes renders a size in binary units with three significant digits: 17 B,
// 1.50 KiB, 12.3 MiB, 1024 B below the next unit.
func Bytes(n int64) string {
	const units = "KMGTPE"
	if n < 1024 && n > -1024 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/1024, 0
	for (value >= 1000 || value <= -1000) && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	switch {
	case value >= 100:
		return fmt.Sprintf("%.0f %ciB", value, units[unit])
	case value >= 10:
		return fmt.Sprintf("%.1f %ciB", value, units[unit])
	default:
		return fmt.Sprintf("%.2f %ciB", value, units[unit])
	}
}

// Duration renders d for people: 340ms, 2.1s, 3m20s.
func Duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}
