package run

import (
	"bytes"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// ended returns an attempt that printed a saved log and exited with its code.
func ended(t testing.TB, pod, log string) Attempt {
	t.Helper()
	report, err := ReadReport(bytes.NewReader(readLog(t, log)))
	if err != nil {
		t.Fatal(err)
	}
	code := logNames[log]
	reason := "Error"
	if code == 0 {
		reason = "Completed"
	}
	return Attempt{Pod: pod, ContainerID: pod, ExitCode: &code, Reason: reason, Log: report, LogRead: true, LogComplete: true}
}

func killed(pod, reason string) Attempt {
	code := int32(137)
	return Attempt{Pod: pod, ContainerID: pod, ExitCode: &code, Reason: reason, LogRead: true, LogComplete: true}
}

func evidence(state JobState, attempts ...Attempt) Evidence {
	e := Evidence{Namespace: labNamespace, Job: labJob, State: state, Attempts: attempts}
	if state == JobFailed {
		e.Conditions = []batchv1.JobCondition{{
			Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded",
			Message: "Job has reached the specified backoff limit",
		}}
	}
	return e
}

func TestJudge(t *testing.T) {
	t.Parallel()
	log := func(name string) Attempt { return ended(t, "p1", name) }
	unread := log("success")
	unread.Log, unread.LogComplete, unread.LogError = Report{}, false, "the pod is gone"
	silent := log("success")
	silent.Log.Banner = nil
	partly := log("success")
	partly.Log.Banner = &Banner{Total: partly.Log.Banner.Total, Inserted: partly.Log.Banner.Inserted}
	evicted := killed("p1", "Error")
	evicted.PodReason, evicted.PodMessage = "Evicted", "low on ephemeral-storage"
	deadline := evidence(JobFailed, killed("p1", "Error"))
	deadline.Conditions[0].Reason, deadline.Conditions[0].Message = "DeadlineExceeded", "Job was active longer than specified deadline"
	stuck := evidence(JobActive)
	stuck.Stuck = `pod p1 cannot pull image "x": ErrImagePull: not found`
	stuckLater := evidence(JobActive, log("no-database"))
	stuckLater.Stuck = stuck.Stuck
	unseen := evidence(JobComplete, log("success"))
	unseen.Unseen = 2
	lost := ended(t, "p0", "registration")
	lost.Log, lost.LogComplete, lost.LogError = Report{}, false, "the pod is gone"
	empty := ended(t, "p0", "registration")
	empty.Log = Report{}
	crashed := ended(t, "p0", "traceback")
	crashed.Log.Validated = true
	killedLate := killed("p0", "OOMKilled")
	killedLate.Log.Validated = true
	waits := evidence(JobActive)
	waits.Waiting = "pod p1 is not scheduled: 0/1 nodes"

	tests := []struct {
		name     string
		evidence Evidence
		want     Phase
		reason   string // a part of it
	}{
		{"success", evidence(JobComplete, log("success")), PhaseSucceeded, ""},
		{"newer ingestor", evidence(JobComplete, log("newer")), PhaseSucceeded, ""},
		{"retried without rows before", evidence(JobComplete, ended(t, "p0", "no-database"), log("success")), PhaseSucceeded, ""},
		{"retried after a kill", evidence(JobComplete, killed("p0", "OOMKilled"), log("success")), PhaseSucceeded, ""},
		{"retried with rows before", evidence(JobComplete, ended(t, "p0", "partial"), log("success")), PhaseSucceededWithLosses, "had inserted 3 records"},
		{"retried after registration failed", evidence(JobComplete, ended(t, "p0", "registration"), log("success")), PhaseSucceededWithLosses, "may hold them twice"},
		{"deleted after success", evidence(JobDeleted, log("success")), PhaseSucceeded, ""},
		{"skipped", evidence(JobComplete, log("skipped")), PhaseSucceededWithLosses, "1400 of 1500 records were inserted: 100 skipped"},
		{"partial and complete", evidence(JobComplete, log("partial")), PhaseSucceededWithLosses, "3 of 4 records were inserted: 1 without their file"},
		{"not sent", evidence(JobComplete, log("not-sent")), PhaseSucceededWithLosses, "0 of 4 inserted records were registered"},
		{"zero records", evidence(JobComplete, log("zero")), PhaseFailed, "no records were ingested"},
		{"nothing inserted", evidence(JobComplete, log("total-failure")), PhaseFailed, "none of the 4 records was inserted: 4 without their file"},
		{"no summary", evidence(JobComplete, silent), PhaseUnknown, "printed no summary"},
		{"half a summary", evidence(JobComplete, partly), PhaseUnknown, "incomplete"},
		{"no log", evidence(JobComplete, unread), PhaseUnknown, "could not be read to its end: the pod is gone"},
		{"no pod", evidence(JobComplete), PhaseUnknown, "its pod is gone"},
		{"failed without a pod", evidence(JobFailed), PhaseFailed, "BackoffLimitExceeded: Job has reached"},
		{"failed with a good summary", evidence(JobFailed, log("success")), PhaseFailed, "BackoffLimitExceeded: Job has reached"},
		{"partial", evidence(JobFailed, log("partial")), PhaseFailed, "3 of 4 records were inserted"},
		{"validation", evidence(JobFailed, log("validation")), PhaseFailed, "Image Resolution Validator Validator failed: Multiple image resolutions found: [(32, 64), (64, 64)]."},
		{"stumbled twice", evidence(JobFailed, ended(t, "p0", "partial"), ended(t, "p2", "already-exists"), log("already-exists")), PhaseFailed, "3 of 4 records were inserted"},
		{"stumbled at first", evidence(JobFailed, log("already-exists")), PhaseFailed, "Destination directory '/data/shared/t' already exists"},
		{"registration", evidence(JobFailed, log("registration")), PhaseFailed, "it was NOT registered"},
		{"traceback", evidence(JobFailed, log("traceback")), PhaseFailed, "the ingestor crashed: ValueError: Schema column(s) ['id'] collide"},
		{"spec", evidence(JobFailed, log("schema")), PhaseFailed, "exit code 2: the spec was not accepted"},
		{"database", evidence(JobFailed, log("no-database")), PhaseFailed, "exit code 65: the database could not be reached"},
		{"out of memory", evidence(JobFailed, killed("p1", "OOMKilled")), PhaseFailed, "OOMKilled"},
		{"evicted", evidence(JobFailed, evicted), PhaseFailed, `pod "p1": Evicted: low on ephemeral-storage`},
		{"deadline", deadline, PhaseFailed, "DeadlineExceeded: Job was active longer"},
		{"deleted", evidence(JobDeleted, killed("p1", "Error")), PhaseCanceled, "was deleted before it finished"},
		{"deleted after a partial run", evidence(JobDeleted, log("partial")), PhaseCanceled, "was deleted before it finished"},
		{"missing", evidence(JobMissing), PhaseUnknown, "does not exist"},
		{"active", evidence(JobActive), PhasePending, ""},
		{"active and waiting", waits, PhasePending, "pod p1 is not scheduled"},
		{"active and running", evidence(JobActive, Attempt{Pod: "p1", ContainerID: "c1", Running: true}), PhaseRunning, ""},
		{"active after a failure", evidence(JobActive, log("no-database"), Attempt{Pod: "p1", ContainerID: "c2", Running: true}), PhaseRunning, ""},
		{"between two attempts", evidence(JobActive, log("validation")), PhasePending, ""},
		{"active with a good summary", evidence(JobActive, log("success")), PhaseRunning, "the job not yet"},
		{"stuck", stuck, PhaseFailed, "cannot pull image"},
		{"stuck after a failure", stuckLater, PhaseFailed, "cannot pull image"},
		{"nothing known", Evidence{}, PhaseUnknown, "was not seen"},
		{"retried unseen", unseen, PhaseSucceeded, ""},
		{"retried after a crash behind its validation", evidence(JobComplete, crashed, log("success")), PhaseSucceededWithLosses, "exit code 1: the ingest failed): the table may hold"},
		{"retried after a kill behind its validation", evidence(JobComplete, killedLate, log("success")), PhaseSucceededWithLosses, "exit code 137"},
		{"retried, log lost", evidence(JobComplete, lost, log("success")), PhaseSucceeded, ""},
		{"retried, log empty", evidence(JobComplete, empty, log("success")), PhaseSucceeded, ""},
	}
	var report strings.Builder
	for _, test := range tests {
		outcome := Judge(test.evidence)
		if outcome.State != test.want || !strings.Contains(outcome.Reason, test.reason) {
			t.Errorf("%s: %s %q, want %s %q", test.name, outcome.State, outcome.Reason, test.want, test.reason)
		}
		if outcome.Clean() != (test.want == PhaseSucceeded) {
			t.Errorf("%s: Clean() = %t", test.name, outcome.Clean())
		}
		report.WriteString("# " + test.name + "\n" + strings.Join(outcome.Lines(), "\n") + "\n\n")
	}
	golden(t, "outcomes.golden", []byte(report.String()))
}

// Texts of the ingestor and of the cluster reach the report escaped.
func TestReportIsEscaped(t *testing.T) {
	t.Parallel()
	const evil = "x\x1b]0;owned\x07\u202e\r"
	code := int32(1)
	attempts := []Attempt{
		{Pod: "p", ExitCode: &code, Log: Report{Failure: []string{evil, evil}, Tail: []string{evil}}},
		{Pod: "p", ExitCode: &code, PodReason: evil, PodMessage: evil, Log: Report{Tail: []string{evil}}},
		{Pod: "p", ExitCode: &code, Reason: evil, Message: evil, Log: Report{Traceback: []string{evil}}},
		{Pod: "p", ExitCode: &code, Reason: evil, Message: evil, Log: Report{Tail: []string{evil}}},
	}
	for _, a := range attempts {
		for _, state := range []JobState{JobFailed, JobComplete} {
			for _, text := range Judge(evidence(state, a)).Lines() {
				if strings.ContainsAny(text, "\x1b\x07\r\u202e") {
					t.Errorf("%q", text)
				}
			}
		}
	}
	total := int64(1)
	outcome := Outcome{State: PhaseSucceeded, Banner: &Banner{Table: "t\t" + evil, Total: &total, Inserted: &total, Sent: &total}}
	for _, text := range outcome.Lines() {
		if strings.ContainsAny(text, "\x1b\x07\r\u202e\t") {
			t.Errorf("%q", text)
		}
	}
}
