package run

import (
	"regexp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// seenWindow is how far back a log is read again. The API takes whole seconds,
	// and the stamps of a container's two streams can be out of order.
	seenWindow = 2 * time.Second
	// maxSeen bounds the memory of a container that prints very fast.
	maxSeen = 1 << 17
)

// seenLines recognizes lines that were read before a break by their time stamps,
// which the container runtime sets once, in nanoseconds. Lines with equal stamps
// are counted.
type seenLines struct {
	total  int64 // new lines so far
	newest time.Time
	counts map[int64]int
	dated  int // lines in counts

	forgot bool // prune had to forget lines that a stream will repeat

	again map[int64]int // what the current stream will repeat
	from  int64         // where it was asked to start; 0 for the beginning

	trouble string // the kubelet's last words about the log, "" for none
}

// rewind prepares for a new stream and returns where it has to start, nil for
// the beginning.
func (s *seenLines) rewind() *metav1.Time {
	if s.newest.IsZero() {
		return nil
	}
	since := s.since()
	s.from = since.UnixNano()
	s.again = make(map[int64]int, len(s.counts))
	for stamp, n := range s.counts {
		if stamp >= s.from {
			s.again[stamp] = n
		}
	}
	return &metav1.Time{Time: since}
}

// recognizes reports whether all lines of another stream would be known again.
func (s *seenLines) recognizes() bool { return !s.forgot && (s.total == 0 || !s.newest.IsZero()) }

func (s *seenLines) since() time.Time {
	return s.newest.Add(-seenWindow).Truncate(time.Second)
}

// isNew records a line and reports whether it was not read before. A line without
// a stamp is always new, unless it is the kubelet's.
func (s *seenLines) isNew(l line) bool {
	stamp := l.stamp
	if stamp.IsZero() {
		if kubelet.Match(l.text) {
			s.trouble = shorten(string(l.text), maxField)
			return false
		}
		s.total++
		return true
	}
	key := stamp.UnixNano()
	if key < s.from {
		return false // not every kind of node heeds the starting point
	}
	if n := s.again[key]; n > 0 {
		s.again[key] = n - 1
		return false
	}
	if s.counts == nil {
		s.counts = map[int64]int{}
	}
	s.total++
	s.counts[key]++
	s.dated++
	if stamp.After(s.newest) {
		s.newest = stamp
	}
	if s.dated >= maxSeen {
		s.prune()
	}
	return true
}

// kubelet is what a node says in place of a log, or at its end, without a time
// stamp: it answers 200 before it knows whether it can read the log.
var kubelet = regexp.MustCompile(`^(?:unable to retrieve container logs for |failed to (?:watch|create fsnotify watcher|try resolving symlinks)|rpc error: code = )`)

// insteadOfLog is what a kubelet said instead of a log.
type insteadOfLog struct{ text string }

func (e *insteadOfLog) Error() string { return e.text }

// takeTrouble returns an *insteadOfLog when the kubelet had trouble since it was
// called last.
func (s *seenLines) takeTrouble() error {
	text := s.trouble
	if s.trouble = ""; text == "" {
		return nil
	}
	return &insteadOfLog{text}
}

// prune forgets what no stream will repeat. Should the window itself be too
// large, it is forgotten as well: a repeated line is better than no memory.
func (s *seenLines) prune() {
	oldest := s.since().UnixNano()
	s.dated = 0
	for stamp, n := range s.counts {
		if stamp < oldest {
			delete(s.counts, stamp)
			continue
		}
		s.dated += n
	}
	if s.dated > maxSeen/2 {
		clear(s.counts)
		s.dated, s.forgot = 0, true
	}
}
