package runs

import "testing"

// Whatever happens to a run, what is said about it is true: the phase, the counts, the reason and the exit code; there is never a
// second run, no row comes twice, and nothing is left behind that no other try needs. The tests that wait longest come first.
func TestRuns(t *testing.T) {
	t.Parallel()
	l := openLab(t, "runs")
	for _, test := range []struct {
		name string
		do   func(*testing.T, *lab)
	}{
		{"image that cannot be pulled", testImagePull},
		{"API server away", testAPIServerAway},
		{"pod replaced", testPodReplaced},
		{"pod killed with its rows written", testPodKilledInside},
		{"restarted in place", testRestartedInPlace},
		{"restarted in place with its rows written", testRestartedAfterRows},
		{"out of memory", testOutOfMemory},
		{"API server away behind the run", testAwayBehind},
		{"log cut five times", testLogCut},
		{"killed before the answer", testKilledBeforeAnswer},
		{"killed before the job", testKilledBeforeJob},
		{"killed and the run over", testKilledAndOver},
		{"lost answer", testLostAnswer},
		{"replay", testReplay},
		{"job deleted", testJobDeleted},
		{"detached", testDetached},
		{"skipped records", testSkipped},
		{"no summary", testNoSummary},
		{"summary of zeros", testZeros},
		{"long line", testLongLine},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.do(t, l)
		})
	}
}
