package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// ANSI sequences that the ingestor always prints, whatever it writes to.
const (
	reset  = "\x1b[0m"
	bold   = "\x1b[1m"
	green  = "\x1b[92m"
	red    = "\x1b[91m"
	yellow = "\x1b[93m"
	blue   = "\x1b[94m"
	cyan   = "\x1b[96m"
)

// bar draws a progress bar as tqdm does: over itself with carriage returns, on stderr. Its text stands in one line of the log
// with whatever is printed next.
func bar(w io.Writer, what string, done, total int) {
	const cells = 10
	filled, percent := cells, 100
	if total > 0 {
		filled, percent = cells*done/total, 100*done/total
	}
	_, _ = fmt.Fprintf(w, "\r%s: %3d%%|%s%s| %d/%d [00:00<00:00, ?it/s]", what, percent, strings.Repeat("█", filled), strings.Repeat(" ", cells-filled), done, total)
}

// wipe removes the bar: blanks over it, and the cursor back to the start.
func wipe(w io.Writer, what string) {
	_, _ = fmt.Fprintf(w, "\r%s\r", strings.Repeat(" ", len(what)+50))
}

// logLine is a record of Python's logging in the ingestor's format.
func logLine(w io.Writer, now time.Time, level, logger, where, format string, args ...any) {
	_, _ = fmt.Fprintf(w, "%s | %-8s | %s | %s | %s\n", now.Format(time.DateTime), level, logger, where, fmt.Sprintf(format, args...))
}

// commas writes n with a comma for every three digits.
func commas(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
