package progress

import (
	"math"
	"testing"
	"time"
)

// arrival is n units that come after a pause, so often.
type arrival struct {
	after time.Duration
	n     int64
	times int
}

func TestMeter(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	for name, tt := range map[string]struct {
		arrivals  []arrival
		then      time.Duration // from the last arrival to the look
		want      float64
		tolerance float64 // a share of want
	}{
		"nothing yet":                      {nil, 10 * s, 0, 0},
		"too early to say":                 {[]arrival{{100 * ms, 1000, 5}}, 0, 0, 0},
		"a steady stream":                  {[]arrival{{10 * ms, 100, 2000}}, 0, 10_000, 0.06},
		"a stream that became faster":      {[]arrival{{10 * ms, 100, 2000}, {10 * ms, 400, 600}}, 0, 40_000, 0.06},
		"a stream that became slower":      {[]arrival{{10 * ms, 400, 2000}, {10 * ms, 100, 600}}, 0, 10_000, 0.06},
		"shards far apart":                 {[]arrival{{10 * s, 16_000, 20}}, 0, 1600, 0},
		"shards far apart, between two":    {[]arrival{{10 * s, 16_000, 20}}, 5 * s, 1600, 0.07},
		"four at once, again and again":    {[]arrival{{10 * s, 64_000, 10}}, 0, 6400, 0},
		"the first one, after a long time": {[]arrival{{40 * s, 16_000, 1}}, 0, 400, 0},
		"goes down in a standstill":        {[]arrival{{10 * ms, 100, 2000}}, 5 * s, 5000, 0.06},
		"and further down":                 {[]arrival{{10 * ms, 100, 2000}}, 45 * s, 1000, 0.06},
		"comes back after a standstill":    {[]arrival{{10 * ms, 100, 2000}, {60 * s, 100, 1}, {10 * ms, 100, 600}}, 0, 10_000, 0.06},
		"work that is done again":          {[]arrival{{10 * ms, 100, 1000}, {0, -50_000, 1}, {10 * ms, 100, 1000}}, 0, 10_000, 0.06},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Unix(1_700_000_000, 0)
			m := newMeter(now)
			for _, a := range tt.arrivals {
				for range a.times {
					now = now.Add(a.after)
					m.add(a.n, now)
				}
			}
			if got := m.rate(now.Add(tt.then)); math.Abs(got-tt.want) > tt.want*tt.tolerance {
				t.Errorf("rate = %.1f, want %.1f (within %.0f %%)", got, tt.want, tt.tolerance*100)
			}
		})
	}
}

func TestMeterStaysSmall(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	m := newMeter(now)
	for i := range 200_000 {
		now = now.Add(time.Duration(i%7) * 50 * time.Millisecond)
		m.add(1, now)
	}
	if limit := int(averaged/resolution) + atLeast; len(m.samples) > limit || cap(m.samples) > 4*limit {
		t.Errorf("the meter holds %d samples in room for %d, want at most %d", len(m.samples), cap(m.samples), limit)
	}
}
