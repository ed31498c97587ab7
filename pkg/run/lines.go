package run

import (
	"bytes"
	"time"
)

const (
	// maxLine bounds what is kept of one line: a progress bar can join megabytes
	// by carriage returns, and a Pod can print without ever ending a line.
	maxLine = 64 << 10
	// maxStamp is longer than any RFC 3339 time with nanoseconds and a zone.
	maxStamp = 40
)

// line is one finished log line, without its line ending.
type line struct {
	stamp  time.Time // when the container wrote it; zero without a time stamp
	text   []byte    // valid until the emit function returns
	folded bool      // carriage returns were folded: text is the last segment
	cut    bool      // text was longer than maxLine and its end is missing
}

// lineSplitter makes lines out of bytes that arrive chunked anywhere. Of
// segments joined by carriage returns the last one is kept, as on a terminal.
// It holds at most maxLine bytes.
type lineSplitter struct {
	// stamped says that each line starts with a time stamp and a space, as with
	// PodLogOptions.Timestamps. The stamp stands before the first segment only,
	// so it must be taken off before segments are folded.
	stamped bool
	emit    func(line)

	head    []byte // the possible stamp, until its space arrives
	inHead  bool
	started bool
	buf     []byte
	current line
	carry   bool // a carriage return whose next byte is not known yet
}

// Write never fails.
func (s *lineSplitter) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		if !s.started {
			s.started, s.inHead = true, s.stamped
		}
		if s.inHead {
			p = s.takeHead(p)
			continue
		}
		end := bytes.IndexAny(p, "\r\n")
		if end < 0 {
			s.add(p)
			break
		}
		s.add(p[:end])
		if p[end] == '\r' {
			s.carry = true
		} else {
			s.finish()
		}
		p = p[end+1:]
	}
	return written, nil
}

// takeHead collects the time stamp and returns what follows it.
func (s *lineSplitter) takeHead(p []byte) []byte {
	for i, c := range p {
		if c != ' ' && c != '\n' && c != '\r' && len(s.head) < maxStamp {
			s.head = append(s.head, c)
			continue
		}
		s.inHead = false
		stamp, ok := parseStamp(s.head)
		if ok {
			s.current.stamp = stamp
			if c == ' ' {
				i++
			}
		} else {
			s.add(s.head)
		}
		s.head = s.head[:0]
		return p[i:]
	}
	return nil
}

func parseStamp(text []byte) (time.Time, bool) {
	// The shortest is 2006-01-02T15:04:05Z; the check keeps time.Parse away from
	// ordinary words.
	if len(text) < 20 || text[10] != 'T' {
		return time.Time{}, false
	}
	stamp, err := time.Parse(time.RFC3339Nano, string(text))
	return stamp, err == nil
}

// add appends a piece of the current segment. A carriage return before it starts
// a new segment; one before a line feed is a Windows line ending and does not.
func (s *lineSplitter) add(piece []byte) {
	if len(piece) == 0 {
		return
	}
	if s.carry {
		s.carry = false
		s.buf, s.current.cut, s.current.folded = s.buf[:0], false, true
	}
	if room := maxLine - len(s.buf); len(piece) > room {
		piece, s.current.cut = piece[:room], true
	}
	s.buf = append(s.buf, piece...)
}

func (s *lineSplitter) finish() {
	s.current.text = s.buf
	s.emit(s.current)
	s.reset()
}

// flush emits a last line that has no line ending.
func (s *lineSplitter) flush() {
	if !s.started {
		return
	}
	if s.inHead {
		if stamp, ok := parseStamp(s.head); ok {
			s.current.stamp = stamp
		} else {
			s.add(s.head)
		}
	}
	s.finish()
}

// partial returns what has arrived of an unfinished line.
func (s *lineSplitter) partial() string { return string(s.head) + string(s.buf) }

// reset forgets an unfinished line.
func (s *lineSplitter) reset() {
	s.head, s.buf = s.head[:0], s.buf[:0]
	s.inHead, s.started, s.carry = false, false, false
	s.current = line{}
}
