package runs

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

// Skipped records are a loss, though this ingestor exits 0 and its Job is complete.
func testSkipped(t *testing.T, l *lab) {
	r := l.trial(t, "skipped", fault.Faults{Ingestor: fault.Ingestor{Skip: 1}})
	got := r.push(t).expect(t, 9, "1 skipped").object(t)
	got.ended(t, "SucceededWithLosses", "total 4, inserted 3, sent 3, skipped 1")
	r.leaves(t, got, remains{rows: 3, jobs: 1, staged: true})
	l.agrees(t, got)
}

// A run that ends with 0 and says nothing proves nothing, although all rows are there.
func testNoSummary(t *testing.T, l *lab) {
	r := l.trial(t, "no_summary", fault.Faults{Ingestor: fault.Ingestor{NoSummary: true}})
	got := r.push(t).expect(t, 9, "no summary").object(t)
	got.ended(t, "Unknown", "")
	r.leaves(t, got, remains{rows: 4, jobs: 1, staged: true})
	l.agrees(t, got)
}

// A summary of zeros ends with 0 and a party popper: nothing was ingested.
func testZeros(t *testing.T, l *lab) {
	r := l.trial(t, "zeros", fault.Faults{Ingestor: fault.Ingestor{Empty: true}})
	got := r.push(t).expect(t, 9, "no records were ingested").object(t)
	got.ended(t, "Failed", "total 0, inserted 0, sent 0, skipped 0")
	r.leaves(t, got, remains{rows: 0, jobs: 1, staged: true})
	l.agrees(t, got)
}

// A Job that is deleted under the follower, by hand and by cancel: canceled, with its Pods.
func testJobDeleted(t *testing.T, l *lab) {
	for table, end := range map[string]func(r *trial, o ingestionRun){
		"job_deleted": func(r *trial, o ingestionRun) { l.deleteJob(t, o.Status.Job) },
		"canceled":    func(r *trial, o ingestionRun) { r.cancels(t, o) },
	} {
		r := l.trial(t, table, fault.Faults{Ingestor: fault.Ingestor{Sleep: seconds(3600)}})
		p := r.start(t)
		key := r.submitted(t)
		p.says(t, "is running on node")
		now := l.run(t, "status", key, "-o", "json").expect(t, 0).object(t)
		now.ended(t, "Running", "")
		end(r, now)
		got := p.wait().expect(t, 9, "was deleted before it finished").object(t)
		got.ended(t, "Canceled", "")
		eventually(t, "the Pods of the deleted Job are gone", func() bool { return len(l.pods(t, key)) == 0 })
		r.leaves(t, got, remains{jobs: 0, staged: true})
		l.run(t, "wait", key, "-o", "json").expect(t, 9).object(t).ended(t, "Unknown", "")
	}
}

// Ctrl-C while a run is followed detaches, and says how to come back; the run goes on.
func testDetached(t *testing.T, l *lab) {
	r := l.trial(t, "detached", fault.Faults{Ingestor: fault.Ingestor{Sleep: seconds(10)}})
	p := r.start(t)
	p.says(t, "is running on node")
	p.interrupt(t)
	detached := p.wait().expect(t, 0, "Detached", "kubectl tracebloc logs").object(t)
	detached.ended(t, "Detached", "")
	r.leaves(t, detached, remains{rows: 0, jobs: 1, staged: true})
	waited := l.run(t, "wait", detached.Metadata.Name, "-o", "json").expect(t, 0).object(t)
	waited.ended(t, "Succeeded", all)
	r.leaves(t, waited, remains{rows: 4, jobs: 1, staged: true})
}

// longLine is what a program prints that never ends its line.
const longLine = 20 << 20

// A line of 20 MB is cut, not kept: neither in memory nor on the terminal.
func testLongLine(t *testing.T, l *lab) {
	plain, plainPeak := watched(t, l.trial(t, "plain_line", fault.Faults{}))
	plain.expect(t, 0)
	// Nodes rotate logs of this size away: the follower must be there when the line comes, and for some lines more.
	const lines = 30
	r := l.trial(t, "long_line", fault.Faults{Ingestor: fault.Ingestor{Sleep: seconds(4), LongLine: longLine, Lines: lines, Pause: fault.Duration(100 * time.Millisecond)}})
	done, peak := watched(t, r)
	done.everyLineOnce(t, lines)
	got := done.expect(t, 0, "[line cut]").object(t)
	got.ended(t, "Succeeded", all)
	if len(done.stderr) > 1<<20 {
		t.Errorf("%d bytes were printed", len(done.stderr))
	}
	t.Logf("at most %d MiB were resident, and %d MiB without the long line", peak>>20, plainPeak>>20)
	if peak-plainPeak > longLine {
		t.Errorf("a line of %d bytes took %d bytes of memory more than none", longLine, peak-plainPeak)
	}
	r.leaves(t, got, remains{rows: 4, jobs: 1})
	l.agrees(t, got)
}

var highWater = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// watched pushes, and returns the most memory in bytes that was resident. The kernel keeps that number for as long as a process lives.
func watched(t *testing.T, r *trial) (done result, peak int64) {
	t.Helper()
	p := r.start(t)
	for {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
		if m := highWater.FindSubmatch(status); err == nil && m != nil && strings.Contains(string(status), "Name:\tkubectl-traceb") {
			kib, err := strconv.ParseInt(string(m[1]), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			peak = kib << 10
		}
		select {
		case <-p.ended:
			if peak == 0 && runtime.GOOS == "linux" {
				t.Fatal("the memory of the plugin was never seen")
			}
			return p.wait(), peak
		case <-time.After(20 * time.Millisecond):
		}
	}
}
