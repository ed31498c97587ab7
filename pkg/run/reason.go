package run

import (
	"cmp"
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
)

// cause is why one attempt failed.
type cause struct {
	reason  string
	details []string
}

// judgeFailure explains a Job that Kubernetes calls failed.
func judgeFailure(e Evidence, o Outcome) Outcome {
	o.State = PhaseFailed
	o.Reason = fmt.Sprintf("job %q failed", e.Job)
	failed := e.condition(batchv1.JobFailed)
	if failed != nil {
		o.Reason = failedText(e.Job, failed)
	}
	first := e.firstCause()
	if first == nil {
		return o
	}
	o.ExitCode, o.Banner = first.ExitCode, first.Log.Banner
	because := first.cause()
	o.Details = because.details
	switch {
	case first.ExitCode != nil && *first.ExitCode == 0:
		// The ingestor ended well, so the Job's own reason is the only one.
		o.Details = nil
	case failed != nil && failed.Reason == batchv1.JobReasonDeadlineExceeded:
		o.Warnings = append(o.Warnings, "before that: "+because.reason)
	default:
		o.Reason = because.reason
	}
	if last := e.Last(); last != first {
		o.Warnings = append(o.Warnings, "a later attempt failed as well: "+last.cause().reason)
	}
	if note := leftBehind(o.Banner); note != "" {
		o.Warnings = append(o.Warnings, note)
	}
	return o
}

// firstCause returns the attempt whose failure explains the run. It is the last
// one, unless that only stumbled over what an earlier one had left behind.
func (e *Evidence) firstCause() *Attempt {
	for i := len(e.Attempts) - 1; i >= 0; i-- {
		a := &e.Attempts[i]
		if i == 0 || !a.stumbled() {
			return a
		}
	}
	return nil
}

// stumbled reports whether an attempt was refused because of an earlier one: the
// files that it had copied, its lock, or its table (contract, ingestor §3.1, §3.6).
func (a *Attempt) stumbled() bool {
	text := strings.Join(a.Log.Failure, "\n")
	return strings.Contains(text, "Destination directory '") && strings.Contains(text, "already exists") ||
		strings.Contains(text, "Another ingest is already running")
}

// cause returns the first of: what Kubernetes did to the container, the
// ingestor's own words, its summary, its traceback, its exit code.
func (a *Attempt) cause() cause {
	switch {
	case a.PodReason != "":
		return cause{fmt.Sprintf("pod %q: %s: %s", a.Pod, oneLine(a.PodReason), oneLine(a.PodMessage)), escapeLines(a.Log.Tail)}
	case a.Reason == "OOMKilled":
		return cause{fmt.Sprintf("the ingestor in pod %q was killed: it used more memory than its limit (OOMKilled)", a.Pod), escapeLines(a.Log.Tail)}
	case len(a.Log.Failure) > 0:
		return cause{headline(a.Log.Failure), escapeLines(a.Log.Failure)}
	}
	if b := a.Log.Banner; b != nil {
		if state, reason := weigh(b); state != PhaseSucceeded {
			return cause{reason, nil}
		}
	}
	if len(a.Log.Traceback) > 0 {
		return cause{"the ingestor crashed: " + headline(a.Log.Traceback), escapeLines(a.Log.Traceback)}
	}
	return cause{"the ingestor ended: " + a.exit(), escapeLines(a.Log.Tail)}
}

// exit describes how the container ended.
func (a *Attempt) exit() string {
	if a.ExitCode == nil {
		return "its exit code is not known"
	}
	text := fmt.Sprintf("exit code %d", *a.ExitCode)
	if meaning := exitMeaning(*a.ExitCode); meaning != "" {
		text += ": " + meaning
	}
	if a.Reason != "" && a.Reason != "Error" && a.Reason != "Completed" {
		text += fmt.Sprintf(" (%s)", oneLine(a.Reason))
	}
	if a.Message != "" {
		text += ": " + oneLine(a.Message)
	}
	return text
}

// exitMeaning explains the exit codes of contract, ingestor §3.2.
func exitMeaning(code int32) string {
	switch code {
	case 1:
		return "the ingest failed"
	case 2:
		return "the spec was not accepted"
	case 64:
		return "MYSQL_HOST is not set in the release"
	case 65:
		return "the database could not be reached"
	case 137:
		return "it was killed"
	case 143:
		return "it was asked to stop"
	}
	return ""
}

// headline makes the first words of a block one line: a validator's name stands
// on the first line and what it found on the next.
func headline(lines []string) string {
	var parts []string
	for _, text := range lines {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		parts = append(parts, text)
		if !strings.HasSuffix(text, ":") {
			break
		}
	}
	return oneLine(strings.Join(parts, " "))
}

func escapeLines(lines []string) []string {
	escaped := make([]string, 0, len(lines))
	for _, text := range lines {
		if !isBlank(text) {
			escaped = append(escaped, progress.Escape(text))
		}
	}
	return escaped
}

// losses lists what a summary counts as lost, "" for nothing.
func (b *Banner) losses() string {
	var parts []string
	add := func(count *int64, text string) {
		if count != nil && *count != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", *count, text))
		}
	}
	add(b.Skipped, "skipped")
	add(b.FileFailures, "without their file")
	add(b.DBFailures, "refused by the database")
	add(b.SendFailures, "not registered with the backend")
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

// leftBehind says what a failed attempt has put into the database.
func leftBehind(b *Banner) string {
	if b == nil || b.Inserted == nil || *b.Inserted == 0 {
		return ""
	}
	return fmt.Sprintf("%d records are in the database all the same", *b.Inserted)
}

// insertedBefore says that an attempt before done had inserted rows: a table of a
// tabular task then holds them twice (contract, ingestor §3.6).
func (e *Evidence) insertedBefore(done *Attempt) string {
	for i := range e.Attempts {
		a := &e.Attempts[i]
		if a == done {
			break
		}
		if b := a.Log.Banner; b != nil && b.Inserted != nil && *b.Inserted > 0 {
			return fmt.Sprintf("an earlier attempt had inserted %d records before it failed: the table may hold them twice", *b.Inserted)
		}
		if strings.Contains(strings.Join(a.Log.Failure, " "), "already in the database") {
			return "an earlier attempt had inserted its records before it failed: the table may hold them twice"
		}
		if a.Log.Validated && a.Log.Banner == nil {
			return fmt.Sprintf("an earlier attempt ended after its validation and without a summary (%s): the table may hold its records twice", a.exit())
		}
	}
	return ""
}

// doubtsBefore warns of attempts before done whose work cannot be known.
func (e *Evidence) doubtsBefore(done *Attempt) []string {
	const compare = "compare the table's rows with the summary"
	if e.Unseen > 0 {
		return []string{fmt.Sprintf("%d earlier attempts were not seen: %s", e.Unseen, compare)}
	}
	for i := range e.Attempts {
		a := &e.Attempts[i]
		if a == done {
			break
		}
		killed := a.PodReason != "" || a.Reason == "OOMKilled" || a.ExitCode == nil || *a.ExitCode > 128
		switch {
		case killed:
			name := cmp.Or(a.PodReason, a.Reason, "killed")
			return []string{fmt.Sprintf("an earlier attempt did not end by itself (%s): %s", oneLine(name), compare)}
		case a.ContainerID != "" && !a.LogComplete:
			return []string{fmt.Sprintf("the log of an earlier attempt could not be read%s: %s", colon(a.LogError), compare)}
		case a.ContainerID != "" && a.Log.Lines == 0: // an ingestor that fails says why, and a node forgets
			return []string{"the log of an earlier attempt is empty: " + compare}
		}
	}
	return nil
}
