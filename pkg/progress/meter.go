package progress

import "time"

const (
	// averaged is the time that a rate looks back.
	averaged = 5 * time.Second
	// atLeast is how many samples it looks back at the least: on a slow link
	// acknowledgements of whole shards come seconds apart, and a rate over the
	// few of one window would jump up and down with each.
	atLeast = 8
	// resolution merges what comes in quick succession, and so bounds memory.
	resolution = 250 * time.Millisecond
	// settled is the time before which a rate says nothing.
	settled = time.Second
)

// meter is a moving average of what arrives. It goes down while nothing does.
type meter struct {
	sum     int64
	last    time.Time // of the last arrival, or the start
	samples []sample  // the oldest one is where the average starts
}

// sample is what had arrived by a time.
type sample struct {
	at  time.Time
	sum int64
}

func newMeter(start time.Time) meter { return meter{last: start, samples: []sample{{at: start}}} }

// add counts n units that arrived now. What is taken back is no arrival.
func (m *meter) add(n int64, now time.Time) {
	if n <= 0 {
		return
	}
	m.sum += n
	m.last = now
	last := len(m.samples) - 1
	// The first sample is the start, at which nothing had arrived.
	if last > 0 && now.Sub(m.samples[last].at) < resolution {
		m.samples[last].sum = m.sum
		return
	}
	m.samples = append(m.samples, sample{at: now, sum: m.sum})
	m.trim(now)
}

// trim forgets the samples that are older than the window, as long as enough
// younger ones are left.
func (m *meter) trim(now time.Time) {
	drop := 0
	for len(m.samples)-drop > atLeast+1 && now.Sub(m.samples[drop+1].at) >= averaged {
		drop++
	}
	// Moved down in place: a slice that only ever walks forward would make
	// append allocate again and again.
	m.samples = m.samples[:copy(m.samples, m.samples[drop:])]
}

// rate is units per second, 0 before anything can be said.
func (m *meter) rate(now time.Time) float64 {
	took := now.Sub(m.samples[0].at)
	if took < settled {
		return 0
	}
	return float64(m.sum-m.samples[0].sum) / took.Seconds()
}
