package push

import (
	"testing"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
)

// Whatever happens to a transfer, no wrong tree is published, an earlier tree stays as it was, nothing is left running or locked, and
// the next push goes on from what has arrived.
func TestTransfer(t *testing.T) {
	l := openLab(t, "transfer", release.Options{})
	for name, test := range map[string]func(*testing.T, *lab){
		"killed":           testKilled,
		"interrupted":      testInterrupted,
		"cut":              testCut,
		"cut cost":         testCutCost,
		"stall":            testStall,
		"away":             testAway,
		"same data":        testSameData,
		"same data killed": testSameDataKilled,
		"different data":   testDifferentData,
		"moving":           testMoving,
		"pod lost":         testPodLost,
		"out of memory":    testOutOfMemory,
		"stage timeout":    testStageTimeout,
		"names":            testNames,
		"refused names":    testRefusedNames,
		"huge file":        testHuge,
		"many files":       testManyFiles,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, l)
		})
	}
	t.Run("volumes", func(t *testing.T) {
		t.Parallel()
		testVolumes(t)
	})
}
