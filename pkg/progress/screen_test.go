package progress

import (
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
)

// screen is a terminal of one width that understands what every terminal does:
// text, carriage return and newline. Text beyond the last cell goes on in the
// next row, as on a real one.
type screen struct {
	mu     sync.Mutex
	width  int
	rows   [][]rune
	col    int
	writes int
	wraps  int      // of frames that ran over the edge; text may
	odd    []string // control characters that do not belong here
}

func newScreen(width int) *screen { return &screen{width: width, rows: [][]rune{nil}} }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	frame := !strings.Contains(string(p), "\n")
	for _, r := range string(p) {
		switch {
		case r == '\r':
			s.col = 0
		case r == '\n':
			// The line discipline of a terminal returns the carriage as well.
			s.rows, s.col = append(s.rows, nil), 0
		case r < ' ' || r == 0x7f || r == utf8.RuneError:
			s.odd = append(s.odd, fmt.Sprintf("%q", r))
		default:
			if s.put(r) && frame {
				s.wraps++
			}
		}
	}
	return len(p), nil
}

// put writes one character, and reports whether it had to go to the next row.
func (s *screen) put(r rune) (wrapped bool) {
	if wrapped = s.col == s.width; wrapped {
		s.rows, s.col = append(s.rows, nil), 0
	}
	row := len(s.rows) - 1
	if s.col < len(s.rows[row]) {
		s.rows[row][s.col] = r
	} else {
		s.rows[row] = append(s.rows[row], r)
	}
	s.col++
	return wrapped
}

// lines is what a person sees, without the blanks at the ends.
func (s *screen) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := make([]string, 0, len(s.rows))
	for _, row := range s.rows {
		seen = append(seen, strings.TrimRight(string(row), " "))
	}
	return seen
}

// bottom is the row of the cursor.
func (s *screen) bottom() string {
	lines := s.lines()
	return lines[len(lines)-1]
}

func (s *screen) state() (col, writes, wraps int, odd []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.col, s.writes, s.wraps, s.odd
}
