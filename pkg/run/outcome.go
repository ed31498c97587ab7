package run

import "fmt"

// Outcome is what the evidence of a run proves.
type Outcome struct {
	// State is PhaseSucceeded, PhaseSucceededWithLosses, PhaseFailed, PhaseCanceled
	// or PhaseUnknown. Only the first is exit code 0; PhaseDetached is the caller's
	// word for a user who stopped watching.
	State Phase
	// Reason is the verdict's cause in one line, printable; "" when it succeeded.
	Reason string
	// Details are the ingestor's own last words, printable lines, at most some dozens.
	Details []string
	// Warnings are printable lines on what may be wrong besides.
	Warnings []string
	// Banner is the summary of the attempt that decided; nil without one.
	Banner   *Banner
	Attempts int    // container lives that were seen
	ExitCode *int32 // of the deciding attempt's container
}

// Clean reports whether every record is proved to be inserted and registered, so
// that the staged copy is no longer needed.
func (o Outcome) Clean() bool { return o.State == PhaseSucceeded }

// Judge decides what evidence proves (contract, ingestor §3.2 and §3.4). It is
// the only place that does. A run has succeeded when its Job is complete and the
// ingestor's summary says that all records, and at least one, were inserted and
// sent; anything short of it is not a success.
func Judge(e Evidence) Outcome {
	last := e.Last()
	o := Outcome{Attempts: len(e.Attempts)}
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
	o.State = PhaseUnknown
	o.Reason = fmt.Sprintf("job %q has not finished", e.Job)
	if e.Waiting != "" {
		o.Reason += ": " + e.Waiting
	}
	return o
}

func judgeStuck(e Evidence, o Outcome) Outcome {
	o.State, o.Reason = PhaseFailed, e.Stuck
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
	o.Warnings = append(o.Warnings, e.killedBefore(done)...)
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
