package stage

import (
	"encoding/hex"
	"strings"
)

const (
	// maxLine is the longest answer that a script gives; it is far below the size up to which a pipe keeps lines whole.
	maxLine = 4096
	// maxTail is how much of what is no answer is kept for a message.
	maxTail = 1024
)

// Verbs of the answers.
const (
	ansError     = "ERR"
	ansBeat      = "T"
	ansReady     = "READY"
	ansOK        = "OK"
	ansHave      = "HAVE"
	ansGot       = "GOT"
	ansDone      = "DONE"
	ansHeld      = "HELD"
	ansLocked    = "LOCKED"
	ansPublished = "PUBLISHED"
	ansStored    = "STORED"
	ansRemoved   = "REMOVED"
	ansCleaned   = "CLEANED"
	ansSpace     = "SPACE"
	ansInodes    = "INODES"
	ansTree      = "TREE"
	ansDest      = "DEST"
	ansRecord    = "RECORD"
	ansOlder     = "OLDER"
	ansWork      = "WORK"
)

// answer is one line of the remote side: "<verb> <nonce> <fields>".
type answer struct {
	verb   string
	fields []string
}

// field returns field i, or "" where there is none.
func (a answer) field(i int) string {
	if i >= len(a.fields) {
		return ""
	}
	return a.fields[i]
}

// text decodes field i, which the remote side wrote in hex; what is no hex is no text.
func (a answer) text(i int) string {
	text, err := hex.DecodeString(a.field(i))
	if err != nil {
		return ""
	}
	return string(text)
}

// parseAnswer reads a line without its line break. Everything that does not carry the nonce is noise, and so is a line with a byte that
// no script writes.
func parseAnswer(nonce, line string) (answer, bool) {
	if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
		return answer{}, false
	}
	words := strings.Split(line, " ")
	if len(words) < 2 || words[0] == "" || nonce == "" || words[1] != nonce {
		return answer{}, false
	}
	return answer{verb: words[0], fields: words[2:]}, true
}

// lines cuts a stream into lines and gives on those that are answers. A line without end is dropped, so memory does not grow; a little
// of the noise is kept. It is written to by one goroutine.
type lines struct {
	nonce   string
	deliver func(answer)
	line    []byte
	skip    bool // the rest of a line that was too long
	noise   tail
}

// Write never fails.
func (l *lines) Write(p []byte) (int, error) {
	for _, c := range p {
		switch {
		case c == '\n':
			l.end()
		case l.skip:
		case len(l.line) == maxLine:
			l.skip = true
		default:
			l.line = append(l.line, c)
		}
	}
	return len(p), nil
}

func (l *lines) end() {
	if !l.skip {
		if a, ok := parseAnswer(l.nonce, string(l.line)); ok {
			l.deliver(a)
		} else {
			_, _ = l.noise.Write(append(l.line, '\n'))
		}
	}
	l.line, l.skip = l.line[:0], false
}

// tail keeps the end of what is written to it.
type tail struct {
	kept []byte
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	if len(p) >= maxTail {
		t.kept = append(t.kept[:0], p[len(p)-maxTail:]...)
		return len(p), nil
	}
	if drop := len(t.kept) + len(p) - maxTail; drop > 0 {
		t.kept = append(t.kept[:0], t.kept[drop:]...)
	}
	t.kept = append(t.kept, p...)
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.kept)) }
