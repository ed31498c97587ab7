package stage

import (
	"flag"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
)

var (
	simSeed = flag.Uint64("sim.seed", 0, "play this one schedule of TestSimulation, with a log")
	simRuns = flag.Uint64("sim.runs", 2000, "how many schedules TestSimulation plays")
)

// TestSimulation plays schedules of faults against the plan, the engine and a model of the other side (sim_*_test.go). TestModel holds
// the model against the script.
func TestSimulation(t *testing.T) {
	t.Parallel()
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
				playSeed(t, data, seed, false)
			}
		})
	}
}

// playSeed plays one schedule in a time of its own. When it returns, no goroutine of it is left.
func playSeed(t *testing.T, data *simData, seed uint64, verbose bool) {
	over := false
	defer func() {
		if !over {
			t.Logf("seed %d did not end well", seed)
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		newSimWorld(t, data, seed, verbose).run()
	})
	over = true
}
