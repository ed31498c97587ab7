package dataset

import "bytes"

// ending is how a record ends.
type ending uint8

const (
	noEnd ending = iota
	endLF
	endCRLF
	endCR
	// keepCR is a CR that must stay what it is: a reading takes the byte behind it for a part of the line end.
	keepCR
)

func (e ending) String() string {
	switch e {
	case endLF:
		return "\n"
	case endCRLF:
		return "\r\n"
	case endCR, keepCR:
		return "\r"
	}
	return ""
}

// endOf brings the end of a record, or of a blank line, to the kind of the first record's.
func (f *Fixer) endOf(end ending, blank bool, line int64) ending {
	if end == noEnd || end == keepCR {
		return end
	}
	if f.end == noEnd && !blank {
		f.end = endLF
		if end == endCRLF {
			f.end = endCRLF
		}
	}
	if f.end == noEnd || end == f.end {
		return end
	}
	counts := &f.repairs.LineEnds
	switch end {
	case endLF:
		counts.LF++
	case endCRLF:
		counts.CRLF++
	case endCR:
		counts.CR++
	}
	f.repairs.LineEnd = f.end.String()
	if f.repairs.LineEndsLine == 0 {
		f.repairs.LineEndsLine = line
	}
	return f.end
}

// lineCounter knows the number of the physical line, from 1. LF, CRLF and a lone CR end a line.
type lineCounter struct {
	line   int64
	lastCR bool
}

// end counts what ends a record.
func (l *lineCounter) end(e ending) {
	if e != noEnd && (e != endLF || !l.lastCR) {
		l.line++
	}
	l.lastCR = false
}

func (l *lineCounter) count(b []byte) {
	if len(b) == 0 {
		return
	}
	l.line += int64(bytes.Count(b, newline))
	if b[0] == '\n' && l.lastCR {
		l.line--
	}
	l.lastCR = b[len(b)-1] == '\r'
	if bytes.IndexByte(b, '\r') >= 0 {
		l.line += int64(bytes.Count(b, []byte("\r")) - bytes.Count(b, []byte("\r\n")))
	}
}
