package run

import (
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

	again map[int64]int // what the current stream will repeat
	from  int64         // where it was asked to start; 0 for the beginning
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

func (s *seenLines) since() time.Time {
	return s.newest.Add(-seenWindow).Truncate(time.Second)
}

// isNew records a line and reports whether it was not read before. Lines without
// a stamp are always new: they come from the kubelet, not from the container.
func (s *seenLines) isNew(stamp time.Time) bool {
	if stamp.IsZero() {
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
		s.dated = 0
	}
}
