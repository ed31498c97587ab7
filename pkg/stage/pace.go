package stage

import (
	"sync"
	"time"
)

const (
	// A volume that takes fewer files than slowFiles a second, on a link that is not full, is slow: it costs a round trip for each of the
	// things that are done to a file. More of them at once help then.
	slowFiles = 500
	slowWays  = 4
	slowAfter = time.Second
)

// pace tells how fast files arrive.
type pace struct {
	mu    sync.Mutex
	since time.Time
	files int64
}

func (p *pace) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since, p.files = time.Now(), 0
}

func (p *pace) count(files int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files += int64(files)
}

// slow is false as long as too little is known.
func (p *pace) slow() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	took := time.Since(p.since)
	return p.files > 0 && took >= slowAfter && float64(p.files)/took.Seconds() < slowFiles
}

// ways is with how many processes at once a session should use the volume.
func (t *transfer) ways() int {
	if t.pace.slow() && !t.compression.full() {
		return slowWays
	}
	return 1
}
