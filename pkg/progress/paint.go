package progress

import (
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cheggaaa/pb/v3"
	"github.com/cheggaaa/pb/v3/termutil"
)

const (
	// refresh is the time between two frames on a terminal.
	refresh = 200 * time.Millisecond
	// plainInterval is the time between two plain lines of one phase.
	plainInterval = 10 * time.Second
	// unknownWidth is the width of a terminal that does not tell it.
	unknownWidth = 80
)

// line is the place where the bar and text meet: each write is whole, and text
// takes the line of a bar before it.
type line struct {
	mu    sync.Mutex
	out   io.Writer
	drawn int // cells of the bar that is on the line
}

// Write takes a frame from the bar.
func (l *line) Write(frame []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drawn = pb.CellCount(strings.Trim(string(frame), "\r"))
	return l.out.Write(frame)
}

// text writes s, which is escaped already, as lines of their own. The bar's
// next refresh draws it again below.
func (l *line) text(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drawn > 0 {
		// Blanks, and no escape sequence: every terminal understands them.
		s = "\r" + strings.Repeat(" ", l.drawn) + "\r" + s
		l.drawn = 0
	}
	_, _ = io.WriteString(l.out, s+"\n")
}

// wiped notes that the bar has left its line clean.
func (l *line) wiped() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drawn = 0
}

// lively is a phase as a value of the bar's template: it is drawn anew at each
// refresh, so that time is seen to pass also when nothing arrives.
type lively struct {
	phase *phase
	bar   *pb.ProgressBar
	most  int // cells, whatever the terminal says; 0 for no such limit
}

func (l lively) String() string {
	width := l.bar.Width()
	if l.most > 0 {
		width = min(width, l.most)
	}
	return l.phase.view().frame(width)
}

// paintBar draws p in one line of a terminal until stop is called. stop leaves
// the line blank, with the cursor at its start. width 0 asks the terminal, at
// every frame; COLUMNS makes it narrower, and not wider: a line that wraps
// cannot be drawn again.
func paintBar(p *phase, out *line, width int) (stop func()) {
	most := 0
	if width <= 0 {
		most = columns(os.Getenv)
		if asked, err := termutil.TerminalWidth(); err != nil || asked <= 0 {
			width = unknownWidth
		}
	}
	bar := pb.New64(0).SetTemplate(`{{string . "frame"}}`).SetRefreshRate(refresh).SetWidth(width)
	bar.Set("frame", lively{phase: p, bar: bar, most: most})
	// No color: there is none for NO_COLOR to take away. All this comes before
	// the writer, with which pb settles what is not set.
	bar.Set(pb.Terminal, true).Set(pb.ReturnSymbol, "\r").Set(pb.Color, false).Set(pb.CleanOnFinish, true).SetWriter(out)
	bar.Start()
	return func() {
		bar.Finish()
		out.wiped()
	}
}

// paintLines writes a line about p every plainInterval until stop is called,
// which returns when nothing more is written.
func paintLines(p *phase, out *line) (stop func()) {
	stopped, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(plainInterval)
		defer tick.Stop()
		for {
			select {
			case <-stopped:
				return
			case <-tick.C:
				out.text(p.view().plain())
			}
		}
	}()
	return func() {
		close(stopped)
		<-ended
	}
}
