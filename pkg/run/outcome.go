package run

import (
	"fmt"
	"time"
)

// Outcome is what the evidence of a run proves.
type Outcome struct {
	// State is PhaseSucceeded, PhaseSucceededWithLosses, PhaseFailed, PhaseCanceled
	// or PhaseUnknown; PhasePending or PhaseRunning of a run that is at work.
	// PhaseDetached is the caller's word for a user who stopped watching.
	State Phase
	// Job is the name of the run's Job.
	Job string
	// Reason is the verdict's cause in one line, printable, or what the run waits
	// for; "" when it succeeded.
	Reason string
	// Details are the ingestor's own last words, printable lines, at most some dozens.
	Details []string
	// Warnings are printable lines on what may be wrong besides.
	Warnings []string
	// Banner is the summary of the attempt that decided; nil without one.
	Banner   *Banner
	Attempts int    // container lives that the cluster knows of
	ExitCode *int32 // of the deciding attempt's container
	// Started and Finished are the Job's; zero when it has not.
	Started, Finished time.Time
}

// Clean reports whether every record is proved to be inserted and registered, so
// that the staged copy is no longer needed.
func (o Outcome) Clean() bool { return o.State == PhaseSucceeded }

// Active reports whether the run is still at work.
func (o Outcome) Active() bool { return o.State == PhasePending || o.State == PhaseRunning }

// Judge decides what evidence proves (contract, ingestor §3.2 and §3.4). It is
// the only place that does. A run has succeeded when its Job is complete and the
// ingestor's summary says that all records, and at least one, were inserted and
// sent; anything short of it is not a success.
func Judge(e Evidence) Outcome {
	last := e.Last()
	o := Outcome{Job: e.Job, Attempts: len(e.Attempts) + e.Unseen, Started: e.Started, Finished: e.Finished}
	if last != nil {
		o.ExitCode, o.Banner = last.ExitCode, last.Log.Banner
	}
	switch e.State {
	case JobComplete:
		return judgeSuccess(e, o)
	case JobFailed:
		return judgeFailure(e, o)
	case JobDeleted:
		// A Job whose container had ended well was deleted after the work, by a
		// time limit on finished Jobs.
		if last != nil && last.ExitCode != nil && *last.ExitCode == 0 && o.Banner != nil {
			return judgeSuccess(e, o)
		}
		o.State = PhaseCanceled
		o.Reason = fmt.Sprintf("job %q was deleted before it finished; rows that it had inserted stay in the database", e.Job)
		return o
	case JobMissing:
		o.State = PhaseUnknown
		o.Reason = fmt.Sprintf("job %q does not exist in namespace %q: it was deleted, or it finished long ago", e.Job, e.Namespace)
		return o
	}
	if e.Stuck != "" {
		return judgeStuck(e, o)
	}
	if e.State == JobActive {
		return judgeActive(e, o)
	}
	o.State, o.Reason = PhaseUnknown, fmt.Sprintf("job %q was not seen", e.Job)
	return o
}

// judgeActive says how far a run is that nothing is decided about yet.
func judgeActive(e Evidence, o Outcome) Outcome {
	o.Banner, o.ExitCode = nil, nil
	o.State, o.Reason = PhasePending, e.Waiting
	for i := len(e.Attempts) - 1; i >= 0; i-- {
		a := &e.Attempts[i]
		switch {
		case a.Running:
			o.State, o.Reason = PhaseRunning, ""
		case a.ExitCode != nil && *a.ExitCode == 0:
			o.State, o.Reason = PhaseRunning, "the ingestor has ended, the job not yet"
		default:
			because := a.cause()
			o.Details = because.details
			o.Warnings = append(o.Warnings, "an attempt has failed: "+because.reason)
			return o
		}
	}
	return o
}

func judgeStuck(e Evidence, o Outcome) Outcome {
	o.State, o.Reason = PhaseFailed, e.Stuck
	o.Warnings = append(o.Warnings, fmt.Sprintf("the job stays in the cluster and may go on later: kubectl tracebloc cancel job/%s -n %s ends it", e.Job, e.Namespace))
	if first := e.firstCause(); first != nil {
		cause := first.cause()
		o.Details = cause.details
		o.Warnings = append(o.Warnings, "an earlier attempt had failed: "+cause.reason)
	}
	return o
}

// judgeSuccess looks at a Job that Kubernetes calls complete. The ingestor exits
// with 0 although records were skipped, so only its summary counts.
func judgeSuccess(e Evidence, o Outcome) Outcome {
	done := e.Succeeded()
	if done == nil {
		done = e.Last()
	}
	if done == nil {
		o.State = PhaseUnknown
		o.Reason = fmt.Sprintf("job %q is complete, but its pod is gone and with it the ingestor's summary", e.Job)
		return o
	}
	o.ExitCode, o.Banner = done.ExitCode, done.Log.Banner
	if o.Banner == nil {
		o.State = PhaseUnknown
		o.Reason = fmt.Sprintf("job %q is complete, but the ingestor printed no summary", e.Job)
		if !done.LogComplete {
			o.Reason = fmt.Sprintf("job %q is complete, but the log of pod %q could not be read to its end%s", e.Job, done.Pod, colon(done.LogError))
		}
		o.Details = escapeLines(done.Log.Tail)
		return o
	}
	o.State, o.Reason = weigh(o.Banner)
	if o.State != PhaseSucceeded {
		return o
	}
	if twice := e.insertedBefore(done); twice != "" {
		o.State, o.Reason = PhaseSucceededWithLosses, twice
	}
	o.Warnings = append(o.Warnings, e.doubtsBefore(done)...)
	return o
}

// weigh judges the counts of a summary.
func weigh(b *Banner) (Phase, string) {
	if b.Total == nil || b.Inserted == nil || b.Sent == nil {
		return PhaseUnknown, "the ingestor's summary is incomplete: it does not say how many records were found, inserted and sent"
	}
	switch {
	case *b.Total == 0 && *b.Inserted == 0:
		return PhaseFailed, "no records were ingested: the ingestor found none"
	case *b.Inserted == 0:
		return PhaseFailed, fmt.Sprintf("none of the %d records was inserted%s", *b.Total, b.losses())
	case *b.Inserted != *b.Total:
		return PhaseSucceededWithLosses, fmt.Sprintf("%d of %d records were inserted%s", *b.Inserted, *b.Total, b.losses())
	case *b.Sent != *b.Inserted:
		return PhaseSucceededWithLosses, fmt.Sprintf("%d of %d inserted records were registered with the backend", *b.Sent, *b.Inserted)
	}
	if losses := b.losses(); losses != "" {
		return PhaseSucceededWithLosses, fmt.Sprintf("%d records were inserted, but not all that were found%s", *b.Inserted, losses)
	}
	return PhaseSucceeded, ""
}

// JudgeLog decides what a log alone proves, without its Job: one that was saved.
func JudgeLog(r Report) Outcome {
	o := Outcome{Banner: r.Banner, Attempts: 1}
	a := Attempt{Log: r}
	switch {
	case r.Banner != nil:
		o.State, o.Reason = weigh(r.Banner)
	case len(r.Failure)+len(r.Traceback) > 0:
		because := a.cause()
		o.State, o.Reason, o.Details = PhaseFailed, because.reason, because.details
	default:
		o.State, o.Reason, o.Details = PhaseUnknown, "the log has no summary of the ingestor", escapeLines(r.Tail)
	}
	return o
}
