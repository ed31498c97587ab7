package progress

import (
	"os"
	"strconv"

	"github.com/mattn/go-isatty"
)

// descriptor is what a file has, and a buffer has not.
type descriptor interface{ Fd() uintptr }

// IsTerminal reports whether w is a terminal.
func IsTerminal(w any) bool {
	f, ok := w.(descriptor)
	return ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}

// isPlain reports whether the environment wants lines and nothing that moves:
// a terminal that cannot do more, or a CI job whose log is kept.
func isPlain(getenv func(string) string) bool {
	ci := getenv("CI")
	return getenv("TERM") == "dumb" || ci != "" && ci != "false" && ci != "0"
}

// columns is how many cells COLUMNS allows, 0 when it says nothing.
func columns(getenv func(string) string) int {
	n, err := strconv.Atoi(getenv("COLUMNS"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// wantsColors reports whether the environment lets colors through.
func wantsColors(getenv func(string) string) bool {
	return getenv("NO_COLOR") == "" && !isPlain(getenv)
}

// HasColors reports whether ANSI colors may be written to w: it is a terminal
// that understands them, and nobody asked for none (NO_COLOR, TERM=dumb, CI).
// A Windows console is made to understand them where it can.
func HasColors(w any) bool {
	f, ok := w.(descriptor)
	return ok && IsTerminal(w) && wantsColors(os.Getenv) && (isatty.IsCygwinTerminal(f.Fd()) || readsSequences(f.Fd()))
}

// processSequences is the bit of a Windows console's output mode that makes it
// obey escape sequences (ENABLE_VIRTUAL_TERMINAL_PROCESSING). Without it they
// would be printed.
const processSequences = 0x4

// allowSequences sees to the mode of a Windows console and reports whether it
// obeys escape sequences now: those before Windows 10 cannot.
func allowSequences(mode func() (uint32, error), setMode func(uint32) error) bool {
	now, err := mode()
	if err != nil {
		return false
	}
	return now&processSequences != 0 || setMode(now|processSequences) == nil
}
