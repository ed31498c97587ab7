//go:build unix

package stage

import (
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"
)

var (
	simSeed = flag.Uint64("sim.seed", 0, "play this one schedule of TestSimulation, with a log")
	simRuns = flag.Uint64("sim.runs", simRunsDefault, "how many schedules TestSimulation plays")
)

// TestSimulation plays schedules of faults against the plan, the engine and a model of the other side (sim_*_test.go). TestModel holds
// the model against the script.
func TestSimulation(t *testing.T) {
	t.Parallel()
	// There is little to keep and much to throw away: the collector would have half of the time.
	before := debug.SetGCPercent(400)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	data := newSimData(t)
	if *simSeed != 0 {
		playSeed(t, data, *simSeed, true)
		return
	}
	chunks := uint64(runtime.GOMAXPROCS(0))
	for chunk := range chunks {
		t.Run(fmt.Sprintf("chunk %d", chunk), func(t *testing.T) {
			t.Parallel()
			for seed := chunk + 1; seed <= *simRuns; seed += chunks {
				t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { playSeed(t, data, seed, false) })
			}
		})
	}
}

// playSeed plays one schedule in a time of its own. When it returns, no goroutine of it is left.
func playSeed(t *testing.T, data *simData, seed uint64, verbose bool) {
	synctest.Test(t, func(t *testing.T) {
		newSimWorld(t, data, seed, verbose).run()
	})
}
